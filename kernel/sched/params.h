// SPDX-License-Identifier: MIT
/*
 * How a thread wants to be scheduled: what sched_set_params sets, and what a mutex passes on
 * from its waiters to its owner.
 */
#pragma once

/* The classes, best first: a thread of a better class always runs before one of a worse. */
enum sched_policy { SCHED_CLASS_FIFO, SCHED_CLASS_RR, SCHED_CLASS_FAIR, SCHED_CLASS_IDLE };

/* FIFO and RR priorities are 1 (worst) .. 99 (best), as in Linux; nice is -20 (best) .. 19. */
struct sched_params {
	enum sched_policy policy;
	int priority; /* FIFO, RR */
	int nice;     /* FAIR */
};
