// SPDX-License-Identifier: MIT
/*
 * Page frames: who has which page of RAM.
 *
 * Three layers, asked in this order:
 *
 *     this CPU's caches   small blocks, a stack for each order: the last one freed is used first
 *     a zone's lists      the buddy system: free blocks of 2^order pages, aligned to their size
 *     a zone's raw ranges what boot found and nobody touched yet
 *
 * The buddy of a block of order n is the block whose frame number differs in bit n only. Two free
 * buddies of the same order are always merged, so a free block's buddy is never a free block of
 * the same order: that is the invariant that page_check() walks.
 *
 * Raw ranges are why starting costs the same with any amount of RAM: a struct page means nothing
 * until the aligned 4 MiB block it belongs to is pulled, and only then are its 1024 structs
 * initialised (PAGE_RESERVED), also those of a part that is not ours. Merging stops at 4 MiB,
 * so nobody looks at the structs of a block that was not pulled. Blocks are pulled from the
 * highest down, so one that two ranges share is met twice in a row, and initialised the first time.
 * What start has finished with (the initrd) comes later: to the lists, or between the raw ranges.
 *
 * Zone `low` is what lies below 4 GiB; it serves who asked for it, and everybody else when `high`
 * is empty. A block never straddles the border.
 *
 * Locks   zone->lock  [z]  irq, RANK_ZONE. Per-CPU caches: interrupts off, this CPU.
 * Never   sleeps. A cache is drained into the zone lists in batches, so its pages can merge.
 * Rejected: bitmaps for the buddies' state (a second place to look); a list of cached pages per
 *         zone (the cache holds what callers without wishes get, whichever zone it came from).
 */
#include "mm/page.h"

#include "arch/cpu.h"
#include "debug/log.h"
#include "irq/ipi.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/bootmem.h"
#include "mm/fail.h"
#include "mm/poison.h"
#include "sync/preempt.h"
#include "sync/spinlock.h"

enum {
	BLOCK_PAGES = 1 << PAGE_MAX_ORDER,
	MAX_RAW_RANGES = 200, /* as many as bootmem has, and one more where a range is cut */
	CACHED_ORDERS = 4,    /* single pages, and blocks as slabs and small buffers want them */
	CACHE_MAX = 64,	      /* blocks of an order that a CPU keeps */
	CACHE_SHARE = 512,    /* and with little RAM, only this part of it */
	CACHE_MIN = 4,
	ZERO_CACHE_MAX = 16,
	SPLIT_ORDER = 4,
};
#define ZONE_LOW_END ((4 * GIB) >> PAGE_SHIFT)

struct raw_range {
	pfn_t start, end;
};

/*
 *   [z] lock    [I] immutable after page_init
 */
struct zone {
	struct irqlock lock;
	struct list free[PAGE_MAX_ORDER + 1]; /* [z] by order */
	uint64_t nr_free;		      /* [z] pages on the lists */
	uint64_t nr_raw;		      /* [z] pages in raw ranges */
	uint64_t nr_total;		      /* [z] to write; read as a hint */
	struct raw_range raw[MAX_RAW_RANGES]; /* [z] the last one is pulled from */
	unsigned nr_raw_ranges;		      /* [z] */
	pfn_t last_pulled;		      /* [z] the block; UINT64_MAX before the first */
	struct raw_range late;		      /* [z] from the first to the last that came late */
};

enum { ZONE_LOW, ZONE_HIGH, NR_ZONES };
static struct zone zones[NR_ZONES];

/* Blocks of one order. [c] interrupts off */
struct block_cache {
	uint32_t nr;
	struct page *block[CACHE_MAX]; /* oldest first */
};
static PERCPU(struct block_cache, block_caches[CACHED_ORDERS]);
static uint32_t cache_max[CACHED_ORDERS]; /* [I] after page_init */

/* Single pages known to be zero, given back by whoever cleared them anyway (page tables). [c] */
struct zero_cache {
	uint32_t nr;
	struct page *page[ZERO_CACHE_MAX];
};
static PERCPU(struct zero_cache, zero_cache);

static unsigned zone_of(pfn_t pfn)
{
	return pfn < ZONE_LOW_END ? ZONE_LOW : ZONE_HIGH;
}

