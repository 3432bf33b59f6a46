// SPDX-License-Identifier: MIT
/*
 * What a trap in the kernel is: interrupts go to interrupts.c, the CPU's exceptions become a struct
 * trap_info in the machine's own words and go to trap_fault(), unless the instruction was allowed
 * to fault: copies of user memory (user_copy.S), and what has a row in the fix-up table.
 *
 * Traps in user mode are user.c's.
 *
 * Exceptions and their error codes: Intel SDM vol.3 6.15; page faults: 4.7.
 */
#include "cpu.h"
#include "cpuid.h"
#include "fixup.h"
#include "layout.h"

#include "arch/arch.h"
#include "debug/log.h"
#include "lib/assert.h"
#include "sched/thread.h"
#include "sync/preempt.h"

enum { SEL_RPL = 3 };

/* Page-fault error code. */
enum { PF_PRESENT = 1, PF_WRITE = 2, PF_USER = 4, PF_RESERVED = 8, PF_FETCH = 16 };

static const struct {
	enum trap_kind kind;
	const char *name;
} exceptions[NR_EXCEPTIONS] = {
	[0] = {TRAP_ARITHMETIC, "divide error"},
	[1] = {TRAP_DEBUG, "debug exception"},
	[3] = {TRAP_BREAKPOINT, "breakpoint"},
	[4] = {TRAP_OTHER, "overflow"},
	[5] = {TRAP_OTHER, "bound range exceeded"},
	[6] = {TRAP_ILLEGAL, "invalid opcode"},
	[7] = {TRAP_OTHER, "device not available"},
	[8] = {TRAP_DOUBLE_FAULT, "double fault"},
	[10] = {TRAP_PROTECTION, "invalid TSS"},
	[11] = {TRAP_PROTECTION, "segment not present"},
	[12] = {TRAP_PROTECTION, "stack segment fault"},
	[13] = {TRAP_PROTECTION, "general protection fault"},
	[14] = {TRAP_PAGE_FAULT, "page fault"},
	[16] = {TRAP_ARITHMETIC, "x87 floating-point error"},
	[17] = {TRAP_ALIGNMENT, "alignment check"},
	[18] = {TRAP_MACHINE_CHECK, "machine check"},
	[19] = {TRAP_ARITHMETIC, "SIMD floating-point exception"},
	[20] = {TRAP_OTHER, "virtualization exception"},
	[21] = {TRAP_OTHER, "control protection exception"},
};

/* ---- The fix-up table ---- */

struct fixup {
	int32_t from, to; /* each relative to its own address */
};
extern const struct fixup __fixups_start[], __fixups_end[]; /* kernel.lds */

bool x86_fixup(struct arch_frame *f)
{
	for (const struct fixup *x = __fixups_start; x < __fixups_end; x++) {
		if ((vaddr_t)&x->from + (vaddr_t)(intptr_t)x->from != f->rip)
			continue;
		f->rip = (vaddr_t)&x->to + (vaddr_t)(intptr_t)x->to;
		return true;
	}
	return false;
}

/* Byte by byte through the string unit: one instruction to name in the table. */
NO_CHECKERS int arch_probe_read(void *dst, const void *src, size_t len)
{
	int err = -EFAULT;

	__asm__ volatile("1: rep movsb\n"
			 "xorl %0, %0\n"
			 "2:" X86_FIXUP("1b", "2b")
			 : "+r"(err), "+D"(dst), "+S"(src), "+c"(len)
			 :
			 : "memory", "cc");
	return err;
}

/* ---- Dispatch ---- */

static unsigned page_fault_flags(uint64_t code)
{
	return (code & PF_PRESENT ? FAULT_PRESENT : 0) | (code & PF_WRITE ? FAULT_WRITE : 0) |
		(code & PF_USER ? FAULT_USER : 0) | (code & PF_RESERVED ? FAULT_RESERVED : 0) |
		(code & PF_FETCH ? FAULT_EXEC : 0);
}

struct trap_info x86_trap_info(const struct arch_frame *f)
{
	struct trap_info info = {
		.kind = exceptions[f->vector].name ? exceptions[f->vector].kind : TRAP_OTHER,
		.name = exceptions[f->vector].name ? exceptions[f->vector].name
						   : "reserved exception",
		.nr = f->vector,
		.code = f->error,
	};

	if (f->vector == VECTOR_PAGE_FAULT) {
		info.addr = x86_cr2_read();
		info.flags = page_fault_flags(f->error);
	}
	return info;
}

extern char __user_access_start[], __user_access_end[]; /* kernel.lds: user_copy.S */

/*
 * A copy from or to user memory that may bring its page in: not where a lock is held or
 * interrupts are off. Then, and without a page, the copy ends (its fix-up).
 */
static bool user_access_fault(struct arch_frame *f, const struct trap_info *info)
{
	bool is_repaired;

	if (f->vector != VECTOR_PAGE_FAULT || info->addr >= ARCH_USER_END ||
		f->rip < (vaddr_t)__user_access_start || f->rip >= (vaddr_t)__user_access_end ||
		!preempt_is_enabled() || !arch_frame_irq_enabled(f) || !arch_current()->vm)
		return false;
	arch_irq_enable();
	is_repaired = trap_page_fault(f, info);
	arch_irq_disable();
	return is_repaired;
}

