// SPDX-License-Identifier: MIT
/*
 * The buddy system, alone: one CPU, memory as a map says.
 */
// LINK: mm/page.c mm/bootmem.c mm/fail.c lib/parse.c lib/random.c
#include "lib/test.h"

#include "lib/random.h"
#include "mm/fail.h"
#include "mm/test/fake_machine.h"

/* Holes, ragged edges, and both sides of 4 GiB. */
static const struct mem_range ragged[] = {
	{0, 0x9f000, MEM_USABLE},
	{1 * MIB, 13 * MIB + 5 * PAGE_SIZE, MEM_USABLE},
	{14 * MIB, 15 * MIB, MEM_RESERVED},
	{15 * MIB, 15 * MIB + 3 * PAGE_SIZE, MEM_USABLE},
	{4 * GIB - 9 * MIB, 4 * GIB - MIB, MEM_USABLE},
	{4 * GIB, 4 * GIB + 21 * MIB, MEM_USABLE},
};

static uint64_t map_pages(const struct mem_range *map, unsigned nr)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < nr; i++)
		pages += map[i].type == MEM_USABLE ? (map[i].end - map[i].start) >> PAGE_SHIFT
						   : 0;
	return pages;
}

static void start(const struct mem_range *map, unsigned nr)
{
	page_drain_caches();
	fake_machine(map, nr);
	bootmem_init(0);
	page_init();
	page_check();
}

static uint64_t nr_free(void)
{
	struct page_stats s;

	page_get_stats(&s);
	return s.free;
}

static bool is_in_map(paddr_t start_pa, paddr_t end_pa)
{
	for (unsigned i = 0; i < bootinfo.nr_mem; i++)
		if (bootinfo.mem[i].type == MEM_USABLE && start_pa >= bootinfo.mem[i].start &&
			end_pa <= bootinfo.mem[i].end)
			return true;
	return false;
}

TEST(page, every_page_of_a_ragged_map_can_be_had_once)
{
	static struct page *all[64 * MIB / PAGE_SIZE];
	unsigned nr = 0;

	start(ragged, ARRAY_LEN(ragged));
	EXPECT_EQ(nr_free(), map_pages(ragged, ARRAY_LEN(ragged)) - 1); /* page 0 is kept */
	while (nr < ARRAY_LEN(all) && page_alloc(&all[nr], 0, PAGE_ALLOC_ZERO) == 0) {
		EXPECT(is_in_map(page_to_phys(all[nr]), page_to_phys(all[nr]) + PAGE_SIZE));
		EXPECT_EQ(all[nr]->refs, 1);
		all[nr]->index =
			UINT64_MAX; /* the next owner of the same struct would see it */
		EXPECT_EQ(*(uint64_t *)page_to_virt(all[nr]), 0);
		*(uint64_t *)page_to_virt(all[nr]) = 1;
		nr++;
	}
	EXPECT_EQ(nr, map_pages(ragged, ARRAY_LEN(ragged)) - 1);
	EXPECT_EQ(nr_free(), 0);
	EXPECT_EQ(page_largest_free_order(), -1);
	for (unsigned i = 0; i < nr; i++)
		page_put(all[i]);
	page_drain_caches();
	page_check();
	EXPECT_EQ(nr_free(), nr);
}

TEST(page, freeing_everything_merges_to_the_largest_blocks)
{
	static const struct mem_range map[] = {{16 * MIB, 48 * MIB, MEM_USABLE}};
	static struct page *all[32 * MIB / PAGE_SIZE], *block[8];
	unsigned nr = 0;

	start(map, 1);
	while (page_alloc(&all[nr], 0, 0) == 0)
		if (++nr == ARRAY_LEN(all))
			break;
	EXPECT_EQ(nr, ARRAY_LEN(all));
	for (unsigned i = 0; i < nr; i += 2)
		page_put(all[i]);
	for (unsigned i = 1; i < nr; i += 2)
		page_put(all[i]);
	page_drain_caches();
	page_check();
	for (unsigned i = 0; i < ARRAY_LEN(block); i++)
		EXPECT_EQ(page_alloc(&block[i], PAGE_MAX_ORDER, 0), 0);
	for (unsigned i = 0; i < ARRAY_LEN(block); i++)
		page_put(block[i]);
}

