// SPDX-License-Identifier: MIT
/*
 * Wait queues.
 *
 * Why no wake-up is lost: a waiting thread is put on the queue and marked BLOCKING inside one
 * section of the queue's lock, and only then tests its condition. A waker makes the condition
 * true and then takes that lock. If the waker's section came first, the waiter sees the
 * condition; if it came second, the waker finds the waiter, already BLOCKING, and makes
 * it ready.
 *
 * A thread's waiter is taken off the queue by the wake-up that it consumes, so one exclusive
 * wake-up never hits the same thread twice. If its wait ends otherwise at the same moment (its
 * condition was true already, time, a kill), wait_finish passes an exclusive wake-up on.
 *
 * wait_finish takes the queue's lock always: a waker may still be inside the waiter's wake
 * function, and what it works on lies on the waiting thread's stack.
 *
 * Locks   queue->lock (RANK_WAITQ), under it thread and run queue locks by sched_wake
 * Never   sleep in a wake function, or take a queue's lock in one. The exception are the queues of
 *         epoll sets, which are woken by other queues' waiters: fs/vfs/epoll.c orders them by level.
 */
#include "sync/waitq.h"

#include "lib/assert.h"
#include "lib/atomic.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "sync/preempt.h"
#include "time/clock.h"
#include "time/timer.h"

static const unsigned ALL = ~0u;

void waitq_init(struct waitq *q)
{
	irqlock_init(&q->lock, RANK_WAITQ, "waitq");
	list_init(&q->waiters);
	q->first_exclusive = NULL;
	q->is_handover = false;
}

/* ---- Waiters of any kind ---- */

void waitq_add_locked(struct waitq *q, struct waiter *w)
{
	debug_assert(irqlock_is_mine(&q->lock));
	assert(!w->queue);
	w->queue = q;
	if (!w->is_exclusive && q->first_exclusive) {
		list_insert_before(q->first_exclusive, &w->link);
		return;
	}
	list_add_tail(&q->waiters, &w->link);
	if (w->is_exclusive && !q->first_exclusive)
		q->first_exclusive = &w->link;
}

void waitq_add(struct waitq *q, struct waiter *w)
{
	irqlock_lock(&q->lock);
	waitq_add_locked(q, w);
	irqlock_unlock(&q->lock);
}

void waitq_remove_locked(struct waitq *q, struct waiter *w)
{
	debug_assert(irqlock_is_mine(&q->lock));
	if (!w->queue)
		return;
	assert(w->queue == q);
	if (q->first_exclusive == &w->link)
		q->first_exclusive = w->link.next == &q->waiters.head ? NULL : w->link.next;
	list_remove(&w->link);
	w->queue = NULL;
}

void waitq_remove(struct waitq *q, struct waiter *w)
{
	irqlock_lock(&q->lock);
	waitq_remove_locked(q, w);
	irqlock_unlock(&q->lock);
}

/* A wake function may remove its own waiter, and no other. */
unsigned waitq_wake_locked(struct waitq *q, unsigned nr_exclusive, uint64_t key)
{
	unsigned nr_woken = 0;

	list_for_each_safe (w, &q->waiters, struct waiter, link) {
		bool is_exclusive = w->is_exclusive; /* the waiter may be gone after its wake */

		if (is_exclusive && nr_exclusive == 0)
			break;
		if (w->wake(w, key)) {
			nr_woken++;
			nr_exclusive -= is_exclusive;
		}
	}
	return nr_woken;
}

void waitq_wake_nr(struct waitq *q, unsigned nr_exclusive, uint64_t key)
{
	irqlock_lock(&q->lock);
	waitq_wake_locked(q, nr_exclusive, key);
	irqlock_unlock(&q->lock);
}

void waitq_wake_one(struct waitq *q, uint64_t key)
{
	waitq_wake_nr(q, 1, key);
}

void waitq_wake_all(struct waitq *q, uint64_t key)
{
	waitq_wake_nr(q, ALL, key);
}

