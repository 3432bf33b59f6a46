// SPDX-License-Identifier: MIT
/*
 * /dev/rtc0, the battery clock as hwclock and its like know it: read and set, one opener at a time.
 *
 * It has no interrupts here: alarms and ticks are refused as by a clock without them, and a read waits
 * for a tick that never comes.
 *
 * Spec    man 4 rtc; linux/rtc.h
 */
#include "dev/char/rtc.h"

#include <linux/capability.h>
#include <linux/rtc.h>

#include "abi/stat.h"
#include "arch/arch.h"
#include "dev/char/chardev.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "proc/cred.h"
#include "sync/waitq.h"
#include "uaccess/uaccess.h"

enum {
	DAYS_TO_1970 = 719468, /* from 0000-03-01 */
	DAYS_PER_400_YEARS = 146097,
	SECONDS_PER_DAY = 86400,
	TM_YEAR_0 = 1900,
};

static uint32_t is_open; /* [a] */
static struct waitq ticks = WAITQ_INIT(ticks);

/* ---- Dates: the Gregorian calendar, in years that begin with March ---- */

static int64_t days_of(int64_t year, int month, int day)
{
	int64_t y = year - (month <= 2), era = y / 400, year_of_era = y % 400;
	int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

	return era * DAYS_PER_400_YEARS + year_of_era * 365 + year_of_era / 4 -
	       year_of_era / 100 + day_of_year - DAYS_TO_1970;
}

static void tm_of(int64_t seconds, struct rtc_time *tm)
{
	int64_t day = seconds / SECONDS_PER_DAY, year = 1970 + day / 366;
	int of_day = (int)(seconds % SECONDS_PER_DAY), month = 1;

	while (day >= days_of(year + 1, 1, 1))
		year++;
	while (month < 12 && day >= days_of(year, month + 1, 1))
		month++;
	*tm = (struct rtc_time){
		.tm_sec = of_day % 60,
		.tm_min = of_day / 60 % 60,
		.tm_hour = of_day / 3600,
		.tm_mday = (int)(day - days_of(year, month, 1)) + 1,
		.tm_mon = month - 1,
		.tm_year = (int)(year - TM_YEAR_0),
	}; /* the other fields are unused: man 4 rtc */
}

/* -EINVAL: no such date. */
static int seconds_of(const struct rtc_time *tm, int64_t *out)
{
	int64_t year = (int64_t)tm->tm_year + TM_YEAR_0, day;

	if (year < 1970 || year > 9999 || tm->tm_mon < 0 || tm->tm_mon > 11 ||
		tm->tm_mday < 1 || tm->tm_mday > 31 || tm->tm_hour < 0 || tm->tm_hour > 23 ||
		tm->tm_min < 0 || tm->tm_min > 59 || tm->tm_sec < 0 || tm->tm_sec > 59)
		return -EINVAL;
	day = days_of(year, tm->tm_mon + 1, tm->tm_mday);
	if (tm->tm_mon < 11 && day >= days_of(year, tm->tm_mon + 2, 1))
		return -EINVAL; /* the 30th of February */
	*out = day * SECONDS_PER_DAY + (tm->tm_hour * 60 + tm->tm_min) * 60 + tm->tm_sec;
	return 0;
}

/* ---- The file ---- */

static int64_t read_time(uptr to)
{
	struct rtc_time tm;
	int64_t seconds;
	int err = arch_wallclock_read(&seconds);

	if (err)
		return err;
	tm_of(seconds, &tm);
	return user_put(to, tm);
}

static int64_t set_time(uptr from)
{
	struct rtc_time tm;
	int64_t seconds;
	int err;

	if (!capable(CAP_SYS_TIME))
		return -EACCES;
	err = user_get(tm, from);
	if (!err)
		err = seconds_of(&tm, &seconds);
	return err ? err : arch_wallclock_set(seconds);
}

static int64_t rtc_ioctl(struct file *f UNUSED, unsigned cmd, uintptr_t arg)
{
	switch (cmd) {
	case RTC_RD_TIME:
		return read_time(UPTR(arg));
	case RTC_SET_TIME:
		return set_time(UPTR(arg));
	case RTC_AIE_ON:
	case RTC_AIE_OFF:
	case RTC_UIE_ON:
	case RTC_UIE_OFF:
	case RTC_PIE_ON:
	case RTC_PIE_OFF:
	case RTC_ALM_READ:
	case RTC_ALM_SET:
	case RTC_WKALM_RD:
	case RTC_WKALM_SET:
		return -EINVAL; /* no interrupts */
	default:
		return -ENOTTY;
	}
}

static int64_t rtc_read(struct file *f UNUSED, struct iter *to, int64_t *pos UNUSED)
{
	return to->left < sizeof(uint32_t) ? -EINVAL : -EAGAIN;
}

static uint32_t rtc_poll(struct file *f UNUSED)
{
	return 0;
}

static struct waitq *rtc_waitq(struct file *f UNUSED, uint32_t events UNUSED)
{
	return &ticks;
}

static void rtc_release(struct file *f UNUSED)
{
	atomic_store_release(&is_open, 0);
}

static const struct file_ops rtc_ops = {
	.read = rtc_read,
	.poll = rtc_poll,
	.waitq = rtc_waitq,
	.ioctl = rtc_ioctl,
	.release = rtc_release,
	.name = "rtc",
};

/* Whether there is a clock is asked here, and not at start, where it would take time. */
static int rtc_open(struct chardev *dev UNUSED, uint32_t minor UNUSED, struct file *f)
{
	int64_t seconds;
	int err = arch_wallclock_read(&seconds);

	if (err)
		return err;
	if (atomic_xchg(&is_open, 1))
		return -EBUSY;
	f->ops = &rtc_ops;
	return 0;
}

static const struct file_ops unopened_ops = {.name = "rtc"};
static struct chardev rtc_device = {
	.major = RTC_MAJOR, .nr_minors = 1, .ops = &unopened_ops, .open = rtc_open};

void rtc_device_init(void)
{
	if (chardev_register(&rtc_device) ||
		devtmpfs_create_node("rtc0", S_IFCHR | 0600, dev_make(RTC_MAJOR, 0)))
		panic("dev: no memory for device nodes");
}
