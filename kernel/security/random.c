// SPDX-License-Identifier: MIT
/*
 * Random bytes: ChaCha20 with a key that is replaced at every use.
 *
 * Each use makes a few blocks of the key stream: the first half block becomes the next key, the
 * rest is a pool for short requests, whose bytes are cleared as they are taken. A long request takes
 * the key of a stream of its own from the pool. So who learns the state learns nothing of what was given
 * out before, and an address or a canary costs a part of a block and not a block.
 *
 * The seed is the machine's generator where there is one, and the cycle counter at the moments when
 * the kernel started and when bytes are asked for. A virtual machine without a generator and with
 * a predictable counter (an emulator that counts instructions) has predictable bytes; so has Linux.
 *
 * Locks   random_lock (RANK_RANDOM): the key and the pool.
 * Spec    RFC 8439 2.3 (the block function)
 */
#include "security/random.h"

#include "arch/arch.h"
#include "lib/assert.h"
#include "lib/chacha20.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "sync/spinlock.h"

enum {
	SEED_WORDS = CHACHA20_KEY_SIZE / sizeof(uint64_t),
	POOL_BLOCKS = 4,
	POOL_BYTES = POOL_BLOCKS * CHACHA20_BLOCK_SIZE
};

static struct irqlock random_lock = IRQLOCK_INIT(RANK_RANDOM, "random");
static uint64_t key[SEED_WORDS]; /* random_lock */
static uint64_t nr_refills;      /* random_lock */
static uint8_t
	pool[POOL_BYTES]; /* random_lock: the last pool_left bytes are not given out yet */
static size_t pool_left;  /* random_lock */

static void refill(void) MUST_HOLD(random_lock)
{
	uint8_t nonce[CHACHA20_NONCE_SIZE] = {0};

	key[0] ^= arch_counter_read();
	nr_refills++;
	memcpy(nonce, &nr_refills, sizeof(nr_refills));
	for (uint32_t i = 0; i < POOL_BLOCKS; i++)
		chacha20_block((const uint8_t *)key, nonce, i, pool + i * CHACHA20_BLOCK_SIZE);
	memcpy(key, pool, sizeof(key));
	memset(pool, 0, sizeof(key));
	pool_left = sizeof(pool) - sizeof(key);
}

static void take(void *out, size_t len)
{
	uint8_t *from;

	debug_assert(len <= CHACHA20_KEY_SIZE);
	irqlock_lock(&random_lock);
	if (UNLIKELY(pool_left < len))
		refill();
	from = pool + sizeof(pool) - pool_left;
	memcpy(out, from, len);
	memset(from, 0, len);
	pool_left -= len;
	irqlock_unlock(&random_lock);
}

void random_bytes(void *to, size_t len)
{
	uint8_t own_key[CHACHA20_KEY_SIZE], block[CHACHA20_BLOCK_SIZE];
	uint8_t nonce[CHACHA20_NONCE_SIZE] = {0};
	char *at = to;

	if (len <= sizeof(own_key)) {
		take(to, len);
		return;
	}
	take(own_key, sizeof(own_key));
	for (uint64_t counter = 0; len; counter++) {
		size_t n = MIN(len, sizeof(block));

		memcpy(nonce, &counter, sizeof(counter));
		chacha20_block(own_key, nonce, 0, block);
		memcpy(at, block, n);
		at += n;
		len -= n;
	}
}

uint64_t random_u64(void)
{
	uint64_t word;

	take(&word, sizeof(word));
	return word;
}

void random_stir(const void *bytes, size_t len)
{
	struct hash_key how;
	uint64_t words[SEED_WORDS];

	for (unsigned i = 0; i < SEED_WORDS; i++) {
		how = (struct hash_key){.k0 = i, .k1 = len};
		words[i] = hash_bytes(&how, bytes, len);
	}
	irqlock_lock(&random_lock);
	for (unsigned i = 0; i < SEED_WORDS; i++)
		key[i] ^= words[i];
	refill(); /* spreads every bit over the whole key; what was left of the pool goes */
	irqlock_unlock(&random_lock);
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
