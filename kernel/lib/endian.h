// SPDX-License-Identifier: MIT
/*
 * Numbers in byte streams: fixed byte order, any alignment.
 *
 * Both architectures are little-endian, so le is a plain load and be a load with a swap. Wire
 * and disk structures are read through these by address, never by casting to a wider type.
 */
#pragma once

#include "lib/base.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the le_ family is a plain access");

#define ENDIAN_FAMILY(bits)                                                                    \
	static inline uint##bits##_t le##bits##_get(const void *p)                             \
	{                                                                                      \
		uint##bits##_t v;                                                              \
                                                                                               \
		__builtin_memcpy(&v, p, sizeof(v));                                            \
		return v;                                                                      \
	}                                                                                      \
	static inline void le##bits##_put(void *p, uint##bits##_t v)                           \
	{                                                                                      \
		__builtin_memcpy(p, &v, sizeof(v));                                            \
	}                                                                                      \
	static inline uint##bits##_t be##bits##_get(const void *p)                             \
	{                                                                                      \
		return __builtin_bswap##bits(le##bits##_get(p));                               \
	}                                                                                      \
	static inline void be##bits##_put(void *p, uint##bits##_t v)                           \
	{                                                                                      \
		le##bits##_put(p, __builtin_bswap##bits(v));                                   \
	}

/* le16_get le16_put be16_get be16_put, and the same for 32 and 64 */
ENDIAN_FAMILY(16)
ENDIAN_FAMILY(32)
ENDIAN_FAMILY(64)
