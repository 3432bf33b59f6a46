// SPDX-License-Identifier: MIT
/*
 * The scheduler: which thread runs where. Per-CPU run queues; FIFO and RR above fair (EEVDF)
 * above idle; work is stolen when a CPU idles and spread at wake-up.
 */
#pragma once

#include "lib/base.h"
#include "sched/thread.h"

void sched_init(void);			  /* boot CPU: makes the running code a thread */
void sched_init_cpu(struct cpu *cpu, struct thread *idle); /* before a CPU starts */
MUST_CHECK int sched_create_idle(struct cpu *cpu, struct thread **out);
NORETURN void sched_idle_loop(void);	  /* what an idle thread runs; interrupts off on entry */

/* Gives the CPU away but stays READY. */
void sched_yield(void);
/*
 * Gives the CPU away; current->state says why (BLOCKED, set by sched_set_blocked, or DEAD). A wake
 * that came since sched_set_blocked makes it return at once.
 */
void sched_switch(void);
void sched_set_blocked(void); /* current -> BLOCKED; then test the condition; then sched_switch */
void sched_set_running(void); /* undo, when the condition held */

/* Makes a BLOCKED thread READY; false if it was not BLOCKED. Any context. */
bool sched_wake(struct thread *t);
/*
 * Makes t READY and runs it here at once, on what is left of our slice, when our thread next
 * blocks: the caller is about to wait for the answer. Falls back to sched_wake if affinity,
 * class or state forbid. sched_switch_to does both in one step: blocks (state set before) and
 * continues t directly, without a run queue between.
 */
bool sched_wake_handover(struct thread *t);
void sched_switch_to(struct thread *t);

MUST_CHECK int sched_set_params(struct thread *t, const struct sched_params *p); /* -EINVAL */
/*
 * Effective parameters, for mutexes: the better of base and `inherited` (NULL: just base).
 * Interrupts are off and t->lock is held: the caller looks at t's mutexes under it. So
 * sched_set_params, too, changes base and params under t->lock, and afterwards, with nothing held,
 * calls mutex_params_changed(t) (sync/mutex.h), which takes inheritance into account again.
 */
void sched_set_inherited(struct thread *t, const struct sched_params *inherited) MUST_HOLD(t->lock);
bool sched_params_better(const struct sched_params *a, const struct sched_params *b);
/* Moves it if it runs elsewhere. -EINVAL if no CPU of the mask is online. */
MUST_CHECK int sched_set_affinity(struct thread *t, const struct cpumask *mask);

/* irq/ipi.c: another CPU put something on our queue. Interrupt context. */
void sched_on_reschedule_ipi(void);
/* End of an interrupt, nothing held off: switch if asked. Interrupts off on entry and return. */
void sched_preempt_irq(void);

struct sched_stats {
	uint64_t nr_switches, nr_steals, nr_handovers, idle_ns;
	unsigned nr_ready;
};
void sched_get_stats(unsigned cpu, struct sched_stats *out);