TEST(page, blocks_are_aligned_to_their_size)
{
	start(ragged, ARRAY_LEN(ragged));
	for (unsigned order = 0; order <= PAGE_MAX_ORDER; order++) {
		struct page *p;

		REQUIRE(page_alloc(&p, order, 0) == 0);
		EXPECT(IS_ALIGNED(page_to_pfn(p), 1ul << order));
		EXPECT(is_in_map(page_to_phys(p), page_to_phys(p) + (PAGE_SIZE << order)));
		EXPECT_EQ(p->order, order);
		page_put(p);
		page_check();
	}
}

TEST(page, split_makes_single_pages_that_merge_again)
{
	uint64_t before;
	struct page *p;

	start(ragged, ARRAY_LEN(ragged));
	before = nr_free();
	REQUIRE(page_alloc(&p, 5, 0) == 0);
	page_split(p);
	for (unsigned i = 0; i < 32; i++) {
		EXPECT_EQ(p[i].refs, 1);
		EXPECT_EQ(p[i].order, 0);
		page_put(&p[i]);
	}
	EXPECT_EQ(nr_free(), before);
	page_drain_caches();
	page_check();
}

TEST(page, references_keep_a_block)
{
	uint64_t before;
	struct page *p;

	start(ragged, ARRAY_LEN(ragged));
	before = nr_free();
	REQUIRE(page_alloc(&p, 2, 0) == 0);
	page_get(p);
	page_put(p);
	EXPECT_EQ(nr_free(), before - 4);
	page_put(p);
	EXPECT_EQ(nr_free(), before);
}

TEST(page, low_pages_lie_below_4_gib_and_others_come_from_above_first)
{
	struct page *low, *any;

	start(ragged, ARRAY_LEN(ragged));
	REQUIRE(page_alloc(&any, 3, 0) == 0);
	EXPECT_GE(page_to_phys(any), 4 * GIB);
	REQUIRE(page_alloc(&low, 3, PAGE_ALLOC_LOW) == 0);
	EXPECT_LT(page_to_phys(low), 4 * GIB);
	page_put(any);
	page_put(low);
}

TEST(page, memory_that_is_not_wanted_stays_raw)
{
	static const struct mem_range map[] = {{0, FAKE_PHYSICAL, MEM_USABLE}};
	struct page_stats s;
	struct page *p;

	start(map, 1);
	REQUIRE(page_alloc(&p, 0, 0) == 0);
	page_get_stats(&s);
	EXPECT_EQ(s.total - s.raw, 1u << PAGE_MAX_ORDER); /* one block was pulled */
	page_put(p);
}

TEST(page, too_large_a_block_fails_and_leaves_nothing_behind)
{
	static const struct mem_range map[] = {{1 * MIB, 3 * MIB, MEM_USABLE}};
	uint64_t before;
	struct page *p;

	start(map, 1);
	before = nr_free();
	EXPECT_EQ(page_alloc(&p, PAGE_MAX_ORDER, 0), -ENOMEM);
	EXPECT_EQ(nr_free(), before);
	EXPECT_EQ(page_alloc(&p, 8, 0), 0);
	page_put(p);
}

TEST(page, cached_pages_help_a_large_allocation_at_the_end)
{
	static const struct mem_range map[] = {{4 * MIB, 8 * MIB, MEM_USABLE}};
	struct page *p;

	start(map, 1);
	REQUIRE(page_alloc(&p, 0, 0) == 0);
	page_put(p); /* the block is broken, its pages in the cache */
	EXPECT_EQ(page_alloc(&p, PAGE_MAX_ORDER, 0), 0);
	page_put(p);
}

TEST(page, the_injector_fails_the_nth_allocation_once)
{
	struct page *p;

	start(ragged, ARRAY_LEN(ragged));
	fail_arm(2);
	REQUIRE(page_alloc(&p, 0, 0) == 0);
	page_put(p);
	EXPECT_EQ(page_alloc(&p, 0, PAGE_ALLOC_NO_FAIL_INJECT), 0);
	page_put(p);
	EXPECT_EQ(page_alloc(&p, 0, 0), -ENOMEM);
	EXPECT_EQ(page_alloc(&p, 0, 0), 0);
	page_put(p);
	EXPECT(fail_disarm());
	EXPECT(!fail_disarm());
}

