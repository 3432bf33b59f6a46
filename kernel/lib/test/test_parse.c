// SPDX-License-Identifier: MIT
/* Numbers from text: what is accepted, what is refused, and that nothing overflows silently. */
// LINK: lib/parse.c
#include "lib/parse.h"

#include "lib/test.h"

enum { UNTOUCHED = 12345 };

/* The value, or UNTOUCHED when there was an error, which is in *err. */
static uint64_t number(const char *s, unsigned base, int *err)
{
	uint64_t value = UNTOUCHED;

	*err = parse_u64(s, base, &value);
	return value;
}

#define EXPECT_NUMBER(s, base, value)                                                          \
	do {                                                                                   \
		int err_;                                                                      \
                                                                                               \
		EXPECT_EQ(number(s, base, &err_), (long long)(value));                         \
		EXPECT_EQ(err_, 0);                                                            \
	} while (0)
#define EXPECT_REFUSED(s, base, error)                                                         \
	do {                                                                                   \
		int err_;                                                                      \
                                                                                               \
		EXPECT_EQ(number(s, base, &err_), UNTOUCHED);                                  \
		EXPECT_EQ(err_, error);                                                        \
	} while (0)

TEST(parse, numbers_in_each_base)
{
	EXPECT_NUMBER("0", 0, 0);
	EXPECT_NUMBER("42", 0, 42);
	EXPECT_NUMBER("0x2A", 0, 42);
	EXPECT_NUMBER("052", 0, 42);
	EXPECT_NUMBER("052", 10, 52);
	EXPECT_NUMBER("ff", 16, 255);
	EXPECT_NUMBER("0xff", 16, 255);
	EXPECT_NUMBER("101", 2, 5);
	EXPECT_NUMBER("18446744073709551615", 0, ~0ull);
	EXPECT_NUMBER("0xffffffffffffffff", 0, ~0ull);
}

TEST(parse, refuses_what_is_not_a_number_and_what_overflows)
{
	EXPECT_REFUSED("", 0, -EINVAL);
	EXPECT_REFUSED("x", 0, -EINVAL);
	EXPECT_REFUSED("0x", 0, -EINVAL); /* "0", then something */
	EXPECT_REFUSED("12x", 0, -EINVAL);
	EXPECT_REFUSED("-1", 0, -EINVAL);
	EXPECT_REFUSED(" 1", 0, -EINVAL);
	EXPECT_REFUSED("08", 0, -EINVAL);
	EXPECT_REFUSED("18446744073709551616", 0, -ERANGE);
	EXPECT_REFUSED("0x10000000000000000", 0, -ERANGE);
	EXPECT_REFUSED("99999999999999999999999999", 0, -ERANGE);
}

TEST(parse, signed_numbers_reach_both_ends)
{
	int64_t value = 0;

	EXPECT_EQ(parse_s64("-9223372036854775808", 0, &value), 0);
	EXPECT_EQ(value, INT64_MIN);
	EXPECT_EQ(parse_s64("+9223372036854775807", 0, &value), 0);
	EXPECT_EQ(value, INT64_MAX);
	EXPECT_EQ(parse_s64("9223372036854775808", 0, &value), -ERANGE);
	EXPECT_EQ(parse_s64("-9223372036854775809", 0, &value), -ERANGE);
	EXPECT_EQ(parse_s64("--1", 0, &value), -EINVAL);
	EXPECT_EQ(value, INT64_MAX);
}

TEST(parse, sizes_with_suffixes)
{
	uint64_t size = 0;

	EXPECT_EQ(parse_size("64M", &size), 0);
	EXPECT_EQ(size, 64 * MIB);
	EXPECT_EQ(parse_size("1k", &size), 0);
	EXPECT_EQ(size, KIB);
	EXPECT_EQ(parse_size("0x10G", &size), 0);
	EXPECT_EQ(size, 16 * GIB);
	EXPECT_EQ(parse_size("15E", &size), 0);
	EXPECT_EQ(size, (long long)(15ull << 60));
	EXPECT_EQ(parse_size("4096", &size), 0);
	EXPECT_EQ(size, 4096);
	EXPECT_EQ(parse_size("16E", &size), -ERANGE);
	EXPECT_EQ(parse_size("1MB", &size), -EINVAL);
	EXPECT_EQ(parse_size("M", &size), -EINVAL);
	EXPECT_EQ(size, 4096);
}

TEST(parse, take_stops_behind_the_value)
{
	const char *at = "128M@16M";
	uint64_t size = 0;

	EXPECT_EQ(parse_take_size(&at, &size), 0);
	EXPECT_EQ(size, 128 * MIB);
	EXPECT_EQ(*at, '@');
	EXPECT_EQ(parse_take_size(&at, &size), -EINVAL);
	EXPECT_EQ(*at, '@'); /* not moved by a failure */
}

TEST(parse, ranges)
{
	uint64_t first = 0, last = 0;

	EXPECT_EQ(parse_range("2-7", &first, &last), 0);
	EXPECT(first == 2 && last == 7);
	EXPECT_EQ(parse_range("5", &first, &last), 0);
	EXPECT(first == 5 && last == 5);
	EXPECT_EQ(parse_range("7-2", &first, &last), -EINVAL);
	EXPECT_EQ(parse_range("2-", &first, &last), -EINVAL);
	EXPECT_EQ(parse_range("2-3,5", &first, &last), -EINVAL);
	EXPECT(first == 5 && last == 5);
}

TEST(parse, booleans)
{
	bool value = false;

	EXPECT_EQ(parse_bool("On", &value), 0);
	EXPECT(value);
	EXPECT_EQ(parse_bool("0", &value), 0);
	EXPECT(!value);
	EXPECT_EQ(parse_bool("yes", &value), 0);
	EXPECT(value);
	EXPECT_EQ(parse_bool("", &value), -EINVAL);
	EXPECT_EQ(parse_bool("yess", &value), -EINVAL);
	EXPECT_EQ(parse_bool("ye", &value), -EINVAL);
	EXPECT(value);
}
