// SPDX-License-Identifier: MIT
/* Bitmaps against an array of bools, at every size around the word boundaries; CPU masks. */
// LINK: lib/bitmap.c lib/random.c
#include "lib/bitmap.h"

#include "lib/cpumask.h"
#include "lib/random.h"
#include "lib/test.h"

enum { BITS_MAX = 200 };

struct model {
	BITMAP(map, BITS_MAX);
	bool bits[BITS_MAX];
};

static size_t model_find(const struct model *m, size_t bits, size_t from, bool wanted)
{
	while (from < bits && m->bits[from] != wanted)
		from++;
	return MIN(from, bits);
}

static size_t model_find_run(const struct model *m, size_t bits, size_t from, size_t count)
{
	for (; from + count <= bits; from++)
		if (model_find(m, from + count, from, true) == from + count)
			return from;
	return bits;
}

static bool agrees(const struct model *m, size_t bits)
{
	size_t count = 0, walked = 0;

	for (size_t i = 0; i < bits; i++) {
		if (bitmap_test(m->map, i) != m->bits[i])
			return false;
		if (bitmap_find_one(m->map, bits, i) != model_find(m, bits, i, true) ||
			bitmap_find_zero(m->map, bits, i) != model_find(m, bits, i, false))
			return false;
		count += m->bits[i];
	}
	bitmap_for_each (bit, m->map, bits)
		walked += m->bits[bit] ? 1 : bits;
	return walked == count && bitmap_count(m->map, bits) == count &&
	       bitmap_is_empty(m->map, bits) == (count == 0) &&
	       bitmap_is_full(m->map, bits) == (count == bits);
}

TEST(bitmap, agrees_with_an_array_of_bools_at_every_size)
{
	struct random random;

	random_seed(&random, 1);
	for (size_t bits = 1; bits <= BITS_MAX; bits++) {
		struct model m;

		random_fill(
			&random, m.map, sizeof(m.map)); /* beyond `bits` it may be anything */
		for (size_t i = 0; i < bits; i++)
			m.bits[i] = bitmap_test(m.map, i);
		for (int step = 0; step < 20; step++) {
			size_t start = random_below(&random, bits);
			size_t count = random_below(&random, bits - start + 1);
			bool set = random_one_in(&random, 2);

			if (set)
				bitmap_set_range(m.map, start, count);
			else
				bitmap_clear_range(m.map, start, count);
			for (size_t i = start; i < start + count; i++)
				m.bits[i] = set;
			m.bits[start] = !set;
			if (set)
				bitmap_clear(m.map, start);
			else
				bitmap_set(m.map, start);
			REQUIRE(agrees(&m, bits));
			count = 1 + random_below(&random, 70);
			REQUIRE(bitmap_find_zero_run(m.map, bits, start, count) ==
				model_find_run(&m, bits, start, count));
		}
	}
}

TEST(bitmap, comparisons_look_only_at_the_bits_of_the_map)
{
	BITMAP(a, 70) = {5, 1};
	BITMAP(b, 70) = {5, 1 | 1ull << 10}; /* differs in bit 74 */

	EXPECT(bitmap_equal(a, b, 70));
	EXPECT(!bitmap_equal(a, b, 75));
	EXPECT(bitmap_is_subset(b, a, 70));
	EXPECT(!bitmap_is_subset(b, a, 75));
	a[0] = 0;
	EXPECT(bitmap_intersects(a, b, 70)); /* bit 64 */
	EXPECT(!bitmap_intersects(a, b, 64));
}

TEST(bitmap, atomic_operations_report_the_old_bit)
{
	BITMAP(map, 128) = {0};

	EXPECT(!bitmap_test_and_set_atomic(map, 100));
	EXPECT(bitmap_test_and_set_atomic(map, 100));
	EXPECT(bitmap_test_and_clear_atomic(map, 100));
	EXPECT(!bitmap_test_and_clear_atomic(map, 100));
	bitmap_set_atomic(map, 3);
	EXPECT_EQ(map[0], 8);
	bitmap_clear_atomic(map, 3);
	EXPECT(bitmap_is_empty(map, 128));
}

TEST(cpumask, set_operations)
{
	struct cpumask a = cpumask_of(3), b, c;
	unsigned sum = 0;

	cpumask_set(&a, MAX_CPUS - 1);
	cpumask_fill(&b);
	EXPECT_EQ(cpumask_count(&b), MAX_CPUS);
	EXPECT(cpumask_is_subset(&a, &b));
	c = cpumask_and(&a, &b);
	EXPECT(cpumask_equal(&a, &c));
	c = cpumask_and_not(&b, &a);
	EXPECT_EQ(cpumask_count(&c), MAX_CPUS - 2);
	EXPECT(!cpumask_intersects(&a, &c));
	c = cpumask_or(&c, &a);
	EXPECT(cpumask_equal(&c, &b));
	cpumask_for_each(cpu, &a) sum += cpu;
	EXPECT_EQ(sum, 3 + MAX_CPUS - 1);
	EXPECT_EQ(cpumask_first(&a), 3);
	EXPECT_EQ(cpumask_find(&a, 4), MAX_CPUS - 1);
	cpumask_zero(&a);
	EXPECT(cpumask_is_empty(&a));
	EXPECT_EQ(cpumask_first(&a), MAX_CPUS);
}
