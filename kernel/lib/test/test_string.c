// SPDX-License-Identifier: MIT
/*
 * C's byte and string functions, under lib_ names so that the host keeps its own, at every
 * alignment and length around the word paths; then the ones of our own.
 */
// LINK: lib/string.c lib/str.c lib/random.c
// FLAGS: -DLIB_STRING_PREFIX
#include "lib/string.h"

#include "lib/random.h"
#include "lib/test.h"

enum { SIZE = 200, LONGEST = 100, WORD = sizeof(long) };

static unsigned char one[SIZE], two[SIZE], expected[SIZE];

static void fill_all(void)
{
	struct random random;

	random_seed(&random, 1);
	random_fill(&random, one, SIZE);
	random_fill(&random, two, SIZE);
	for (int i = 0; i < SIZE; i++)
		expected[i] = two[i];
}

static bool two_is_expected(void)
{
	for (int i = 0; i < SIZE; i++)
		if (two[i] != expected[i])
			return false;
	return true;
}

TEST(string, memcpy_at_every_alignment_and_length)
{
	for (int to = 0; to < WORD; to++) {
		for (int from = 0; from < WORD; from++) {
			for (int len = 0; len <= LONGEST; len++) {
				fill_all();
				for (int i = 0; i < len; i++)
					expected[to + i] = one[from + i];
				REQUIRE(memcpy(two + to, one + from, (size_t)len) == two + to);
				REQUIRE(two_is_expected());
			}
		}
	}
}

TEST(string, memmove_at_every_overlap)
{
	for (int to = 0; to < 60; to++) {
		for (int len = 0; len <= LONGEST; len++) {
			const int from = 30;

			fill_all();
			for (int i = 0; i < len; i++)
				one[i] = two[from + i];
			for (int i = 0; i < len; i++)
				expected[to + i] = one[i];
			REQUIRE(memmove(two + to, two + from, (size_t)len) == two + to);
			REQUIRE(two_is_expected());
		}
	}
}

TEST(string, memset_at_every_alignment_and_length)
{
	for (int to = 0; to < WORD; to++) {
		for (int len = 0; len <= LONGEST; len++) {
			fill_all();
			for (int i = 0; i < len; i++)
				expected[to + i] = 0xa5;
			REQUIRE(memset(two + to, 0x1a5, (size_t)len) == two + to);
			REQUIRE(two_is_expected());
		}
	}
}

TEST(string, memcmp_finds_the_first_difference_at_every_place)
{
	for (int at = 0; at < WORD; at++) {
		for (int other = 0; other < WORD; other += 3) {
			for (int differs = 0; differs < 50; differs++) {
				memset(one, 7, SIZE);
				memset(two, 7, SIZE);
				REQUIRE(memcmp(one + at, two + other, 50) == 0);
				one[at + differs] = 200; /* unsigned: greater */
				two[other + 49] ^= 1;
				REQUIRE(memcmp(one + at, two + other, 50) > 0);
				REQUIRE(memcmp(two + other, one + at, 50) < 0);
				REQUIRE(memcmp(one + at, two + other, (size_t)differs) == 0);
			}
		}
	}
	EXPECT(memchr(one, 200, SIZE) != NULL);
	EXPECT(!memchr(one, 201, SIZE));
	EXPECT(!memchr(one, 7, 0));
}

TEST(string, lengths_and_comparisons)
{
	EXPECT_EQ(strlen(""), 0);
	EXPECT_EQ(strlen("torus"), 5);
	EXPECT_EQ(strnlen("torus", 3), 3);
	EXPECT_EQ(strnlen("torus", 6), 5);
	EXPECT_EQ(strcmp("", ""), 0);
	EXPECT_LT(strcmp("a", "b"), 0);
	EXPECT_GT(strcmp("ab", "a"), 0);
	EXPECT_GT(strcmp("\xff", "a"), 0); /* bytes are unsigned */
	EXPECT_EQ(strncmp("abc", "abd", 2), 0);
	EXPECT_LT(strncmp("abc", "abd", 3), 0);
	EXPECT_EQ(strncmp("a", "b", 0), 0);
	EXPECT_EQ(strncmp("ab", "ab", 9), 0);
}

TEST(string, searches)
{
	const char *s = "a/b/c";

	EXPECT(strchr(s, '/') == s + 1);
	EXPECT(strrchr(s, '/') == s + 3);
	EXPECT(strchr(s, '\0') == s + 5);
	EXPECT(strrchr(s, '\0') == s + 5);
	EXPECT(!strchr(s, 'x'));
	EXPECT(!strrchr(s, 'x'));
	EXPECT(strstr(s, "b/") == s + 2);
	EXPECT(strstr(s, "") == s);
	EXPECT(!strstr(s, "c/"));
	EXPECT(strstr("aab", "ab") != NULL);
}

TEST(str, copy_terminates_and_says_what_was_cut)
{
	char to[4] = "xxx";

	EXPECT_EQ(str_copy(to, "abc", sizeof(to)), 3);
	EXPECT_EQ(strcmp(to, "abc"), 0);
	EXPECT_EQ(str_copy(to, "wxyz", sizeof(to)), -E2BIG);
	EXPECT_EQ(strcmp(to, "wxy"), 0);
	EXPECT_EQ(str_copy(to, "", sizeof(to)), 0);
	EXPECT_EQ(to[0], 0);
	EXPECT_EQ(str_copy(to, "abc", 0), -E2BIG);
	EXPECT_EQ(str_copy(to, "abc", 1), -E2BIG);
	EXPECT_EQ(to[0], 0);
}

TEST(str, append_counts_what_was_there)
{
	char to[6] = "ab";

	EXPECT_EQ(str_append(to, "cd", sizeof(to)), 4);
	EXPECT_EQ(str_append(to, "", sizeof(to)), 4);
	EXPECT_EQ(str_append(to, "efg", sizeof(to)), -E2BIG);
	EXPECT_EQ(strcmp(to, "abcde"), 0);
}

TEST(str, patterns)
{
	static const struct {
		const char *s, *pattern;
		bool matches;
	} cases[] = {
		{"", "", true},
		{"", "*", true},
		{"", "?", false},
		{"mm.fork", "mm.*", true},
		{"mm", "mm.*", false},
		{"mm.fork", "*.fork", true},
		{"mm.fork", "m?.f*k", true},
		{"aaab", "*ab", true},
		{"aab", "*ab", true},
		{"abcabd", "*ab?", true},
		{"abcabd", "*ab", false},
		{"abc", "a*b*c*", true},
		{"abc", "abcd", false},
		{"abcd", "abc", false},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "*a*a*a*a*a*a*a*a*b", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (str_matches(cases[i].s, cases[i].pattern) != cases[i].matches)
			test_fail(__FILE__, __LINE__, "\"%s\" against \"%s\"", cases[i].s,
				cases[i].pattern);
	EXPECT(str_has_prefix("console=ttyS0", "console="));
	EXPECT(!str_has_prefix("cons", "console="));
}

TEST(str, characters)
{
	EXPECT_EQ(char_digit_value('0'), 0);
	EXPECT_EQ(char_digit_value('f'), 15);
	EXPECT_EQ(char_digit_value('F'), 15);
	EXPECT_EQ(char_digit_value('g'), -1);
	EXPECT_EQ(char_digit_value('@'), -1);
	EXPECT(char_is_space('\n') && char_is_space(' ') && !char_is_space('\b'));
	EXPECT(char_is_print('~') && !char_is_print('\x7f') && !char_is_print('\t'));
}
