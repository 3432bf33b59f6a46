// SPDX-License-Identifier: MIT
/*
 * Arrays of bits in words. `bits` is always the size of the map in bits; what lies beyond it in
 * the last word is never looked at, so it may hold anything.
 *
 * Searches return the position, or `bits` when there is none. The owner's lock protects a map,
 * except for the _atomic operations, which may run beside each other and beside reads (a search
 * then sees each word as it was at some moment of the search).
 */
#pragma once

#include "lib/atomic.h"
#include "lib/base.h"

enum { BITMAP_WORD_BITS = 64 };

#define BITMAP_WORDS(bits) DIV_ROUND_UP((size_t)(bits), (size_t)BITMAP_WORD_BITS)

/* Declares a map: `static BITMAP(used, 256);` */
#define BITMAP(name, bits) uint64_t name[BITMAP_WORDS(bits)]

static inline uint64_t bitmap_bit(size_t bit)
{
	return 1ull << (bit % BITMAP_WORD_BITS);
}

static inline bool bitmap_test(const uint64_t *map, size_t bit)
{
	return READ_ONCE(map[bit / BITMAP_WORD_BITS]) & bitmap_bit(bit);
}

static inline void bitmap_set(uint64_t *map, size_t bit)
{
	map[bit / BITMAP_WORD_BITS] |= bitmap_bit(bit);
}

static inline void bitmap_clear(uint64_t *map, size_t bit)
{
	map[bit / BITMAP_WORD_BITS] &= ~bitmap_bit(bit);
}

/* Sequentially consistent; return what the bit was. */
static inline bool bitmap_test_and_set_atomic(uint64_t *map, size_t bit)
{
	return atomic_fetch_or(&map[bit / BITMAP_WORD_BITS], bitmap_bit(bit)) & bitmap_bit(bit);
}

static inline bool bitmap_test_and_clear_atomic(uint64_t *map, size_t bit)
{
	return atomic_fetch_and(&map[bit / BITMAP_WORD_BITS], ~bitmap_bit(bit)) &
	       bitmap_bit(bit);
}

static inline void bitmap_set_atomic(uint64_t *map, size_t bit)
{
	(void)bitmap_test_and_set_atomic(map, bit);
}

static inline void bitmap_clear_atomic(uint64_t *map, size_t bit)
{
	(void)bitmap_test_and_clear_atomic(map, bit);
}

/* ---- Ranges and whole maps ---- */

void bitmap_set_range(uint64_t *map, size_t start, size_t count);
void bitmap_clear_range(uint64_t *map, size_t start, size_t count);

size_t bitmap_count(const uint64_t *map, size_t bits);
bool bitmap_equal(const uint64_t *a, const uint64_t *b, size_t bits);
bool bitmap_intersects(const uint64_t *a, const uint64_t *b, size_t bits);
bool bitmap_is_subset(const uint64_t *inner, const uint64_t *outer, size_t bits);

/* ---- Searches, at or after `from` ---- */

size_t bitmap_find_one(const uint64_t *map, size_t bits, size_t from);
size_t bitmap_find_zero(const uint64_t *map, size_t bits, size_t from);

/* The start of the first run of `count` clear bits; count > 0. */
size_t bitmap_find_zero_run(const uint64_t *map, size_t bits, size_t from, size_t count);

static inline bool bitmap_is_empty(const uint64_t *map, size_t bits)
{
	return bitmap_find_one(map, bits, 0) == bits;
}

static inline bool bitmap_is_full(const uint64_t *map, size_t bits)
{
	return bitmap_find_zero(map, bits, 0) == bits;
}

/* Each set bit upwards; declares size_t `bit`. The body may change the map. */
#define bitmap_for_each(bit, map, bits)                                                        \
	for (size_t bit = bitmap_find_one((map), (bits), 0); bit < (bits);                     \
		bit = bitmap_find_one((map), (bits), bit + 1))
