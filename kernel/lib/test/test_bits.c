// SPDX-License-Identifier: MIT
/* Bit positions at every power of two, wide products and quotients at their limits; byte order.
 */
// LINK: lib/bits.c lib/random.c
#include "lib/bits.h"

#include "lib/endian.h"
#include "lib/random.h"
#include "lib/test.h"

TEST(bits, positions_around_every_power_of_two)
{
	for (unsigned i = 0; i < 64; i++) {
		uint64_t x = 1ull << i;

		EXPECT_EQ(bits_lowest(x | 1ull << 63), i);
		EXPECT_EQ(bits_highest(x | 1), i);
		EXPECT_EQ(bits_log2(x), i);
		EXPECT_EQ(bits_log2_up(x), i);
		EXPECT_EQ(bits_round_up_pow2(x), (long long)x);
		EXPECT_EQ(bits_count(x - 1), i);
		EXPECT(bits_is_pow2(x));
		if (i < 2 || i == 63)
			continue;
		EXPECT(!bits_is_pow2(x + 1));
		EXPECT_EQ(bits_log2_up(x + 1), i + 1);
		EXPECT_EQ(bits_log2_up(x - 1), i);
		EXPECT_EQ(bits_round_up_pow2(x + 1), (long long)(2 * x));
	}
	EXPECT(!bits_is_pow2(0));
	EXPECT_EQ(bits_count(~0ull), 64);
}

TEST(bits, mask_includes_both_ends)
{
	EXPECT_EQ(bits_mask(0, 0), 1);
	EXPECT_EQ(bits_mask(4, 7), 0xf0);
	EXPECT_EQ(bits_mask(0, 63), -1ll);
	EXPECT_EQ(bits_mask(63, 63), (long long)(1ull << 63));
}

TEST(bits, wide_product_keeps_the_upper_half)
{
	EXPECT_EQ(mul_u64_u64_shr(~0ull, ~0ull, 64), (long long)(~0ull - 1));
	EXPECT_EQ(mul_u64_u64_shr(3000000000ull, 1ull << 32, 32), 3000000000ll);
	EXPECT_EQ(mul_u64_u64_shr(7, 5, 0), 35);
}

TEST(bits, mul_div_is_exact_and_saturates)
{
	struct random random;

	random_seed(&random, 1);
	for (int i = 0; i < 2000; i++) {
		uint64_t a = random_next(&random) >> random_below(&random, 64);
		uint64_t b = random_next(&random) >> random_below(&random, 64);
		uint64_t d = (random_next(&random) >> random_below(&random, 64)) | 1;
		unsigned __int128 exact = (unsigned __int128)a * b / d;

		REQUIRE(mul_div_u64(a, b, d) == (exact > UINT64_MAX ? UINT64_MAX : exact));
	}
	EXPECT_EQ(mul_div_u64(~0ull, ~0ull, ~0ull), -1ll);
	EXPECT_EQ(mul_div_u64(~0ull, 2, 1), -1ll);
	EXPECT_EQ(mul_div_u64(0, 5, 7), 0);
}

TEST(bits, nearest_quotient_rounds_half_up)
{
	EXPECT_EQ(div_u64_nearest(7, 2), 4);
	EXPECT_EQ(div_u64_nearest(10, 4), 3);
	EXPECT_EQ(div_u64_nearest(9, 4), 2);
	EXPECT_EQ(div_u64_nearest(~0ull, ~0ull), 1);
	EXPECT_EQ(div_u64_nearest(~0ull, 1), -1ll);
}

TEST(endian, both_orders_at_odd_addresses)
{
	uint8_t bytes[9] = {0xff, 1, 2, 3, 4, 5, 6, 7, 8}, out[9] = {0};

	EXPECT_EQ(le16_get(bytes + 1), 0x0201);
	EXPECT_EQ(be16_get(bytes + 1), 0x0102);
	EXPECT_EQ(le32_get(bytes + 1), 0x04030201);
	EXPECT_EQ(be32_get(bytes + 1), 0x01020304);
	EXPECT_EQ(le64_get(bytes + 1), 0x0807060504030201);
	EXPECT_EQ(be64_get(bytes + 1), 0x0102030405060708);
	be32_put(out + 1, 0x01020304);
	le32_put(out + 5, 0x08070605);
	for (int i = 1; i < 9; i++)
		EXPECT_EQ(out[i], bytes[i]);
}