void waitq_wake_handover(struct waitq *q, uint64_t key)
{
	irqlock_lock(&q->lock);
	q->is_handover = true;
	waitq_wake_locked(q, 1, key);
	q->is_handover = false;
	irqlock_unlock(&q->lock);
}

/* ---- A thread that waits ---- */

/* w->queue is locked, by the contract of waiter->wake. */
static bool thread_waiter_wake(struct waiter *w, uint64_t key) NOT_ANALYSED
{
	struct thread_waiter *tw = container_of(w, struct thread_waiter, waiter);
	struct thread *t = tw->thread;
	struct waitq *q = w->queue;

	tw->key = key;
	waitq_remove_locked(q, w);
	if (q->is_handover)
		sched_wake_handover(t);
	else
		sched_wake(t);
	return true;
}

void wait_prepare(
	struct waitq *q, struct thread_waiter *tw, enum wait_flags flags, bool is_exclusive)
{
	struct thread *t = arch_current();

	lock_check_may_sleep("wait");
	irqlock_lock(&q->lock);
	if (!tw->waiter.queue) {
		tw->thread = t;
		tw->waiter.wake = thread_waiter_wake;
		tw->waiter.is_exclusive = is_exclusive;
		tw->is_used = false;
		waitq_add_locked(q, &tw->waiter);
	}
	atomic_store(&t->wait_flags,
		(uint32_t)flags); /* before the look at t->flags in wait_sleep */
	sched_set_blocked();
	irqlock_unlock(&q->lock);
}

bool wait_is_interrupted(enum wait_flags flags)
{
	uint32_t pending = atomic_load(
		&arch_current()->flags); /* pairs with thread_kill: flag, then wait_flags */

	if (pending & THREAD_KILLED)
		return flags & WAIT_KILLABLE;
	return (pending & THREAD_SIGNAL) && flags == WAIT_SIGNAL;
}

void (*wait_hand_over)(struct thread *t); /* [I] after start */

void wait_note_ring(void)
{
	struct thread *me = arch_current();

	if (UNLIKELY(atomic_load(&me->flags) & THREAD_RING))
		wait_hand_over(me);
}

struct wait_timer {
	struct timer timer;
	struct thread *thread;
};

static void wake_by_time(struct timer *timer)
{
	sched_wake(container_of(timer, struct wait_timer, timer)->thread);
}

void wait_switch(uint64_t deadline_ns)
{
	struct wait_timer wt = {.thread = arch_current()};

	if (deadline_ns == WAIT_FOREVER) {
		sched_switch();
		return;
	}
	timer_init(&wt.timer, wake_by_time);
	timer_start(&wt.timer, deadline_ns);
	sched_switch();
	timer_stop_sync(&wt.timer);
}

int wait_sleep(struct thread_waiter *tw, enum wait_flags flags, uint64_t deadline_ns)
{
	int err = 0;

	if (wait_is_interrupted(flags)) {
		sched_set_running();
		return -EINTR;
	}
	wait_note_ring();
	wait_switch(deadline_ns);
	/* A hint without the lock: whoever loops tests the condition again anyway. */
	if (!READ_ONCE(tw->waiter.queue)) {
		tw->is_used = true;
		return 0;
	}
	if (wait_is_interrupted(flags))
		err = -EINTR;
	else if (deadline_ns != WAIT_FOREVER && clock_monotonic_ns() >= deadline_ns)
		err = -ETIMEDOUT;
	return err;
}

void wait_finish(struct waitq *q, struct thread_waiter *tw)
{
	irqlock_lock(&q->lock);
	if (tw->waiter.queue)
		waitq_remove_locked(q, &tw->waiter);
	else if (tw->waiter.is_exclusive && !tw->is_used)
		waitq_wake_locked(q, 1, tw->key);
	sched_set_running();
	irqlock_unlock(&q->lock);
}
