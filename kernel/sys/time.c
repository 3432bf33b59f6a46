// SPDX-License-Identifier: MIT
/*
 * System calls about time: man 2 clock_gettime, clock_nanosleep, nanosleep, gettimeofday, time,
 * adjtimex.
 */
#include <linux/capability.h>
#include <linux/time.h>
#include <linux/timex.h>

#include "ops/time.h"
#include "proc/clocks.h"
#include "proc/proc.h"
#include "sys/syscall.h"
#include "sys/timespec.h"

/* ---- Reading ---- */

SYSCALL2(clock_gettime, int, id, uptr, out)
{
	int64_t ns;
	int err = clock_read(id, &ns);

	return err ? err : timespec_write(out, (uint64_t)ns);
}

SYSCALL2(clock_getres, int, id, uptr, out)
{
	uint64_t ns;
	int err = clock_resolution(id, &ns);

	return err || uptr_is_null(out) ? err : timespec_write(out, ns);
}

/* What settimeofday was told, for gettimeofday; nothing else looks at it. */
static struct timezone timezone;

SYSCALL2(gettimeofday, uptr, tv, uptr, tz)
{
	uint64_t us = (uint64_t)clock_realtime_ns() / NS_PER_US;
	struct __kernel_old_timeval now = {
		.tv_sec = (long)(us / 1000000), .tv_usec = (long)(us % 1000000)};

	if (!uptr_is_null(tv) && user_put(tv, now))
		return -EFAULT;
	if (!uptr_is_null(tz) && user_put(tz, timezone))
		return -EFAULT;
	return 0;
}

SYSCALL1(time, uptr, out)
{
	int64_t seconds = clock_realtime_ns() / (int64_t)NS_PER_SEC;

	if (!uptr_is_null(out) && user_put(out, seconds))
		return -EFAULT;
	return seconds;
}

/* ---- Setting ---- */

SYSCALL2(clock_settime, int, id, uptr, in)
{
	enum clock_kind kind = clock_kind_of(id);
	uint64_t ns;
	int err;

	if (kind != CLOCK_IS_CPU && id != CLOCK_REALTIME)
		return -EINVAL;
	err = timespec_read(in, &ns);
	if (err)
		return err;
	return ns > INT64_MAX ? -EINVAL : clock_set(id, (int64_t)ns);
}

static int read_timeval(uptr from, uint64_t *ns)
{
	struct __kernel_old_timeval tv;

	if (user_get(tv, from))
		return -EFAULT;
	if (tv.tv_sec < 0 || tv.tv_usec < 0 || tv.tv_usec >= 1000000 ||
		(uint64_t)tv.tv_sec >= INT64_MAX / NS_PER_SEC)
		return -EINVAL;
	*ns = (uint64_t)tv.tv_sec * NS_PER_SEC + (uint64_t)tv.tv_usec * NS_PER_US;
	return 0;
}

enum { TIMEZONE_MAX_MINUTES = 15 * 60 };

SYSCALL2(settimeofday, uptr, tv, uptr, tz)
{
	struct timezone zone;
	uint64_t ns = 0;
	int err = 0;

	if (!uptr_is_null(tv)) {
		err = read_timeval(tv, &ns);
		if (err)
			return err;
	}
	if (!uptr_is_null(tz) && user_get(zone, tz))
		return -EFAULT;
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	if (!uptr_is_null(tz)) {
		if (zone.tz_minuteswest > TIMEZONE_MAX_MINUTES ||
			zone.tz_minuteswest < -TIMEZONE_MAX_MINUTES)
			return -EINVAL;
		timezone = zone;
	}
	return uptr_is_null(tv) ? 0 : clock_set(CLOCK_REALTIME, (int64_t)ns);
}

/* ---- adjtimex ---- */

/*
 * Nothing steers this clock: its frequency is what the machine says, its offset is stepped.
 * What can be changed is the offset to TAI, and the time itself; other modes are -EINVAL.
 */
#define FARTHEST_STEP (INT64_MAX / (int64_t)NS_PER_SEC / 4) /* seconds: no sum of two wraps */

static int adjust(const struct __kernel_timex *tx)
{
	int64_t unit = tx->modes & ADJ_NANO ? 1 : (int64_t)NS_PER_US;

	if (tx->modes &
		~(unsigned)(ADJ_SETOFFSET | ADJ_NANO | ADJ_MICRO | ADJ_TAI | ADJ_STATUS))
		return -EINVAL;
	if (tx->modes & ADJ_SETOFFSET) {
		if (tx->time.tv_usec < 0 || tx->time.tv_usec >= (int64_t)NS_PER_SEC / unit ||
			tx->time.tv_sec < -FARTHEST_STEP || tx->time.tv_sec > FARTHEST_STEP)
			return -EINVAL;
		clock_set_real(clock_realtime_ns() + tx->time.tv_sec * (int64_t)NS_PER_SEC +
			       tx->time.tv_usec * unit);
	}
	if ((tx->modes & ADJ_TAI) && tx->constant >= 0)
		clock_set_tai_offset((int)tx->constant);
	return 0;
}

