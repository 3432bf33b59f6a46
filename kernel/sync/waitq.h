// SPDX-License-Identifier: MIT
/*
 * The one way to wait: a queue of waiters, each told by a function call that something
 * happened.
 *
 * A waiter is a thread that sleeps, a parked operation, or a poll callback; the queue does not
 * know which. Waking calls waiter->wake under the queue's lock; the thread waiter's makes its
 * thread ready. Every wait by a thread states how it can end:
 *
 *     WAIT_KILLABLE      its condition, its deadline, or being killed
 *     WAIT_SIGNAL        also any signal (-EINTR)
 *     WAIT_BOUNDED       only its condition or deadline: for waits the kernel itself ends soon
 *
 *     err = WAIT_EVENT(&q, flags, deadline_ns, condition);
 *
 * evaluates the condition with the waiter queued, so that a wake-up between test and sleep is
 * never lost. Deadlines are absolute clock_monotonic_ns() values; WAIT_FOREVER for none.
 */
#pragma once

#include "lib/base.h"
#include "lib/list.h"
#include "sync/spinlock.h"

#define WAIT_FOREVER UINT64_MAX

enum wait_flags { WAIT_BOUNDED = 0, WAIT_KILLABLE = 1, WAIT_SIGNAL = 3 };

struct waitq {
	struct irqlock lock;
	struct list waiters; /* [lock] first come first, exclusive waiters at the end */
	struct list_node *first_exclusive; /* [lock] NULL when there is none */
	bool is_handover; /* [lock] this wake-up wants the woken thread to run next, here */
};

/*
 *   [q] the queue's lock
 */
struct waiter {
	struct list_node link; /* [q] */
	struct waitq *queue;   /* [q] NULL when on none */
	/*
	 * Told of a wake-up. Returns whether it consumed it (an exclusive waiter that does ends
	 * a waitq_wake_one). May take itself off by waitq_remove_locked. Queue locked, irqs
	 * off.
	 */
	bool (*wake)(struct waiter *w, uint64_t key);
	bool is_exclusive; /* [I] */
};

#define WAITQ_INIT(q)                                                                          \
	{                                                                                      \
		.lock = IRQLOCK_INIT(RANK_WAITQ, "waitq"), .waiters = LIST_INIT((q).waiters)   \
	}

void waitq_init(struct waitq *q);
void waitq_add(struct waitq *q, struct waiter *w);
void waitq_add_locked(struct waitq *q, struct waiter *w) MUST_HOLD(q->lock);
/* Safe whether or not it is still queued. */
void waitq_remove(struct waitq *q, struct waiter *w);
void waitq_remove_locked(struct waitq *q, struct waiter *w) MUST_HOLD(q->lock);

/* Wakes all non-exclusive waiters and one exclusive; `key` is passed on (poll events, all that may have come; 0: look). Any
 * context. */
void waitq_wake_one(struct waitq *q, uint64_t key);
void waitq_wake_nr(struct waitq *q, unsigned nr_exclusive, uint64_t key);
void waitq_wake_all(struct waitq *q, uint64_t key);
/* The same as wake_nr inside a section of the lock; how many took the wake-up. */
unsigned waitq_wake_locked(struct waitq *q, unsigned nr_exclusive, uint64_t key)
	MUST_HOLD(q->lock);
/* Like waitq_wake_one; the woken thread runs here at once when we next wait. */
void waitq_wake_handover(struct waitq *q, uint64_t key);
static inline bool waitq_has_waiters(struct waitq *q) /* a hint unless the lock is held */
{
	return !list_is_empty(&q->waiters);
}

/* ---- A thread's waiter, for WAIT_EVENT and for loops of one's own ---- */

struct thread_waiter {
	struct waiter waiter;
	struct thread *thread;
	uint64_t key; /* [q] of the wake-up that took it off the queue */
	bool is_used; /* by the thread: wait_sleep has returned for that wake-up */
};

/* Queues the current thread (again) and marks it about to sleep. */
void wait_prepare(
	struct waitq *q, struct thread_waiter *tw, enum wait_flags flags, bool is_exclusive);
/*
 * Sleeps unless woken since wait_prepare.
 * Returns  0 when woken, -ETIMEDOUT, or -EINTR when flags allow and a kill or signal is
 * pending.
 */
MUST_CHECK int wait_sleep(
	struct thread_waiter *tw, enum wait_flags flags, uint64_t deadline_ns);
/*
 * Takes the current thread off the queue and marks it running. An exclusive wake-up that hit it
 * since wait_prepare, and for which it did not sleep, goes on to the next exclusive waiter.
 */
void wait_finish(struct waitq *q, struct thread_waiter *tw);

/*
 * For who waits without a queue (ops/op.c): after sched_set_blocked(), until woken or until the
 * time; the thread's wait_flags say what else may wake it. May return without a cause.
 */
void wait_switch(uint64_t deadline_ns);
/*
 * The same for the operations of its rings: who is about to sleep, marked blocked, says so, and they are
 * seen to by somebody else. Set by ring/.
 */
void wait_note_ring(void);
extern void (*wait_hand_over)(struct thread *t);
/* Whether something that ends a wait with these flags is pending for the current thread. */
bool wait_is_interrupted(enum wait_flags flags);

#define WAIT_EVENT_(q, flags, deadline, exclusive, cond)                                       \
	({                                                                                     \
		int wait_err_ = 0;                                                             \
		if (!(cond)) {                                                                 \
			struct thread_waiter wait_tw_ = {0};                                   \
			for (;;) {                                                             \
				wait_prepare(q, &wait_tw_, flags, exclusive);                  \
				if (cond) {                                                    \
					wait_err_ = 0;                                         \
					break;                                                 \
				}                                                              \
				if (wait_err_)                                                 \
					break;                                                 \
				wait_err_ = wait_sleep(&wait_tw_, flags, deadline);            \
			}                                                                      \
			wait_finish(q, &wait_tw_);                                             \
		}                                                                              \
		wait_err_;                                                                     \
	})
#define WAIT_EVENT(q, flags, deadline, cond) WAIT_EVENT_(q, flags, deadline, false, cond)
#define WAIT_EVENT_EXCLUSIVE(q, flags, deadline, cond)                                         \
	WAIT_EVENT_(q, flags, deadline, true, cond)
