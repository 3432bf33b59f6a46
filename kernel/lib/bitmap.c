// SPDX-License-Identifier: MIT
/*
 * Bitmaps, a word at a time. Every operation is a loop over the words that [start, end)
 * touches, with a mask that is all ones but in the first and the last.
 */
#include "lib/bitmap.h"

#include "lib/bits.h"

/* The bits of word `index` that lie in [start, end), which is not empty there. */
static uint64_t word_mask(size_t index, size_t start, size_t end)
{
	size_t base = index * BITMAP_WORD_BITS;
	unsigned first = start > base ? (unsigned)(start - base) : 0;
	unsigned last = end - base < BITMAP_WORD_BITS ? (unsigned)(end - base) - 1 : 63;

	return bits_mask(first, last);
}

void bitmap_set_range(uint64_t *map, size_t start, size_t count)
{
	size_t end = start + count;

	if (!count)
		return;
	for (size_t i = start / BITMAP_WORD_BITS; i <= (end - 1) / BITMAP_WORD_BITS; i++)
		map[i] |= word_mask(i, start, end);
}

void bitmap_clear_range(uint64_t *map, size_t start, size_t count)
{
	size_t end = start + count;

	if (!count)
		return;
	for (size_t i = start / BITMAP_WORD_BITS; i <= (end - 1) / BITMAP_WORD_BITS; i++)
		map[i] &= ~word_mask(i, start, end);
}

size_t bitmap_count(const uint64_t *map, size_t bits)
{
	size_t count = 0;

	for (size_t i = 0; i < BITMAP_WORDS(bits); i++)
		count += bits_count(READ_ONCE(map[i]) & word_mask(i, 0, bits));
	return count;
}

bool bitmap_equal(const uint64_t *a, const uint64_t *b, size_t bits)
{
	for (size_t i = 0; i < BITMAP_WORDS(bits); i++)
		if ((READ_ONCE(a[i]) ^ READ_ONCE(b[i])) & word_mask(i, 0, bits))
			return false;
	return true;
}

bool bitmap_intersects(const uint64_t *a, const uint64_t *b, size_t bits)
{
	for (size_t i = 0; i < BITMAP_WORDS(bits); i++)
		if (READ_ONCE(a[i]) & READ_ONCE(b[i]) & word_mask(i, 0, bits))
			return true;
	return false;
}

bool bitmap_is_subset(const uint64_t *inner, const uint64_t *outer, size_t bits)
{
	for (size_t i = 0; i < BITMAP_WORDS(bits); i++)
		if (READ_ONCE(inner[i]) & ~READ_ONCE(outer[i]) & word_mask(i, 0, bits))
			return false;
	return true;
}

/* The first bit at or after `from` in map ^ flip, where flip turns zeros into ones. */
static size_t find(const uint64_t *map, size_t bits, size_t from, uint64_t flip)
{
	if (from >= bits)
		return bits;
	for (size_t i = from / BITMAP_WORD_BITS; i < BITMAP_WORDS(bits); i++) {
		uint64_t word = (READ_ONCE(map[i]) ^ flip) & word_mask(i, from, bits);

		if (word)
			return i * BITMAP_WORD_BITS + bits_lowest(word);
	}
	return bits;
}

size_t bitmap_find_one(const uint64_t *map, size_t bits, size_t from)
{
	return find(map, bits, from, 0);
}

size_t bitmap_find_zero(const uint64_t *map, size_t bits, size_t from)
{
	return find(map, bits, from, ~0ull);
}

size_t bitmap_find_zero_run(const uint64_t *map, size_t bits, size_t from, size_t count)
{
	for (;;) {
		size_t start = bitmap_find_zero(map, bits, from);

		if (bits - start < count)
			return bits;
		from = bitmap_find_one(map, start + count, start);
		if (from == start + count)
			return start;
	}
}
