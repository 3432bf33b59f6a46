// SPDX-License-Identifier: MIT
/*
 * The hot half of the architecture contract for the simulated machine.
 *
 * Most of it is calls: a step that an interrupt cannot split on hardware (changing the
 * preemption count, the interrupt flag) must not be split here either, and only the machine's
 * own files are compiled without the instrumentation that splits.
 */
#pragma once

extern struct cpu *sim_this_cpu; /* the CPU that runs; changes at every interleave point */
extern struct thread *sim_this_thread; /* its current thread, one load away for arch_current */

bool sim_irq_is_enabled(void);
void sim_irq_on(void);
bool sim_irq_off(void); /* returns whether they were on */
void sim_relax(void);
void sim_set_current(struct thread *t);
uint32_t sim_preempt_add(int32_t delta); /* returns the result */
uint64_t sim_counter_read(void);

static inline struct cpu *arch_cpu(void)
{
	return READ_ONCE(sim_this_cpu);
}

static inline struct thread *arch_current(void)
{
	return READ_ONCE(sim_this_thread);
}

static inline void arch_set_current(struct thread *t)
{
	sim_set_current(t);
}

static inline void arch_cpu_relax(void)
{
	sim_relax();
}

static inline uint32_t arch_preempt_get(void)
{
	return sim_preempt_add(0);
}

static inline void arch_preempt_add(int32_t delta)
{
	sim_preempt_add(delta);
}

static inline bool arch_preempt_sub_is_zero(int32_t delta)
{
	return sim_preempt_add(-delta) == 0;
}

static inline bool arch_irq_enabled(void)
{
	return sim_irq_is_enabled();
}

static inline void arch_irq_enable(void)
{
	sim_irq_on();
}

static inline void arch_irq_disable(void)
{
	sim_irq_off();
}

static inline bool arch_irq_save(void)
{
	return sim_irq_off();
}

static inline void arch_irq_restore(bool were_enabled)
{
	if (were_enabled)
		sim_irq_on();
	else
		sim_irq_off();
}

static ALWAYS_INLINE vaddr_t arch_frame_pointer(void)
{
	return (vaddr_t)__builtin_frame_address(0);
}

static inline uint64_t arch_counter_read(void)
{
	return sim_counter_read();
}

/* ---- Page-table entries: the x86-64 bits (Intel SDM vol.3, table 4-20) ---- */

#define SIM_PTE_PRESENT BIT(0)
#define SIM_PTE_WRITE   BIT(1)
#define SIM_PTE_USER    BIT(2)
#define SIM_PTE_PWT     BIT(3) /* stands for write-combining */
#define SIM_PTE_PCD     BIT(4)
#define SIM_PTE_LARGE   BIT(7)
#define SIM_PTE_GLOBAL  BIT(8)
#define SIM_PTE_ANON    BIT(9)
#define SIM_PTE_SPECIAL BIT(10)
#define SIM_PTE_NONE    BIT(11)
#define SIM_PTE_NX      BIT(63)
#define SIM_PTE_ADDR    0x000ffffffffff000ul

static inline arch_pte arch_pte_leaf(paddr_t pa, unsigned flags, unsigned level)
{
	arch_pte pte = (pa & SIM_PTE_ADDR) | SIM_PTE_PRESENT;

	pte |= flags & PTE_WRITE ? SIM_PTE_WRITE : 0;
	pte |= flags & PTE_EXEC ? 0 : SIM_PTE_NX;
	pte |= flags & PTE_USER ? SIM_PTE_USER : 0;
	pte |= flags & PTE_GLOBAL ? SIM_PTE_GLOBAL : 0;
	pte |= flags & PTE_UNCACHED ? SIM_PTE_PCD : 0;
	pte |= flags & PTE_WRITE_COMBINE ? SIM_PTE_PWT : 0;
	pte |= flags & PTE_ANON ? SIM_PTE_ANON : 0;
	pte |= flags & PTE_SPECIAL ? SIM_PTE_SPECIAL : 0;
	if (flags & PTE_NONE)
		pte = (pte & ~SIM_PTE_PRESENT) | SIM_PTE_NONE;
	return level ? pte | SIM_PTE_LARGE : pte;
}

static inline arch_pte arch_pte_table(paddr_t pa)
{
	return (pa & SIM_PTE_ADDR) | SIM_PTE_PRESENT | SIM_PTE_WRITE | SIM_PTE_USER;
}

static inline bool arch_pte_is_present(arch_pte pte)
{
	return pte & SIM_PTE_PRESENT;
}

static inline bool arch_pte_is_leaf(arch_pte pte, unsigned level)
{
	return level == 0 || (pte & SIM_PTE_LARGE);
}

static inline paddr_t arch_pte_paddr(arch_pte pte, unsigned level UNUSED)
{
	return pte & SIM_PTE_ADDR;
}

static inline unsigned arch_pte_flags(arch_pte pte, unsigned level UNUSED)
{
	unsigned flags = 0;

	flags |= pte & SIM_PTE_WRITE ? PTE_WRITE : 0;
	flags |= pte & SIM_PTE_NX ? 0 : PTE_EXEC;
	flags |= pte & SIM_PTE_USER ? PTE_USER : 0;
	flags |= pte & SIM_PTE_GLOBAL ? PTE_GLOBAL : 0;
	flags |= pte & SIM_PTE_PCD ? PTE_UNCACHED : 0;
	flags |= pte & SIM_PTE_PWT ? PTE_WRITE_COMBINE : 0;
	flags |= pte & SIM_PTE_ANON ? PTE_ANON : 0;
	flags |= pte & SIM_PTE_SPECIAL ? PTE_SPECIAL : 0;
	flags |= pte & SIM_PTE_NONE ? PTE_NONE : 0;
	return flags;
}

static inline bool arch_pte_is_writable(arch_pte pte)
{
	return pte & SIM_PTE_WRITE;
}

static inline arch_pte arch_pte_write_protect(arch_pte pte)
{
	return pte & ~SIM_PTE_WRITE;
}

static inline arch_pte arch_pte_make_writable(arch_pte pte)
{
	return pte | SIM_PTE_WRITE;
}

static inline bool arch_pte_is_anon(arch_pte pte)
{
	return pte & SIM_PTE_ANON;
}

static inline bool arch_pte_is_special(arch_pte pte)
{
	return pte & SIM_PTE_SPECIAL;
}

static inline bool arch_pte_was_used(arch_pte pte UNUSED)
{
	return true;
}

static inline void arch_pte_forget_use(arch_pte *at UNUSED)
{
}

static inline void arch_pte_publish(void)
{
}

#define ARCH_AUDIT 0xc000003eu /* <linux/audit.h>: AUDIT_ARCH_X86_64 */

static inline int64_t arch_syscall_nr(const struct arch_frame *f)
{
	return f->syscall_nr;
}

static inline uint64_t arch_syscall_arg(const struct arch_frame *f, unsigned n)
{
	return f->arg[n];
}

static inline void arch_syscall_set_result(struct arch_frame *f, int64_t result)
{
	f->result = result;
}

static inline int64_t arch_syscall_result(const struct arch_frame *f)
{
	return f->result;
}