static size_t block_bytes(unsigned order)
{
	return PAGE_SIZE << order;
}

/* ---- The buddy system ---- */

static void put_on_list(struct zone *z, struct page *p, unsigned order) MUST_HOLD(z->lock)
{
	p->state = PAGE_FREE;
	p->order = (uint8_t)order;
	list_add_head(&z->free[order], &p->link);
}

static void zone_free_block(struct zone *z, struct page *p, unsigned order) MUST_HOLD(z->lock)
{
	pfn_t pfn = page_to_pfn(p);

	memory_poison(page_to_virt(p), block_bytes(order), POISON_FREE_PAGE);
	z->nr_free += 1ul << order;
	p->state = PAGE_RESERVED;
	for (; order < PAGE_MAX_ORDER; order++) {
		struct page *buddy = pfn_to_page(pfn ^ (1ul << order));

		if (buddy->state != PAGE_FREE || buddy->order != order)
			break;
		list_remove(&buddy->link);
		buddy->state = PAGE_RESERVED;
		pfn &= ~(1ul << order);
	}
	p = pfn_to_page(pfn);
	p->zone = (uint8_t)zone_of(pfn);
	put_on_list(z, p, order);
}

/* What the allocator looks at: one word. The rest belongs to whoever is given the page. */
static ALWAYS_INLINE void init_struct(struct page *p)
{
	p->refs = 0;
	p->state = PAGE_RESERVED;
	p->order = 0;
	p->zone = 0;
	p->flags = 0;
}

/* Four at a time: the start does this for three blocks, and it is a good part of it. */
static void init_block_pages(pfn_t block)
{
	struct page *end = pfn_to_page(block + BLOCK_PAGES);

	for (struct page *p = pfn_to_page(block); p < end; p += 4) {
		init_struct(p);
		init_struct(p + 1);
		init_struct(p + 2);
		init_struct(p + 3);
	}
}

/* Frees [start, end) of one 4 MiB block, whose structs are initialised, in the largest pieces. */
static void zone_free_pages(struct zone *z, pfn_t start, pfn_t end) MUST_HOLD(z->lock)
{
	while (start < end) {
		unsigned order = PAGE_MAX_ORDER;

		while (!IS_ALIGNED(start, 1ul << order) || start + (1ul << order) > end)
			order--;
		zone_free_block(z, pfn_to_page(start), order);
		start += 1ul << order;
	}
}

/* Moves the highest block of the last raw range to the lists; false when there is none. */
static bool zone_pull_raw(struct zone *z) MUST_HOLD(z->lock)
{
	struct raw_range *r;
	pfn_t start, end, block;

	if (z->nr_raw_ranges == 0)
		return false;
	r = &z->raw[z->nr_raw_ranges - 1];
	end = r->end;
	block = ALIGN_DOWN(end - 1, BLOCK_PAGES);
	start = MAX(block, r->start);
	if (block != z->last_pulled)
		init_block_pages(block);
	z->last_pulled = block;
	z->nr_raw -= end - start;
	r->end = start;
	if (r->start == r->end)
		z->nr_raw_ranges--;
	zone_free_pages(z, start, end);
	return true;
}

static struct page *zone_alloc_block(struct zone *z, unsigned order) MUST_HOLD(z->lock)
{
	struct page *p;

	for (;;) {
		for (unsigned o = order; o <= PAGE_MAX_ORDER; o++) {
			p = list_pop_head(&z->free[o], struct page, link);
			if (!p)
				continue;
			while (o > order) { /* keep the lower half, free the upper */
				struct page *upper = p + (1ul << --o);

				upper->zone = p->zone;
				put_on_list(z, upper, o);
			}
			p->state = PAGE_USED;
			p->order = (uint8_t)order;
			z->nr_free -= 1ul << order;
			return p;
		}
		if (!zone_pull_raw(z))
			return NULL;
	}
}

/* From the best zone that has one, `high` first. */
static struct page *alloc_block(unsigned order, unsigned flags)
{
	struct page *p = NULL;

	for (int i = flags & PAGE_ALLOC_LOW ? ZONE_LOW : ZONE_HIGH; i >= 0 && !p; i--) {
		struct zone *z = &zones[i];

		if (!READ_ONCE(z->nr_total)) /* a hint that saves the lock */
			continue;
		irqlock_lock(&z->lock);
		p = zone_alloc_block(z, order);
		irqlock_unlock(&z->lock);
	}
	return p;
}

