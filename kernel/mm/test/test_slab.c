// SPDX-License-Identifier: MIT
/*
 * Slabs and magazines on one CPU, and what debug kernels report.
 */
// LINK: mm/slab.c mm/slab_debug.c mm/mem.c mm/page.c mm/bootmem.c mm/fail.c lib/parse.c lib/random.c lib/bitmap.c
#include "lib/test.h"

#include "lib/random.h"
#include "mm/fail.h"
#include "mm/slab.h"
#include "mm/slab_debug.h"
#include "mm/test/fake_machine.h"

static const struct mem_range map[] = {{0, 640 * KIB, MEM_USABLE}, {1 * MIB, 64 * MIB, MEM_USABLE}};

static void start(void)
{
	static bool is_done; /* the caches' list starts once in a kernel's life */

	if (is_done)
		return;
	is_done = true;
	fake_machine(map, ARRAY_LEN(map));
	bootmem_init(0);
	page_init();
	slab_init();
}

static uint64_t nr_free_pages(void)
{
	struct page_stats s;

	slab_shrink();
	page_drain_caches();
	page_get_stats(&s);
	return s.free;
}

/* Writes where the host's checker would stop us: that is the point. */
static NO_CHECKERS void wild_write(void *at, size_t offset, uint8_t byte)
{
	((volatile uint8_t *)at)[offset] = byte;
}

static struct slab_report seen;
static unsigned nr_seen;

static void remember(const struct slab_report *r)
{
	seen = *r;
	nr_seen++;
}

static void start_reports(void)
{
	start();
	nr_seen = 0;
	slab_set_report_hook(remember);
}

TEST(slab, objects_are_aligned_apart_and_all_come_back)
{
	static const size_t sizes[] = {1, 8, 24, 100, 500, 4000, 9000, 32768};
	static const size_t aligns[] = {0, 64, 4096};
	static void *obj[600];

	start();
	for (unsigned s = 0; s < ARRAY_LEN(sizes); s++) {
		for (unsigned a = 0; a < ARRAY_LEN(aligns); a++) {
			uint64_t before = nr_free_pages();
			size_t nr = MIN(ARRAY_LEN(obj), 4 * MIB / sizes[s]), align = MAX(aligns[a], 8ul);
			struct slab_cache *c;

			REQUIRE(slab_cache_create(&c, "test", sizes[s], aligns[a]) == 0);
			for (unsigned i = 0; i < nr; i++) {
				obj[i] = slab_alloc(c, SLAB_ZERO);
				REQUIRE(obj[i] && IS_ALIGNED((uintptr_t)obj[i], align));
				for (size_t b = 0; b < sizes[s]; b++)
					REQUIRE(((uint8_t *)obj[i])[b] == 0);
				__builtin_memset(obj[i], (int)i + 1, sizes[s]);
			}
			slab_check();
			for (unsigned i = 0; i < nr; i++) {
				REQUIRE(((uint8_t *)obj[i])[0] == (uint8_t)(i + 1));
				REQUIRE(((uint8_t *)obj[i])[sizes[s] - 1] == (uint8_t)(i + 1));
				slab_free(c, obj[i]);
			}
			slab_check();
			slab_cache_destroy(c);
			EXPECT_EQ(nr_free_pages(), before);
		}
	}
	page_check();
}

TEST(slab, slabs_begin_at_different_colours)
{
	struct slab_cache *c;
	void *obj[64];
	unsigned nr_colours = 0;
	uint64_t colours = 0;

	start();
	REQUIRE(slab_cache_create(&c, "test", 1000, 64) == 0);
	for (unsigned i = 0; i < ARRAY_LEN(obj); i++) {
		obj[i] = slab_alloc(c, 0);
		REQUIRE(obj[i]);
		colours |= BIT(virt_to_page(obj[i])->index / CACHE_LINE % 64);
	}
	for (; colours; colours &= colours - 1)
		nr_colours++;
	EXPECT_GT(nr_colours, 1);
	for (unsigned i = 0; i < ARRAY_LEN(obj); i++)
		slab_free(c, obj[i]);
	slab_cache_destroy(c);
}

TEST(slab, memory_by_size_is_at_least_that_size_and_comes_back)
{
	uint64_t before;

	start();
	before = nr_free_pages();
	for (size_t size = 0; size <= 70000; size += size < 300 ? 1 : 97) {
		uint8_t *p = mem_alloc(size, SLAB_ZERO);

		REQUIRE(p && IS_ALIGNED((uintptr_t)p, 16));
		EXPECT_GE(mem_usable_size(p), size);
		for (size_t b = 0; b < size; b++)
			REQUIRE(p[b] == 0);
		__builtin_memset(p, 0xcc, size);
		mem_free(p);
	}
	mem_free(NULL);
	EXPECT(mem_alloc((PAGE_SIZE << PAGE_MAX_ORDER) + 1, 0) == NULL);
	EXPECT(mem_alloc(SIZE_MAX, 0) == NULL);
	EXPECT_EQ(nr_free_pages(), before);
}

