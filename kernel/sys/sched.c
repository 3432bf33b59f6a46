// SPDX-License-Identifier: MIT
/*
 * System calls of scheduling: policies, priorities, affinity.
 *
 * SCHED_BATCH is scheduled as SCHED_OTHER; the policy a thread asked for is kept for who asks back.
 * SCHED_DEADLINE has no bandwidth to give: -EBUSY for who could have some.
 *
 * Spec    man 7 sched; man 2: sched_setscheduler, sched_setparam, sched_setattr,
 *         sched_setaffinity, sched_rr_get_interval, sched_get_priority_max, sched_yield,
 *         getpriority, setpriority
 */
#include <linux/capability.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <linux/time_types.h>

#include "ipc/futex.h"
#include "lib/string.h"
#include "proc/proc.h"
#include "sched/sched.h"
#include "sys/syscall.h"
#include "sys/whom.h"
#include "time/clock.h"

enum {
	PRIORITY_MIN = 1, /* man 7 sched: of FIFO and RR */
	PRIORITY_MAX = 99,
	NICE_RANGE = 20, /* getpriority gives 20 - nice, 40 .. 1 */
};
#define RR_INTERVAL_NS   (100 * NS_PER_MS) /* man 7 sched, SCHED_RR; sched/runq_priv.h */
#define FAIR_INTERVAL_NS (3 * NS_PER_MS)

/* ---- Whose ---- */

/* The thread of a number; 0: the caller. With a reference. -ESRCH, -EINVAL: negative. */
static int find_thread(int tid, struct thread **out)
{
	if (tid < 0)
		return -EINVAL;
	if (tid)
		return uthread_find(tid, out);
	*out = arch_current();
	thread_get(*out);
	return 0;
}

/* man 2 sched_setaffinity: the effective user id is one of the other's, or CAP_SYS_NICE */
static bool is_same_owner(struct thread *t)
{
	const struct cred *mine = cred_current(), *its = cred_get_of(t);
	bool is_same = mine->euid == its->euid || mine->euid == its->uid;

	cred_put(its);
	return is_same;
}

