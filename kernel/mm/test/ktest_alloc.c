// SPDX-License-Identifier: MIT
/*
 * The allocators with all CPUs at once, in a running kernel and in the simulated machine.
 */
#include "lib/test.h"

#include "arch/arch.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/random.h"
#include "lib/string.h"
#include "mm/fail.h"
#include "mm/kmap.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/slab_debug.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "time/clock.h"
#include "time/timer.h"

enum {
	MAX_THREADS = 8,
	NR_SLOTS = 512,	      /* shared: what one CPU allocates, another frees */
	MAX_BIG = 20000,      /* bytes */
	MAX_SMALL = 700,
	SETTLE_TRIES = 200,   /* of a millisecond: until ended threads are gone */
	FEWER_THAN_A_CPU_KEEPS = 4, /* pages, where what others free meanwhile does not count */
};

/* ---- A million random allocations and frees ---- */

/* At the start of each block in a slot. */
struct block {
	uint64_t size; /* bytes, or PAGES_MARK + order */
	uint64_t check; /* address and size, mixed: nobody else wrote here */
};
#define PAGES_MARK (1ul << 32)

static struct block *slots[NR_SLOTS];
static uint64_t nr_done; /* [a] */
static struct slab_cache *block_cache;
enum { CACHE_MARK = 7, CACHE_OBJECT = 200 };

static uint64_t check_value(const struct block *b)
{
	return (uint64_t)(uintptr_t)b * 0x9e3779b97f4a7c15ull ^ b->size;
}

static size_t block_bytes(const struct block *b)
{
	if (b->size == CACHE_MARK)
		return CACHE_OBJECT;
	return b->size >= PAGES_MARK ? PAGE_SIZE << (b->size - PAGES_MARK) : b->size;
}

/* The last word of a block repeats the check. */
static uint64_t *last_word(struct block *b)
{
	return (uint64_t *)((char *)b + ALIGN_DOWN(block_bytes(b), sizeof(uint64_t))) - 1;
}

static struct block *block_alloc(struct random *r)
{
	struct block *b;
	struct page *p;
	uint64_t size, kind = random_below(r, 10);

	if (kind < 2) {
		unsigned order = (unsigned)random_below(r, 4);

		if (page_alloc(&p, order, 0))
			return NULL;
		b = page_to_virt(p);
		size = PAGES_MARK + order;
	} else if (kind < 4) {
		b = slab_alloc(block_cache, 0);
		size = CACHE_MARK;
	} else {
		size = sizeof(*b) * 2 + random_below(r, random_one_in(r, 20) ? MAX_BIG : MAX_SMALL);
		b = mem_alloc(size, 0);
	}
	if (!b)
		return NULL;
	b->size = size;
	b->check = check_value(b);
	*last_word(b) = b->check;
	return b;
}

static void block_free(struct block *b)
{
	assert(b->check == check_value(b) && *last_word(b) == b->check);
	if (b->size >= PAGES_MARK)
		page_put(virt_to_page(b));
	else if (b->size == CACHE_MARK)
		slab_free(block_cache, b);
	else
		mem_free(b);
}

static void allocate_and_free(void *arg)
{
	unsigned long rounds = test_rounds(1000000) / MAX_THREADS;
	struct random r;

	random_seed(&r, (uintptr_t)arg);
	for (unsigned long i = 0; i < rounds; i++) {
		struct block *mine = random_one_in(&r, 2) ? block_alloc(&r) : NULL;
		struct block *old = atomic_xchg(&slots[random_below(&r, NR_SLOTS)], mine);

		if (old)
			block_free(old);
	}
	atomic_add(&nr_done, 1);
}

static uint32_t all_exist; /* [a] every thread of run_threads was created */

