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

/* The current thread is going to lend to t, which has no lender: before t is told what it is to do. */
void sched_begin_loan(struct thread *t);
/*
 * t, which waits in sched_repay or sched_await_loan, or is about to, runs now; returns when it repays or
 * blocks.
 */
void sched_lend(struct thread *t);
/*
 * To wait for more work, after sched_set_blocked() and a look at the condition. With a lender: it goes on
 * at once, on this CPU. Without: a loan that begins now goes on, where sched_switch would end it.
 */
void sched_repay(void);
void sched_await_loan(void);
/* sched_switch: the current thread is about to block and has a lender. */
void sched_end_loan(void);
