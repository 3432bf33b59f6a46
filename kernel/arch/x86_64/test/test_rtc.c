// SPDX-License-Identifier: MIT
/*
 * The battery clock's numbers: BCD, binary, 12 hours, leap years, nonsense.
 */
// LINK: arch/x86_64/rtc_decode.c
// FLAGS: -Ikernel/arch/x86_64

#include "arch/x86_64/rtc.h"
#include "lib/test.h"

enum { B_24H = 2, B_BINARY = 4 };

TEST(rtc, bcd_and_binary_say_the_same)
{
	struct rtc_registers bcd = { 0x56, 0x34, 0x12, 0x29, 0x02, 0x24, 0x20, B_24H };
	struct rtc_registers binary = { 56, 34, 12, 29, 2, 24, 20, B_24H | B_BINARY };
	int64_t a = 0, b = 0;

	EXPECT_EQ(rtc_decode(&bcd, &a), 0);
	EXPECT_EQ(rtc_decode(&binary, &b), 0);
	EXPECT_EQ(a, 1709210096); /* date -u -d '2024-02-29 12:34:56' +%s */
	EXPECT_EQ(b, a);
}

TEST(rtc, twelve_hour_clock)
{
	struct rtc_registers r = { 0, 0, 0x12, 0x01, 0x01, 0x00, 0, 0 };
	int64_t s = 0;

	EXPECT_EQ(rtc_decode(&r, &s), 0); /* 12 am */
	EXPECT_EQ(s, 946684800);
	r.hour = 0x92; /* 12 pm */
	EXPECT_EQ(rtc_decode(&r, &s), 0);
	EXPECT_EQ(s, 946684800 + 12 * 3600);
	r.hour = 0x13;
	EXPECT_EQ(rtc_decode(&r, &s), -ENODEV);
}

TEST(rtc, dates_that_cannot_be)
{
	static const struct rtc_registers bad[] = {
		{ 0, 0, 0, 0x30, 0x02, 0x24, 0x20, B_24H }, { 0, 0, 0, 0x29, 0x02, 0x23, 0x20, B_24H },
		{ 0, 0, 0, 0, 0x01, 0x24, 0x20, B_24H },    { 0, 0, 0, 1, 0x13, 0x24, 0x20, B_24H },
		{ 0x60, 0, 0, 1, 1, 0x24, 0x20, B_24H },    { 0, 0x1a, 0, 1, 1, 0x24, 0x20, B_24H },
		{ 0, 0, 0x24, 1, 1, 0x24, 0x20, B_24H },    { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0, 0, 0, 0, 0, 0, 0, 0 },
	};
	int64_t s = 7;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		EXPECT_EQ(rtc_decode(&bad[i], &s), -ENODEV);
	EXPECT_EQ(s, 7);
}

TEST(rtc, what_is_set_is_read_back)
{
	static const uint8_t forms[] = { 0, B_24H, B_BINARY, B_24H | B_BINARY };
	static const int64_t times[] = { 946684800, 951782399, 951782400, 1709210096, 1735689599, 4102444799 };

	for (size_t i = 0; i < ARRAY_LEN(forms) * ARRAY_LEN(times); i++) {
		struct rtc_registers r = { .status_b = forms[i % ARRAY_LEN(forms)] };
		int64_t want = times[i / ARRAY_LEN(forms)], got = 0;

		EXPECT_EQ(rtc_encode(want, i % 2, &r), 0);
		EXPECT_EQ(rtc_decode(&r, &got), 0);
		EXPECT_EQ(got, want);
	}
}

TEST(rtc, times_that_cannot_be_shown)
{
	struct rtc_registers r = { .status_b = B_24H };

	EXPECT_EQ(rtc_encode(-1, true, &r), -EINVAL);
	EXPECT_EQ(rtc_encode(946684799, true, &r), -EINVAL);
	EXPECT_EQ(rtc_encode(4102444800, false, &r), -EINVAL);
	EXPECT_EQ(rtc_encode(4102444800, true, &r), 0);
	EXPECT_EQ(rtc_encode(INT64_MAX, true, &r), -EINVAL);
}