/* Runs `fn` in so many threads, wherever the scheduler puts them, and waits for their end. */
static bool run_threads(unsigned nr_wanted, void (*fn)(void *arg))
{
	struct thread *t[2 * MAX_THREADS];
	unsigned nr = 0;

	atomic_store(&all_exist, 0u);
	while (nr < nr_wanted) {
		if (thread_create(&t[nr], "mm-test", fn, (void *)(uintptr_t)(nr + 1)))
			break;
		thread_start(t[nr++]);
	}
	atomic_store(&all_exist, 1u);
	for (unsigned i = 0; i < nr; i++)
		thread_join(t[i]);
	return nr == nr_wanted;
}

/* So that addresses and tables for more stacks exist than the test will want: those stay. */
static void wait_for_the_others(void *arg UNUSED)
{
	while (!atomic_load(&all_exist) && sleep_ns(NS_PER_MS) == 0)
		;
}

static uint64_t free_pages(void)
{
	struct page_stats s;

	kstack_drain();
	slab_shrink();
	page_drain_caches();
	page_get_stats(&s);
	return s.free;
}

/*
 * What a thread that the kernel started meanwhile (a worker) may keep: its stack, and a page each
 * of the slab it is in and of a table.
 */
static uint64_t kept_by_new_threads(unsigned nr_before)
{
	unsigned nr = thread_count();

	return nr > nr_before ? (nr - nr_before) * (KSTACK_SIZE / PAGE_SIZE + 2) : 0;
}

/* Free pages once they are `want`; else what they are after a while. */
static uint64_t free_pages_settled(uint64_t want)
{
	uint64_t got = free_pages();

	for (unsigned i = 0; i < SETTLE_TRIES && got != want; i++) {
		if (sleep_ns(NS_PER_MS))
			break;
		got = free_pages();
	}
	return got;
}

TEST(mm, random_allocations_on_all_cpus_end_with_every_page_back)
{
	uint64_t before, after;
	unsigned nr_threads;

	REQUIRE(run_threads(2 * MAX_THREADS, wait_for_the_others));
	before = free_pages_settled(UINT64_MAX);
	nr_threads = thread_count();
	REQUIRE(slab_cache_create(&block_cache, "mm-test", CACHE_OBJECT, 0) == 0);
	atomic_store(&nr_done, 0);
	REQUIRE(run_threads(MAX_THREADS, allocate_and_free));
	EXPECT_EQ(nr_done, MAX_THREADS);
	for (unsigned i = 0; i < NR_SLOTS; i++) {
		if (slots[i])
			block_free(slots[i]);
		slots[i] = NULL;
	}
	slab_cache_destroy(block_cache);
	after = free_pages_settled(before);
	EXPECT_LE(after, before);
	EXPECT_GE(after + kept_by_new_threads(nr_threads), before);
	page_check();
	slab_check();
}

/* Leaves something in the cache of whichever CPU it runs on. */
static void fill_a_cache(void *arg UNUSED)
{
	struct page *p;

	for (unsigned order = 0; order < 4; order++)
		if (page_alloc(&p, order, 0) == 0)
			page_put(p);
}

TEST(mm, memory_running_out_on_all_cpus_is_an_error_and_comes_back)
{
	static void *chain;
	uint64_t before;
	struct page *p;
	struct page_stats s;
	unsigned long nr = 0;

	page_get_stats(&s);
	if (s.free > (256 * MIB) >> PAGE_SHIFT) {
		test_skip("only with little memory");
		return;
	}
	REQUIRE(run_threads(2 * MAX_THREADS, wait_for_the_others)); /* as above */
	before = free_pages_settled(UINT64_MAX);
	REQUIRE(run_threads(2 * MAX_THREADS, fill_a_cache));
	while (page_alloc(&p, 0, 0) == 0) {
		*(void **)page_to_virt(p) = chain;
		chain = page_to_virt(p);
		nr++;
	}
	EXPECT_EQ(page_alloc(&p, 3, 0), -ENOMEM);
	page_get_stats(&s);
	EXPECT_LT(s.cached, FEWER_THAN_A_CPU_KEEPS);
	while (chain) {
		p = virt_to_page(chain);
		chain = *(void **)chain;
		page_put(p);
	}
	EXPECT_GT(nr, before / 2);
	EXPECT_EQ(free_pages_settled(before), before);
	page_check();
}