TEST(slab, random_sizes_and_lifetimes_end_with_every_page_back)
{
	enum { NR_LIVE = 500, NR_STEPS = 100000 };
	static struct {
		uint8_t *p;
		size_t size;
	} live[NR_LIVE];
	struct random r;
	struct slab_stats stats;
	uint64_t before;

	start();
	before = nr_free_pages();
	random_seed(&r, 3);
	for (unsigned step = 0; step < NR_STEPS; step++) {
		unsigned i = (unsigned)random_below(&r, NR_LIVE);

		if (live[i].p) {
			REQUIRE(live[i].p[0] == (uint8_t)i && live[i].p[live[i].size - 1] == (uint8_t)i);
			mem_free(live[i].p);
			live[i].p = NULL;
			continue;
		}
		live[i].size = 1 + random_below(&r, random_one_in(&r, 20) ? 30000 : 600);
		live[i].p = mem_alloc(live[i].size, 0);
		REQUIRE(live[i].p);
		__builtin_memset(live[i].p, (int)i, live[i].size);
	}
	slab_check();
	for (unsigned i = 0; i < NR_LIVE; i++) {
		mem_free(live[i].p);
		live[i].p = NULL;
	}
	EXPECT_EQ(nr_free_pages(), before);
	slab_get_stats(&stats);
	slab_check();
	page_check();
}

TEST(slab, memory_running_out_is_a_null_and_nothing_is_lost)
{
	void *chain = NULL, **p;
	uint64_t before;
	size_t nr = 0;

	start();
	before = nr_free_pages();
	while ((p = mem_alloc(2000, 0))) {
		*p = chain;
		chain = p;
		nr++;
	}
	EXPECT_GT(nr * 2000, 30 * MIB);
	while ((p = chain)) {
		chain = *p;
		mem_free(p);
	}
	EXPECT_EQ(nr_free_pages(), before);
}

TEST(slab, creating_a_cache_survives_every_failed_allocation)
{
	struct slab_cache *c;
	int err;

	start();
	for (unsigned nth = 1; nth < 100; nth++) {
		fail_arm(nth);
		err = slab_cache_create(&c, "test", 100, 0);
		if (!err)
			slab_cache_destroy(c);
		if (!fail_disarm())
			break;
		EXPECT_EQ(err, -ENOMEM);
	}
	EXPECT_EQ(err, 0);
}

TEST(slab, senseless_caches_are_refused)
{
	struct slab_cache *c;

	start();
	EXPECT_EQ(slab_cache_create(&c, "test", 0, 0), -EINVAL);
	EXPECT_EQ(slab_cache_create(&c, "test", 1 << 20, 0), -EINVAL);
	EXPECT_EQ(slab_cache_create(&c, "test", 8, 24), -EINVAL);
	EXPECT_EQ(slab_cache_create(&c, "test", 8, 8192), -EINVAL);
}

TEST(slab, a_write_behind_the_end_is_reported_at_the_free)
{
	uint8_t *p;

	start_reports();
	p = mem_alloc(21, 0);
	REQUIRE(p);
	wild_write(p, 21, 0);
	mem_free(p);
	EXPECT_EQ(nr_seen, 1);
	EXPECT_EQ(seen.error, SLAB_RED_ZONE_WRITTEN);
	EXPECT_EQ(seen.offset, 21);
	EXPECT_EQ(seen.size, 21);
	EXPECT_STREQ(seen.cache, "mem-32");
	EXPECT(seen.alloc_at[0] != 0);
	slab_set_report_hook(NULL);
	slab_check();
}

TEST(slab, a_write_after_the_free_is_reported)
{
	struct slab_cache *c;
	uint8_t *p;

	start_reports();
	REQUIRE(slab_cache_create(&c, "test", 40, 0) == 0);
	p = slab_alloc(c, 0);
	REQUIRE(p);
	slab_free(c, p);
	wild_write(p, 17, 0);
	slab_check();
	EXPECT_EQ(nr_seen, 1);
	EXPECT_EQ(seen.error, SLAB_WRITTEN_AFTER_FREE);
	EXPECT_EQ(seen.offset, 17);
	EXPECT(seen.obj == p && seen.free_at[0] != 0);
	slab_set_report_hook(NULL);
	slab_cache_destroy(c);
}

TEST(slab, freeing_twice_or_what_is_no_object_is_reported_and_harmless)
{
	struct slab_cache *c;
	uint8_t *p;

	start_reports();
	REQUIRE(slab_cache_create(&c, "test", 40, 0) == 0);
	p = slab_alloc(c, 0);
	REQUIRE(p);
	slab_free(c, p + 8);
	EXPECT_EQ(seen.error, SLAB_NOT_AN_OBJECT);
	slab_free(c, p);
	slab_free(c, p);
	EXPECT_EQ(seen.error, SLAB_FREED_TWICE);
	EXPECT_EQ(nr_seen, 2);
	slab_set_report_hook(NULL);
	slab_check();
	slab_cache_destroy(c);
}

TEST(slab, freed_objects_stay_in_quarantine_for_a_while)
{
	struct slab_cache *c;
	void *p, *q;

	start();
	REQUIRE(slab_cache_create(&c, "test", 40, 0) == 0);
	p = slab_alloc(c, 0);
	slab_free(c, p);
	for (unsigned i = 0; i < 10; i++) {
		q = slab_alloc(c, 0);
		EXPECT(q != p);
		slab_free(c, q);
	}
	slab_cache_destroy(c);
}

TEST(slab, shrinking_tells_every_page_it_gave_back)
{
	enum { NR = 300 };
	static void *obj[NR];
	struct slab_stats before, after;
	size_t pages;

	start();
	for (unsigned i = 0; i < NR; i++) {
		obj[i] = mem_alloc(1500, 0);
		REQUIRE(obj[i]);
	}
	for (unsigned i = 0; i < NR; i++)
		mem_free(obj[i]);
	slab_get_stats(&before);
	pages = slab_shrink();
	slab_get_stats(&after);
	EXPECT_GT(pages, 8);
	EXPECT_EQ(pages, before.nr_pages - after.nr_pages);
}
