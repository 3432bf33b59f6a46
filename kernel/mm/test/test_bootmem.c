// SPDX-License-Identifier: MIT
/*
 * Boot memory on maps as firmware gives them, and worse.
 */
// LINK: mm/bootmem.c
#include "lib/test.h"

#include "mm/test/fake_machine.h"

static struct mem_range given[256];
static unsigned nr_given;

static void remember(paddr_t start, paddr_t end)
{
	given[nr_given++] = (struct mem_range){.start = start, .end = end};
}

static void release(void)
{
	nr_given = 0;
	bootmem_release(remember);
}

static bool is_given(paddr_t pa)
{
	for (unsigned i = 0; i < nr_given; i++)
		if (pa >= given[i].start && pa < given[i].end)
			return true;
	return false;
}

TEST(bootmem, keeps_what_is_in_use_out_of_the_zones)
{
	static const struct mem_range map[] = {{0, 0x9fc00, MEM_USABLE}, {0x9fc00, 0xa0000, MEM_RESERVED},
		{1 * MIB, 64 * MIB, MEM_USABLE}, {64 * MIB, 65 * MIB, MEM_ACPI_RECLAIM}};

	fake_machine(map, ARRAY_LEN(map));
	bootinfo.kernel_start = 1 * MIB;
	bootinfo.kernel_end = 3 * MIB + 17;
	bootinfo.initrd_start = 8 * MIB + 5;
	bootinfo.initrd_end = 9 * MIB + 5;
	bootmem_init(0);
	bootmem_reserve(0x8000, 0x9000, "a trampoline");
	release();
	EXPECT(!is_given(0));
	EXPECT(is_given(PAGE_SIZE));
	EXPECT(!is_given(0x8000));
	EXPECT(is_given(0x9000));
	EXPECT(!is_given(0x9f000)); /* only a part of that page is memory */
	EXPECT(!is_given(1 * MIB));
	EXPECT(!is_given(3 * MIB));
	EXPECT(is_given(3 * MIB + PAGE_SIZE));
	EXPECT(!is_given(8 * MIB));
	EXPECT(!is_given(9 * MIB));
	EXPECT(is_given(9 * MIB + PAGE_SIZE));
	EXPECT(!is_given(64 * MIB)); /* ACPI tables are RAM, but not free */
	EXPECT_EQ(bootmem_max_pfn(), 65 * MIB >> PAGE_SHIFT);
	for (unsigned i = 1; i < nr_given; i++)
		EXPECT_LT(given[i - 1].end, given[i].start);
}

TEST(bootmem, a_place_found_in_low_memory_is_in_nobodys_way)
{
	static const struct mem_range map[] = {{0, 0x9fc00, MEM_USABLE}, {0x9fc00, 0xa0000, MEM_RESERVED},
		{1 * MIB, 64 * MIB, MEM_USABLE}};
	const paddr_t low_end = 0xa0000;

	fake_machine(map, ARRAY_LEN(map));
	bootmem_init(0);
	EXPECT_EQ(bootmem_find(PAGE_SIZE, PAGE_SIZE, low_end), 0x9e000);
	bootinfo.initrd_start = 0x1000; /* where GRUB puts it under OVMF */
	bootinfo.initrd_end = 0x9d001;
	bootmem_init(0);
	EXPECT_EQ(bootmem_find(PAGE_SIZE, PAGE_SIZE, low_end), 0x9e000);
	bootmem_reserve(0x9e000, 0x9f000, "a trampoline");
	EXPECT_EQ(bootmem_find(PAGE_SIZE, PAGE_SIZE, low_end), 0);
	bootinfo.initrd_start = 0x80000;
	bootinfo.initrd_end = 0x9f000;
	bootmem_init(0);
	EXPECT_EQ(bootmem_find(PAGE_SIZE, PAGE_SIZE, low_end), 0x7f000);
}

TEST(bootmem, allocations_are_zeroed_aligned_apart_and_below_4_gib)
{
	static const struct mem_range map[] = {
		{0, 640 * KIB, MEM_USABLE}, {1 * MIB, 32 * MIB, MEM_USABLE}, {4 * GIB, 5 * GIB, MEM_USABLE}};
	paddr_t at[32], raw;

	fake_machine(map, ARRAY_LEN(map));
	bootmem_init(0);
	for (unsigned i = 0; i < ARRAY_LEN(at); i++) {
		size_t size = (i % 5 + 1) * 3000, align = 1ul << (i % 18);
		uint8_t *p = bootmem_alloc(size, align, "test");

		at[i] = virt_to_phys(p);
		EXPECT(IS_ALIGNED(at[i], align) && IS_ALIGNED(at[i], PAGE_SIZE));
		EXPECT(at[i] >= MIB && at[i] + size <= 32 * MIB);
		for (size_t b = 0; b < size; b++)
			REQUIRE(p[b] == 0);
		__builtin_memset(p, 0xff, size); /* a later one that overlaps is not zero */
	}
	raw = bootmem_alloc_raw(2 * MIB, 2 * MIB, "test");
	EXPECT(raw >= 4 * GIB && IS_ALIGNED(raw, 2 * MIB));
	release();
	EXPECT(!is_given(raw));
	for (unsigned i = 0; i < ARRAY_LEN(at); i++)
		EXPECT(!is_given(at[i]));
}

TEST(bootmem, the_word_mem_limits_what_is_used)
{
	static const struct mem_range map[] = {{0, 640 * KIB, MEM_USABLE}, {1 * MIB, 128 * MIB, MEM_USABLE}};

	fake_machine(map, ARRAY_LEN(map));
	bootmem_init(20 * MIB + 1);
	release();
	EXPECT(is_given(20 * MIB - PAGE_SIZE));
	EXPECT(!is_given(20 * MIB));
	EXPECT_EQ(bootmem_max_pfn(), 20 * MIB >> PAGE_SHIFT);
}

TEST(bootmem, ranges_at_the_end_of_the_address_space_are_cut)
{
	static const struct mem_range map[] = {
		{1 * MIB, 16 * MIB, MEM_USABLE}, {UINT64_MAX - 100, UINT64_MAX, MEM_USABLE}};

	fake_machine(map, ARRAY_LEN(map));
	bootmem_init(0);
	release();
	EXPECT_EQ(nr_given, 1);
	EXPECT_EQ(bootmem_max_pfn(), 16 * MIB >> PAGE_SHIFT);
}

TEST(bootmem, reserving_splits_shrinks_and_swallows_ranges)
{
	static const struct mem_range map[] = {{1 * MIB, 2 * MIB, MEM_USABLE}, {3 * MIB, 4 * MIB, MEM_USABLE},
		{5 * MIB, 6 * MIB, MEM_USABLE}, {7 * MIB, 8 * MIB, MEM_USABLE}};

	fake_machine(map, ARRAY_LEN(map));
	bootmem_init(0);
	bootmem_reserve(MIB + MIB / 4, MIB + MIB / 2, "a hole");
	bootmem_reserve(3 * MIB + MIB / 2, 7 * MIB + MIB / 2, "an end, a whole and a start");
	release();
	REQUIRE(nr_given == 4);
	EXPECT_EQ(given[0].end, MIB + MIB / 4);
	EXPECT_EQ(given[1].start, MIB + MIB / 2);
	EXPECT_EQ(given[2].end, 3 * MIB + MIB / 2);
	EXPECT_EQ(given[3].start, 7 * MIB + MIB / 2);
}
