// SPDX-License-Identifier: MIT
/*
 * The first stack of a context: what arch_context_switch pops, so that it returns to
 * x86_context_start with the entry point and its argument in registers.
 */
#include "cpu.h"

#include "arch/arch.h"
#include "lib/assert.h"

/* In the order of context.S. */
struct switch_frame {
	uint64_t r15, r14, r13, r12, rbx, rbp, rip;
};

void x86_context_start(void); /* context.S; not a C function */

void arch_context_init(
	struct arch_context *ctx, vaddr_t stack_bottom, vaddr_t stack_top, void (*entry)(void *), void *arg)
{
	struct switch_frame *frame;

	assert(IS_ALIGNED(stack_top, 16) &&
		stack_top - stack_bottom > sizeof(*frame) + sizeof(struct arch_frame));
	/* Above is the place of a user thread's registers: arch_user_frame. */
	frame = (struct switch_frame *)(stack_top - sizeof(struct arch_frame)) - 1;
	*frame = (struct switch_frame){
		.r12 = (uint64_t)entry,
		.r13 = (uint64_t)arg,
		.rip = (uint64_t)x86_context_start,
	};
	ctx->rsp = (uint64_t)frame;
}

bool arch_context_frame_pointer(const struct arch_context *ctx, vaddr_t *fp)
{
	struct switch_frame frame;

	if (arch_probe_read(&frame, (const void *)READ_ONCE(ctx->rsp), sizeof(frame)))
		return false;
	*fp = frame.rbp;
	return true;
}