/* ---- Per-CPU caches; interrupts are off in all of these ---- */

/* Gives the `nr` oldest blocks of the cache back to their zones. */
static void cache_drain(struct block_cache *cache, unsigned order, uint32_t nr)
{
	for (uint32_t i = 0; i < nr;) {
		struct zone *z = &zones[cache->block[i]->zone];

		irqlock_lock(&z->lock);
		for (; i < nr && &zones[cache->block[i]->zone] == z; i++)
			zone_free_block(z, cache->block[i], order);
		irqlock_unlock(&z->lock);
	}
	cache->nr -= nr;
	memmove(&cache->block[0], &cache->block[nr], cache->nr * sizeof(cache->block[0]));
}

/*
 * Single pages while the zone has none: a larger block in pieces, instead of one piece after
 * another off it. False: the zone has no such block.
 */
static bool refill_by_splitting(struct zone *z, struct block_cache *cache) MUST_HOLD(z->lock)
{
	struct page *p;

	if (!list_is_empty(&z->free[0]))
		return false;
	p = zone_alloc_block(z, SPLIT_ORDER);
	if (!p)
		return false;
	for (uint32_t i = 1u << SPLIT_ORDER; i-- > 0;) { /* the lowest is used first */
		p[i].state = PAGE_CACHED;
		p[i].order = 0;
		p[i].zone = p->zone;
		p[i].flags = 0;
		p[i].refs = 0;
		cache->block[cache->nr++] = &p[i];
	}
	return true;
}

/* Fills an empty cache to a quarter; false when memory is out. */
static NOINLINE bool cache_refill(struct block_cache *cache, unsigned order)
{
	for (int i = ZONE_HIGH; i >= 0 && cache->nr == 0; i--) {
		struct zone *z = &zones[i];

		if (!READ_ONCE(z->nr_total))
			continue;
		irqlock_lock(&z->lock);
		if (order == 0 && cache_max[0] >= 2u << SPLIT_ORDER)
			(void)refill_by_splitting(z, cache);
		while (cache->nr < cache_max[order] / 4) {
			struct page *p = zone_alloc_block(z, order);

			if (!p)
				break;
			p->state = PAGE_CACHED;
			cache->block[cache->nr++] = p;
		}
		irqlock_unlock(&z->lock);
	}
	return cache->nr > 0;
}

static ALWAYS_INLINE struct page *alloc_cached(unsigned order)
{
	bool irqs = arch_irq_save();
	struct block_cache *cache = &percpu(block_caches)[order];
	struct page *p = NULL;

	if (LIKELY(cache->nr > 0) || cache_refill(cache, order)) {
		p = cache->block[--cache->nr];
		debug_assert(p->state == PAGE_CACHED && p->order == order);
		p->state = PAGE_USED;
	}
	arch_irq_restore(irqs);
	return p;
}

static ALWAYS_INLINE void free_cached(struct page *p, unsigned order)
{
	bool irqs = arch_irq_save();
	struct block_cache *cache = &percpu(block_caches)[order];

	if (UNLIKELY(cache->nr >= cache_max[order]))
		cache_drain(cache, order, cache->nr / 2);
	memory_poison(page_to_virt(p), block_bytes(order), POISON_FREE_PAGE);
	p->state = PAGE_CACHED;
	cache->block[cache->nr++] = p;
	arch_irq_restore(irqs);
}

static void zero_cache_drain(void)
{
	struct zero_cache *zeroes = &percpu(zero_cache);

	while (zeroes->nr > 0)
		free_cached(zeroes->page[--zeroes->nr], 0);
}

static void drain_this_cpu(void *arg UNUSED)
{
	bool irqs = arch_irq_save();

	zero_cache_drain();
	for (unsigned order = 0; order < CACHED_ORDERS; order++) {
		struct block_cache *cache = &percpu(block_caches)[order];

		cache_drain(cache, order, cache->nr);
	}
	arch_irq_restore(irqs);
}

