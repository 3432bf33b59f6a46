// SPDX-License-Identifier: MIT
/*
 * ChaCha20: twenty rounds over a 4 x 4 matrix of words, columns and diagonals in turn.
 *
 * Spec    RFC 8439 2.1 (quarter round), 2.3 (block function)
 */
#include "lib/chacha20.h"

#include "lib/endian.h"

enum { WORDS = 16, KEY_WORDS = 8, NONCE_WORDS = 3, DOUBLE_ROUNDS = 10 };

static uint32_t rotate_left(uint32_t x, unsigned by)
{
	return x << by | x >> (32 - by);
}

static void quarter_round(uint32_t *x, int a, int b, int c, int d)
{
	x[a] += x[b];
	x[d] = rotate_left(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotate_left(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotate_left(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotate_left(x[b] ^ x[c], 7);
}

static void double_round(uint32_t *x)
{
	for (int i = 0; i < 4; i++) /* columns */
		quarter_round(x, i, 4 + i, 8 + i, 12 + i);
	for (int i = 0; i < 4; i++) /* diagonals */
		quarter_round(x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
}

void chacha20_block(const uint8_t key[CHACHA20_KEY_SIZE],
	const uint8_t nonce[CHACHA20_NONCE_SIZE], uint32_t counter,
	uint8_t out[CHACHA20_BLOCK_SIZE])
{
	/* 2.3: "expand 32-byte k", the key, the counter, the nonce */
	uint32_t start[WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
	uint32_t x[WORDS];

	for (int i = 0; i < KEY_WORDS; i++)
		start[4 + i] = le32_get(key + 4 * i);
	start[12] = counter;
	for (int i = 0; i < NONCE_WORDS; i++)
		start[13 + i] = le32_get(nonce + 4 * i);

	for (int i = 0; i < WORDS; i++)
		x[i] = start[i];
	for (int i = 0; i < DOUBLE_ROUNDS; i++)
		double_round(x);
	for (int i = 0; i < WORDS; i++)
		le32_put(out + 4 * i, x[i] + start[i]);
}
