// SPDX-License-Identifier: MIT
/*
 * System calls: ioprio_set, ioprio_get. A thread's priority among those that want a disk: kept for
 * whoever asks, and for the disks' queues to come.
 *
 * Spec    man 2 ioprio_set
 */
#include "sys/ioprio.h"

#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/sched.h>

#include "proc/proc.h"
#include "sched/sched.h"
#include "sys/syscall.h"
#include "sys/whom.h"

enum { NICE_PER_LEVEL = 5, NICE_LOWEST = -20 };
enum { LEVELS = 7 /* IOPRIO_LEVEL_MASK, which older headers of 6.1 lack */ };

struct ioprio_walk {
	int set;    /* to set */
	int best;   /* found */
	int result; /* of setting: the first error */
};

/* The bits between class and level are hints to the disk, which say nothing here. */
int ioprio_check(int ioprio)
{
	switch (IOPRIO_PRIO_CLASS(ioprio)) {
	case IOPRIO_CLASS_RT:
		return capable(CAP_SYS_ADMIN) || capable(CAP_SYS_NICE) ? 0 : -EPERM;
	case IOPRIO_CLASS_BE:
	case IOPRIO_CLASS_IDLE:
		return 0;
	case IOPRIO_CLASS_NONE:
		return ioprio & LEVELS ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

static bool may_change(struct thread *t)
{
	const struct cred *mine = cred_current(), *its = cred_get_of(t);
	bool may = its->uid == mine->euid || its->uid == mine->uid;

	cred_put(its);
	return may || capable(CAP_SYS_NICE);
}

static void set_one(struct thread *t, void *ctx)
{
	struct ioprio_walk *w = ctx;

	if (w->result)
		return;
	if (may_change(t))
		WRITE_ONCE(t->user->ioprio, (uint16_t)w->set);
	else
		w->result = -EPERM;
}

static void get_raw(struct thread *t, void *ctx)
{
	((struct ioprio_walk *)ctx)->best = READ_ONCE(t->user->ioprio);
}

/* What holds for a thread that did not say: man 2 ioprio_set, "Notes". */
static int effective(struct thread *t)
{
	int ioprio = READ_ONCE(t->user->ioprio), class = IOPRIO_CLASS_BE;
	int policy = t->user->policy;

	if (ioprio)
		return ioprio;
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		class = IOPRIO_CLASS_RT;
	else if (policy == SCHED_IDLE)
		class = IOPRIO_CLASS_IDLE;
	return class << IOPRIO_CLASS_SHIFT |
	       (READ_ONCE(t->base.nice) - NICE_LOWEST) / NICE_PER_LEVEL;
}

/* The highest of all: the smallest number, as every class is set by now. */
static void get_best(struct thread *t, void *ctx)
{
	struct ioprio_walk *w = ctx;
	int ioprio = effective(t);

	if (!w->best || ioprio < w->best)
		w->best = ioprio;
}

static int walk(
	int which, int who, void (*fn)(struct thread *t, void *ctx), struct ioprio_walk *w)
{
	if (which < IOPRIO_WHO_PROCESS || which > IOPRIO_WHO_USER)
		return -EINVAL;
	return threads_named(WHOM_THREAD + (unsigned)(which - IOPRIO_WHO_PROCESS), who, fn, w);
}

SYSCALL3(ioprio_set, int, which, int, who, int, ioprio)
{
	struct ioprio_walk w = {.set = ioprio};
	int err = ioprio_check(ioprio);

	if (!err)
		err = walk(which, who, set_one, &w);
	return err ? err : w.result;
}

SYSCALL2(ioprio_get, int, which, int, who)
{
	struct ioprio_walk w = {0};
	int err = walk(which, who, which == IOPRIO_WHO_PROCESS ? get_raw : get_best, &w);

	return err ? err : w.best;
}
