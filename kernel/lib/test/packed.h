// SPDX-License-Identifier: MIT
/*
 * What the tests of the unpackers share: what their packed arrays unpack to, where the bytes go,
 * and what must hold of every format.
 */
#pragma once

#include "lib/random.h"
#include "lib/test.h"

void *malloc(size_t size);
void free(void *object);
int memcmp(const void *a, const void *b, size_t len);

enum { WORDS = 6000, NOISE = 1200, LONG = 100000 }; /* LONG: the same letter */

/* Words, as a text has them. */
static inline void make_words(uint8_t *to)
{
	static const char *const words[] = {"lock", "page", "table", "fork", "the", "of", "a",
		"process", "read", "write", "wait", "kernel", "memory", "thread", "is"};
	uint32_t x = 777;

	for (unsigned at = 0; at < WORDS;) {
		x = (x * 1103515245 + 12345) & 0x7fffffff;
		for (const char *c = words[(x >> 16) % 15]; *c && at < WORDS; c++)
			to[at++] = (uint8_t)*c;
		if (at < WORDS)
			to[at++] = (x >> 22) % 9 ? ' ' : '\n';
	}
}

/* Letters, most of which repeat earlier ones. */
static inline void make_noise(uint8_t *to, unsigned nr)
{
	uint32_t x = 12345;

	for (unsigned i = 0; i < nr; i++) {
		x = (x * 1103515245 + 12345) & 0x7fffffff;
		if ((x >> 16) % 4)
			to[i] = i ? to[i - 1 - (x >> 20) % MIN(i, 700u)] : 'A';
		else
			to[i] = (uint8_t)('a' + (x >> 18) % 26);
	}
}

struct output {
	uint8_t *bytes;
	size_t len, size;
	uint64_t nr_wrong; /* bytes that are not 'a' */
};

static inline int collect(void *ctx, const uint8_t *bytes, size_t len)
{
	struct output *o = ctx;

	for (size_t i = 0; i < len; i++) {
		if (o->len < o->size)
			o->bytes[o->len] = bytes[i];
		o->nr_wrong += bytes[i] != 'a';
		o->len++;
	}
	return 0;
}

/* Unpacks a copy of `data` that ends where its memory does; used: bytes of it that were read. */
typedef int (*unpack_fn)(const uint8_t *data, size_t size, struct output *o, size_t *used);

static inline void expect_unpacks(
	unpack_fn unpack, const uint8_t *data, size_t size, const uint8_t *plain, size_t nr)
{
	struct output o = {.bytes = malloc(nr), .size = nr};
	size_t used;

	EXPECT_EQ(unpack(data, size, &o, &used), 0);
	EXPECT_EQ(o.len, nr);
	EXPECT_EQ(used, size);
	EXPECT_EQ(memcmp(plain, o.bytes, nr), 0);
	free(o.bytes);
}

static inline void expect_early_end_refused(unpack_fn unpack, const uint8_t *data, size_t size)
{
	for (size_t n = 0; n < size; n++) {
		struct output o = {0};
		size_t used;

		EXPECT_NE(unpack(data, n, &o, &used), 0);
		EXPECT_LE(used, n);
	}
}

/* Three bytes at random are wrong, one of them among the first: nothing is read or written beyond. */
static inline void expect_damage_harmless(unpack_fn unpack, const uint8_t *data, size_t size)
{
	enum { ROUNDS = 5000, HEAD = 40, WRONG = 3 };
	uint8_t *bad = malloc(size);
	struct random r;

	random_seed(&r, 1);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct output o = {0};
		size_t used;

		for (size_t i = 0; i < size; i++)
			bad[i] = data[i];
		for (unsigned i = 0; i < WRONG; i++)
			bad[random_below(&r, i ? size : HEAD)] = (uint8_t)random_next(&r);
		(void)!unpack(bad, size, &o, &used);
		EXPECT_LE(used, size);
	}
	free(bad);
}
