// SPDX-License-Identifier: MIT
/*
 * Kernel mappings and stacks: guard pages, contents, and what other CPUs see after a free.
 */
#include "lib/test.h"

#include "arch/arch.h"
#include "irq/ipi.h"
#include "lib/atomic.h"
#include "lib/random.h"
#include "lib/string.h"
#include "mm/kmap.h"
#include "mm/page.h"
#include "mm/pgtable.h"
#include "mm/phys.h"
#include "mm/slab.h"

static int probe(vaddr_t va)
{
	uint8_t byte;

	return arch_probe_read(&byte, (const void *)va, 1);
}

TEST(mm, kernel_mappings_are_zero_and_have_guard_pages)
{
	size_t size = 5 * PAGE_SIZE - 100;
	char text[120];
	uint8_t *p;

	REQUIRE(kmap_alloc((void **)&p, size, "test buffer") == 0);
	for (size_t i = 0; i < 5 * PAGE_SIZE; i++)
		REQUIRE(p[i] == 0);
	memset(p, 0xee, size);
	EXPECT_EQ(probe((vaddr_t)p - 1), -EFAULT);
	EXPECT_EQ(probe((vaddr_t)p + 5 * PAGE_SIZE), -EFAULT);
	EXPECT(kmap_describe((vaddr_t)p - 1, text, sizeof(text)));
	EXPECT(str_has_prefix(text, "the guard page below the test buffer"));
	EXPECT(kmap_describe((vaddr_t)p + 5 * PAGE_SIZE, text, sizeof(text)));
	EXPECT(str_has_prefix(text, "the guard page above the test buffer"));
	EXPECT(!kmap_describe((vaddr_t)p, text, sizeof(text)));
	EXPECT(!kmap_describe(arch_layout.text_start, text, sizeof(text)));
	kmap_free(p);
	EXPECT_EQ(probe((vaddr_t)p), -EFAULT);
}

TEST(mm, stacks_have_a_guard_page_below)
{
	vaddr_t bottom, top;
	char text[120];

	REQUIRE(kstack_alloc(&bottom, &top) == 0);
	EXPECT_EQ(top - bottom, KSTACK_SIZE);
	EXPECT_EQ(probe(bottom), 0);
	EXPECT_EQ(probe(top - 1), 0);
	EXPECT_EQ(probe(bottom - 1), -EFAULT);
	EXPECT_EQ(probe(top), -EFAULT);
	EXPECT(kmap_describe(bottom - 8, text, sizeof(text)));
	EXPECT(str_has_prefix(text, "the guard page below the kernel stack"));
	kstack_free(bottom);
}

TEST(mm, physical_mappings_lead_where_they_say)
{
	struct page *page;
	unsigned flags = 0;
	uint8_t *p;

	REQUIRE(page_alloc(&page, 1, PAGE_ALLOC_ZERO) == 0);
	REQUIRE(kmap_phys((void **)&p, page_to_phys(page) + 4000, 200, PTE_WRITE, "test") == 0);
	p[199] = 42; /* on the second page */
	EXPECT_EQ(((uint8_t *)page_to_virt(page))[4199], 42);
	kmap_unmap(p);
	REQUIRE(kmap_phys((void **)&p, page_to_phys(page), 200, PTE_UNCACHED, "test") == 0);
	EXPECT_EQ(pgtable_lookup(&kernel_pgtable, (vaddr_t)p, NULL, &flags, NULL), 0);
	EXPECT_EQ(flags, PTE_UNCACHED | PTE_GLOBAL);
	kmap_unmap(p);
	page_put(page);
	EXPECT_EQ(kmap_phys((void **)&p, UINT64_MAX - 10, 200, 0, "test"), -EINVAL);
}

TEST(mm, a_mapping_larger_than_there_are_addresses_is_refused)
{
	void *p;

	EXPECT_EQ(kmap_alloc(&p, SIZE_MAX, "test"), -ENOMEM); /* rounded up it would be nothing */
	EXPECT_EQ(kmap_alloc(&p, arch_layout.kmap_end - arch_layout.kmap_base, "test"), -ENOMEM);
}

/* What the others read at an address, and whether it was right. */
static const uint64_t *where;
static uint64_t expected;
static uint32_t nr_wrong; /* [a] */

static void look(void *arg UNUSED)
{
	if (*(const volatile uint64_t *)where != expected)
		atomic_add(&nr_wrong, 1u);
}

TEST(mm, no_cpu_sees_an_old_translation)
{
	enum { NR_PAGES = 3, NR_ROUNDS = 60 };
	struct page *page[NR_PAGES];
	void *first = NULL, *p;
	unsigned nr_same = 0;

	for (unsigned i = 0; i < NR_PAGES; i++) {
		REQUIRE(page_alloc(&page[i], 0, 0) == 0);
		*(uint64_t *)page_to_virt(page[i]) = i;
	}
	atomic_store(&nr_wrong, 0u);
	for (unsigned round = 0; round < NR_ROUNDS; round++) {
		REQUIRE(kmap_phys(&p, page_to_phys(page[round % NR_PAGES]), PAGE_SIZE, 0, "test") == 0);
		first = first ? first : p;
		nr_same += p == first;
		where = p;
		expected = round % NR_PAGES;
		look(NULL);
		ipi_call_others(look, NULL); /* fills their TLBs, too */
		kmap_unmap(p);
	}
	EXPECT_EQ(nr_wrong, 0);
	EXPECT_GT(nr_same, NR_ROUNDS / 2); /* or it proved nothing: another address each time */
	for (unsigned i = 0; i < NR_PAGES; i++)
		page_put(page[i]);
}

TEST(mm, random_mappings_never_overlap_and_all_come_back)
{
	enum { NR_LIVE = 64 };
	static struct {
		uint64_t *p;
		size_t words;
	} live[NR_LIVE];
	unsigned long rounds = test_rounds(4000);
	struct random r;

	random_seed(&r, 5);
	for (unsigned long round = 0; round < rounds + NR_LIVE; round++) {
		unsigned i = (unsigned)(round < rounds ? random_below(&r, NR_LIVE) : round - rounds);

		if (live[i].p) {
			EXPECT_EQ(live[i].p[0], i);
			EXPECT_EQ(live[i].p[live[i].words - 1], i);
			kmap_free(live[i].p);
			live[i].p = NULL;
		} else if (round < rounds) {
			live[i].words = (1 + random_below(&r, 20 * PAGE_SIZE)) / sizeof(uint64_t) + 1;
			REQUIRE(kmap_alloc((void **)&live[i].p, live[i].words * sizeof(uint64_t), "test") == 0);
			live[i].p[0] = live[i].p[live[i].words - 1] = i;
		}
	}
}