/* ---- Every allocation of an operation made to fail ---- */

#ifdef DEBUG

enum { MAX_NTH = 200 };

static int try_cache(void)
{
	struct slab_cache *c;
	int err = slab_cache_create(&c, "fail-nth", 64, 0);

	if (!err)
		slab_cache_destroy(c);
	return err;
}

static void do_nothing(void *arg UNUSED)
{
}

static int try_thread(void)
{
	struct thread *t;
	int err = thread_create(&t, "fail-nth", do_nothing, NULL);

	if (err)
		return err;
	thread_start(t);
	thread_join(t);
	return 0;
}

static int try_kmap(void)
{
	void *p;
	int err = kmap_alloc(&p, 5 * PAGE_SIZE, "fail-nth");

	if (!err)
		kmap_free(p);
	return err;
}

/* n upwards until nothing failed; each failure is -ENOMEM, and no page is lost. */
static void sweep(int (*op)(void))
{
	uint64_t before;
	unsigned nth = 1;
	int err;

	REQUIRE(op() == 0); /* what it makes once, it has made */
	before = free_pages_settled(UINT64_MAX);
	for (; nth < MAX_NTH; nth++) {
		bool has_fired;

		fail_arm(nth);
		err = op();
		has_fired = fail_disarm();
		EXPECT_EQ(err, has_fired ? -ENOMEM : 0);
		if (!has_fired)
			break;
	}
	EXPECT_GT(nth, 1);
	EXPECT_LT(nth, MAX_NTH);
	EXPECT_EQ(free_pages_settled(before), before);
}

TEST(mm, creating_a_cache_survives_every_failed_allocation)
{
	sweep(try_cache);
}

TEST(mm, creating_a_thread_survives_every_failed_allocation)
{
	sweep(try_thread);
}

TEST(mm, mapping_pages_survives_every_failed_allocation)
{
	sweep(try_kmap);
}

/* ---- What debug kernels report ---- */

static struct slab_report seen;
static unsigned nr_seen;

static void remember(const struct slab_report *r)
{
	seen = *r;
	nr_seen++;
}

/* Writes where a checker would stop us: that is the point. */
static NO_CHECKERS NOINLINE void wild_write(void *at, size_t offset, uint8_t byte)
{
	((volatile uint8_t *)at)[offset] = byte;
}

static void expect_report(enum slab_error error, size_t offset)
{
	slab_set_report_hook(NULL);
	EXPECT_EQ(nr_seen, 1);
	EXPECT_EQ(seen.error, error);
	EXPECT_EQ(seen.offset, offset);
	nr_seen = 0;
}

TEST(mm, a_write_behind_an_object_is_reported_at_its_free)
{
	uint8_t *p = mem_alloc(50, 0);

	REQUIRE(p);
	slab_set_report_hook(remember);
	wild_write(p, 50, 1);
	mem_free(p);
	expect_report(SLAB_RED_ZONE_WRITTEN, 50);
	EXPECT(seen.alloc_at && seen.alloc_at[0]);
}

TEST(mm, a_write_after_free_is_seen_before_the_page_goes_back)
{
	struct slab_cache *c;
	uint8_t *p;

	REQUIRE(slab_cache_create(&c, "mm-test", 50, 0) == 0);
	p = slab_alloc(c, 0);
	REQUIRE(p);
	slab_free(c, p);
	slab_set_report_hook(remember);
	wild_write(p, 3, 1);
	slab_cache_destroy(c); /* a slab is checked before its pages go back */
	expect_report(SLAB_WRITTEN_AFTER_FREE, 3);
}

TEST(mm, freeing_twice_is_reported_and_harmless)
{
	uint8_t *p = mem_alloc(50, 0);

	REQUIRE(p);
	slab_set_report_hook(remember);
	mem_free(p);
	mem_free(p);
	expect_report(SLAB_FREED_TWICE, 0);
}

#endif
