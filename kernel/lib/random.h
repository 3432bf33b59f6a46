// SPDX-License-Identifier: MIT
/*
 * Numbers that look random and repeat by their seed: xoshiro256**. For tests, the simulated
 * machine, and spreading load. Never for secrets: those come from lib/chacha20.h with real
 * entropy behind it.
 */
#pragma once

#include "lib/base.h"

struct random {
	uint64_t state[4]; /* not all zero */
};

/* Any seed, 0 included, gives a good state; the same seed gives the same numbers. */
void random_seed(struct random *random, uint64_t seed);

uint64_t random_next(struct random *random);

/* Each of 0 to limit - 1 equally likely; limit > 0. */
uint64_t random_below(struct random *random, uint64_t limit);

/* True once in `n` times on average; n > 0. */
static inline bool random_one_in(struct random *random, uint64_t n)
{
	return random_below(random, n) == 0;
}

void random_fill(struct random *random, void *to, size_t len);
