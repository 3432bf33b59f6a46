// SPDX-License-Identifier: MIT
/*
 * Random bytes: ChaCha20 with a key that is replaced at every use.
 *
 * Each request makes one block of the key stream: its first half becomes the next key, its second
 * half is the answer, or, for a long request, the key of a stream of its own. So who learns the
 * state learns nothing of what was given out before.
 *
 * The seed is the machine's generator where there is one, and the cycle counter at the moments when
 * the kernel started and when bytes are asked for. A virtual machine without a generator and with
 * a predictable counter (an emulator that counts instructions) has predictable bytes; so has Linux.
 *
 * Locks   random_lock (RANK_RANDOM): the key.
 * Spec    RFC 8439 2.3 (the block function)
 */
#include "security/random.h"

#include "arch/arch.h"
#include "lib/chacha20.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "sync/spinlock.h"

enum {
	HALF_BLOCK = CHACHA20_BLOCK_SIZE / 2,
	SEED_WORDS = CHACHA20_KEY_SIZE / sizeof(uint64_t)
};

static struct irqlock random_lock = IRQLOCK_INIT(RANK_RANDOM, "random");
static uint64_t key[SEED_WORDS]; /* random_lock */
static uint64_t nr_blocks;       /* random_lock */

/* The next half block, and a new key. */
static void next_half(uint8_t out[HALF_BLOCK])
{
	uint8_t block[CHACHA20_BLOCK_SIZE];
	uint8_t nonce[CHACHA20_NONCE_SIZE] = {0};
	uint64_t now = arch_counter_read();

	irqlock_lock(&random_lock);
	key[0] ^= now;
	nr_blocks++;
	memcpy(nonce, &nr_blocks, sizeof(nr_blocks));
	chacha20_block((const uint8_t *)key, nonce, 0, block);
	memcpy(key, block, sizeof(key));
	irqlock_unlock(&random_lock);
	memcpy(out, block + HALF_BLOCK, HALF_BLOCK);
	memset(block, 0, sizeof(block));
	compiler_barrier();
}

void random_bytes(void *to, size_t len)
{
	uint8_t half[HALF_BLOCK], block[CHACHA20_BLOCK_SIZE];
	uint8_t nonce[CHACHA20_NONCE_SIZE] = {0};
	char *at = to;

	next_half(half);
	if (len <= sizeof(half)) {
		memcpy(at, half, len);
		return;
	}
	for (uint64_t counter = 0; len; counter++) {
		size_t n = MIN(len, sizeof(block));

		memcpy(nonce, &counter, sizeof(counter));
		chacha20_block(half, nonce, 0, block);
		memcpy(at, block, n);
		at += n;
		len -= n;
	}
}

uint64_t random_u64(void)
{
	uint64_t word;

	random_bytes(&word, sizeof(word));
	return word;
}

void random_stir(const void *bytes, size_t len)
{
	uint8_t half[HALF_BLOCK];
	struct hash_key how;
	uint64_t words[SEED_WORDS];

	for (unsigned i = 0; i < SEED_WORDS; i++) {
		how = (struct hash_key){.k0 = i, .k1 = len};
		words[i] = hash_bytes(&how, bytes, len);
	}
	irqlock_lock(&random_lock);
	for (unsigned i = 0; i < SEED_WORDS; i++)
		key[i] ^= words[i];
	irqlock_unlock(&random_lock);
	next_half(half); /* spreads every bit over the whole key */
}

void random_init(void)
{
	uint64_t seed[2 * SEED_WORDS];

	for (unsigned i = 0; i < ARRAY_LEN(seed); i++) {
		if (!arch_random_word(&seed[i]))
			seed[i] = 0;
		seed[i] ^= hash_u64(arch_counter_read() + i);
	}
	seed[0] ^= arch_layout.entry_counter;
	random_stir(seed, sizeof(seed));
}