void page_drain_caches(void)
{
	preempt_disable(); /* "this CPU" and "the others" are about the same one */
	ipi_call_others(drain_this_cpu, NULL);
	drain_this_cpu(NULL);
	preempt_enable();
}

static uint64_t count_cached(void)
{
	uint64_t nr = 0;

	for (unsigned i = 0; i < cpu_count(); i++) {
		for (unsigned order = 0; order < CACHED_ORDERS; order++)
			nr += (uint64_t)READ_ONCE((*percpu_of(block_caches, cpus[i]))[order].nr)
			      << order;
		nr += READ_ONCE(percpu_of(zero_cache, cpus[i])->nr);
	}
	return nr;
}

bool page_drain_if_allowed(void)
{
	if (!arch_irq_enabled() || !preempt_is_enabled() || count_cached() == 0)
		return false;
	page_drain_caches();
	return true;
}

/* ---- Allocation ---- */

/* The last tries: what this CPU keeps may complete a larger block, or what the others keep. */
static NOINLINE struct page *alloc_after_drain(unsigned order, unsigned flags)
{
	struct page *p;

	drain_this_cpu(NULL);
	p = alloc_block(order, flags);
	if (!p && page_drain_if_allowed())
		p = alloc_block(order, flags);
	return p;
}

int page_alloc(struct page **out, unsigned order, unsigned flags)
{
	struct page *p;

	assert(order <= PAGE_MAX_ORDER);
	if (!(flags & PAGE_ALLOC_NO_FAIL_INJECT) && fail_now())
		return -ENOMEM;
	p = LIKELY(order < CACHED_ORDERS && !(flags & PAGE_ALLOC_LOW)) ? alloc_cached(order)
									: alloc_block(order, flags);
	if (UNLIKELY(!p))
		p = alloc_after_drain(order, flags);
	if (UNLIKELY(!p))
		return -ENOMEM;
	p->refs = 1;
	memory_unpoison(page_to_virt(p), block_bytes(order));
	if (flags & PAGE_ALLOC_ZERO)
		for (size_t at = 0; at < block_bytes(order); at += PAGE_SIZE)
			arch_page_zero((char *)page_to_virt(p) + at);
	*out = p;
	return 0;
}

/* page_alloc(out, 0, PAGE_ALLOC_ZERO) with all that is known left out. */
static int page_alloc_to_zero(struct page **out)
{
	struct page *p;

	if (fail_now())
		return -ENOMEM;
	p = alloc_cached(0);
	if (UNLIKELY(!p))
		return page_alloc(out, 0, PAGE_ALLOC_ZERO | PAGE_ALLOC_NO_FAIL_INJECT);
	p->refs = 1;
	memory_unpoison(page_to_virt(p), PAGE_SIZE);
	arch_page_zero(page_to_virt(p));
	*out = p;
	return 0;
}

int page_alloc_zeroed(struct page **out)
{
	bool irqs = arch_irq_save();
	struct zero_cache *zeroes = &percpu(zero_cache);
	struct page *p;

	if (zeroes->nr == 0) {
		arch_irq_restore(irqs);
		return page_alloc_to_zero(out);
	}
	p = zeroes->page[--zeroes->nr];
	arch_irq_restore(irqs);
	p->state = PAGE_USED;
	p->refs = 1;
	memory_unpoison(page_to_virt(p), PAGE_SIZE);
	if (UNLIKELY(fail_now())) {
		page_put(p);
		return -ENOMEM;
	}
	*out = p;
	return 0;
}

void page_free_zeroed(struct page *p)
{
	bool irqs = arch_irq_save();
	struct zero_cache *zeroes = &percpu(zero_cache);

	debug_assert(p->refs == 1 && p->state == PAGE_USED && p->order == 0);
	if (UNLIKELY(zeroes->nr == ZERO_CACHE_MAX)) {
		arch_irq_restore(irqs);
		page_put(p);
		return;
	}
	p->refs = 0;
	p->flags = 0;
	p->state = PAGE_CACHED;
	memory_poison(page_to_virt(p), PAGE_SIZE, POISON_FREE_PAGE);
	zeroes->page[zeroes->nr++] = p;
	arch_irq_restore(irqs);
}

void page_get(struct page *p)
{
	uint32_t old UNUSED = atomic_fetch_add_relaxed(&p->refs, 1); /* we hold one already */

	debug_assert(old != 0);
}

