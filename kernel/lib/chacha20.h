// SPDX-License-Identifier: MIT
/*
 * The ChaCha20 block function: the core of the kernel's random bytes.
 *
 * Spec    RFC 8439 2.3
 */
#pragma once

#include "lib/base.h"

enum { CHACHA20_KEY_SIZE = 32, CHACHA20_NONCE_SIZE = 12, CHACHA20_BLOCK_SIZE = 64 };

/* The block number `counter` of the key stream. Any context. */
void chacha20_block(const uint8_t key[CHACHA20_KEY_SIZE],
	const uint8_t nonce[CHACHA20_NONCE_SIZE], uint32_t counter,
	uint8_t out[CHACHA20_BLOCK_SIZE]);
