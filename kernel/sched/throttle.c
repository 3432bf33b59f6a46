// SPDX-License-Identifier: MIT
/*
 * What real-time threads leave to the others: a FIFO thread that never waits would keep its CPU
 * for ever, and with it the shell that could end it.
 *
 * In each window of a second, real-time threads of programs may have a CPU for 950 ms. When that is
 * used up and a fair thread waits there, fair threads go first until the window ends; when none
 * wants the CPU, the real-time thread has it on. Kernel threads are not counted.
 *
 *     every 10 ms of work: charge -> used up, and somebody waits -> choose again
 *                          window over -> begin the next one     -> choose again
 *
 * Locks   the run queue's
 * Spec    man 7 sched: "Limiting the CPU usage of real-time and deadline processes"
 */
#include "sched/runq_priv.h"

#include "sched/sched.h"

uint64_t sched_rt_period_ns = NS_PER_SEC;
uint64_t sched_rt_runtime_ns = 950 * NS_PER_MS;

bool throttle_look(struct runq *rq, uint64_t now)
{
	if (now - rq->rt_window_ns >= READ_ONCE(sched_rt_period_ns)) {
		bool was_throttled = rq->is_rt_throttled;

		rq->rt_window_ns = now;
		rq->rt_used_ns = 0;
		rq->is_rt_throttled = false;
		return was_throttled;
	}
	if (rq->rt_used_ns < READ_ONCE(sched_rt_runtime_ns))
		return false;
	rq->is_rt_throttled = true;
	return rq->running->rank > RANK_OF_FAIR && rq->fair.nr_waiting;
}
