// SPDX-License-Identifier: MIT
/*
 * Wakes whoever waits for what we just gave, guessing whether we shall wait for the answer.
 *
 * A hand-over runs the woken thread here as soon as we block, without a look at the run queues;
 * it is a loss when we do not block, for the woken thread then waits for us though another CPU
 * may be idle. The guess: a thread that was switched away from since it last woke somebody by
 * this object will be so again.
 */
#pragma once

#include "lib/base.h"
#include "sched/thread.h"
#include "sync/waitq.h"

/* Of one direction of a pipe or its like; only a guess, so nothing guards it. */
struct handover_hint {
	const struct thread *waker;
	uint64_t nr_switches;
};

/* With no lock held that the woken thread needs. What it waits for is already there. */
static inline void handover_wake(struct handover_hint *hint, struct waitq *q, uint64_t key)
{
	const struct thread *me = arch_current();
	uint64_t nr = me->nr_switches;
	bool will_wait = READ_ONCE(hint->waker) == me && READ_ONCE(hint->nr_switches) != nr;

	WRITE_ONCE(hint->waker, me);
	WRITE_ONCE(hint->nr_switches, nr);
	if (LIKELY(will_wait))
		waitq_wake_handover(q, key);
	else
		waitq_wake_one(q, key);
}
