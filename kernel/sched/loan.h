// SPDX-License-Identifier: MIT
/*
 * Lending a CPU: a thread lets another one run in its place and goes on at once when that one has
 * ended its work, or waits for something.
 *
 *     lender    sched_lend(t) ------------.   blocked        .--- goes on
 *     t         waits for work .. runs ---'... sched_repay --'    or sched_switch, anywhere
 *
 * So code that may block is called as if it were asynchronous: what does not block has simply been
 * done on another stack, on the same CPU, in the same time slice (sched/handover.c).
 */
#pragma once

struct thread;

/*
 * t, which waits in sched_repay, runs now; returns when it repays or blocks. What it is to do has been
 * stored before. Only the lender wakes t while it waits so.
 */
void sched_lend(struct thread *t);
/*
 * sched_switch for who may have borrowed: after sched_set_blocked() and a look at the condition. The
 * CPU goes back to the lender, if there is one.
 */
void sched_repay(void);
/* sched_switch: the current thread is about to block and has a lender. */
void sched_end_loan(void);
