// SPDX-License-Identifier: MIT
/* The battery clock: /dev/rtc0. man 4 rtc */
#include "guest.h"

#include <linux/rtc.h>
#include <sys/ioctl.h>

TEST(rtc, shows_the_time_and_is_set)
{
	struct rtc_time tm, again;
	struct tm now;
	int fd = CHECK_OK(open("/dev/rtc0", O_RDONLY));
	time_t seconds;

	CHECK_OK(ioctl(fd, RTC_RD_TIME, &tm));
	now = (struct tm){.tm_sec = tm.tm_sec,
		.tm_min = tm.tm_min,
		.tm_hour = tm.tm_hour,
		.tm_mday = tm.tm_mday,
		.tm_mon = tm.tm_mon,
		.tm_year = tm.tm_year};
	seconds = timegm(&now);
	CHECK(llabs((long long)seconds - (long long)time(NULL)) < 60);
	tm = (struct rtc_time){.tm_sec = 57,
		.tm_min = 59,
		.tm_hour = 23,
		.tm_mday = 28,
		.tm_mon = 1,
		.tm_year = 124};
	CHECK_OK(ioctl(fd, RTC_SET_TIME, &tm));
	CHECK_OK(ioctl(fd, RTC_RD_TIME, &again));
	CHECK(again.tm_mday == 28 || again.tm_mday == 29);
	CHECK_EQ(again.tm_mon, 1);
	CHECK_EQ(again.tm_year, 124);
	gmtime_r(&seconds, &now);
	tm = (struct rtc_time){.tm_sec = now.tm_sec,
		.tm_min = now.tm_min,
		.tm_hour = now.tm_hour,
		.tm_mday = now.tm_mday,
		.tm_mon = now.tm_mon,
		.tm_year = now.tm_year};
	CHECK_OK(ioctl(fd, RTC_SET_TIME, &tm));
	tm.tm_mon = 12;
	CHECK_ERRNO(ioctl(fd, RTC_SET_TIME, &tm), EINVAL);
	tm = (struct rtc_time){.tm_mday = 30, .tm_mon = 1, .tm_year = 124};
	CHECK_ERRNO(ioctl(fd, RTC_SET_TIME, &tm), EINVAL);
}

TEST(rtc, has_one_opener)
{
	struct rtc_time tm = {.tm_mday = 1, .tm_year = 124};
	int fd = CHECK_OK(open("/dev/rtc0", O_RDONLY | O_NONBLOCK));
	char word[4];

	CHECK_ERRNO(open("/dev/rtc0", O_RDONLY), EBUSY);
	CHECK_ERRNO(read(fd, word, 3), EINVAL);
	CHECK_ERRNO(read(fd, word, 4), EAGAIN);
	CHECK_ERRNO(ioctl(fd, RTC_RD_TIME, NULL), EFAULT);
	CHECK_ERRNO(ioctl(fd, 0x1234), ENOTTY);
	IN_CHILD(CHECK_OK(setuid(1000)); CHECK_ERRNO(ioctl(fd, RTC_SET_TIME, &tm), EACCES);
		 CHECK_ERRNO(open("/dev/rtc0", O_RDONLY), EACCES));
	CHECK_OK(close(fd));
	CHECK_OK(open("/dev/rtc0", O_RDONLY));
}
