// SPDX-License-Identifier: MIT
/*
 * The page-table walker, over tables in an arena; entries are encoded as the simulated machine
 * encodes them (as on x86-64).
 */
// LINK: mm/pgtable.c lib/random.c
#include "lib/test.h"

#include <stdlib.h>

#include "lib/random.h"
#include "mm/pgtable.h"
#include "mm/phys.h"

enum { MAX_TABLES = 64, MODEL_PAGES = 2048 };
#define VA	0x0000700000000000ul /* 512 GiB-aligned and more */
#define SIZE_2M pgtable_level_size(1)
#define SIZE_1G pgtable_level_size(2)

struct arch_layout arch_layout; /* direct_base 0: a physical address is a pointer */
static uint8_t tables[MAX_TABLES][4096] ALIGNED(4096);
static unsigned nr_tables, max_tables;
static bool has_1g;

bool arch_pte_level_is_leafable(unsigned level)
{
	return level < 2 || (level == 2 && has_1g);
}

static paddr_t alloc_table(void)
{
	if (nr_tables == max_tables)
		return 0;
	__builtin_memset(tables[nr_tables], 0, sizeof(tables[0]));
	return (paddr_t)tables[nr_tables++];
}

static struct pgtable start(void)
{
	struct pgtable pt = {.alloc_table = alloc_table};

	nr_tables = 0;
	max_tables = MAX_TABLES;
	has_1g = true;
	pt.root = alloc_table();
	return pt;
}

static unsigned level_at(const struct pgtable *pt, vaddr_t va)
{
	unsigned level = 99;

	return pgtable_lookup(pt, va, NULL, NULL, &level) ? 98 : level;
}

TEST(pgtable, maps_with_the_largest_pages_that_fit)
{
	struct pgtable pt = start();
	paddr_t pa = 0;
	unsigned flags = 0;

	/* 4 KiB pages up to a 2 MiB border, 2 MiB pages up to a 1 GiB border, and back down. */
	REQUIRE(pgtable_map(&pt, VA + SIZE_1G - SIZE_2M - PAGE_SIZE, SIZE_1G - SIZE_2M - PAGE_SIZE,
			SIZE_1G + 2 * SIZE_2M + 2 * PAGE_SIZE, PTE_WRITE, 2) == 0);
	EXPECT_EQ(level_at(&pt, VA + SIZE_1G - SIZE_2M - PAGE_SIZE), 0);
	EXPECT_EQ(level_at(&pt, VA + SIZE_1G - SIZE_2M), 1);
	EXPECT_EQ(level_at(&pt, VA + SIZE_1G), 2);
	EXPECT_EQ(level_at(&pt, VA + 2 * SIZE_1G), 1);
	EXPECT_EQ(level_at(&pt, VA + 2 * SIZE_1G + SIZE_2M), 0);
	EXPECT_EQ(level_at(&pt, VA + 2 * SIZE_1G + SIZE_2M + PAGE_SIZE), 98);
	EXPECT_EQ(level_at(&pt, VA + SIZE_1G - SIZE_2M - 2 * PAGE_SIZE), 98);
	EXPECT_EQ(pgtable_lookup(&pt, VA + SIZE_1G + 12345, &pa, &flags, NULL), 0);
	EXPECT_EQ(pa, SIZE_1G + 12345);
	EXPECT_EQ(flags, PTE_WRITE);
}

TEST(pgtable, without_1_gib_pages_uses_2_mib_ones)
{
	struct pgtable pt = start();

	has_1g = false;
	REQUIRE(pgtable_map(&pt, VA, 0, 2 * SIZE_1G, 0, 2) == 0);
	EXPECT_EQ(level_at(&pt, VA + SIZE_1G), 1);
	EXPECT_EQ(nr_tables, 4); /* root, level 2, two of level 1 */
}

TEST(pgtable, unaligned_physical_addresses_forbid_large_pages)
{
	struct pgtable pt = start();

	REQUIRE(pgtable_map(&pt, VA, PAGE_SIZE, SIZE_2M, 0, 2) == 0);
	EXPECT_EQ(level_at(&pt, VA), 0);
}

TEST(pgtable, splitting_keeps_what_is_mapped)
{
	struct pgtable pt = start();
	paddr_t pa = 0;
	unsigned flags = 0;

	REQUIRE(pgtable_map(&pt, VA, 4 * SIZE_1G, SIZE_1G, PTE_WRITE | PTE_GLOBAL, 2) == 0);
	REQUIRE(pgtable_protect(&pt, VA + SIZE_2M + PAGE_SIZE, PAGE_SIZE, PTE_GLOBAL) == 0);
	for (vaddr_t at = 0; at < SIZE_1G; at += SIZE_2M / 2) {
		REQUIRE(pgtable_lookup(&pt, VA + at, &pa, &flags, NULL) == 0);
		EXPECT_EQ(pa, 4 * SIZE_1G + at);
		EXPECT_EQ(flags, PTE_WRITE | PTE_GLOBAL);
	}
	REQUIRE(pgtable_lookup(&pt, VA + SIZE_2M + PAGE_SIZE, &pa, &flags, NULL) == 0);
	EXPECT_EQ(pa, 4 * SIZE_1G + SIZE_2M + PAGE_SIZE);
	EXPECT_EQ(flags, PTE_GLOBAL);
	EXPECT_EQ(level_at(&pt, VA + SIZE_2M), 0);
	EXPECT_EQ(level_at(&pt, VA), 1);
}

