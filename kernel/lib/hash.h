// SPDX-License-Identifier: MIT
/*
 * Hashes for tables. Keys that an outsider chooses (file names, addresses, ports) go through
 * SipHash with a secret key, or the outsider chooses the collisions too; keys of our own
 * (pointers, numbers) take the mixer.
 */
#pragma once

#include "lib/base.h"

/* Every bit of `x` reaches every bit of the result; a bijection. */
static inline uint64_t hash_u64(uint64_t x)
{
	/* the finaliser of SplitMix64 (Steele, Lea, Flood 2014: Fast Splittable Pseudorandom
	 * Number Generators, figure 16, variant 13) */
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static inline uint64_t hash_pointer(const void *pointer)
{
	return hash_u64((uintptr_t)pointer);
}

struct hash_key {
	uint64_t k0, k1; /* random once at boot, or per table */
};

/* SipHash-2-4 (Aumasson, Bernstein 2012) of `len` bytes. Any context. */
uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t len);
