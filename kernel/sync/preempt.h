// SPDX-License-Identifier: MIT
/*
 * Holding preemption off, and knowing what context this is.
 *
 * arch_cpu()->preempt counts, in one word: bits 0-15 how often preemption is held off, bits 16-23
 * how deep in interrupts, and bit 31 set while nobody asked for a reschedule. Giving preemption
 * back is then one subtraction: the result is zero exactly when nothing holds it off and somebody
 * wants the CPU.
 */
#pragma once

#include "arch/arch.h"
#include "lib/base.h"

#define PREEMPT_ONE	    1u
#define PREEMPT_MASK	    0x0000ffffu
#define PREEMPT_IRQ	    0x00010000u
#define PREEMPT_IRQ_MASK    0x00ff0000u
#define PREEMPT_NO_RESCHED  0x80000000u

/* Gives the CPU to a better thread now. sched/; called with preemption on, interrupts either way. */
void sched_preempt(void);

static inline void preempt_disable(void)
{
	arch_preempt_add(PREEMPT_ONE);
	compiler_barrier();
}

/* May switch threads. */
static inline void preempt_enable(void)
{
	compiler_barrier();
	if (UNLIKELY(arch_preempt_sub_is_zero(PREEMPT_ONE)))
		sched_preempt();
}

/* For the scheduler and interrupt exit, which look at the request themselves. */
static inline void preempt_enable_no_resched(void)
{
	compiler_barrier();
	arch_preempt_add(-(int32_t)PREEMPT_ONE);
}

static inline bool preempt_is_enabled(void)
{
	return (arch_preempt_get() & (PREEMPT_MASK | PREEMPT_IRQ_MASK)) == 0;
}

static inline bool in_interrupt(void)
{
	return (arch_preempt_get() & PREEMPT_IRQ_MASK) != 0;
}

/* Interrupts may be on or off in these two; this CPU only. */
static inline bool preempt_resched_wanted(void)
{
	return (arch_preempt_get() & PREEMPT_NO_RESCHED) == 0;
}

/*
 * Asks for a pass through the scheduler as soon as nothing holds preemption off. Interrupts off.
 * Adding the top bit flips it and nothing else.
 */
static inline void preempt_ask_resched(void)
{
	if (!preempt_resched_wanted())
		arch_preempt_add((int32_t)PREEMPT_NO_RESCHED);
}
