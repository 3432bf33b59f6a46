// SPDX-License-Identifier: MIT
/*
 * Changing how and where a thread is scheduled, whatever it is doing at the moment.
 *
 * A change needs the thread off every queue. That is so while it is CHANGING, and who makes it
 * so depends on its state: a waiting thread is claimed as a waker would, a queued one is taken
 * off its queue, a running one is taken out of its class's account under the queue's lock.
 *
 * Affinity is read by wakers that hold no lock of the thread. The new mask is written first and
 * the thread is looked at afterwards: a waker that may have seen the old mask has made the
 * thread CHANGING before, so we wait for what it does and then correct it.
 *
 * Locks   thread->lock [L] serialises changes; under it the run queue lock.
 */
#include "irq/ipi.h"
#include "sched/runq_priv.h"
#include "sync/mutex.h"

bool sched_params_better(const struct sched_params *a, const struct sched_params *b)
{
	int rank_a = rank_of(a), rank_b = rank_of(b);

	if (rank_a == rank_b && rank_a == RANK_OF_FAIR)
		return a->nice < b->nice;
	return rank_a > rank_b;
}

int sched_rt_priority(const struct thread *t)
{
	return MAX(READ_ONCE(t->rank) - RANK_OF_RT, 0);
}

void thread_apply_params(struct thread *t, const struct sched_params *p)
{
	t->params = *p;
	t->rank = (int16_t)rank_of(p);
	t->slice_ns = RR_TURN_NS;
	t->turn_is_over = false;
	fair_set_weight(
		&t->fair, fair_weight_of_nice(p->policy == SCHED_CLASS_FAIR ? p->nice : 0));
}

/* For a thread that is READY or runs, on rq. Returns whether to send its CPU an IPI. */
static bool apply_on_queue(struct runq *rq, struct thread *t, const struct sched_params *p)
	MUST_HOLD(rq->lock)
{
	if (rq->running != t) {
		runq_part(rq, t);
		thread_apply_params(t, p);
		runq_join(rq, t);
		return runq_consider(rq, t);
	}
	(void)runq_charge(rq);
	runq_detach_running(rq);
	thread_apply_params(t, p);
	runq_attach_running(rq);
	return runq_resched(rq); /* somebody else may be better now */
}

/*
 * rq is locked. A thread that was CHANGING when we looked which queue to lock may have become
 * READY on another since: the state is read first, then the CPU that was written before it.
 */
static bool is_on_queue(const struct runq *rq, const struct thread *t)
{
	return rq->running == t ||
	       (thread_state_get(t) == THREAD_READY && READ_ONCE(t->cpu) == rq->cpu->id);
}

/* Interrupts are off, t->lock is held. */
static void set_effective(struct thread *t, const struct sched_params *p) NOT_ANALYSED
{
	for (;;) {
		struct runq *rq;
		bool send;

		if (thread_claim(t)) {
			thread_apply_params(t, p);
			thread_set_state(t, THREAD_BLOCKED);
			return;
		}
		if (thread_state_get(t) == THREAD_DEAD)
			return;
		if (thread_state_get(t) == THREAD_CHANGING) {
			arch_cpu_relax();
			continue;
		}
		rq = runq_lock_of(t);
		if (!is_on_queue(rq, t)) {
			irqlock_unlock_noirq(&rq->lock);
			continue;
		}
		send = apply_on_queue(rq, t, p);
		irqlock_unlock_noirq(&rq->lock);
		if (send)
			ipi_reschedule(rq->cpu->id); /* not t's: it may have moved on */
		return;
	}
}

void sched_set_inherited(struct thread *t, const struct sched_params *inherited)
{
	const struct sched_params *p = &t->base;

	assert(irqlock_is_mine(&t->lock));
	if (inherited && sched_params_better(inherited, p))
		p = inherited;
	if (p->policy != t->params.policy || p->priority != t->params.priority ||
		p->nice != t->params.nice)
		set_effective(t, p);
}

static bool params_are_valid(const struct sched_params *p)
{
	switch (p->policy) {
	case SCHED_CLASS_FIFO:
	case SCHED_CLASS_RR:
		return p->priority >= 1 && p->priority < RT_PRIORITIES;
	case SCHED_CLASS_FAIR:
		return p->nice >= NICE_MIN && p->nice <= NICE_MAX;
	case SCHED_CLASS_IDLE:
		return true;
	}
	return false;
}

int sched_set_params(struct thread *t, const struct sched_params *p)
{
	if (!params_are_valid(p) || (t->flags & THREAD_IDLE))
		return -EINVAL;
	irqlock_lock(&t->lock);
	t->base = *p;
	set_effective(t, p);
	irqlock_unlock(&t->lock);
	mutex_params_changed(t);
	return 0;
}

/* ---- Affinity ---- */

/* t->lock is held, the mask is written: t leaves a CPU that it may no longer use. */
static void leave_forbidden_cpu(struct thread *t) NOT_ANALYSED
{
	atomic_fence(); /* the mask before the state; pairs with the exchange in thread_claim */
	for (;;) {
		enum thread_state state = thread_state_get(t);
		struct runq *rq;
		bool send = false;

		if (state == THREAD_BLOCKED || state == THREAD_DEAD)
			return; /* its waker reads the new mask */
		if (state == THREAD_CHANGING) {
			arch_cpu_relax();
			continue;
		}
		rq = runq_lock_of(t);
		if (!is_on_queue(rq, t)) {
			irqlock_unlock_noirq(&rq->lock);
			continue;
		}
		if (thread_may_run_on(t, rq->cpu->id)) {
			irqlock_unlock_noirq(&rq->lock);
			return;
		}
		if (rq->running == t) {
			send = runq_resched(rq); /* sched_leave() sees the mask */
			irqlock_unlock_noirq(&rq->lock);
			if (send)
				ipi_reschedule(rq->cpu->id);
			return;
		}
		runq_part(rq, t);
		irqlock_unlock_noirq(&rq->lock);
		sched_place(t);
		return;
	}
}

int sched_set_affinity(struct thread *t, const struct cpumask *mask)
{
	if (cpumask_first(mask) >= cpu_count() || (t->flags & THREAD_IDLE))
		return -EINVAL;
	irqlock_lock(&t->lock);
	t->affinity = *mask;
	leave_forbidden_cpu(t);
	irqlock_unlock(&t->lock);
	return 0;
}
