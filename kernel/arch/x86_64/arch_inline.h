// SPDX-License-Identifier: MIT
/*
 * The hot part of arch/arch.h for x86-64. %gs:0 is this CPU's struct cpu, in kernel code always.
 *
 * Page-table entries: Intel SDM vol.3 4.5 (4-level paging). The PAT is programmed by cpu.c so
 * that the two bits PWT and PCD alone choose: neither = write-back, PWT = write-combining,
 * both = uncached.
 */
#pragma once

#include "arch/cpu.h"
#include "lib/base.h"

/* ---- This CPU ---- */

#define X86_GS_READ(type, field)                                                               \
	({                                                                                     \
		type gs_value_;                                                                \
		__asm__ volatile("mov %%gs:%c1, %0"                                            \
				 : "=r"(gs_value_)                                             \
				 : "i"(offsetof(struct cpu, field)));                          \
		gs_value_;                                                                     \
	})

static inline struct cpu *arch_cpu(void)
{
	return X86_GS_READ(struct cpu *, self);
}

static inline struct thread *arch_current(void)
{
	return X86_GS_READ(struct thread *, current);
}

static inline void arch_set_current(struct thread *t)
{
	__asm__ volatile("mov %0, %%gs:%c1" : : "r"(t), "i"(offsetof(struct cpu, current)) : "memory");
}

static inline void arch_cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

static inline uint32_t arch_preempt_get(void)
{
	return X86_GS_READ(uint32_t, preempt);
}

static inline void arch_preempt_add(int32_t delta)
{
	__asm__ volatile("addl %0, %%gs:%c1"
			 :
			 : "ri"(delta), "i"(offsetof(struct cpu, preempt))
			 : "memory", "cc");
}

static inline bool arch_preempt_sub_is_zero(int32_t delta)
{
	bool is_zero;

	__asm__ volatile("subl %1, %%gs:%c2"
			 : "=@ccz"(is_zero)
			 : "ri"(delta), "i"(offsetof(struct cpu, preempt))
			 : "memory");
	return is_zero;
}

/* ---- Interrupt flag ---- */

#define X86_RFLAGS_TF BIT(8)
#define X86_RFLAGS_IF BIT(9)

static inline bool arch_irq_enabled(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
	return flags & X86_RFLAGS_IF;
}

static inline void arch_irq_enable(void)
{
	__asm__ volatile("sti" ::: "memory");
}

static inline void arch_irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline bool arch_irq_save(void)
{
	bool were_enabled = arch_irq_enabled();

	arch_irq_disable();
	return were_enabled;
}

static inline void arch_irq_restore(bool were_enabled)
{
	if (were_enabled)
		arch_irq_enable();
}

/* ---- Traps, time ---- */

static inline vaddr_t arch_frame_pointer(void)
{
	return (vaddr_t)__builtin_frame_address(0);
}

