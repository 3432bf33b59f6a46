// SPDX-License-Identifier: MIT
/*
 * Hand-over: from one thread straight to the one that has the answer.
 *
 * Pipes, futexes and fibers wake one thread and wait for it at once. Queueing the woken thread
 * and choosing it again costs more than the switch itself, and on another CPU it would cost an
 * interrupt and cold caches. A hand-over gives the running thread's seat to the other one: its
 * place in virtual time, the rest of its request, the slice end that is already set. What each
 * is owed is swapped with the seat, so that when the seat comes back everything is as if the
 * thread itself had done the work: who asks pays.
 *
 *     sched_switch_to(t)        t goes from BLOCKED to RUNNING without being READY between
 *     sched_wake_handover(t)    t is READY but on no tree: runq->handover, until the running
 *                               thread blocks (it gets the seat) or is preempted (it queues)
 *
 * Both need that t might run here now anyway: same rank, same weight, this CPU in its affinity,
 * and nobody who asked for the CPU. Otherwise they are sched_wake().
 *
 * Other CPUs do not steal the thread in runq->handover: the slice end bounds how long it waits.
 * Only fair threads have one always, so the two steps are for them; one step is for all.
 */
#include "irq/work.h"
#include "sched/runq_priv.h"
#include "sync/lock_check.h"

/* May t, which is CHANGING or in `handover`, take over from `from` on this CPU? */
static inline bool may_take_seat(
	const struct runq *rq, const struct thread *from, const struct thread *t)
{
	return t->rank == from->rank && t->fair.weight == from->fair.weight &&
	       thread_may_run_on(t, rq->cpu->id) && !preempt_resched_wanted();
}

/* `from` has been charged and waits from now on; t, on no queue, continues. */
static inline void give_seat(
	struct runq *rq, struct thread *from, struct thread *t) NOT_ANALYSED
{
	if (LIKELY(t->rank == RANK_OF_FAIR))
		fair_give_seat(&rq->fair, &t->fair);
	thread_set_state(from, THREAD_CHANGING);
	thread_set_state(t, THREAD_RUNNING);
	rq->nr_handovers++;
	runq_switch(rq, from, t, LEAVE_BLOCKED);
}

bool handover_take(struct runq *rq, struct thread *prev)
{
	struct thread *t = rq->handover;

	if (!may_take_seat(rq, prev, t))
		return false;
	rq->handover = NULL;
	WRITE_ONCE(rq->nr_ready, rq->nr_ready - 1);
	give_seat(rq, prev, t);
	return true;
}

bool sched_wake_handover(struct thread *t)
{
	bool were_enabled = arch_irq_save();
	struct runq *rq = this_runq();

	if (UNLIKELY(in_interrupt()) || !thread_claim(t)) {
		sched_irq_restore(were_enabled);
		return sched_wake(t);
	}
	irqlock_lock_noirq(&rq->lock);
	if (LIKELY(t->rank == RANK_OF_FAIR && !rq->handover &&
		    may_take_seat(rq, rq->running, t))) {
		WRITE_ONCE(t->cpu, rq->cpu->id);
		rq->handover = t;
		WRITE_ONCE(rq->nr_ready, rq->nr_ready + 1);
		thread_set_state(t, THREAD_READY);
		if (!rq->is_slice_on)
			runq_set_slice(rq, runq_charge(rq));
		irqlock_unlock_noirq(&rq->lock);
	} else {
		irqlock_unlock_noirq(&rq->lock);
		sched_place(t);
	}
	sched_irq_restore(were_enabled);
	return true;
}

void handover_switch(struct thread *t) NOT_ANALYSED
{
	struct thread *me = arch_current();
	struct runq *rq = this_runq();

	irqlock_lock_noirq(&rq->lock);
	if (LIKELY(thread_state_get(me) == THREAD_BLOCKING && !rq->handover &&
		    may_take_seat(rq, me, t))) {
		(void)runq_charge(rq);
		WRITE_ONCE(t->cpu, rq->cpu->id);
		give_seat(rq, me, t);
		return;
	}
	irqlock_unlock_noirq(&rq->lock);
	sched_place(t);
	sched_leave(LEAVE_BLOCKED, false); /* nothing if we have been woken meanwhile */
}

void sched_switch_to(struct thread *t) NOT_ANALYSED /* the lock goes with the seat */
{
	struct thread *me = arch_current();

	lock_check_may_sleep("sched_switch_to");
	if (UNLIKELY(READ_ONCE(me->flags) & THREAD_WORKER)) {
		(void)sched_wake(t);
		sched_switch();
		return;
	}
	arch_irq_disable();
	if (LIKELY(thread_claim(t))) {
		handover_switch(t);
	} else {
		(void)sched_wake(t);
		sched_leave(LEAVE_BLOCKED, false);
	}
	sched_irq_restore(true);
}