static void page_free(struct page *p)
{
	struct zone *z;

	assert(p->state == PAGE_USED); /* else it is freed twice, or not the head of a block */
	p->flags = 0;
	if (LIKELY(p->order < CACHED_ORDERS)) {
		free_cached(p, p->order);
		return;
	}
	z = &zones[p->zone];
	irqlock_lock(&z->lock);
	zone_free_block(z, p, p->order);
	irqlock_unlock(&z->lock);
}

void page_put(struct page *p)
{
	uint32_t refs = atomic_load_acquire(&p->refs); /* pairs with the release below */

	/* With one reference, ours, nobody else can be looking: no need for the locked instruction. */
	if (refs != 1) {
		assert(refs != 0);
		if (atomic_fetch_sub_release(&p->refs, 1) != 1) /* our use comes before the free */
			return;
		atomic_fence_acquire(); /* pairs with the release of the others */
	}
	p->refs = 0;
	page_free(p);
}

void page_split(struct page *p)
{
	unsigned nr = 1u << p->order;

	assert(p->state == PAGE_USED && atomic_load_relaxed(&p->refs) == 1);
	for (unsigned i = 0; i < nr; i++) {
		p[i].refs = 1;
		p[i].state = PAGE_USED;
		p[i].order = 0;
		p[i].zone = p->zone;
		p[i].flags = 0;
	}
}

/* ---- Start ---- */

static void zone_add_raw(struct zone *z, pfn_t start, pfn_t end)
{
	assert(z->nr_raw_ranges < MAX_RAW_RANGES);
	z->raw[z->nr_raw_ranges++] = (struct raw_range){start, end};
	z->nr_raw += end - start;
	z->nr_total += end - start;
}

static void zone_give(paddr_t start_pa, paddr_t end_pa)
{
	pfn_t start = start_pa >> PAGE_SHIFT, end = end_pa >> PAGE_SHIFT;

	if (start < ZONE_LOW_END)
		zone_add_raw(&zones[ZONE_LOW], start, MIN(end, ZONE_LOW_END));
	if (end > ZONE_LOW_END)
		zone_add_raw(&zones[ZONE_HIGH], MAX(start, ZONE_LOW_END), end);
}

/* Puts a range between the raw ones; false when there is no room for it. */
static bool zone_insert_raw(struct zone *z, pfn_t start, pfn_t end) MUST_HOLD(z->lock)
{
	unsigned at = z->nr_raw_ranges;

	while (at > 0 && z->raw[at - 1].start > start)
		at--;
	if (at > 0 && z->raw[at - 1].end == start) {
		z->raw[at - 1].end = end;
	} else if (z->nr_raw_ranges < MAX_RAW_RANGES) {
		memmove(&z->raw[at + 1], &z->raw[at], (z->nr_raw_ranges - at) * sizeof(z->raw[0]));
		z->raw[at] = (struct raw_range){start, end};
		z->nr_raw_ranges++;
	} else {
		return false;
	}
	z->nr_raw += end - start;
	return true;
}

/* Whether the structs of a block mean something: it was pulled, or a part of it came late. */
static bool is_known(const struct zone *z, pfn_t block) MUST_HOLD(z->lock)
{
	pfn_t end = block + BLOCK_PAGES;

	return block == z->last_pulled || bootmem_had(block << PAGE_SHIFT, end << PAGE_SHIFT) ||
	       (block < z->late.end && z->late.start < end);
}

/* A part of one 4 MiB block. */
static void give_late(pfn_t start, pfn_t end)
{
	pfn_t block = ALIGN_DOWN(start, BLOCK_PAGES);
	struct zone *z = &zones[zone_of(start)];
	bool is_given = true;

	irqlock_lock(&z->lock);
	if (z->last_pulled == UINT64_MAX || block < z->last_pulled) {
		is_given = zone_insert_raw(z, start, end);
	} else {
		if (!is_known(z, block))
			init_block_pages(block);
		zone_free_pages(z, start, end);
	}
	if (is_given) {
		WRITE_ONCE(z->nr_total, z->nr_total + (end - start));
		z->late.start = z->late.end ? MIN(z->late.start, start) : start;
		z->late.end = end;
	}
	irqlock_unlock(&z->lock);
}

