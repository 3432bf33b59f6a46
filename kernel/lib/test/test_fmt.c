// SPDX-License-Identifier: MIT
/* The formatter, conversion by conversion, and at the end of its buffer. */
// LINK: lib/fmt.c
#include "lib/fmt.h"

#include "lib/string.h"
#include "lib/test.h"

static char text[200];

/* Formats and checks the text, and that the returned length is its length. */
#define EXPECT_TEXT(want, ...)                                                                 \
	do {                                                                                   \
		size_t len_ = snformat(text, sizeof(text), __VA_ARGS__);                       \
                                                                                               \
		EXPECT_STREQ(text, want);                                                      \
		EXPECT_EQ(len_, strlen(want));                                                 \
	} while (0)

/* Through a variable, so that the compiler does not refuse what we want to see handled. */
static const char *hidden(const char *fmt)
{
	return fmt;
}
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wformat-overflow" /* gcc sees through hidden() */
#endif

TEST(fmt, integers_of_every_length)
{
	EXPECT_TEXT("0 -1 42", "%d %i %u", 0, -1, 42u);
	EXPECT_TEXT("-2147483648 4294967295", "%d %u", INT32_MIN, UINT32_MAX);
	EXPECT_TEXT("-9223372036854775808", "%ld", INT64_MIN);
	EXPECT_TEXT("18446744073709551615", "%llu", ~0ull);
	EXPECT_TEXT("1777777777777777777777", "%lo", ~0ul);
	EXPECT_TEXT("deadbeef DEADBEEF", "%x %X", 0xdeadbeefu, 0xdeadbeefu);
	EXPECT_TEXT("-1 255 -1 65535", hidden("%hhd %hhu %hd %hu"), -1, 255, -1, 65535);
	EXPECT_TEXT("12 34 56", "%zu %jd %td", (size_t)12, (intmax_t)34, (ptrdiff_t)56);
}

TEST(fmt, width_precision_and_flags_of_integers)
{
	EXPECT_TEXT("[   42]", "[%5d]", 42);
	EXPECT_TEXT("[42   ]", "[%-5d]", 42);
	EXPECT_TEXT("[00042]", "[%05d]", 42);
	EXPECT_TEXT("[-0042]", "[%05d]", -42);
	EXPECT_TEXT("[  042]", "[%5.3d]", 42);
	EXPECT_TEXT("[  042]", hidden("[%05.3d]"), 42); /* a precision turns the 0 flag off */
	EXPECT_TEXT("[42   ]", hidden("[%-05d]"), 42);
	EXPECT_TEXT("[+42] [ 42]", "[%+d] [% d]", 42, 42);
	EXPECT_TEXT(
		"[0x2a] [0x002a] [0X2A] [052]", "[%#x] [%#06x] [%#X] [%#o]", 42, 42, 42, 42);
	EXPECT_TEXT("[0] [] [ ]", "[%#x] [%.0d] [%1.0d]", 0, 0, 0);
	EXPECT_TEXT("[   42] [42   ]", "[%*d] [%*d]", 5, 42, -5, 42);
	EXPECT_TEXT("[042] [42]", "[%.*d] [%.*d]", 3, 42, -3, 42);
	EXPECT_TEXT("[                                        7]", "[%41d]", 7);
}

TEST(fmt, strings_and_characters)
{
	char unterminated[3] = {'a', 'b', 'c'};

	EXPECT_TEXT(
		"[torus] [  torus] [torus  ]", "[%s] [%7s] [%-7s]", "torus", "torus", "torus");
	EXPECT_TEXT("[tor] [  tor] []", "[%.3s] [%5.3s] [%.0s]", "torus", "torus", "torus");
	EXPECT_TEXT("[abc]", "[%.*s]", 3, unterminated); /* ASan watches the fourth */
	EXPECT_TEXT("[(null)]", hidden("[%s]"), (const char *)NULL);
	EXPECT_TEXT("[x] [  x] [x  ]", "[%c] [%3c] [%-3c]", 'x', 'x', 'x');
	EXPECT_TEXT("100%", "%d%%", 100);
}

TEST(fmt, pointers_line_up)
{
	EXPECT_TEXT("0xffffffff80001234", "%p", (void *)0xffffffff80001234ul);
	EXPECT_TEXT("0x0000000000000000", "%p", NULL);
	EXPECT_TEXT("[  0x000000000000abcd]", "[%20p]", (void *)0xabcdul);
}

TEST(fmt, broken_formats_are_printed_as_they_stand)
{
	EXPECT_TEXT("%y end", hidden("%y end"));
	EXPECT_TEXT("%-5.2q", hidden("%-5.2q"));
	EXPECT_TEXT("100%", hidden("100%"));
	EXPECT_TEXT("%08l", hidden("%08l"));
	EXPECT_TEXT("%f", hidden("%f"));
}

TEST(fmt, cut_at_the_end_of_the_buffer_and_always_terminated)
{
	char small[6];

	for (size_t size = 0; size <= sizeof(small); size++) {
		memset(small, 'z', sizeof(small));
		EXPECT_EQ(snformat(small, size, "ab%dcd", 12345), 9);
		for (size_t i = 0; i < sizeof(small); i++)
			EXPECT_EQ(small[i], i + 1 < size    ? "ab12345cd"[i]
					    : i + 1 == size ? '\0'
							    : 'z');
	}
	EXPECT_EQ(snformat(NULL, 0, "%s", "length only"), 11);
}

static void count_sink(void *ctx, const char *piece, size_t len)
{
	EXPECT(len > 0 && piece);
	*(size_t *)ctx += len;
}

TEST(fmt, sink_receives_every_character)
{
	size_t seen = 0;

	EXPECT_EQ(fmt_format(count_sink, &seen, "%s and %50d and %-3c", "this", 1, 'x'), 67);
	EXPECT_EQ(seen, 67);
	EXPECT_EQ(fmt_format(count_sink, &seen, hidden("")), 0);
}
