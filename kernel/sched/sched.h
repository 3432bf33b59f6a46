// SPDX-License-Identifier: MIT
/*
 * The scheduler: which thread runs where. Per-CPU run queues; FIFO and RR above fair (EEVDF)
 * above idle; work is stolen when a CPU idles and spread at wake-up.
 */
#pragma once

#include "lib/base.h"
#include "sched/thread.h"

/*
 * The boot CPU, first of all: makes the running code a thread, with which locks and the
 * checkers work. It may block only after thread_init_system(), which gives the CPU its idle
 * thread.
 */
void sched_init(void);
/* Another CPU, before it starts: `idle` from sched_create_idle() becomes its running thread. */
void sched_init_cpu(struct cpu *cpu, struct thread *idle);
MUST_CHECK int sched_create_idle(struct cpu *cpu, struct thread **out);
/* Its CPU did not start, and never will: no list has it any more. Its memory stays. */
void sched_forget_idle(struct thread *idle);
NORETURN void sched_idle_loop(void); /* what an idle thread runs; interrupts off on entry */

/* Gives the CPU away but stays READY. */
void sched_yield(void);
/*
 * To wait: sched_set_blocked(), then test the condition, then sched_switch(), or
 * sched_set_running() if the condition held. A wake that comes after sched_set_blocked() makes
 * sched_switch() return at once. It also may return without any wake: who waits tests its
 * condition again (WAIT_EVENT).
 */
void sched_set_blocked(void);
void sched_switch(void);
void sched_set_running(void);

/*
 * Ends the wait of a thread that has said sched_set_blocked(); false if it is not waiting. What
 * was written before the call is seen by the thread's next look at its condition. Any context.
 */
bool sched_wake(struct thread *t);
/*
 * Makes t READY and runs it here at once, on what is left of our slice, when our thread next
 * blocks: the caller is about to wait for the answer. Falls back to sched_wake if affinity,
 * class, weight or state forbid. Any context.
 */
bool sched_wake_handover(struct thread *t);
/*
 * Both in one step: wakes t and blocks (sched_set_blocked() before, as for sched_switch), and t
 * continues without a run queue between where the same conditions allow. sched/handover.c
 */
void sched_switch_to(struct thread *t);

MUST_CHECK int sched_set_params(struct thread *t, const struct sched_params *p); /* -EINVAL */
/*
 * Effective parameters, for mutexes: the better of base and `inherited` (NULL: just base).
 * Interrupts are off and t->lock is held: the caller looks at t's mutexes under it. So
 * sched_set_params, too, changes base and params under t->lock, and afterwards, with nothing
 * held, calls mutex_params_changed(t) (sync/mutex.h), which takes inheritance into account
 * again.
 */
void sched_set_inherited(struct thread *t, const struct sched_params *inherited)
	MUST_HOLD(t->lock);
/* What t has or inherited of FIFO and RR: 1..99; 0: neither. A hint that may be old. Any context. */
int sched_rt_priority(const struct thread *t);
bool sched_params_better(const struct sched_params *a, const struct sched_params *b);
/*
 * Restricts t to the mask. A thread outside it leaves at once: before this returns if it is the
 * caller or does not run, else as soon as its CPU takes the interrupt.
 * Returns  0, or -EINVAL if no CPU of the mask is online
 */
MUST_CHECK int sched_set_affinity(struct thread *t, const struct cpumask *mask);

/* time/timer.c: the time given to timer_set_slice() has come. Interrupt context. */
void sched_slice_end(void);
/* time/timer.c: every ten milliseconds of work. Interrupt context. */
void sched_sample(void);
/* throttle.c: of each period programs' real-time threads get so much of a CPU that others want. */
extern uint64_t sched_rt_period_ns, sched_rt_runtime_ns; /* [a] UINT64_MAX: no limit */
/* irq/ipi.c: another CPU put something on our queue. Interrupt context. */
void sched_on_reschedule_ipi(void);
/* End of an interrupt, nothing held off: switch if asked. Interrupts off on entry and return.
 */
void sched_preempt_irq(void);

/* How long t has had a CPU, until now. Any context without a run queue's lock. */
uint64_t sched_cpu_time_ns(struct thread *t);

struct sched_stats {
	uint64_t nr_switches, nr_steals, nr_handovers, idle_ns;
	unsigned nr_ready;
};
void sched_get_stats(unsigned cpu, struct sched_stats *out);
