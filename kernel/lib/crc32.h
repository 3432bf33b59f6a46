// SPDX-License-Identifier: MIT
/*
 * The two 32-bit checksums of the outside world: CRC-32 (GPT, gzip) and CRC-32C (ext4 metadata,
 * iSCSI, SCTP).
 *
 * crc32() and crc32c() are the finished checksum of one piece. The _update forms continue a raw
 * register without the inversions at both ends: formats differ in what they start with.
 *
 *     crc32(p, n) == ~crc32_update(~0u, p, n)
 */
#pragma once

#include "lib/base.h"

uint32_t crc32_update(uint32_t crc, const void *data, size_t len);
uint32_t crc32c_update(uint32_t crc, const void *data, size_t len);

static inline uint32_t crc32(const void *data, size_t len)
{
	return ~crc32_update(~0u, data, len);
}

static inline uint32_t crc32c(const void *data, size_t len)
{
	return ~crc32c_update(~0u, data, len);
}