/* LFENCE keeps the read from moving before earlier loads. Intel SDM vol.2 RDTSC. */
static inline uint64_t arch_counter_read(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* ---- Page-table entries ---- */

#define X86_PTE_PRESENT	 BIT(0)
#define X86_PTE_WRITE	 BIT(1)
#define X86_PTE_USER	 BIT(2)
#define X86_PTE_PWT	 BIT(3)
#define X86_PTE_PCD	 BIT(4)
#define X86_PTE_ACCESSED BIT(5)
#define X86_PTE_DIRTY	 BIT(6)
#define X86_PTE_LARGE	 BIT(7) /* levels 1 and 2 */
#define X86_PTE_GLOBAL	 BIT(8)
#define X86_PTE_ANON	 BIT(9) /* 9 to 11 are the software's */
#define X86_PTE_SPECIAL	 BIT(10)
#define X86_PTE_NONE	 BIT(11)
#define X86_PTE_NX	 BIT(63)
#define X86_PTE_ADDR	 0x000ffffffffff000ul
#define X86_PTE_LARGE_PAT BIT(12) /* in a large leaf, not part of the address */

/* Accessed and dirty are set at once, so that the CPU need not write them. */
static inline arch_pte arch_pte_leaf(paddr_t pa, unsigned flags, unsigned level)
{
	arch_pte pte = pa | X86_PTE_PRESENT | X86_PTE_ACCESSED;

	if (level > 0)
		pte |= X86_PTE_LARGE;
	if (flags & PTE_WRITE)
		pte |= X86_PTE_WRITE | X86_PTE_DIRTY;
	if (!(flags & PTE_EXEC))
		pte |= X86_PTE_NX;
	if (flags & PTE_USER)
		pte |= X86_PTE_USER;
	if (flags & PTE_GLOBAL)
		pte |= X86_PTE_GLOBAL;
	if (flags & PTE_UNCACHED)
		pte |= X86_PTE_PCD | X86_PTE_PWT;
	else if (flags & PTE_WRITE_COMBINE)
		pte |= X86_PTE_PWT;
	if (flags & PTE_ANON)
		pte |= X86_PTE_ANON;
	if (flags & PTE_SPECIAL)
		pte |= X86_PTE_SPECIAL;
	if (flags & PTE_NONE)
		pte = (pte & ~X86_PTE_PRESENT) | X86_PTE_NONE;
	return pte;
}

/* Tables allow everything; the leaf decides. */
static inline arch_pte arch_pte_table(paddr_t pa)
{
	return pa | X86_PTE_PRESENT | X86_PTE_WRITE | X86_PTE_USER | X86_PTE_ACCESSED;
}

static inline bool arch_pte_is_present(arch_pte pte)
{
	return pte & X86_PTE_PRESENT;
}

static inline bool arch_pte_is_leaf(arch_pte pte, unsigned level)
{
	return level == 0 || (pte & X86_PTE_LARGE);
}

static inline paddr_t arch_pte_paddr(arch_pte pte, unsigned level)
{
	paddr_t pa = pte & X86_PTE_ADDR;

	return arch_pte_is_leaf(pte, level) && level > 0 ? pa & ~X86_PTE_LARGE_PAT : pa;
}

static inline unsigned arch_pte_flags(arch_pte pte, unsigned level)
{
	unsigned flags = 0;

	(void)level;
	if (pte & X86_PTE_WRITE)
		flags |= PTE_WRITE;
	if (!(pte & X86_PTE_NX))
		flags |= PTE_EXEC;
	if (pte & X86_PTE_USER)
		flags |= PTE_USER;
	if (pte & X86_PTE_GLOBAL)
		flags |= PTE_GLOBAL;
	if (pte & X86_PTE_PCD)
		flags |= PTE_UNCACHED;
	else if (pte & X86_PTE_PWT)
		flags |= PTE_WRITE_COMBINE;
	if (pte & X86_PTE_ANON)
		flags |= PTE_ANON;
	if (pte & X86_PTE_SPECIAL)
		flags |= PTE_SPECIAL;
	if (pte & X86_PTE_NONE)
		flags |= PTE_NONE;
	return flags;
}

static inline bool arch_pte_is_writable(arch_pte pte)
{
	return pte & X86_PTE_WRITE;
}

static inline arch_pte arch_pte_write_protect(arch_pte pte)
{
	return pte & ~X86_PTE_WRITE;
}

/* In an entry that leads to a table, the dirty bit is ignored. */
static inline arch_pte arch_pte_make_writable(arch_pte pte)
{
	return pte | X86_PTE_WRITE | X86_PTE_DIRTY;
}

static inline bool arch_pte_is_anon(arch_pte pte)
{
	return pte & X86_PTE_ANON;
}

static inline bool arch_pte_is_special(arch_pte pte)
{
	return pte & X86_PTE_SPECIAL;
}

static inline bool arch_pte_was_used(arch_pte pte)
{
	return pte & X86_PTE_ACCESSED;
}

static inline void arch_pte_forget_use(arch_pte *at)
{
	__atomic_fetch_and(at, ~X86_PTE_ACCESSED, __ATOMIC_RELAXED);
}

/* x86 walks see stores in program order. */
static inline void arch_pte_publish(void)
{
	compiler_barrier();
}

/* ---- System calls: Intel SDM vol.2 SYSCALL, System V psABI x86-64 A.2.1 ---- */

/* In arch_frame.vector; no trap has these numbers. NONE: all of the frame is to be restored. */
enum { X86_VECTOR_SYSCALL = 256, X86_VECTOR_NONE = 257 };

#define ARCH_AUDIT 0xc000003eu /* <linux/audit.h>: AUDIT_ARCH_X86_64 */

static inline int64_t arch_syscall_nr(const struct arch_frame *f)
{
	return f->vector == X86_VECTOR_SYSCALL ? (int64_t)(uint32_t)f->error : -1; /* 32 bits count */
}

static inline uint64_t arch_syscall_arg(const struct arch_frame *f, unsigned n)
{
	switch (n) {
	case 0:
		return f->rdi;
	case 1:
		return f->rsi;
	case 2:
		return f->rdx;
	case 3:
		return f->r10;
	case 4:
		return f->r8;
	default:
		return f->r9;
	}
}

static inline void arch_syscall_set_result(struct arch_frame *f, int64_t result)
{
	f->rax = (uint64_t)result;
}

static inline int64_t arch_syscall_result(const struct arch_frame *f)
{
	return (int64_t)f->rax;
}