static bool is_rt(int policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static struct sched_params params_of(struct thread *t)
{
	struct sched_params p;

	irqlock_lock(&t->lock);
	p = t->base;
	irqlock_unlock(&t->lock);
	return p;
}

static int set_params(struct thread *t, const struct sched_params *p)
{
	int err = sched_set_params(t, p);

	futex_pi_params_changed(t); /* who has the lock that it waits for */
	return err;
}

/* ---- Policies ---- */

/* What a thread is to have. */
struct wish {
	int policy;
	unsigned priority;
	int nice;
	bool resets_on_fork, keeps_policy, keeps_params;
};

static int check_wish(const struct wish *w)
{
	switch (w->policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		return w->priority >= PRIORITY_MIN && w->priority <= PRIORITY_MAX ? 0 : -EINVAL;
	case SCHED_NORMAL:
	case SCHED_BATCH:
	case SCHED_IDLE:
		return w->priority ? -EINVAL : 0;
	}
	return -EINVAL;
}

/* The lowest nice value that p's limit allows: man 2 getrlimit, RLIMIT_NICE */
static bool may_be_nice(const struct proc *p, int nice)
{
	uint64_t limit = READ_ONCE(p->rlimits[RLIMIT_NICE].soft);

	return (uint64_t)(NICE_RANGE - nice) <= limit || capable(CAP_SYS_NICE);
}

/* man 7 sched, "Privileges and resource limits" */
static int check_rights(struct thread *t, const struct wish *w)
{
	const struct uthread *u = t->user;
	struct sched_params now = params_of(t);
	uint64_t limit = READ_ONCE(u->proc->rlimits[RLIMIT_RTPRIO].soft);

	if (capable(CAP_SYS_NICE))
		return 0;
	if (!is_rt(w->policy) && w->policy != SCHED_IDLE && w->nice < now.nice &&
		!may_be_nice(u->proc, w->nice))
		return -EPERM;
	if (is_rt(w->policy)) {
		if (w->policy != u->policy && !limit)
			return -EPERM;
		if ((int)w->priority > now.priority && w->priority > limit)
			return -EPERM;
	}
	if (u->policy == SCHED_IDLE && w->policy != SCHED_IDLE &&
		!may_be_nice(u->proc, now.nice))
		return -EPERM;
	if (!is_same_owner(t))
		return -EPERM;
	return u->resets_on_fork && !w->resets_on_fork ? -EPERM : 0;
}

static int apply(struct thread *t, const struct wish *w)
{
	struct sched_params params = {.nice = w->nice};

	if (w->keeps_params) { /* Linux: the policy is one of them */
		WRITE_ONCE(t->user->resets_on_fork, w->resets_on_fork);
		return 0;
	}
	switch (w->policy) {
	case SCHED_FIFO:
		params.policy = SCHED_CLASS_FIFO;
		break;
	case SCHED_RR:
		params.policy = SCHED_CLASS_RR;
		break;
	case SCHED_IDLE:
		params.policy = SCHED_CLASS_IDLE;
		break;
	default:
		params.policy = SCHED_CLASS_FAIR;
	}
	params.priority = (int)w->priority;
	WRITE_ONCE(t->user->policy, (uint8_t)w->policy);
	WRITE_ONCE(t->user->resets_on_fork, w->resets_on_fork);
	return set_params(t, &params);
}

static int set_policy(int tid, struct wish *w)
{
	struct thread *t;
	int err = find_thread(tid, &t);

	if (err)
		return err;
	if (w->keeps_policy) {
		w->policy = t->user->policy;
		w->resets_on_fork |= t->user->resets_on_fork;
	}
	if (w->keeps_params) {
		struct sched_params now = params_of(t);

		w->priority = (unsigned)now.priority;
		w->nice = now.nice;
	}
	err = check_wish(w);
	if (!err)
		err = check_rights(t, w);
	if (!err)
		err = apply(t, w);
	thread_put(t);
	return err;
}

/* sched_setscheduler and sched_setparam leave the nice value alone. */
static int set_scheduler(int tid, int policy, bool keeps_policy, uptr param)
{
	struct wish w = {
		.policy = policy & ~SCHED_RESET_ON_FORK,
		.resets_on_fork = policy & SCHED_RESET_ON_FORK,
		.keeps_policy = keeps_policy,
	};
	struct thread *t;
	int priority, err;

	if (uptr_is_null(param) || tid < 0)
		return -EINVAL;
	if (user_get(priority, param))
		return -EFAULT;
	err = find_thread(tid, &t);
	if (err)
		return err;
	w.priority = (unsigned)priority;
	w.nice = params_of(t).nice;
	thread_put(t);
	return set_policy(tid, &w);
}

SYSCALL3(sched_setscheduler, int, tid, int, policy, uptr, param)
{
	if (policy < 0)
		return -EINVAL;
	return set_scheduler(tid, policy, false, param);
}

SYSCALL2(sched_setparam, int, tid, uptr, param)
{
	return set_scheduler(tid, 0, true, param);
}

SYSCALL1(sched_getscheduler, int, tid)
{
	struct thread *t;
	int result, err = find_thread(tid, &t);

	if (err)
		return err;
	result = t->user->policy | (t->user->resets_on_fork ? SCHED_RESET_ON_FORK : 0);
	thread_put(t);
	return result;
}

SYSCALL2(sched_getparam, int, tid, uptr, param)
{
	struct thread *t;
	int priority, err;

	if (uptr_is_null(param))
		return -EINVAL;
	err = find_thread(tid, &t);
	if (err)
		return err;
	priority = is_rt(t->user->policy) ? params_of(t).priority : 0;
	thread_put(t);
	return user_put(param, priority);
}

/* ---- With a structure ---- */

#define KNOWN_FLAGS                                                                            \
	(SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_RECLAIM | SCHED_FLAG_DL_OVERRUN |               \
		SCHED_FLAG_KEEP_POLICY | SCHED_FLAG_KEEP_PARAMS)

/* The size is the first word. A size of 0 means the first version; too large: ours is written back. */
static int read_attr(uptr from, struct sched_attr *a)
{
	uint32_t size, ours = sizeof(*a);
	int err;

	if (user_get(size, from))
		return -EFAULT;
	if (!size)
		size = SCHED_ATTR_SIZE_VER0;
	err = size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE
		      ? -E2BIG
		      : user_read_struct(a, sizeof(*a), from, size);
	if (err == -E2BIG && user_put(from, ours))
		return -EFAULT;
	return err;
}

SYSCALL3(sched_setattr, int, tid, uptr, attr, unsigned, flags)
{
	struct sched_attr a;
	struct wish w;
	int err;

	if (uptr_is_null(attr) || tid < 0 || flags)
		return -EINVAL;
	err = read_attr(attr, &a);
	if (err)
		return err;
	if ((int)a.sched_policy < 0 || (a.sched_flags & ~(uint64_t)KNOWN_FLAGS))
		return -EINVAL;
	if (a.sched_policy == SCHED_DEADLINE && !(a.sched_flags & SCHED_FLAG_KEEP_POLICY))
		return capable(CAP_SYS_NICE) ? -EBUSY : -EPERM;
	w = (struct wish){
		.policy = (int)a.sched_policy,
		.priority = a.sched_priority,
		.nice = MAX(NICE_MIN, MIN(NICE_MAX, a.sched_nice)),
		.resets_on_fork = a.sched_flags & SCHED_FLAG_RESET_ON_FORK,
		.keeps_policy = a.sched_flags & SCHED_FLAG_KEEP_POLICY,
		.keeps_params = a.sched_flags & SCHED_FLAG_KEEP_PARAMS,
	};
	return set_policy(tid, &w);
}

SYSCALL4(sched_getattr, int, tid, uptr, attr, unsigned, size, unsigned, flags)
{
	struct sched_attr a = {.size = sizeof(a)};
	struct sched_params p;
	struct thread *t;
	int err;

	if (uptr_is_null(attr) || tid < 0 || size > PAGE_SIZE || size < SCHED_ATTR_SIZE_VER0 ||
		flags)
		return -EINVAL;
	err = find_thread(tid, &t);
	if (err)
		return err;
	p = params_of(t);
	a.sched_policy = t->user->policy;
	if (t->user->resets_on_fork)
		a.sched_flags |= SCHED_FLAG_RESET_ON_FORK;
	if (is_rt(t->user->policy))
		a.sched_priority = (uint32_t)p.priority;
	else
		a.sched_nice = p.nice;
	thread_put(t);
	a.size = MIN(size, (unsigned)sizeof(a));
	return user_write(attr, &a, a.size);
}

/* ---- Facts ---- */

SYSCALL1(sched_get_priority_max, int, policy)
{
	if (is_rt(policy))
		return PRIORITY_MAX;
	return policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE ||
			       policy == SCHED_DEADLINE
		       ? 0
		       : -EINVAL;
}

SYSCALL1(sched_get_priority_min, int, policy)
{
	if (is_rt(policy))
		return PRIORITY_MIN;
	return policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE ||
			       policy == SCHED_DEADLINE
		       ? 0
		       : -EINVAL;
}

SYSCALL2(sched_rr_get_interval, int, tid, uptr, out)
{
	struct __kernel_timespec ts = {0};
	struct thread *t;
	int err = find_thread(tid, &t);

	if (err)
		return err;
	if (t->user->policy == SCHED_RR)
		ts.tv_nsec = (long long)RR_INTERVAL_NS;
	else if (t->user->policy != SCHED_FIFO)
		ts.tv_nsec = (long long)FAIR_INTERVAL_NS;
	thread_put(t);
	return user_put(out, ts);
}

SYSCALL0(sched_yield)
{
	sched_yield();
	return 0;
}

/* ---- Affinity ---- */

SYSCALL3(sched_setaffinity, int, tid, unsigned, len, uptr, mask)
{
	struct cpumask set = {0};
	struct thread *t;
	int err;

	if (user_read(&set, mask, MIN((size_t)len, sizeof(set))))
		return -EFAULT;
	err = find_thread(tid, &t);
	if (err)
		return err == -EINVAL ? -ESRCH : err; /* Linux: no such thread */
	if (!is_same_owner(t) && !capable(CAP_SYS_NICE))
		err = -EPERM;
	else
		err = sched_set_affinity(t, &set);
	thread_put(t);
	return err;
}

SYSCALL3(sched_getaffinity, int, tid, unsigned, len, uptr, mask)
{
	struct cpumask set = {0};
	struct thread *t;
	size_t size;
	int err;

	/* Linux: room for every possible CPU, in whole words */
	if (len < DIV_ROUND_UP(cpu_count(), 8) || (len & (sizeof(long) - 1)))
		return -EINVAL;
	err = find_thread(tid, &t);
	if (err)
		return err == -EINVAL ? -ESRCH : err;
	irqlock_lock(&t->lock);
	for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
		if (cpumask_test(&t->affinity, cpu))
			cpumask_set(&set, cpu);
	}
	irqlock_unlock(&t->lock);
	thread_put(t);
	size = MIN((size_t)len, ALIGN_UP(DIV_ROUND_UP((size_t)cpu_count(), 8), sizeof(long)));
	return user_write(mask, &set, size) ? -EFAULT : (int64_t)size;
}

