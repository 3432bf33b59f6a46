// SPDX-License-Identifier: MIT
/*
 * Timers that belong to a process: timer_create's, and the three interval timers.
 */
#pragma once

#include <linux/signal.h>

#include "lib/base.h"

struct proc;
struct timer_setting;

void ptimers_exec(struct proc *p); /* timer_create's go, interval timers stay */
void ptimers_fini(struct proc *p); /* the end: all go. p->lock not held; sleeps */

/* ---- setitimer(2): ITIMER_REAL, _VIRTUAL, _PROF of the current process. -EINVAL, -ENOMEM ---- */

MUST_CHECK int itimer_get(int which, struct timer_setting *out);
MUST_CHECK int itimer_set(
	int which, const struct timer_setting *new, struct timer_setting *old);

/* ---- timer_create(2) and its relatives; ids are the current process's ---- */

/* Of any process: the timer with the highest id that is at most `id`. False: there is none. */
enum { PTIMER_LAST = 0x7fffffff };
struct ptimer_info {
	int id, sig, clock;
	int notify; /* SIGEV_SIGNAL, _NONE, _THREAD */
	int target; /* the number of the process, or of the thread */
	bool is_of_thread;
	uint64_t value;
};
bool ptimer_get_info(struct proc *p, int id, struct ptimer_info *out);
/* -EINVAL, -EOPNOTSUPP, -EAGAIN, -ENOMEM. event NULL: SIGALRM with the id as its value. */
MUST_CHECK int ptimer_create(int clock, const struct sigevent *event, int *id);
/* Undoes it. -EINVAL: no such timer. */
MUST_CHECK int ptimer_delete(int id);
MUST_CHECK int ptimer_get(int id, struct timer_setting *out);
/* is_absolute: new->value is what the clock is to show. */
MUST_CHECK int ptimer_set(
	int id, bool is_absolute, const struct timer_setting *new, struct timer_setting *old);
/* Expirations that the last signal stood for beyond the first; -EINVAL. */
MUST_CHECK int ptimer_overrun(int id);
