// SPDX-License-Identifier: MIT
/*
 * From the registers of a battery clock (MC146818) to seconds since 1970, and back.
 *
 * Register B says whether numbers are binary or BCD and whether hours go to 12 or 24. A date that
 * cannot be is an unset or broken clock: -ENODEV, never a wild time.
 *
 * Spec    MC146818A data sheet; days from a date: the Gregorian calendar, years from March
 */
#include "rtc.h"

enum {
	STATUS_B_24H = 0x02,
	STATUS_B_BINARY = 0x04,
	HOUR_PM = 0x80,
	MIN_YEAR = 2000, /* nothing we run on is older; a clock that says so is not set */
	MAX_YEAR = 2399,
	DAYS_0000_03_01_TO_1970 = 719468,
	DAYS_PER_400_YEARS = 146097,
	SECONDS_PER_DAY = 86400,
};

/* A register's number, or -EINVAL if it is not one. */
static int number(uint8_t value, uint8_t status_b)
{
	if (status_b & STATUS_B_BINARY)
		return value;
	if ((value & 0xf) > 9 || value >> 4 > 9)
		return -EINVAL;
	return (value >> 4) * 10 + (value & 0xf);
}

static int hour_of(const struct rtc_registers *r)
{
	int hour;

	if (r->status_b & STATUS_B_24H)
		return number(r->hour, r->status_b);
	hour = number(r->hour & (uint8_t)~HOUR_PM, r->status_b);
	if (hour < 1 || hour > 12)
		return -EINVAL;
	return hour % 12 + (r->hour & HOUR_PM ? 12 : 0);
}

static int year_of(const struct rtc_registers *r)
{
	int year = number(r->year, r->status_b), century = number(r->century, r->status_b);

	if (year < 0 || year > 99)
		return -EINVAL;
	return (r->century && century >= 20 && century <= 23 ? century * 100 : MIN_YEAR) + year;
}

static int days_in_month(int year, int month)
{
	static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && is_leap);
}

/* Counting years from March puts the leap day last, and months follow a fixed pattern. */
static int64_t days_since_1970(int year, int month, int day)
{
	int y = year - (month <= 2), era = y / 400, year_of_era = y % 400;
	int month_from_march = (month + 9) % 12;
	int day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
	int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return (int64_t)era * DAYS_PER_400_YEARS + day_of_era - DAYS_0000_03_01_TO_1970;
}

int rtc_decode(const struct rtc_registers *r, int64_t *seconds)
{
	int second = number(r->second, r->status_b), minute = number(r->minute, r->status_b);
	int hour = hour_of(r), day = number(r->day, r->status_b);
	int month = number(r->month, r->status_b), year = year_of(r);

	if (year < MIN_YEAR || year > MAX_YEAR || month < 1 || month > 12)
		return -ENODEV;
	if (day < 1 || day > days_in_month(year, month))
		return -ENODEV;
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
		return -ENODEV;
	*seconds = days_since_1970(year, month, day) * SECONDS_PER_DAY +
		   ((hour * 60) + minute) * 60 + second;
	return 0;
}

/* ---- Back ---- */

static uint8_t register_of(int value, uint8_t status_b)
{
	return (uint8_t)(status_b & STATUS_B_BINARY ? value : value / 10 << 4 | value % 10);
}

static uint8_t hour_register(int hour, uint8_t status_b)
{
	if (status_b & STATUS_B_24H)
		return register_of(hour, status_b);
	return register_of(hour % 12 ? hour % 12 : 12, status_b) | (hour < 12 ? 0 : HOUR_PM);
}

int rtc_encode(int64_t seconds, bool has_century, struct rtc_registers *r)
{
	int64_t day = seconds / SECONDS_PER_DAY;
	int of_day = (int)(seconds % SECONDS_PER_DAY), year = MIN_YEAR, month = 1;
	uint8_t b = r->status_b;

	if (seconds < 0 || day < days_since_1970(MIN_YEAR, 1, 1) ||
		day >= days_since_1970(has_century ? MAX_YEAR + 1 : MIN_YEAR + 100, 1, 1))
		return -EINVAL;
	while (day >= days_since_1970(year + 1, 1, 1))
		year++;
	while (month < 12 && day >= days_since_1970(year, month + 1, 1))
		month++;
	*r = (struct rtc_registers){
		.second = register_of(of_day % 60, b),
		.minute = register_of(of_day / 60 % 60, b),
		.hour = hour_register(of_day / 3600, b),
		.day = register_of((int)(day - days_since_1970(year, month, 1)) + 1, b),
		.month = register_of(month, b),
		.year = register_of(year % 100, b),
		.century = has_century ? register_of(year / 100, b) : 0,
		.status_b = b,
	};
	return 0;
}
