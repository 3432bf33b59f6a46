// SPDX-License-Identifier: MIT
// LINK: boot/memmap.c
#include "boot/memmap.h"

#include "lib/test.h"

static struct memmap map;
static struct mem_range out[MAX_MEM_RANGES];
static unsigned nr;

/* E820 numbers, ACPI 6.5 table 15.3. */
enum { USABLE = 1, RESERVED, ACPI, NVS, BAD };

static void finish(void)
{
	nr = memmap_finish(&map, out, MAX_MEM_RANGES);
}

static bool is_range(unsigned i, uint64_t start, uint64_t end, enum mem_type type)
{
	return i < nr && out[i].start == start && out[i].end == end && out[i].type == type;
}

TEST(memmap, ranges_are_sorted_and_neighbours_of_one_type_joined)
{
	memmap_init(&map);
	memmap_add(&map, 0x300000, 0x100000, USABLE);
	memmap_add(&map, 0x100000, 0x100000, USABLE);
	memmap_add(&map, 0x200000, 0x100000, USABLE);
	memmap_add(&map, 0x0, 0x9f000, USABLE);
	finish();
	EXPECT_EQ(nr, 2);
	EXPECT(is_range(0, 0, 0x9f000, MEM_USABLE));
	EXPECT(is_range(1, 0x100000, 0x400000, MEM_USABLE));
}

TEST(memmap, the_stricter_type_wins_where_ranges_overlap)
{
	memmap_init(&map);
	memmap_add(&map, 0, 0x10000, USABLE);
	memmap_add(&map, 0x4000, 0x4000, RESERVED);
	memmap_add(&map, 0x6000, 0x1000, ACPI);
	memmap_add(&map, 0x7000, 0x4000, BAD);
	finish();
	EXPECT_EQ(nr, 4);
	EXPECT(is_range(0, 0, 0x4000, MEM_USABLE));
	EXPECT(is_range(1, 0x4000, 0x7000, MEM_RESERVED));
	EXPECT(is_range(2, 0x7000, 0xb000, MEM_BAD));
	EXPECT(is_range(3, 0xb000, 0x10000, MEM_USABLE));
	EXPECT_GT(map.nr_overlaps, 0);
}

TEST(memmap, wrapping_ranges_are_dropped_and_counted)
{
	memmap_init(&map);
	memmap_add(&map, UINT64_MAX - 0xfff, 0x2000, USABLE);
	memmap_add(&map, 0x1000, UINT64_MAX, USABLE);
	memmap_add(&map, 0x1000, 0x1000, USABLE);
	finish();
	EXPECT_EQ(map.nr_wrapped, 2);
	EXPECT_EQ(nr, 1);
	EXPECT(is_range(0, 0x1000, 0x2000, MEM_USABLE));
}

TEST(memmap, what_no_cpu_can_address_is_cut)
{
	memmap_init(&map);
	memmap_add(&map, MEMMAP_PHYS_END - 0x1000, 0x3000, USABLE);
	memmap_add(&map, MEMMAP_PHYS_END + 0x1000, 0x3000, USABLE);
	finish();
	EXPECT_EQ(map.nr_clipped, 2);
	EXPECT_EQ(nr, 1);
	EXPECT(is_range(0, MEMMAP_PHYS_END - 0x1000, MEMMAP_PHYS_END, MEM_USABLE));
}

TEST(memmap, empty_ranges_vanish_and_unknown_types_are_reserved)
{
	memmap_init(&map);
	memmap_add(&map, 0x1000, 0, USABLE);
	memmap_add(&map, 0x5000, 0x1000, 77);
	memmap_add(&map, 0x6000, 0x1000, 0);
	finish();
	EXPECT_EQ(nr, 1);
	EXPECT(is_range(0, 0x5000, 0x7000, MEM_RESERVED));
}

TEST(memmap, no_ranges_give_no_ranges)
{
	memmap_init(&map);
	finish();
	EXPECT_EQ(nr, 0);
}

TEST(memmap, too_many_ranges_are_counted_at_both_ends)
{
	memmap_init(&map);
	for (unsigned i = 0; i < MEMMAP_MAX_RAW + 10; i++)
		memmap_add(&map, i * 0x10000ull, 0x1000, USABLE);
	EXPECT_EQ(map.nr_lost, 10);
	finish();
	EXPECT_EQ(nr, MAX_MEM_RANGES);
	EXPECT_EQ(map.nr_lost, 10 + MEMMAP_MAX_RAW - MAX_MEM_RANGES);
}

/* Against the definition: for sample addresses, the strictest type of the ranges around them. */
TEST(memmap, random_maps_agree_with_the_definition)
{
	static const unsigned order[] = {
		[0] = 0, [MEM_USABLE] = 1, [MEM_ACPI_RECLAIM] = 2, [MEM_RESERVED] = 3, [MEM_ACPI_NVS] = 4, [MEM_BAD] = 5};
	uint64_t seed = 1;

	for (unsigned round = 0; round < 500; round++) {
		struct mem_range raw[MEMMAP_MAX_RAW];
		unsigned nr_raw;

		memmap_init(&map);
		for (unsigned i = 0; i < 12; i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			memmap_add(&map, seed >> 40 & 0xff, seed >> 48 & 0x3f, 1 + (seed >> 60) % 5);
		}
		nr_raw = map.nr_raw;
		for (unsigned i = 0; i < nr_raw; i++)
			raw[i] = map.raw[i];
		finish();
		for (uint64_t at = 0; at < 0x140; at++) {
			unsigned want = 0, got = 0;

			for (unsigned i = 0; i < nr_raw; i++)
				if (raw[i].start <= at && at < raw[i].end && order[raw[i].type] > order[want])
					want = raw[i].type;
			for (unsigned i = 0; i < nr; i++)
				if (out[i].start <= at && at < out[i].end)
					got = out[i].type;
			REQUIRE(got == want);
		}
		for (unsigned i = 1; i < nr; i++)
			REQUIRE(out[i - 1].end < out[i].start ||
				(out[i - 1].end == out[i].start && out[i - 1].type != out[i].type));
	}
}
