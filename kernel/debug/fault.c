// SPDX-License-Identifier: MIT
/*
 * A fault in kernel code, told in plain words before the registers: what the address says about
 * the mistake. Nothing returns from here yet: no user code runs whose fault it could be, and
 * what may fault on purpose was repaired by the fix-up table before.
 *
 * The words before the colon are what tests of the reports look for; keep them.
 */
#include "arch/arch.h"
#include "debug/panic.h"
#include "lib/fmt.h"
#include "mm/kmap.h"
#include "sched/thread.h"

enum { WORDS_MAX = 160 };

static bool is_text(vaddr_t va)
{
	return va >= arch_layout.text_start && va < arch_layout.text_end;
}

static bool is_rodata(vaddr_t va)
{
	return va >= arch_layout.rodata_start && va < arch_layout.rodata_end;
}

/* Below the running thread's stack, but nearer than any sensible frame. */
static bool is_below_stack(vaddr_t va)
{
	const struct thread *t = arch_current();

	return t && va < t->kstack_bottom && t->kstack_bottom - va <= KSTACK_SIZE;
}

static const char *access_name(const struct trap_info *info)
{
	if (info->flags & FAULT_EXEC)
		return "executed";
	return info->flags & FAULT_WRITE ? "wrote" : "read";
}

static NORETURN void stack_overflow(const struct arch_frame *f, vaddr_t va)
{
	const struct thread *t = arch_current();

	panic_frame(f, "stack overflow: thread %s, stack %#lx-%#lx, touched %#lx",
		t ? t->name : "(none)", t ? t->kstack_bottom : 0, t ? t->kstack_top : 0, va);
}

static NORETURN void page_fault(const struct arch_frame *f, const struct trap_info *info)
{
	char words[WORDS_MAX], pc[WORDS_MAX / 2];
	const char *did = access_name(info);
	vaddr_t va = info->addr;

	symbol_describe(arch_frame_pc(f), pc, sizeof(pc));
	if (is_below_stack(va))
		stack_overflow(f, va);
	if (info->flags & FAULT_RESERVED)
		panic_frame(f,
			"page table corruption: a reserved bit is set on the way to %#lx", va);
	if (info->flags & FAULT_EXEC)
		panic_frame(f, "wild jump: to %#lx, which is %s", va,
			va < PAGE_SIZE                ? "a null function pointer"
			: info->flags & FAULT_PRESENT ? "data, not code"
						      : "not mapped");
	if (va < PAGE_SIZE)
		panic_frame(f, "null dereference: %s %s address %#lx", pc, did, va);
	if ((info->flags & FAULT_WRITE) && is_text(va))
		panic_frame(f, "write to read-only code: %s wrote %#lx", pc, va);
	if ((info->flags & FAULT_WRITE) && is_rodata(va))
		panic_frame(f, "write to read-only data: %s wrote %#lx", pc, va);
	if (kmap_describe(va, words, sizeof(words)))
		panic_frame(f, "guard page: %s %s %#lx, %s", pc, did, va, words);
	panic_frame(f, "bad address: %s %s %#lx, which is %s", pc, did, va,
		info->flags & FAULT_PRESENT ? "protected" : "not mapped");
}

/*
 * A push that runs off the stack faults while there is no stack to report it on, and arrives
 * here, on the double fault's own stack, with the frame of the code that overflowed.
 */
static NORETURN void double_fault(const struct arch_frame *f)
{
	const struct thread *t = arch_current();
	vaddr_t sp = arch_frame_sp(f);
	char words[WORDS_MAX];

	/* The failed push is just below the stack pointer. */
	if (t && sp <= t->kstack_bottom + sizeof(*f) &&
		t->kstack_bottom - (sp - sizeof(*f)) <= KSTACK_SIZE)
		stack_overflow(f, sp);
	if (!kmap_describe(sp - 1, words, sizeof(words)))
		snformat(words, sizeof(words), "in no known stack");
	panic_frame(f, "double fault: stack pointer %#lx, %s", sp, words);
}

void trap_fault(struct arch_frame *f, const struct trap_info *info)
{
	char pc[WORDS_MAX / 2];

	symbol_describe(arch_frame_pc(f), pc, sizeof(pc));
	switch (info->kind) {
	case TRAP_PAGE_FAULT:
		page_fault(f, info);
	case TRAP_DOUBLE_FAULT:
		double_fault(f);
	case TRAP_ILLEGAL:
		panic_frame(f, "illegal instruction: at %s", pc);
	case TRAP_ARITHMETIC:
		panic_frame(f, "arithmetic fault: %s at %s", info->name, pc);
	case TRAP_MACHINE_CHECK:
		panic_frame(
			f, "machine check: the hardware reports an error; interrupted %s", pc);
	case TRAP_PROTECTION:
		/* x86 gives no address for a non-canonical one: the registers that follow show
		 * it */
		if (!is_text(arch_frame_pc(f)))
			panic_frame(
				f, "wild jump: to %#lx, which is not code", arch_frame_pc(f));
		panic_frame(f,
			"protection fault: %s (%#lx) at %s; non-canonical address or "
			"privileged act",
			info->name, (unsigned long)info->code, pc);
	default:
		panic_frame(f, "unexpected trap: %s (%#lx) at %s", info->name,
			(unsigned long)info->code, pc);
	}
}
