// SPDX-License-Identifier: MIT
/*
 * System calls about timers that send signals: man 2 timer_create and its relatives, setitimer,
 * alarm.
 */
#include <linux/time.h>

#include "proc/ptimer.h"
#include "sys/syscall.h"
#include "sys/timespec.h"

/* ---- timer_create ---- */

SYSCALL3(timer_create, int, clock, uptr, event, uptr, out)
{
	struct sigevent e;
	int id, err;

	if (!uptr_is_null(event) && user_get(e, event))
		return -EFAULT;
	err = ptimer_create(clock, uptr_is_null(event) ? NULL : &e, &id);
	if (!err && user_put(out, id)) {
		(void)!ptimer_delete(id); /* it is there: nobody knows its id */
		err = -EFAULT;
	}
	return err;
}

SYSCALL4(timer_settime, int, id, int, flags, uptr, new, uptr, old)
{
	struct timer_setting s, was;
	int err;

	if (uptr_is_null(new))
		return -EINVAL;
	err = itimerspec_read(new, &s);
	if (!err)
		err = ptimer_set(id, flags & TIMER_ABSTIME, &s, &was);
	if (!err && !uptr_is_null(old))
		err = itimerspec_write(old, &was);
	return err;
}

SYSCALL2(timer_gettime, int, id, uptr, out)
{
	struct timer_setting s;
	int err = ptimer_get(id, &s);

	return err ? err : itimerspec_write(out, &s);
}

SYSCALL1(timer_getoverrun, int, id)
{
	return ptimer_overrun(id);
}

SYSCALL1(timer_delete, int, id)
{
	return ptimer_delete(id);
}

/* ---- setitimer ---- */

static struct __kernel_old_timeval timeval_of(uint64_t ns)
{
	uint64_t us = DIV_ROUND_UP(ns, NS_PER_US); /* never 0 for what is armed */

	return (struct __kernel_old_timeval){
		.tv_sec = (long)(us / 1000000), .tv_usec = (long)(us % 1000000)};
}

static int write_itimerval(uptr to, const struct timer_setting *s)
{
	struct __kernel_old_itimerval itv = {
		.it_interval = timeval_of(s->interval), .it_value = timeval_of(s->value)};

	return user_put(to, itv);
}

static int ns_of(const struct __kernel_old_timeval *tv, uint64_t *ns)
{
	struct __kernel_timespec ts = {.tv_sec = tv->tv_sec};

	if (tv->tv_sec < 0 || tv->tv_usec < 0 || tv->tv_usec >= 1000000)
		return -EINVAL;
	ts.tv_nsec = tv->tv_usec * (long)NS_PER_US;
	*ns = timespec_to_ns(&ts);
	return 0;
}

SYSCALL2(getitimer, int, which, uptr, out)
{
	struct timer_setting s;
	int err = itimer_get(which, &s);

	return err ? err : write_itimerval(out, &s);
}

SYSCALL3(setitimer, int, which, uptr, new, uptr, old)
{
	struct __kernel_old_itimerval itv = {0}; /* NULL is zero, as on Linux */
	struct timer_setting s, was;
	int err;

	if (!uptr_is_null(new) && user_get(itv, new))
		return -EFAULT;
	err = ns_of(&itv.it_value, &s.value);
	if (!err)
		err = ns_of(&itv.it_interval, &s.interval);
	if (!err)
		err = itimer_set(which, &s, &was);
	if (!err && !uptr_is_null(old))
		err = write_itimerval(old, &was);
	return err;
}

SYSCALL1(alarm, unsigned, seconds)
{
	struct timer_setting s = {.value = seconds * NS_PER_SEC}, was;
	int err = itimer_set(ITIMER_REAL, &s, &was);
	uint64_t left;

	if (err)
		return 0; /* it has no error: no memory means no alarm was there before either */
	left = was.value / NS_PER_SEC;
	if (was.value % NS_PER_SEC >= NS_PER_SEC / 2 || (!left && was.value))
		left++;
	return (int64_t)left;
}