TEST(pgtable, out_of_tables_undoes_the_mapping)
{
	for (unsigned limit = 1; limit < 10; limit++) {
		struct pgtable pt = start();
		size_t size = 3 * SIZE_2M;
		int err;

		max_tables = limit;
		err = pgtable_map(&pt, VA + PAGE_SIZE, 0, size, 0, 2);
		if (!err)
			return;
		EXPECT_EQ(err, -ENOMEM);
		for (vaddr_t at = 0; at < size + SIZE_2M; at += PAGE_SIZE)
			REQUIRE(level_at(&pt, VA + at) == 98);
		max_tables = MAX_TABLES;
		EXPECT_EQ(pgtable_map(&pt, VA + PAGE_SIZE, 0, size, 0, 2), 0);
	}
	EXPECT(!"reached: it must succeed with enough tables");
}

TEST(pgtable, out_of_tables_unmaps_nothing)
{
	struct pgtable pt = start();

	REQUIRE(pgtable_map(&pt, VA, 0, SIZE_2M, 0, 2) == 0);
	max_tables = nr_tables;
	EXPECT_EQ(pgtable_unmap(&pt, VA + PAGE_SIZE, PAGE_SIZE), -ENOMEM);
	EXPECT_EQ(level_at(&pt, VA + PAGE_SIZE), 1);
	EXPECT_EQ(pgtable_unmap(&pt, VA, SIZE_2M), 0);
	EXPECT_EQ(level_at(&pt, VA), 98);
}

static unsigned nr_leaves;
static vaddr_t last_va;

static void count_leaf(vaddr_t va, paddr_t pa UNUSED, unsigned flags UNUSED, unsigned level UNUSED, void *ctx UNUSED)
{
	EXPECT(nr_leaves == 0 || va > last_va);
	last_va = va;
	nr_leaves++;
}

TEST(pgtable, walks_both_halves_in_order)
{
	struct pgtable pt = start();

	nr_leaves = 0;
	REQUIRE(pgtable_map(&pt, VA, 0, 3 * PAGE_SIZE, 0, 0) == 0);
	REQUIRE(pgtable_map(&pt, 0xffff800000000000ul, 0, SIZE_1G, 0, 2) == 0);
	REQUIRE(pgtable_map(&pt, 0xfffffffffffff000ul, 0, PAGE_SIZE, 0, 2) == 0);
	pgtable_for_each_leaf(&pt, count_leaf, NULL);
	EXPECT_EQ(nr_leaves, 5);
	EXPECT_EQ(last_va, 0xfffffffffffff000ul);
}

/* What a page of the model should be: 0 unmapped, else its physical page, and its flags. */
struct model_page {
	paddr_t pa;
	unsigned flags;
};

static void expect_model(const struct pgtable *pt, const struct model_page *model)
{
	for (unsigned i = 0; i < MODEL_PAGES; i++) {
		paddr_t pa = 0;
		unsigned flags = 0;
		int err = pgtable_lookup(pt, VA + i * PAGE_SIZE, &pa, &flags, NULL);

		if (err != (model[i].pa ? 0 : -EFAULT) || pa != model[i].pa || flags != model[i].flags) {
			test_fail(__FILE__, __LINE__, "page %u: %d %#lx %u, expected %#lx %u", i, err,
				(unsigned long)pa, flags, (unsigned long)model[i].pa, model[i].flags);
			return;
		}
	}
}

TEST(pgtable, agrees_with_a_flat_model_after_random_operations)
{
	static struct model_page model[MODEL_PAGES];
	struct pgtable pt = start();
	struct random r;

	random_seed(&r, 7);
	__builtin_memset(model, 0, sizeof(model));
	for (unsigned step = 0; step < 400; step++) {
		unsigned first = (unsigned)random_below(&r, MODEL_PAGES);
		unsigned nr = 1 + (unsigned)random_below(&r, MODEL_PAGES - first);
		unsigned flags = (unsigned)random_below(&r, 4), what = (unsigned)random_below(&r, 3);
		vaddr_t va = VA + first * PAGE_SIZE;
		paddr_t pa = (1 + random_below(&r, 8)) * SIZE_2M + (random_one_in(&r, 2) ? first * PAGE_SIZE : 0);
		bool is_free = true;

		for (unsigned i = first; i < first + nr; i++)
			is_free = is_free && !model[i].pa;
		if (what == 0 && !is_free)
			what = 1;
		if (what == 0)
			REQUIRE(pgtable_map(&pt, va, pa, nr * PAGE_SIZE, flags, 2) == 0);
		else if (what == 1)
			REQUIRE(pgtable_unmap(&pt, va, nr * PAGE_SIZE) == 0);
		else
			REQUIRE(pgtable_protect(&pt, va, nr * PAGE_SIZE, flags) == 0);
		for (unsigned i = first; i < first + nr; i++) {
			if (what == 0)
				model[i] = (struct model_page){pa + (i - first) * PAGE_SIZE, flags};
			else if (what == 1)
				model[i] = (struct model_page){0, 0};
			else if (model[i].pa)
				model[i].flags = flags;
		}
		expect_model(&pt, model);
	}
}
