// SPDX-License-Identifier: MIT
/*
 * Resource limits: what process 1 starts with, and who asks.
 *
 * Spec    man 2 getrlimit; the first values are Linux's (INIT_RLIMITS), less what depends on memory
 */
#include <linux/capability.h>
#include <linux/resource.h>

#include "mm/page.h"
#include "mm/vmspace.h"
#include "proc/cpu_limit.h"
#include "proc/proc_priv.h"

#define NONE UINT64_MAX /* RLIM_INFINITY */

enum {
	STACK_DEFAULT = 8 << 20, /* man 2 getrlimit: RLIMIT_STACK on Linux */
	CORE_DEFAULT = 0,
	FILES_SOFT = 1024,
	FILES_HARD = 4096,         /* Linux: INR_OPEN_MAX */
	MEMLOCK_DEFAULT = 8 << 20, /* man 2 getrlimit: since Linux 5.16 */
	MSGQUEUE_DEFAULT = 819200, /* man 7 mq_overview */
	PAGES_PER_THREAD = 32,     /* Linux allows threads for an eighth of memory ... */
	THREADS_LEAST = 20,        /* Linux: MIN_THREADS */
	LIMIT_IS_HALF = 2,         /* ... and half of them to one user */
};

static const struct rlimit_pair rlimits_default[RLIMITS] = {
	[RLIMIT_CPU] = {NONE, NONE},
	[RLIMIT_FSIZE] = {NONE, NONE},
	[RLIMIT_DATA] = {NONE, NONE},
	[RLIMIT_STACK] = {STACK_DEFAULT, NONE},
	[RLIMIT_CORE] = {CORE_DEFAULT, NONE},
	[RLIMIT_RSS] = {NONE, NONE},
	[RLIMIT_NPROC] = {0, 0}, /* by memory: proc_adopt_init */
	[RLIMIT_NOFILE] = {FILES_SOFT, FILES_HARD},
	[RLIMIT_MEMLOCK] = {MEMLOCK_DEFAULT, MEMLOCK_DEFAULT},
	[RLIMIT_AS] = {NONE, NONE},
	[RLIMIT_LOCKS] = {NONE, NONE},
	[RLIMIT_SIGPENDING] = {0, 0}, /* by memory */
	[RLIMIT_MSGQUEUE] = {MSGQUEUE_DEFAULT, MSGQUEUE_DEFAULT},
	[RLIMIT_NICE] = {0, 0},
	[RLIMIT_RTPRIO] = {0, 0},
	[RLIMIT_RTTIME] = {NONE, NONE},
};

void rlimits_first(struct rlimit_pair *to)
{
	struct page_stats stats;
	uint64_t threads;

	page_get_stats(&stats);
	thread_max = MAX(stats.total / PAGES_PER_THREAD, (uint64_t)THREADS_LEAST);
	threads = thread_max / LIMIT_IS_HALF;
	for (unsigned i = 0; i < RLIMITS; i++)
		to[i] = rlimits_default[i];
	to[RLIMIT_NPROC] = to[RLIMIT_SIGPENDING] = (struct rlimit_pair){threads, threads};
}

uint64_t proc_rlimit(unsigned which)
{
	struct uthread *u = uthread_current();

	return u ? READ_ONCE(u->proc->rlimits[which].soft) : NONE;
}

static void current_vm_limits(struct vm_limits *out)
{
	out->as = proc_rlimit(RLIMIT_AS);
	out->data = proc_rlimit(RLIMIT_DATA);
	out->stack = proc_rlimit(RLIMIT_STACK);
	out->memlock = proc_rlimit(RLIMIT_MEMLOCK);
	out->may_lock = capable(CAP_IPC_LOCK);
}

void rlimit_init(void)
{
	vm_current_limits = current_vm_limits;
}

/* prlimit64(2) on a process that the caller may change. */
int rlimit_exchange(
	struct proc *p, unsigned which, const struct rlimit_pair *set, struct rlimit_pair *old)
{
	bool may_raise = capable(CAP_SYS_RESOURCE);
	bool is_time = set && (which == RLIMIT_CPU || which == RLIMIT_RTTIME);
	int err = is_time ? cpu_limit_prepare(p) : 0;

	if (err)
		return err;
	irqlock_lock(&p->lock);
	if (old)
		*old = p->rlimits[which];
	if (set) {
		if (set->hard > p->rlimits[which].hard && !may_raise)
			err = -EPERM;
		else
			p->rlimits[which] = *set;
	}
	irqlock_unlock(&p->lock);
	if (!err && is_time)
		cpu_limit_look(p);
	return err;
}
