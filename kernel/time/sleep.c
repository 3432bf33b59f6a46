// SPDX-License-Identifier: MIT
/*
 * Sleeping is waiting on a queue that nobody wakes: sync/waitq.c has the only timed wait.
 */
#include "sync/waitq.h"
#include "time/clock.h"
#include "time/timer.h"

int sleep_until_ns(uint64_t deadline_ns)
{
	struct waitq nobody = WAITQ_INIT(nobody);
	int err = WAIT_EVENT(&nobody, WAIT_KILLABLE, deadline_ns, false);

	return err == -ETIMEDOUT ? 0 : err;
}

int sleep_ns(uint64_t ns)
{
	uint64_t now = clock_monotonic_ns();

	return sleep_until_ns(ns < WAIT_FOREVER - now ? now + ns : WAIT_FOREVER);
}
