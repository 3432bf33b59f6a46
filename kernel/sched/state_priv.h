// SPDX-License-Identifier: MIT
/*
 * The one function that changes a thread's state, and the moves that are legal.
 *
 *     RUNNING  -> BLOCKING   itself, no lock                          sched_set_blocked
 *     BLOCKING -> RUNNING    itself, or a waker under the run queue lock: by an exchange, as
 *                            the thread itself may go on meanwhile, and even end
 *     BLOCKING -> READY      preempted before it could wait: counts as a wake-up
 *     BLOCKING -> CHANGING -> BLOCKED    the switch; BLOCKED when its stack has been left
 *     BLOCKED  -> CHANGING   whoever wins the compare-and-exchange    a waker, set_params
 *     CHANGING -> READY      put on a run queue, under its lock
 *     CHANGING -> RUNNING    handed a CPU directly, under its run queue's lock
 *     CHANGING -> BLOCKED    nothing was to be done after all
 *     CHANGING -> DEAD       never started: thread_discard
 *     READY   <-> RUNNING    under the run queue lock
 *     READY, RUNNING -> CHANGING    moves to another CPU, under the lock of the old run queue
 *     RUNNING  -> DEAD       itself; the idle thread of a CPU that never ran
 *
 * So READY means "on a run queue" to whoever holds that queue's lock, and BLOCKED means "off
 * every CPU, context saved" to everybody. A waker needs one compare-and-exchange to own the
 * thread, and no lock but that of the queue it puts it on.
 */
#pragma once

#include "lib/assert.h"
#include "lib/atomic.h"
#include "sched/thread.h"

static inline enum thread_state thread_state_get(const struct thread *t)
{
	return atomic_load_acquire(&t->state); /* pairs with the release in thread_set_state */
}

static inline bool thread_move_is_legal(enum thread_state from, enum thread_state to)
{
	static const uint8_t legal[] = {
		[THREAD_READY] = BIT(THREAD_RUNNING) | BIT(THREAD_CHANGING),
		[THREAD_RUNNING] = BIT(THREAD_READY) | BIT(THREAD_BLOCKING) |
				   BIT(THREAD_CHANGING) | BIT(THREAD_DEAD) |
				   BIT(THREAD_RUNNING),
		[THREAD_BLOCKING] = BIT(THREAD_RUNNING) | BIT(THREAD_READY) |
				    BIT(THREAD_CHANGING) | BIT(THREAD_BLOCKING),
		[THREAD_BLOCKED] = BIT(THREAD_CHANGING),
		[THREAD_CHANGING] =
			BIT(THREAD_READY) | BIT(THREAD_RUNNING) | BIT(THREAD_BLOCKED) |
			BIT(THREAD_DEAD),
		[THREAD_DEAD] = 0,
	};

	return legal[from] & BIT(to);
}

/* By whoever may make the move (see above). Everything done before is seen by who sees `to`. */
static inline void thread_set_state(struct thread *t, enum thread_state to)
{
	debug_assert(thread_move_is_legal(atomic_load_relaxed(&t->state), to));
	atomic_store_release(&t->state, to); /* pairs with thread_state_get, thread_claim */
}

/* BLOCKING -> RUNNING, by a waker that has the run queue's lock: true unless it is too late. */
static inline bool thread_keep_running(struct thread *t)
{
	uint32_t expected = THREAD_BLOCKING;

	return atomic_cmpxchg(&t->state, &expected, THREAD_RUNNING);
}

/* BLOCKED -> CHANGING: true for the one who now owns the thread. */
static inline bool thread_claim(struct thread *t)
{
	uint32_t expected = THREAD_BLOCKED;

	return atomic_cmpxchg_acquire(&t->state, &expected, THREAD_CHANGING);
}
