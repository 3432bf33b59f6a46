// SPDX-License-Identifier: MIT
/*
 * Changing stacks: the one primitive under both kinds of switching.
 *
 * A kernel thread has a host stack of its own (memory.c). When a CPU changes threads
 * (arch_context_switch) or the machine changes CPUs (interleave.c), the callee-saved registers
 * are pushed on the stack we leave, the stack pointer is stored, and the same is undone on the
 * stack we enter. AddressSanitizer is told of each change.
 *
 * A context that is running has sp == NULL. Entering one is a bug of the scheduler (it put a
 * thread on a run queue that a second CPU took before the first had left its stack) and
 * reported at once, because nothing sensible follows.
 */
#include "arch/sim/sim_priv.h"

#ifndef __x86_64__
#error "the simulated machine knows x86-64 hosts only: sim_swap, sim_thread_start, arch_backtrace_step"
#endif

#if defined(__SANITIZE_ADDRESS__)
#define SIM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIM_ASAN 1
#endif
#endif

#ifdef SIM_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

/* What lies at a saved stack pointer, lowest address first (System V AMD64 ABI, 3.2.1). */
struct saved {
	uint64_t r15, r14, r13, r12, rbx, rbp;
	uint64_t ret;
};

/* Pushes `struct saved` here, stores the stack pointer in *save, pops it at load. */
void sim_swap(void **save, void *load);
__attribute__((naked)) void sim_swap(void **save UNUSED, void *load UNUSED)
{
	__asm__("pushq %rbp\n\t"
		"pushq %rbx\n\t"
		"pushq %r12\n\t"
		"pushq %r13\n\t"
		"pushq %r14\n\t"
		"pushq %r15\n\t"
		"movq %rsp, (%rdi)\n\t"
		"movq %rsi, %rsp\n\t"
		"popq %r15\n\t"
		"popq %r14\n\t"
		"popq %r13\n\t"
		"popq %r12\n\t"
		"popq %rbx\n\t"
		"popq %rbp\n\t"
		"ret");
}

NORETURN void sim_begin(void (*entry)(void *), void *arg);
NORETURN void sim_begin(void (*entry)(void *), void *arg)
{
#ifdef SIM_ASAN
	__sanitizer_finish_switch_fiber(NULL, NULL, NULL);
#endif
	entry(arg);
	sim_report("arch/sim: a thread's entry returned");
}

/* Where a fresh stack starts: r12 is the entry, r13 its argument; rbp 0 ends the backtrace. */
void sim_thread_start(void);
__attribute__((naked)) void sim_thread_start(void)
{
	__asm__("xorl %ebp, %ebp\n\t"
		"movq %r12, %rdi\n\t"
		"movq %r13, %rsi\n\t"
		"call sim_begin\n\t"
		"ud2");
}

void *sim_stack_prepare(vaddr_t top, void (*entry)(void *), void *arg)
{
	/* What a debugger takes for sim_thread_start's caller: nobody. */
	uint64_t *nobody = (uint64_t *)ALIGN_DOWN(top, (vaddr_t)16) - 2;
	/* After `ret` the stack pointer is at nobody: 16-byte aligned, as `call` wants it. */
	struct saved *s = (struct saved *)nobody - 1;

	nobody[0] = nobody[1] = 0;
	*s = (struct saved){.r12 = (uint64_t)entry,
		.r13 = (uint64_t)arg,
		.ret = (uint64_t)sim_thread_start};
	return s;
}

void sim_saved_registers(void *sp, vaddr_t *pc, vaddr_t *fp)
{
	const struct saved *s = sp;

	*pc = s->ret;
	*fp = s->rbp;
}

void sim_jump(void **save, void *load)
{
#ifdef SIM_ASAN
	void *fake = NULL;
	vaddr_t slot = ALIGN_DOWN((vaddr_t)load, SIM_STACK_SLOT);

	__sanitizer_start_switch_fiber(&fake, (void *)slot, SIM_STACK_SLOT);
	sim_swap(save, load);
	__sanitizer_finish_switch_fiber(fake, NULL, NULL);
#else
	sim_swap(save, load);
#endif
}

void arch_context_init(struct arch_context *ctx, vaddr_t stack_bottom UNUSED, vaddr_t stack_top,
	void (*entry)(void *), void *arg)
{
	ctx->sp = sim_stack_prepare(
		stack_top - SIM_FRAME_ROOM, entry, arg); /* above: arch_user_frame */
}

void arch_context_switch(struct arch_context *from, struct arch_context *to)
{
	void *load = to->sp;

	if (!load)
		sim_report("arch/sim: a thread is continued while a CPU is still on its stack");
	to->sp = NULL;
	sim_moment_leave(from);
	sim_jump(&from->sp, load);
}

bool arch_context_frame_pointer(const struct arch_context *ctx UNUSED, vaddr_t *fp UNUSED)
{
	return false;
}

bool arch_backtrace_step(vaddr_t *fp, vaddr_t *return_address)
{
	const vaddr_t *frame = (const vaddr_t *)*fp;
	vaddr_t slot = ALIGN_DOWN(*fp, SIM_STACK_SLOT);

	if (!*fp || !IS_ALIGNED(*fp, sizeof(vaddr_t)) ||
		*fp + 2 * sizeof(vaddr_t) > slot + SIM_STACK_SLOT)
		return false;
	*return_address = frame[1];
	/* The chain goes outwards on one stack, or ends. */
	if (frame[0] && (frame[0] <= *fp || frame[0] >= slot + SIM_STACK_SLOT))
		return false;
	*fp = frame[0];
	return *return_address != 0;
}

vaddr_t arch_frame_pc(const struct arch_frame *f)
{
	return f->pc;
}

vaddr_t arch_frame_sp(const struct arch_frame *f)
{
	return f->sp;
}

vaddr_t arch_frame_fp(const struct arch_frame *f)
{
	return f->fp;
}

bool arch_frame_is_user(const struct arch_frame *f)
{
	return f->is_user;
}

bool arch_frame_irq_enabled(const struct arch_frame *f)
{
	return f->was_irq_enabled;
}

void arch_frame_print(const struct arch_frame *f)
{
	sim_say("pc %#lx sp %#lx fp %#lx, interrupts %s\n", f->pc, f->sp, f->fp,
		f->was_irq_enabled ? "on" : "off");
}

/* The kernel uses no vector state, and neither do the C functions that stand for user programs.
 */
size_t arch_fpu_size(void)
{
	return ARCH_FPU_ALIGN;
}

void arch_fpu_init(void *area UNUSED)
{
}

void arch_fpu_save(void *area UNUSED)
{
}

void arch_fpu_restore(const void *area UNUSED)
{
}
