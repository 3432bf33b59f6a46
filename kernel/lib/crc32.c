// SPDX-License-Identifier: MIT
/*
 * CRCs a byte at a time, by tables the compiler computes.
 *
 * A table entry is linear in its index over GF(2): entry(a ^ b) = entry(a) ^ entry(b). So the
 * 256 entries follow from the eight with one bit set, which are written down here; test_crc32.c
 * computes them, and both checksums, from the polynomials bit by bit. A CPU with an instruction
 * for CRC-32C can do better; wider tables could too, at 8 KiB each, when a profile asks for it.
 *
 * Spec    ISO 3309 / RFC 1952 8 (CRC-32, polynomial EDB88320 reflected)
 *         RFC 3720 12.1 (CRC-32C, polynomial 82F63B78 reflected)
 */
#include "lib/crc32.h"

#define PICK(i, bit, value) ((i) >> (bit)&1 ? (value) : 0u)

#define ENTRY_CRC32(i)                                                                         \
	(PICK(i, 0, 0x77073096) ^ PICK(i, 1, 0xee0e612c) ^ PICK(i, 2, 0x076dc419) ^            \
		PICK(i, 3, 0x0edb8832) ^ PICK(i, 4, 0x1db71064) ^ PICK(i, 5, 0x3b6e20c8) ^     \
		PICK(i, 6, 0x76dc4190) ^ PICK(i, 7, 0xedb88320))

#define ENTRY_CRC32C(i)                                                                        \
	(PICK(i, 0, 0xf26b8303) ^ PICK(i, 1, 0xe13b70f7) ^ PICK(i, 2, 0xc79a971f) ^            \
		PICK(i, 3, 0x8ad958cf) ^ PICK(i, 4, 0x105ec76f) ^ PICK(i, 5, 0x20bd8ede) ^     \
		PICK(i, 6, 0x417b1dbc) ^ PICK(i, 7, 0x82f63b78))

/* 256 entries from `i` on, doubling */
#define ROW_4(E, i)  E(i), E((i) + 1), E((i) + 2), E((i) + 3)
#define ROW_16(E, i) ROW_4(E, i), ROW_4(E, (i) + 4), ROW_4(E, (i) + 8), ROW_4(E, (i) + 12)
#define ROW_64(E, i) ROW_16(E, i), ROW_16(E, (i) + 16), ROW_16(E, (i) + 32), ROW_16(E, (i) + 48)
#define ROW_256(E)   ROW_64(E, 0), ROW_64(E, 64), ROW_64(E, 128), ROW_64(E, 192)

static const uint32_t crc32_table[256] = {ROW_256(ENTRY_CRC32)};
static const uint32_t crc32c_table[256] = {ROW_256(ENTRY_CRC32C)};

static ALWAYS_INLINE uint32_t update(
	const uint32_t *table, uint32_t crc, const void *data, size_t len)
{
	for (const uint8_t *p = data; len; len--, p++)
		crc = crc >> 8 ^ table[(crc ^ *p) & 0xff];
	return crc;
}

uint32_t crc32_update(uint32_t crc, const void *data, size_t len)
{
	return update(crc32_table, crc, data, len);
}

uint32_t crc32c_update(uint32_t crc, const void *data, size_t len)
{
	return update(crc32c_table, crc, data, len);
}
