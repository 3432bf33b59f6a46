// SPDX-License-Identifier: MIT
/*
 * System calls of resource limits and of what was used.
 *
 * Spec    man 2: getrlimit, setrlimit, prlimit, getrusage, times
 */
#include <linux/capability.h>
#include <linux/resource.h>
#include <linux/times.h>

#include "lib/string.h"
#include "sys/rusage.h"
#include "sys/syscall.h"
#include "time/clock.h"

enum { CLOCK_TICKS = 100 }; /* USER_HZ */

/* ---- Limits ---- */

struct wire_rlimit {
	uint64_t soft, hard;
};

static int exchange(struct proc *p, unsigned which, uptr new, uptr old)
{
	struct rlimit_pair set, was;
	struct wire_rlimit wire;
	int err;

	if (which >= RLIMITS)
		return -EINVAL;
	if (!uptr_is_null(new)) {
		if (user_get(wire, new))
			return -EFAULT;
		if (wire.soft > wire.hard)
			return -EINVAL;
		if (which == RLIMIT_NOFILE && wire.hard > NOFILE_MAX)
			return -EPERM;
		set = (struct rlimit_pair){wire.soft, wire.hard};
	}
	err = rlimit_exchange(p, which, uptr_is_null(new) ? NULL : &set, &was);
	if (err || uptr_is_null(old))
		return err;
	wire = (struct wire_rlimit){was.soft, was.hard};
	return user_put(old, wire);
}

SYSCALL2(getrlimit, unsigned, which, uptr, out)
{
	if (which >= RLIMITS)
		return -EINVAL;
	return uptr_is_null(out) ? -EFAULT : exchange(proc_current(), which, UPTR_NULL, out);
}

SYSCALL2(setrlimit, unsigned, which, uptr, in)
{
	return uptr_is_null(in) ? -EFAULT : exchange(proc_current(), which, in, UPTR_NULL);
}

/* man 2 prlimit: all of the other's ids are ours, or CAP_SYS_RESOURCE. */
static int check_prlimit(struct proc *p)
{
	const struct cred *mine = cred_current(), *its;
	bool is_same;

	if (p == proc_current())
		return 0;
	its = proc_get_cred(p);
	is_same = mine->uid == its->euid && mine->uid == its->suid && mine->uid == its->uid &&
		  mine->gid == its->egid && mine->gid == its->sgid && mine->gid == its->gid;
	cred_put(its);
	return is_same || capable(CAP_SYS_RESOURCE) ? 0 : -EPERM;
}

SYSCALL4(prlimit64, int, pid, unsigned, which, uptr, new, uptr, old)
{
	struct proc *p = proc_current();
	int err;

	if (which >= RLIMITS)
		return -EINVAL;
	if (!pid)
		return exchange(p, which, new, old);
	err = proc_find_by_tid(pid, &p);
	if (err)
		return err;
	err = check_prlimit(p);
	if (!err)
		err = exchange(p, which, new, old);
	proc_put(p);
	return err;
}

/* ---- Usage ---- */

static void set_timeval(struct __kernel_old_timeval *to, uint64_t ns)
{
	to->tv_sec = (long)(ns / NS_PER_SEC);
	to->tv_usec = (long)(ns % NS_PER_SEC / NS_PER_US);
}

void rusage_fill(struct rusage *to, const struct proc_times *t)
{
	memset(to, 0, sizeof(*to));
	set_timeval(&to->ru_utime, t->user_ns);
	set_timeval(&to->ru_stime, t->system_ns);
	to->ru_maxrss = (long)t->max_resident_kib;
	to->ru_minflt = (long)t->min_faults;
	to->ru_majflt = (long)t->maj_faults;
	to->ru_nvcsw = (long)t->voluntary;
	to->ru_nivcsw = (long)t->involuntary;
}

SYSCALL2(getrusage, int, who, uptr, out)
{
	struct proc *p = proc_current();
	struct proc_times times = {0};
	struct rusage ru;

	switch (who) {
	case RUSAGE_SELF:
		proc_get_times(p, &times);
		break;
	case RUSAGE_CHILDREN:
		irqlock_lock(&p->lock);
		times = p->child_times;
		irqlock_unlock(&p->lock);
		break;
	case RUSAGE_THREAD:
		proc_get_times(p, &times);
		times = (struct proc_times){.max_resident_kib = times.max_resident_kib};
		uthread_add_times(arch_current(), &times);
		break;
	default:
		return -EINVAL;
	}
	rusage_fill(&ru, &times);
	return user_put(out, ru);
}

static long ticks(uint64_t ns)
{
	return (long)(ns / (NS_PER_SEC / CLOCK_TICKS));
}

SYSCALL1(times, uptr, out)
{
	struct proc *p = proc_current();
	struct proc_times mine, children;
	struct tms tms;

	if (!uptr_is_null(out)) {
		proc_get_times(p, &mine);
		irqlock_lock(&p->lock);
		children = p->child_times;
		irqlock_unlock(&p->lock);
		tms.tms_utime = ticks(mine.user_ns);
		tms.tms_stime = ticks(mine.system_ns);
		tms.tms_cutime = ticks(children.user_ns);
		tms.tms_cstime = ticks(children.system_ns);
		if (user_put(out, tms))
			return -EFAULT;
	}
	return ticks(clock_monotonic_ns());
}
