// SPDX-License-Identifier: MIT
/*
 * XXH64: four lanes take eight bytes of each stripe; then they are merged and mixed.
 *
 * Spec    Collet: XXH64, xxhash_spec.md 0.1.1 (the steps below are its steps)
 */
#include "lib/xxhash.h"

#include "lib/endian.h"
#include "lib/string.h"

#define PRIME_1 0x9e3779b185ebca87ull
#define PRIME_2 0xc2b2ae3d27d4eb4full
#define PRIME_3 0x165667b19e3779f9ull
#define PRIME_4 0x85ebca77c2b2ae63ull
#define PRIME_5 0x27d4eb2f165667c5ull

static uint64_t rotate_left(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static uint64_t round_of(uint64_t lane, uint64_t input)
{
	return rotate_left(lane + input * PRIME_2, 31) * PRIME_1;
}

static void take_stripe(struct xxhash *h, const uint8_t *p)
{
	for (unsigned i = 0; i < ARRAY_LEN(h->lane); i++)
		h->lane[i] = round_of(h->lane[i], le64_get(p + 8 * i));
}

void xxhash_init(struct xxhash *h)
{
	*h = (struct xxhash){.lane = {PRIME_1 + PRIME_2, PRIME_2, 0, -PRIME_1}};
}

void xxhash_update(struct xxhash *h, const void *data, size_t len)
{
	size_t have = h->total % XXHASH_STRIPE;
	const uint8_t *p = data;

	h->total += len;
	if (have + len < XXHASH_STRIPE) {
		memcpy(h->rest + have, p, len);
		return;
	}
	if (have) {
		memcpy(h->rest + have, p, XXHASH_STRIPE - have);
		take_stripe(h, h->rest);
		p += XXHASH_STRIPE - have;
		len -= XXHASH_STRIPE - have;
	}
	for (; len >= XXHASH_STRIPE; p += XXHASH_STRIPE, len -= XXHASH_STRIPE)
		take_stripe(h, p);
	memcpy(h->rest, p, len);
}

/* Step 3: the lanes become one. */
static uint64_t merge(const struct xxhash *h)
{
	static const uint8_t by[] = {1, 7, 12, 18};
	uint64_t sum = 0;

	for (unsigned i = 0; i < ARRAY_LEN(h->lane); i++)
		sum += rotate_left(h->lane[i], by[i]);
	for (unsigned i = 0; i < ARRAY_LEN(h->lane); i++)
		sum = (sum ^ round_of(0, h->lane[i])) * PRIME_1 + PRIME_4;
	return sum;
}

uint64_t xxhash_final(const struct xxhash *h)
{
	uint64_t sum = (h->total >= XXHASH_STRIPE ? merge(h) : PRIME_5) + h->total;
	size_t left = h->total % XXHASH_STRIPE;
	const uint8_t *p = h->rest;

	for (; left >= 8; p += 8, left -= 8)
		sum = rotate_left(sum ^ round_of(0, le64_get(p)), 27) * PRIME_1 + PRIME_4;
	for (; left >= 4; p += 4, left -= 4)
		sum = rotate_left(sum ^ le32_get(p) * PRIME_1, 23) * PRIME_2 + PRIME_3;
	for (; left; p++, left--)
		sum = rotate_left(sum ^ *p * PRIME_5, 11) * PRIME_1;
	sum = (sum ^ sum >> 33) * PRIME_2;
	sum = (sum ^ sum >> 29) * PRIME_3;
	return sum ^ sum >> 32;
}
