// SPDX-License-Identifier: MIT
/*
 * SipHash-2-4: two rounds for each 8 bytes, four at the end.
 *
 * Spec    Aumasson, Bernstein: SipHash: a fast short-input PRF (2012), sections 2.1 to 2.4
 */
#include "lib/hash.h"

#include "lib/endian.h"

enum { COMPRESSION_ROUNDS = 2, FINAL_ROUNDS = 4, FINAL_MARK = 0xff };

static uint64_t rotate_left(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void rounds(uint64_t v[4], int count)
{
	while (count--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate_left(v[1], 13) ^ v[0];
		v[3] = rotate_left(v[3], 16) ^ v[2];
		v[0] = rotate_left(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate_left(v[1], 17) ^ v[2];
		v[3] = rotate_left(v[3], 21) ^ v[0];
		v[2] = rotate_left(v[2], 32);
	}
}

static void absorb(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	rounds(v, COMPRESSION_ROUNDS);
	v[0] ^= word;
}

uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t len)
{
	/* 2.1: the key against the ASCII of "somepseudorandomlygeneratedbytes" */
	uint64_t v[4] = {
		key->k0 ^ 0x736f6d6570736575ull,
		key->k1 ^ 0x646f72616e646f6dull,
		key->k0 ^ 0x6c7967656e657261ull,
		key->k1 ^ 0x7465646279746573ull,
	};
	uint64_t last = (uint64_t)len << 56; /* 2.2: the length modulo 256 on top */
	const uint8_t *p = data;
	size_t rest;

	for (rest = len; rest >= 8; rest -= 8, p += 8)
		absorb(v, le64_get(p));
	for (size_t i = 0; i < rest; i++)
		last |= (uint64_t)p[i] << (8 * i);
	absorb(v, last);
	v[2] ^= FINAL_MARK;
	rounds(v, FINAL_ROUNDS);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
