// SPDX-License-Identifier: MIT
/*
 * xoshiro256**, seeded by SplitMix64 as its authors advise.
 *
 * Spec    Blackman, Vigna: Scrambled Linear Pseudorandom Number Generators (2021), figure 6;
 *         Lemire: Fast Random Integer Generation in an Interval (2019), for random_below
 */
#include "lib/random.h"

#include "lib/assert.h"
#include "lib/hash.h"

static uint64_t rotate_left(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

void random_seed(struct random *random, uint64_t seed)
{
	const uint64_t golden = 0x9e3779b97f4a7c15ull; /* SplitMix64's step: 2^64 / phi */

	for (size_t i = 0; i < ARRAY_LEN(random->state); i++)
		random->state[i] = hash_u64(seed += golden);
}

uint64_t random_next(struct random *random)
{
	uint64_t *s = random->state;
	uint64_t result = rotate_left(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate_left(s[3], 45);
	return result;
}

uint64_t random_below(struct random *random, uint64_t limit)
{
	unsigned __int128 product;
	uint64_t unfair;

	assert(limit);
	/* the upper half of next * limit is the answer; each answer has 2^64 / limit chances
	 * but for the first 2^64 mod limit lower halves, which are drawn again */
	product = (unsigned __int128)random_next(random) * limit;
	if ((uint64_t)product < limit) {
		unfair = (0 - limit) % limit;
		while ((uint64_t)product < unfair)
			product = (unsigned __int128)random_next(random) * limit;
	}
	return (uint64_t)(product >> 64);
}

void random_fill(struct random *random, void *to, size_t len)
{
	uint8_t *p = to;
	uint64_t bits = 0;

	for (size_t i = 0; i < len; i++, bits >>= 8) {
		if (i % sizeof(bits) == 0)
			bits = random_next(random);
		p[i] = (uint8_t)bits;
	}
}
