// SPDX-License-Identifier: MIT
/*
 * XXH64: the checksum of Zstandard frames. No secret in it: not for tables that outsiders fill.
 */
#pragma once

#include "lib/base.h"

enum { XXHASH_STRIPE = 32 };

struct xxhash {
	uint64_t lane[4];
	uint64_t total;
	uint8_t rest[XXHASH_STRIPE]; /* the last total % XXHASH_STRIPE bytes */
};

void xxhash_init(struct xxhash *h); /* seed 0 */
void xxhash_update(struct xxhash *h, const void *data, size_t len);
uint64_t xxhash_final(const struct xxhash *h);