/* ---- Nice values of threads, groups, users ---- */

struct nice_walk {
	bool is_set;
	int nice;   /* to set, or the best found */
	int result; /* -ESRCH until somebody was visited */
};

static int set_nice(struct thread *t, int nice)
{
	const struct cred *mine = cred_current(), *its = cred_get_of(t);
	bool is_mine = its->uid == mine->euid || its->euid == mine->euid;
	struct sched_params p = params_of(t);

	cred_put(its);
	if (!is_mine && !capable(CAP_SYS_NICE))
		return -EPERM;
	if (nice < p.nice && !may_be_nice(t->user->proc, nice))
		return -EACCES;
	p.nice = nice;
	return set_params(t, &p);
}

static void visit_thread(struct thread *t, void *ctx)
{
	struct nice_walk *w = ctx;
	int nice;

	if (w->is_set) {
		int err = set_nice(t, w->nice);

		if (w->result == -ESRCH || err)
			w->result = err;
		return;
	}
	nice = params_of(t).nice;
	if (w->result == -ESRCH || nice < w->nice)
		w->nice = nice;
	w->result = 0;
}

static int walk(int which, int who, struct nice_walk *w)
{
	int err;

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	w->result = -ESRCH;
	err = threads_named(
		WHOM_THREAD + (unsigned)(which - PRIO_PROCESS), who, visit_thread, w);
	return err ? err : w->result;
}

SYSCALL2(getpriority, int, which, int, who)
{
	struct nice_walk w = {.is_set = false};
	int err = walk(which, who, &w);

	return err ? err : NICE_RANGE - w.nice;
}

SYSCALL3(setpriority, int, which, int, who, int, nice)
{
	struct nice_walk w = {.is_set = true, .nice = MAX(NICE_MIN, MIN(NICE_MAX, nice))};

	return walk(which, who, &w);
}
