// SPDX-License-Identifier: MIT
/*
 * Single words: bit positions, powers of two, products wider than a word. Bit numbers start
 * at 0. Where a result would not exist (the lowest bit of 0), the argument must not be 0.
 */
#pragma once

#include "lib/assert.h"
#include "lib/base.h"

/* The number of the lowest / highest set bit of `x`, which is not 0. */
static inline unsigned bits_lowest(uint64_t x)
{
	debug_assert(x);
	return (unsigned)__builtin_ctzll(x);
}

static inline unsigned bits_highest(uint64_t x)
{
	debug_assert(x);
	return 63 - (unsigned)__builtin_clzll(x);
}

static inline unsigned bits_count(uint64_t x)
{
	unsigned count = 0;

	/* not __builtin_popcount: without a CPU that counts, it calls the compiler's library */
	for (; x; x &= x - 1)
		count++;
	return count;
}

static inline bool bits_is_pow2(uint64_t x)
{
	return x && !(x & (x - 1));
}

/* The logarithm to base 2, rounded down / up; `x` is not 0. */
static inline unsigned bits_log2(uint64_t x)
{
	return bits_highest(x);
}

static inline unsigned bits_log2_up(uint64_t x)
{
	return x == 1 ? 0 : bits_highest(x - 1) + 1;
}

/* The next power of two at or above `x`, which is 1 to 2^63. */
static inline uint64_t bits_round_up_pow2(uint64_t x)
{
	debug_assert(x && x <= 1ull << 63);
	return 1ull << bits_log2_up(x);
}

/* Bits `first` to `last`, both included, both below 64. */
static inline uint64_t bits_mask(unsigned first, unsigned last)
{
	return (~0ull >> (63 - last)) & (~0ull << first);
}

/* (a * b) >> shift by a 128-bit product, cut to 64 bits: how clocks scale. shift < 128. */
static inline uint64_t mul_u64_u64_shr(uint64_t a, uint64_t b, unsigned shift)
{
	return (uint64_t)(((unsigned __int128)a * b) >> shift);
}

/*
 * a * b / d rounded down, without losing the upper half of the product; d is not 0. A quotient
 * beyond 64 bits saturates. A loop of 128 steps: for calibration, not for hot paths.
 */
uint64_t mul_div_u64(uint64_t a, uint64_t b, uint64_t d);

/* n / d rounded to the nearest; d is not 0. */
static inline uint64_t div_u64_nearest(uint64_t n, uint64_t d)
{
	uint64_t rest = n % d;

	return n / d + (rest >= d - rest);
}
