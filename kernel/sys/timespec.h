// SPDX-License-Identifier: MIT
/*
 * The times of programs, as nanoseconds. Times too far away for 64 bits are TIME_NEVER.
 */
#pragma once

#include <linux/time_types.h>

#include "lib/base.h"
#include "proc/clocks.h"
#include "time/clock.h"
#include "uaccess/uaccess.h"

#define TIME_NEVER UINT64_MAX

/* Seconds and nanoseconds that are no time: negative, or a second or more of the latter. */
static inline bool timespec_is_valid(const struct __kernel_timespec *ts)
{
	return ts->tv_sec >= 0 && (unsigned long long)ts->tv_nsec < NS_PER_SEC;
}

static inline uint64_t timespec_to_ns(const struct __kernel_timespec *ts)
{
	if ((uint64_t)ts->tv_sec >= INT64_MAX / NS_PER_SEC)
		return TIME_NEVER;
	return (uint64_t)ts->tv_sec * NS_PER_SEC + (uint64_t)ts->tv_nsec;
}

static inline struct __kernel_timespec timespec_from_ns(uint64_t ns)
{
	return (struct __kernel_timespec){.tv_sec = (long long)(ns / NS_PER_SEC),
		.tv_nsec = (long long)(ns % NS_PER_SEC)};
}

/* -EFAULT, -EINVAL. */
MUST_CHECK static inline int timespec_read(uptr from, uint64_t *ns)
{
	struct __kernel_timespec ts;

	if (user_get(ts, from))
		return -EFAULT;
	if (!timespec_is_valid(&ts))
		return -EINVAL;
	*ns = timespec_to_ns(&ts);
	return 0;
}

MUST_CHECK static inline int timespec_write(uptr to, uint64_t ns)
{
	struct __kernel_timespec ts = timespec_from_ns(ns);

	return user_put(to, ts);
}

/* A time from now as a time on the monotonic clock; TIME_NEVER when it is too far. */
static inline uint64_t deadline_after(uint64_t ns)
{
	uint64_t now = clock_monotonic_ns();

	return ns < TIME_NEVER - now ? now + ns : TIME_NEVER;
}

/* A time limit of the program's as a deadline; 0 when it is over already. -EFAULT, -EINVAL. */
MUST_CHECK static inline int deadline_read(uptr timeout, uint64_t *deadline_ns)
{
	uint64_t ns;
	int err = timespec_read(timeout, &ns);

	if (!err)
		*deadline_ns = ns ? deadline_after(ns) : 0;
	return err;
}

/* A timer's setting as a struct itimerspec. -EFAULT, -EINVAL. */
MUST_CHECK static inline int itimerspec_read(uptr from, struct timer_setting *s)
{
	struct __kernel_itimerspec its;

	if (user_get(its, from))
		return -EFAULT;
	if (!timespec_is_valid(&its.it_value) || !timespec_is_valid(&its.it_interval))
		return -EINVAL;
	s->value = timespec_to_ns(&its.it_value);
	s->interval = timespec_to_ns(&its.it_interval);
	return 0;
}

MUST_CHECK static inline int itimerspec_write(uptr to, const struct timer_setting *s)
{
	struct __kernel_itimerspec its = {
		.it_interval = timespec_from_ns(s->interval),
		.it_value = timespec_from_ns(s->value),
	};

	return user_put(to, its);
}
