// SPDX-License-Identifier: MIT
/*
 * RLIMIT_CPU and RLIMIT_RTTIME: a process that has one of them has a timer, whose callback looks at
 * the CPU time it had. Past the soft limit SIGXCPU is sent, and the limit goes up by a second, so
 * that the next comes then; past the hard limit the process is killed.
 *
 * CPU time grows no faster than there are CPUs: the next look is when the limit could be reached,
 * not more often than Linux looks (a tick), and seldom while the process does not run.
 *
 * RLIMIT_RTTIME counts, for each thread with a real-time policy, what it had since it last waited.
 * A look sees that it waited by its count of voluntary switches, and starts counting there, so the
 * limit is found late by at most a quarter of it.
 *
 * Locks   proc->lock [p]. The memory is freed after timer_stop_sync, with the lock released.
 * Spec    man 2 getrlimit
 */
#include "proc/cpu_limit.h"

#include <linux/resource.h>

#include "lib/atomic.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "proc/signal_priv.h"
#include "sched/sched.h"
#include "time/clock.h"
#include "time/timer.h"

static const uint64_t LOOK_MIN_NS = 4 * NS_PER_MS, LOOK_MAX_NS = 128 * NS_PER_MS;

enum { LOOKS_PER_RT_LIMIT = 4, US_PER_SEC = 1000000 };

struct cpu_limit {
	struct proc *proc; /* [I] whose it is: it outlives this */
	struct timer timer;
	uint64_t last_ns; /* [p] CPU time at the last look */
	uint64_t wait_ns; /* [p] at least so long until the next */
};

/* ---- One look; p->lock held ---- */

static uint64_t cpu_time(const struct proc *p)
{
	uint64_t ns = p->times.user_ns + p->times.system_ns;

	list_for_each (u, &p->threads, struct uthread, proc_link)
		ns += sched_cpu_time_ns(u->thread);
	return ns;
}

/*
 * Compares with one limit, whose unit is unit_ns. How much more time there is until it says
 * something; 0: the process has been killed.
 */
static uint64_t compare(struct proc *p, unsigned which, uint64_t used_ns, uint64_t unit_ns)
{
	struct rlimit_pair *limit = &p->rlimits[which];
	uint64_t used = used_ns / unit_ns;

	if (used >= limit->hard) {
		signal_send_locked(p, SIGKILL, NULL);
		return 0;
	}
	if (used >= limit->soft) {
		signal_send_locked(p, SIGXCPU, NULL);
		limit->soft += NS_PER_SEC / unit_ns;
	}
	used = MIN(limit->soft, limit->hard);
	return used > UINT64_MAX / unit_ns ? UINT64_MAX : used * unit_ns - used_ns;
}

static bool is_realtime(const struct thread *t)
{
	return t->base.policy == SCHED_CLASS_FIFO || t->base.policy == SCHED_CLASS_RR;
}

/* How long this thread has had a CPU without waiting, as far as looks have seen. */
static uint64_t unbroken_time(struct uthread *u)
{
	const struct thread *t = u->thread;
	uint64_t now = sched_cpu_time_ns(u->thread);
	uint64_t waits = READ_ONCE(t->nr_switches) - READ_ONCE(t->nr_preempted);

	if (!is_realtime(t) || waits != u->rt_waits) {
		u->rt_waits = waits;
		u->rt_start_ns = now;
	}
	return now - u->rt_start_ns;
}

/* Without a thread that it is for it says nothing, and one may become such a thread. */
static uint64_t compare_rt(struct proc *p)
{
	uint64_t longest = 0, left = UINT64_MAX;
	bool is_for_one = false;

	list_for_each (u, &p->threads, struct uthread, proc_link) {
		longest = MAX(longest, unbroken_time(u));
		is_for_one |= is_realtime(u->thread);
	}
	if (is_for_one)
		left = compare(p, RLIMIT_RTTIME, longest, NS_PER_US);
	return MIN(left, p->rlimits[RLIMIT_RTTIME].soft * NS_PER_US / LOOKS_PER_RT_LIMIT + 1);
}

static bool is_limited(const struct proc *p, unsigned which)
{
	return p->rlimits[which].soft != RLIM_INFINITY ||
	       p->rlimits[which].hard != RLIM_INFINITY;
}

/* Nanoseconds until the next look; 0: none is needed. */
static uint64_t look(struct cpu_limit *l)
{
	struct proc *p = l->proc;
	uint64_t now = cpu_time(p), left = UINT64_MAX, rt_left = UINT64_MAX;

	if (is_limited(p, RLIMIT_CPU))
		left = compare(p, RLIMIT_CPU, now, NS_PER_SEC);
	if (left && is_limited(p, RLIMIT_RTTIME))
		rt_left = compare_rt(p);
	l->wait_ns = now == l->last_ns ? MIN(l->wait_ns * 2, LOOK_MAX_NS) : LOOK_MIN_NS;
	l->last_ns = now;
	if (!left || !rt_left || MIN(left, rt_left) == UINT64_MAX)
		return 0;
	return MAX(MIN(left / cpu_count(), rt_left), l->wait_ns);
}

static void look_and_arm(struct cpu_limit *l)
{
	uint64_t wait = look(l);

	if (wait)
		timer_start(&l->timer, clock_monotonic_ns() + wait);
}

static void on_timer(struct timer *timer)
{
	struct cpu_limit *l = container_of(timer, struct cpu_limit, timer);

	irqlock_lock(&l->proc->lock);
	if (l->proc->cpu_limit == l)
		look_and_arm(l);
	irqlock_unlock(&l->proc->lock);
}

/* ---- Life ---- */

int cpu_limit_prepare(struct proc *p)
{
	struct cpu_limit *new;

	if (READ_ONCE(p->cpu_limit))
		return 0;
	new = mem_alloc(sizeof(*new), SLAB_ZERO);
	if (!new)
		return -ENOMEM;
	new->proc = p;
	timer_init(&new->timer, on_timer);
	irqlock_lock(&p->lock);
	if (!p->cpu_limit && !(p->flags & (PROC_EXITING | PROC_ZOMBIE))) {
		p->cpu_limit = new;
		new = NULL;
	}
	irqlock_unlock(&p->lock);
	mem_free(new);
	return 0;
}

void cpu_limit_look(struct proc *p)
{
	if (!READ_ONCE(p->cpu_limit))
		return;
	irqlock_lock(&p->lock);
	if (p->cpu_limit) {
		p->cpu_limit->wait_ns = LOOK_MIN_NS;
		look_and_arm(p->cpu_limit);
	}
	irqlock_unlock(&p->lock);
}

int cpu_limit_inherit(struct proc *p)
{
	return is_limited(p, RLIMIT_CPU) || is_limited(p, RLIMIT_RTTIME) ? cpu_limit_prepare(p)
									 : 0;
}

void cpu_limit_fini(struct proc *p)
{
	struct cpu_limit *l;

	if (!READ_ONCE(p->cpu_limit))
		return;
	irqlock_lock(&p->lock);
	l = p->cpu_limit;
	p->cpu_limit = NULL;
	irqlock_unlock(&p->lock);
	if (!l)
		return;
	timer_stop_sync(&l->timer);
	mem_free(l);
}
