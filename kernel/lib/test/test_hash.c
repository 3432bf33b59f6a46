// SPDX-License-Identifier: MIT
/* Checksums, hashes and random numbers against published vectors and first principles. */
// LINK: lib/crc32.c lib/hash.c lib/random.c lib/chacha20.c
#include "lib/hash.h"

#include "lib/chacha20.h"
#include "lib/crc32.h"
#include "lib/endian.h"
#include "lib/random.h"
#include "lib/test.h"

/* By the definition: one bit at a time. */
static uint32_t crc_by_bits(uint32_t polynomial, uint32_t crc, const uint8_t *p, size_t len)
{
	for (; len; len--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
	}
	return crc;
}

TEST(crc32, published_check_values)
{
	uint8_t zeros[32] = {0}, ones[32];

	for (size_t i = 0; i < sizeof(ones); i++)
		ones[i] = 0xff;
	EXPECT_EQ(crc32("123456789", 9), 0xcbf43926);
	EXPECT_EQ(crc32c("123456789", 9), 0xe3069283);
	EXPECT_EQ(crc32c(zeros, 32), 0x8a9136aa); /* RFC 3720 B.4 */
	EXPECT_EQ(crc32c(ones, 32), 0x62a8ab43);
	EXPECT_EQ(crc32("", 0), 0);
}

TEST(crc32, tables_agree_with_the_polynomials)
{
	struct random random;
	uint8_t data[64];

	for (unsigned i = 0; i < 256; i++) {
		uint8_t byte = (uint8_t)i;

		EXPECT_EQ(crc32_update(0, &byte, 1), crc_by_bits(0xedb88320, 0, &byte, 1));
		EXPECT_EQ(crc32c_update(0, &byte, 1), crc_by_bits(0x82f63b78, 0, &byte, 1));
	}
	random_seed(&random, 1);
	for (size_t len = 0; len <= sizeof(data); len++) {
		random_fill(&random, data, len);
		EXPECT_EQ(
			crc32_update(~0u, data, len), crc_by_bits(0xedb88320, ~0u, data, len));
		EXPECT_EQ(crc32c_update(7, data, len), crc_by_bits(0x82f63b78, 7, data, len));
	}
}

TEST(crc32, pieces_continue_each_other)
{
	const char *text = "the quick brown fox";
	uint32_t crc = crc32_update(~0u, text, 7);

	EXPECT_EQ(~crc32_update(crc, text + 7, 12), crc32(text, 19));
}

TEST(hash, siphash_vectors_of_the_reference_implementation)
{
	/* key 00 01 .. 0f, input 00 01 .. of the length; the paper's appendix A has the 15th */
	static const struct {
		size_t len;
		uint64_t hash;
	} vectors[] = {
		{0, 0x726fdb47dd0e0e31},
		{1, 0x74f839c593dc67fd},
		{7, 0xab0200f58b01d137},
		{8, 0x93f5f5799a932462},
		{15, 0xa129ca6149be45e5},
	};
	uint8_t bytes[16];
	struct hash_key key;

	for (int i = 0; i < 16; i++)
		bytes[i] = (uint8_t)i;
	key = (struct hash_key){le64_get(bytes), le64_get(bytes + 8)};
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
		EXPECT_EQ(hash_bytes(&key, bytes, vectors[i].len), (long long)vectors[i].hash);
}

TEST(hash, mixer_changes_half_the_bits_for_each_input_bit)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		unsigned changed = 0;

		for (uint64_t x = 0; x < 1000; x++) {
			uint64_t diff = hash_u64(x) ^ hash_u64(x ^ 1ull << bit);

			for (; diff; diff &= diff - 1)
				changed++;
		}
		EXPECT_GT(changed, 30000);
		EXPECT_LT(changed, 34000);
	}
	EXPECT_NE(hash_pointer(&test_fail), hash_pointer(&test_skip));
}

TEST(random, xoshiro_vector_of_its_definition)
{
	struct random random = {{1, 2, 3, 4}};

	/* by hand from the paper's figure: rotl(2 * 5, 7) * 9, then the state step */
	EXPECT_EQ(random_next(&random), 11520);
	EXPECT_EQ(random_next(&random), 0);
	EXPECT_EQ(random_next(&random), 1509978240);
	EXPECT_EQ(random_next(&random), 1215971899390074240);
}

TEST(random, same_seed_same_numbers_and_other_seed_others)
{
	struct random a, b, c;
	int same = 0;

	random_seed(&a, 0);
	random_seed(&b, 0);
	random_seed(&c, 1);
	for (int i = 0; i < 100; i++) {
		uint64_t x = random_next(&a);

		EXPECT_EQ(x, random_next(&b));
		same += x == random_next(&c);
	}
	EXPECT_EQ(same, 0);
}

TEST(random, below_is_even_and_in_range)
{
	enum { FACES = 7, THROWS = 70000 };
	unsigned count[FACES] = {0};
	struct random random;

	random_seed(&random, 3);
	for (int i = 0; i < THROWS; i++) {
		uint64_t face = random_below(&random, FACES);

		REQUIRE(face < FACES);
		count[face]++;
	}
	for (int i = 0; i < FACES; i++) { /* 10000 expected; 5 sigma is 463 */
		EXPECT_GT(count[i], 9500);
		EXPECT_LT(count[i], 10500);
	}
	EXPECT_EQ(random_below(&random, 1), 0);
	/* with this limit a draw without redraws would favour the multiples of 3 two to one */
	for (int i = 0; i < 3; i++)
		count[i] = 0;
	for (int i = 0; i < 30000; i++)
		count[random_below(&random, 3ull << 62) % 3]++;
	for (int i = 0; i < 3; i++) { /* 10000 expected; 5 sigma is 408 */
		EXPECT_GT(count[i], 9500);
		EXPECT_LT(count[i], 10500);
	}
	for (int i = 0; i < 100; i++) /* a limit where the redraw happens often */
		EXPECT(random_below(&random, (1ull << 63) + 1) <= 1ull << 63);
}

TEST(chacha20, block_of_rfc_8439)
{
	/* RFC 8439 2.3.2 */
	static const uint8_t nonce[CHACHA20_NONCE_SIZE] = {0, 0, 0, 9, 0, 0, 0, 0x4a};
	static const uint8_t expected[CHACHA20_BLOCK_SIZE] = {0x10, 0xf1, 0xe7, 0xe4, 0xd1,
		0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3, 0x20, 0x71, 0xc4, 0xc7, 0xd1,
		0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22, 0xaa, 0x9a, 0xc3, 0xd4, 0x6c,
		0x4e, 0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa, 0x09, 0x14, 0xc2, 0xd7, 0x05,
		0xd9, 0x8b, 0x02, 0xa2, 0xb5, 0x12, 0x9c, 0xd1, 0xde, 0x16, 0x4e, 0xb9, 0xcb,
		0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e};
	uint8_t key[CHACHA20_KEY_SIZE], out[CHACHA20_BLOCK_SIZE];

	for (int i = 0; i < CHACHA20_KEY_SIZE; i++)
		key[i] = (uint8_t)i;
	chacha20_block(key, nonce, 1, out);
	for (int i = 0; i < CHACHA20_BLOCK_SIZE; i++)
		EXPECT_EQ(out[i], expected[i]);
}