TEST(page, random_orders_never_overlap_and_all_come_back)
{
	enum { NR_LIVE = 256, NR_STEPS = 200000 };
	static struct page *live[NR_LIVE];
	struct random r;
	uint64_t before;

	start(ragged, ARRAY_LEN(ragged));
	before = nr_free();
	random_seed(&r, 1);
	for (unsigned step = 0; step < NR_STEPS; step++) {
		unsigned i = (unsigned)random_below(&r, NR_LIVE);
		unsigned order = (unsigned)random_below(&r, 100) < 90
					 ? (unsigned)random_below(&r, 4)
					 : (unsigned)random_below(&r, 9);

		if (live[i]) {
			/* Whoever overlapped us would have written his own head here. */
			REQUIRE(*(struct page **)page_to_virt(live[i]) == live[i]);
			page_put(live[i]);
			live[i] = NULL;
		} else if (page_alloc(&live[i], order, 0) == 0) {
			for (size_t at = 0; at < PAGE_SIZE << order; at += PAGE_SIZE)
				*(struct page **)((char *)page_to_virt(live[i]) + at) = live[i];
		}
		if (step % 10000 == 0)
			page_check();
	}
	for (unsigned i = 0; i < NR_LIVE; i++)
		if (live[i])
			page_put(live[i]);
	page_drain_caches();
	page_check();
	EXPECT_EQ(nr_free(), before);
}

/* Every page from start to end, and no other, can be had besides `before` pages. */
static void give_and_count(paddr_t start_pa, paddr_t end_pa)
{
	static struct page *all[64 * MIB / PAGE_SIZE];
	uint64_t nr = 0, given = 0, expected = nr_free() + (end_pa - start_pa) / PAGE_SIZE;

	for (paddr_t at = start_pa; at < end_pa; at += 300 * KIB) {
		struct page *p; /* the pieces share blocks */

		page_give_late(at, MIN(at + 300 * KIB, end_pa));
		page_check();
		REQUIRE(page_alloc(&p, 8, 0) == 0); /* meanwhile others pull, take and give */
		page_put(p);
	}
	EXPECT_EQ(nr_free(), expected);
	while (page_alloc(&all[nr], 0, 0) == 0) {
		given += page_to_phys(all[nr]) >= start_pa && page_to_phys(all[nr]) < end_pa;
		nr++;
	}
	EXPECT_EQ(nr, expected);
	EXPECT_EQ(given, (end_pa - start_pa) / PAGE_SIZE);
	while (nr)
		page_put(all[--nr]);
	page_drain_caches();
	page_check();
	EXPECT_EQ(nr_free(), expected);
}

/* An initrd in blocks that were pulled, that were not, and that have nothing else in them. */
TEST(page, memory_given_late_can_be_had)
{
	static const struct {
		paddr_t start, end;
		unsigned pull; /* pages that are taken before */
	} cases[] = {
		{2 * MIB, 3 * MIB, 0},         /* nothing pulled */
		{2 * MIB, 3 * MIB, 11 * 1024}, /* everything pulled */
		{2 * MIB + PAGE_SIZE, 11 * MIB + PAGE_SIZE,
			1},                                 /* a whole block of its own, raw */
		{2 * MIB + PAGE_SIZE, 11 * MIB, 11 * 1024}, /* and above what was pulled */
		{4 * GIB + 5 * MIB, 4 * GIB + 18 * MIB, 1}, /* around the last pulled one */
		{4 * GIB + 5 * MIB, 4 * GIB + 18 * MIB, 2 * 1024},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		static struct page *taken[11 * 1024];
		unsigned nr = 0;

		page_drain_caches();
		fake_machine(ragged, ARRAY_LEN(ragged));
		bootinfo.initrd_start = cases[i].start;
		bootinfo.initrd_end = cases[i].end;
		bootmem_init(0);
		page_init();
		while (nr < cases[i].pull && page_alloc(&taken[nr], 0, 0) == 0)
			nr++;
		while (nr)
			page_put(taken[--nr]);
		give_and_count(cases[i].start, cases[i].end);
		bootinfo.initrd_start = bootinfo.initrd_end = 0;
	}
}