/*
 * No breakpoint of ours leads here: one that a program set hits an entry of the kernel, when MOV SS
 * delayed it. It is taken as having been the program's own instruction, and forgotten.
 */
static bool is_stray_debug_trap(struct arch_frame *f)
{
	if (f->vector != VECTOR_DEBUG)
		return false;
	x86_dr6_write(DR6_NONE);
	f->rflags &= ~X86_RFLAGS_TF;
	return true;
}

static void handle_exception(struct arch_frame *f)
{
	struct trap_info info = x86_trap_info(f);
	bool may_go_on = !arch_frame_is_user(f) && f->vector != VECTOR_DOUBLE_FAULT &&
			 f->vector != VECTOR_MACHINE_CHECK;

	if (may_go_on &&
		(user_access_fault(f, &info) || x86_fixup(f) || is_stray_debug_trap(f)))
		return;
	trap_fault(f, &info);
}

/* ---- NMI ---- */

void (*x86_test_nmi)(struct arch_frame *f);
static PERCPU(bool, nmi_came_again);

/*
 * NMIs do not nest, but for one way: a fault inside the handler (a backtrace through a bad stack)
 * ends in an IRETQ, and that lets the next one in, before ours has left its stack.
 *
 * So the NMI stack has two halves. From its start on, until long after its return, a handler has
 * the TSS point at the other half: what comes meanwhile starts there and overwrites nothing. It
 * knows by the stack pointer it interrupted that it is inside another, leaves a note, and returns
 * without a fault; so it ends before a third can start, which finds the same half free again.
 *
 * The outer handler repeats its work when there is a note. One left in the few instructions
 * between its last look and its return is not seen: what was asked for is done with the next NMI.
 */
static void handle_nmi(struct arch_frame *f)
{
	vaddr_t bottom = (vaddr_t)percpu(x86_nmi_stack), top = bottom + X86_IST_STACK_SIZE;
	vaddr_t middle = bottom + X86_IST_STACK_SIZE / 2;
	vaddr_t other = (vaddr_t)f >= middle ? middle : top;
	struct x86_tss *tss = &arch_cpu()->arch.tss;

	if (!arch_frame_is_user(f) && f->rsp >= bottom && f->rsp < top) {
		WRITE_ONCE(percpu(nmi_came_again), true);
		return;
	}
	tss->ist[X86_IST_NMI - 1] = other - X86_IST_RESERVED;
	compiler_barrier(); /* before anything that may fault */
	do {
		WRITE_ONCE(percpu(nmi_came_again), false);
		if (x86_test_nmi)
			x86_test_nmi(f);
		else
			trap_nmi(f);
	} while (READ_ONCE(percpu(nmi_came_again)));
}

/* ---- Which is it? ---- */

void x86_trap(struct arch_frame *f)
{
	if (f->vector >= NR_EXCEPTIONS)
		x86_interrupt(f);
	else if (f->vector == VECTOR_NMI)
		handle_nmi(f);
	else
		handle_exception(f);
}

/* ---- What a frame says ---- */

vaddr_t arch_frame_pc(const struct arch_frame *f)
{
	return f->rip;
}

vaddr_t arch_frame_sp(const struct arch_frame *f)
{
	return f->rsp;
}

vaddr_t arch_frame_fp(const struct arch_frame *f)
{
	return f->rbp;
}

bool arch_frame_is_user(const struct arch_frame *f)
{
	return (f->cs & SEL_RPL) != 0;
}

bool arch_frame_irq_enabled(const struct arch_frame *f)
{
	return f->rflags & X86_RFLAGS_IF;
}

void arch_frame_print(const struct arch_frame *f)
{
	log_emergency("vector %lu error %lx  cs:rip %lx:%016lx  ss:rsp %lx:%016lx  rflags %lx", f->vector,
		f->error, f->cs, f->rip, f->ss, f->rsp, f->rflags);
	log_emergency("rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
	log_emergency("rsi %016lx rdi %016lx rbp %016lx r8  %016lx", f->rsi, f->rdi, f->rbp, f->r8);
	log_emergency("r9  %016lx r10 %016lx r11 %016lx r12 %016lx", f->r9, f->r10, f->r11, f->r12);
	log_emergency("r13 %016lx r14 %016lx r15 %016lx", f->r13, f->r14, f->r15);
	log_emergency("cr0 %lx cr2 %016lx cr3 %lx cr4 %lx", x86_cr0_read(), x86_cr2_read(), x86_cr3_read(),
		x86_cr4_read());
}

/* A call frame is {caller's frame pointer, return address}; the first code pushes zeroes. */
bool arch_backtrace_step(vaddr_t *fp, vaddr_t *return_address)
{
	vaddr_t words[2];

	if (*fp == 0 || !IS_ALIGNED(*fp, sizeof(vaddr_t)) || (intptr_t)*fp > 0 ||
		arch_probe_read(words, (const void *)*fp, sizeof(words)) || words[1] == 0 || words[0] == *fp)
		return false;
	*fp = words[0];
	*return_address = words[1];
	return true;
}
