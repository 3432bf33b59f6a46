// SPDX-License-Identifier: MIT
/*
 * The machine's byte functions at every small length, several offsets and both overlaps, against
 * loops of single bytes, with guard bytes on both sides.
 */
#include "lib/string.h"
#include "lib/test.h"

enum { SIZE = 400, MAX_LEN = 150, OFFSETS = 10, GUARD = 0xa5 };

static uint8_t ours[SIZE], plain[SIZE];

static void fill(void)
{
	for (unsigned i = 0; i < SIZE; i++)
		ours[i] = plain[i] = (uint8_t)(i * 37 + (i >> 3));
}

static void plain_move(unsigned to, unsigned from, unsigned len)
{
	static uint8_t copy[SIZE];

	for (unsigned i = 0; i < len; i++)
		copy[i] = plain[from + i];
	for (unsigned i = 0; i < len; i++)
		plain[to + i] = copy[i];
}

static bool is_same(void)
{
	for (unsigned i = 0; i < SIZE; i++)
		if (ours[i] != plain[i])
			return false;
	return true;
}

TEST(string, memmove_of_every_length_and_distance)
{
	for (unsigned len = 0; len <= MAX_LEN; len++)
		for (unsigned to = 100; to < 100 + OFFSETS; to++)
			for (unsigned from = 60; from < 140; from += 3) {
				fill();
				plain_move(to, from, len);
				if (memmove(ours + to, ours + from, len) != ours + to ||
					!is_same())
					return test_fail(__FILE__, __LINE__,
						"%u bytes from %u to %u", len, from, to);
			}
}

TEST(string, memcpy_of_every_length)
{
	for (unsigned len = 0; len <= MAX_LEN; len++)
		for (unsigned to = 0; to < OFFSETS; to++)
			for (unsigned from = 200; from < 200 + OFFSETS; from++) {
				fill();
				plain_move(to, from, len);
				if (memcpy(ours + to, ours + from, len) != ours + to ||
					!is_same())
					return test_fail(__FILE__, __LINE__,
						"%u bytes from %u to %u", len, from, to);
			}
}

TEST(string, memset_of_every_length)
{
	for (unsigned len = 0; len <= MAX_LEN; len++)
		for (unsigned at = 0; at < OFFSETS; at++) {
			fill();
			for (unsigned i = 0; i < len; i++)
				plain[at + i] = GUARD;
			if (memset(ours + at, GUARD | 0x100, len) != ours + at || !is_same())
				return test_fail(__FILE__, __LINE__, "%u bytes at %u", len, at);
		}
}

TEST(string, memcmp_finds_the_first_difference)
{
	for (unsigned len = 0; len <= 40; len++)
		for (unsigned at = 0; at < len; at++) {
			fill();
			EXPECT_EQ(memcmp(ours + 3, plain + 3, len), 0);
			ours[3 + at] = 0x80;
			plain[3 + at] = 0x7f;
			if (at + 1 < len) { /* what follows must not count */
				ours[3 + len - 1] = 0;
				plain[3 + len - 1] = 0xff;
			}
			EXPECT(memcmp(ours + 3, plain + 3, len) > 0);
			EXPECT(memcmp(plain + 3, ours + 3, len) < 0);
		}
}