void page_give_late(paddr_t start_pa, paddr_t end_pa)
{
	pfn_t at = ALIGN_UP(start_pa, PAGE_SIZE) >> PAGE_SHIFT, end = end_pa >> PAGE_SHIFT;

	while (at < end) {
		pfn_t next = MIN(ALIGN_DOWN(at, BLOCK_PAGES) + BLOCK_PAGES, end);

		give_late(at, next);
		at = next;
	}
}

/* What CPUs keep for themselves is what others may miss: little, where there is little. */
static void choose_cache_sizes(void)
{
	uint64_t share = (zones[ZONE_LOW].nr_total + zones[ZONE_HIGH].nr_total) / CACHE_SHARE;

	for (unsigned order = 0; order < CACHED_ORDERS; order++)
		cache_max[order] = (uint32_t)MAX((uint64_t)CACHE_MIN, MIN(share, (uint64_t)CACHE_MAX) >> order);
}

void page_init(void)
{
	for (unsigned i = 0; i < NR_ZONES; i++) {
		zones[i] = (struct zone){.last_pulled = UINT64_MAX};
		irqlock_init(&zones[i].lock, RANK_ZONE, i == ZONE_LOW ? "zone low" : "zone high");
		for (unsigned o = 0; o <= PAGE_MAX_ORDER; o++)
			list_init(&zones[i].free[o]);
	}
	bootmem_release(zone_give);
	choose_cache_sizes();
	log_info("mm: %llu MiB free",
		(unsigned long long)((zones[ZONE_LOW].nr_total + zones[ZONE_HIGH].nr_total) <<
				     PAGE_SHIFT) / MIB);
}

void page_init_cpu(void)
{
	/* A CPU's caches start as zero, which is empty: the first allocation fills one. */
}

/* ---- What tests and the console ask ---- */

void page_get_stats(struct page_stats *out)
{
	*out = (struct page_stats){0};
	for (unsigned i = 0; i < NR_ZONES; i++) {
		struct zone *z = &zones[i];

		irqlock_lock(&z->lock);
		out->total += z->nr_total;
		out->free += z->nr_free + z->nr_raw;
		out->raw += z->nr_raw;
		irqlock_unlock(&z->lock);
	}
	out->cached = count_cached();
	out->free += out->cached;
}

int page_largest_free_order(void)
{
	for (int o = PAGE_MAX_ORDER; o >= 0; o--) {
		for (unsigned i = 0; i < NR_ZONES; i++) {
			if (o == PAGE_MAX_ORDER && READ_ONCE(zones[i].nr_raw) >= 2 * BLOCK_PAGES)
				return o;
			if (zones[i].nr_total && !list_is_empty(&zones[i].free[o]))
				return o;
		}
	}
	return -1;
}

static void check_block(const struct page *p, unsigned zone, unsigned order)
{
	pfn_t pfn = page_to_pfn(p);

	assert(p->state == PAGE_FREE && p->order == order && p->zone == zone);
	assert(zone_of(pfn) == zone && IS_ALIGNED(pfn, 1ul << order) && p->refs == 0);
	if (order < PAGE_MAX_ORDER) {
		const struct page *buddy = pfn_to_page(pfn ^ (1ul << order));

		assert(buddy->state != PAGE_FREE || buddy->order != order); /* or merged */
	}
}

void page_check(void)
{
	for (unsigned i = 0; i < NR_ZONES; i++) {
		struct zone *z = &zones[i];
		uint64_t nr_free = 0, nr_raw = 0;

		irqlock_lock(&z->lock);
		for (unsigned o = 0; o <= PAGE_MAX_ORDER; o++) {
			list_for_each(p, &z->free[o], struct page, link)
			{
				check_block(p, i, o);
				nr_free += 1ul << o;
			}
		}
		for (unsigned r = 0; r < z->nr_raw_ranges; r++) {
			assert(z->raw[r].start < z->raw[r].end);
			nr_raw += z->raw[r].end - z->raw[r].start;
		}
		assert(nr_free == z->nr_free && nr_raw == z->nr_raw);
		assert(nr_free + nr_raw <= z->nr_total);
		irqlock_unlock(&z->lock);
	}
}