/* Of a clock that is not synchronised: what man 2 adjtimex says of each field. */
static void report(struct __kernel_timex *tx)
{
	int64_t now = clock_realtime_ns();

	*tx = (struct __kernel_timex){
		.maxerror = 16000000,
		.esterror = 16000000,
		.status = STA_UNSYNC,
		.constant = 2,
		.precision = 1,
		.tolerance = 32768000, /* 500 ppm, scaled by 2^16 */
		.tick = 10000,
		.tai = clock_tai_offset(),
		.time = {.tv_sec = now / (int64_t)NS_PER_SEC,
			.tv_usec = now % (int64_t)NS_PER_SEC / (int64_t)NS_PER_US},
	};
}

static int64_t adjust_clock(uptr buf)
{
	struct __kernel_timex tx;
	int err;

	if (user_get(tx, buf))
		return -EFAULT;
	if (tx.modes && !(tx.modes == ADJ_OFFSET_SS_READ) && !capable(CAP_SYS_TIME))
		return -EPERM;
	if (tx.modes && tx.modes != ADJ_OFFSET_SS_READ) {
		err = adjust(&tx);
		if (err)
			return err;
	}
	report(&tx);
	return user_put(buf, tx) ? -EFAULT : TIME_ERROR; /* not synchronised */
}

SYSCALL1(adjtimex, uptr, buf)
{
	return adjust_clock(buf);
}

SYSCALL2(clock_adjtime, int, id, uptr, buf)
{
	if (clock_kind_of(id) == CLOCK_IS_NONE)
		return -EINVAL;
	return id == CLOCK_REALTIME ? adjust_clock(buf) : -EOPNOTSUPP;
}

/* ---- Sleeping ---- */

/* The rest of a sleep until `at`, for the program; nothing when it is over. */
static int write_rest(int id, uint64_t at, uptr rest)
{
	int64_t now = 0;

	(void)!clock_read(id, &now); /* a process that is gone: the whole time is left */
	return timespec_write(rest, at > (uint64_t)now ? at - (uint64_t)now : 0);
}

enum { RESTART_CLOCK, RESTART_AT, RESTART_REST };

static int64_t sleep_relative(int id, uint64_t at, uptr rest);

static int64_t sleep_again(struct restart *r)
{
	return sleep_relative(
		(int)r->arg[RESTART_CLOCK], r->arg[RESTART_AT], UPTR(r->arg[RESTART_REST]));
}

static int64_t sleep_relative(int id, uint64_t at, uptr rest)
{
	struct restart *r = &uthread_current()->restart;
	struct sleep_op s;
	int64_t result = sleep_op_prepare(&s, id, at);

	if (!result)
		result = op_run(&s.op);
	if (result != -ERESTARTNOHAND)
		return result;
	if (!uptr_is_null(rest) && write_rest(id, at, rest))
		return -EFAULT;
	r->fn = sleep_again;
	r->arg[RESTART_CLOCK] = (uint64_t)id;
	r->arg[RESTART_AT] = at;
	r->arg[RESTART_REST] = rest.addr;
	return -ERESTART_RESTARTBLOCK;
}

static int64_t sleep_for(int id, uint64_t ns, uptr rest)
{
	int64_t now;
	int err = clock_read(id, &now);

	if (err)
		return err;
	/* a time from now is not moved when real time is set: man 2 clock_nanosleep */
	if (clock_kind_of(id) == CLOCK_IS_REAL) {
		id = CLOCK_MONOTONIC;
		now = (int64_t)clock_monotonic_ns();
	}
	return sleep_relative(
		id, ns < TIME_NEVER - (uint64_t)now ? (uint64_t)now + ns : TIME_NEVER, rest);
}

SYSCALL2(nanosleep, uptr, request, uptr, rest)
{
	uint64_t ns;
	int err = timespec_read(request, &ns);

	return err ? err : sleep_for(CLOCK_MONOTONIC, ns, rest);
}

SYSCALL4(clock_nanosleep, int, id, int, flags, uptr, request, uptr, rest)
{
	struct sleep_op s;
	uint64_t ns;
	int err = sleep_op_prepare(&s, id, 0); /* whether one may sleep by it comes first */

	if (!err)
		err = timespec_read(request, &ns);
	if (err)
		return err;
	if (!(flags & TIMER_ABSTIME))
		return sleep_for(id, ns, rest);
	s.at = ns;
	return op_run(&s.op);
}
