// SPDX-License-Identifier: MIT
/*
 * Slabs of equal objects, with magazines in front.
 *
 * A slab is a block of 2^order pages cut into objects. A magazine is a stack of pointers to free
 * objects; each CPU has two for every cache, one loaded and one in reserve that is either full
 * or empty, so a run of allocations or frees touches shared state once per magazine, never at
 * its edge on every call:
 *
 *     slab_alloc   loaded magazine -> the reserve -> the depot's full magazines -> slabs -> pages
 *     slab_free    loaded magazine -> the reserve -> the depot (takes the full one, gives an empty)
 *
 * Objects of a slab that were never handed out are not touched: slab_carved says how far the
 * slab has been cut. The struct page of the slab keeps its counts; each of its pages names the
 * cache, so that mem_free() finds it. Slabs begin at different colours (multiples of a cache
 * line in what is left over), so equal fields of many objects do not share one set of the cache.
 *
 * Locks   cache->lock    [c]  irq, RANK_SLAB: slabs, depot. Pages are taken and
 *                             given back while it is held (RANK_ZONE comes after).
 *         caches_lock    [L]  spin: the list of caches, indices. Held while other CPUs are asked
 *                             to empty their magazines, which they do without it.
 *         a CPU's slots       interrupts off, this CPU only
 * Never   sleeps. Magazines are allocated with no cache lock held: they come from a cache too.
 * After   J. Bonwick and J. Adams, "Magazines and Vmem", USENIX 2001: the two magazines per CPU.
 */
#include "mm/slab.h"

#include "debug/log.h"
#include "irq/ipi.h"
#include "lib/assert.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "mm/fail.h"
#include "mm/slab_priv.h"

enum {
	MAX_SLAB_ORDER = 5,
	MAX_OBJECT_SIZE = 32 << 10,
	DEPOT_MAX = 8,	   /* full magazines a cache keeps */
	EMPTY_SLABS_KEPT = 1, /* so that one object at the border does not cost a slab each time */
	MIN_ALIGN = 8,
};

/* One cache's magazines on one CPU. [c] interrupts off */
struct slab_slot {
	struct magazine *loaded, *reserve;
	uint16_t nr, cap; /* of loaded; both 0 when there is none, so the fast paths need no test */
	uint16_t reserve_nr;
};
static PERCPU(struct slab_slot, slab_slots[SLAB_MAX_CACHES]);

static struct spinlock caches_lock = SPINLOCK_INIT(RANK_SLAB_CACHES, "slab caches");
static struct list caches = LIST_INIT(caches);	   /* [L] */
static BITMAP(indices_used, SLAB_MAX_CACHES);	   /* [L] */
static struct slab_cache cache_cache, magazine_cache; /* [I] not in slabs themselves */

/* ---- Slabs ---- */

static struct page *slab_create(struct slab_cache *c) MUST_HOLD(c->lock)
{
	struct page *slab;
	size_t spare = slab_bytes(c) - (size_t)c->per_slab * c->stride;
	size_t color_step = MAX((size_t)c->align, (size_t)CACHE_LINE);

	if (page_alloc(&slab, c->order, PAGE_ALLOC_NO_FAIL_INJECT))
		return NULL;
	for (unsigned i = 0; i < 1u << c->order; i++) {
		slab[i].state = PAGE_SLAB;
		slab[i].cache = c;
	}
	slab->slab_free = NULL;
	slab->slab_in_use = 0;
	slab->slab_carved = 0;
	slab->index = c->next_color * color_step;
	c->next_color = (c->next_color + 1) % (spare / color_step + 1);
	slab_debug_new_slab(c, slab);
	list_add_head(&c->partial, &slab->lru);
	c->nr_slabs++;
	c->nr_empty++;
	return slab;
}

static void slab_destroy(struct slab_cache *c, struct page *slab) MUST_HOLD(c->lock)
{
	slab_debug_check_slab(c, slab); /* the last chance to see a late write */
	list_remove(&slab->lru);
	c->nr_slabs--;
	c->nr_empty--;
	for (unsigned i = 1; i < 1u << c->order; i++)
		slab[i].state = PAGE_RESERVED;
	slab->state = PAGE_USED;
	page_put(slab);
}

/* One object out of the slabs, NULL when memory is out. */
static void *slab_take(struct slab_cache *c) MUST_HOLD(c->lock)
{
	struct page *slab = list_first(&c->partial, struct page, lru);
	void *obj;

	if (!slab)
		slab = slab_create(c);
	if (!slab)
		return NULL;
	obj = slab->slab_free;
	if (obj)
		slab->slab_free = *slab_free_link(c, obj);
	else
		obj = slab_object(c, slab, slab->slab_carved++);
	if (slab->slab_in_use++ == 0)
		c->nr_empty--;
	if (slab->slab_in_use == c->per_slab) {
		list_remove(&slab->lru);
		list_add_tail(&c->full, &slab->lru);
	}
	c->nr_out++;
	return obj;
}

static void slab_give(struct slab_cache *c, void *obj) MUST_HOLD(c->lock)
{
	struct page *slab = slab_of(c, obj);
	bool was_full = slab->slab_in_use == c->per_slab;

	*slab_free_link(c, obj) = slab->slab_free;
	slab->slab_free = obj;
	slab->slab_in_use--;
	c->nr_out--;
	if (!was_full && slab->slab_in_use != 0)
		return;
	list_remove(&slab->lru);
	if (slab->slab_in_use != 0) {
		list_add_head(&c->partial, &slab->lru);
		return;
	}
	list_add_tail(&c->partial, &slab->lru); /* used last */
	if (c->nr_empty++ >= EMPTY_SLABS_KEPT)
		slab_destroy(c, slab);
}

/* ---- Magazines; interrupts are off in all of these ---- */

static struct slab_slot *slot_of(const struct slab_cache *c)
{
	return &percpu(slab_slots)[c->index];
}

static void *cache_take_one(struct slab_cache *c)
{
	void *obj;

	irqlock_lock(&c->lock);
	obj = slab_take(c);
	irqlock_unlock(&c->lock);
	return obj;
}

static void cache_give_all(struct slab_cache *c, void **obj, unsigned nr)
{
	irqlock_lock(&c->lock);
	for (unsigned i = 0; i < nr; i++)
		slab_give(c, obj[i]);
	irqlock_unlock(&c->lock);
}

static struct magazine *magazine_alloc(void)
{
	struct magazine *m = cache_take_one(&magazine_cache);

	if (m)
		slab_debug_alloc(&magazine_cache, m, sizeof(*m), arch_frame_pointer());
	return m;
}

/* Frees a chain of empty magazines. */
static void magazine_free(struct magazine *m)
{
	while (m) {
		struct magazine *next = m->next;
		void *obj = m;

		if (slab_debug_free(&magazine_cache, obj, arch_frame_pointer()))
			cache_give_all(&magazine_cache, &obj, 1);
		m = next;
	}
}

static void swap_with_reserve(const struct slab_cache *c, struct slab_slot *s)
{
	struct magazine *m = s->loaded;
	uint16_t nr = s->nr;

	s->loaded = s->reserve;
	s->nr = s->reserve_nr;
	s->reserve = m;
	s->reserve_nr = nr;
	s->cap = s->loaded ? c->magazine_cap : 0;
}

/* Puts an empty magazine where `loaded` is, which is full or missing; false if there is none. */
static bool load_empty(struct slab_cache *c, struct slab_slot *s)
{
	struct magazine *m, *to_flush = NULL;

	irqlock_lock(&c->lock);
	m = c->empty_depot;
	if (m)
		c->empty_depot = m->next;
	irqlock_unlock(&c->lock);
	if (!m)
		m = magazine_alloc();
	if (!m)
		return false;
	irqlock_lock(&c->lock);
	if (s->reserve && c->nr_full_depot < DEPOT_MAX) {
		s->reserve->next = c->full_depot;
		c->full_depot = s->reserve;
		c->nr_full_depot++;
	} else {
		to_flush = s->reserve;
	}
	irqlock_unlock(&c->lock);
	if (to_flush) {
		cache_give_all(c, to_flush->obj, s->reserve_nr);
		to_flush->next = NULL;
		magazine_free(to_flush);
	}
	s->reserve = s->loaded;
	s->reserve_nr = s->nr;
	s->loaded = m;
	s->nr = 0;
	s->cap = c->magazine_cap;
	return true;
}

/* Puts a full magazine of the depot where `loaded` is, which is empty like the reserve. */
static bool load_full(struct slab_cache *c, struct slab_slot *s)
{
	struct magazine *m;

	irqlock_lock(&c->lock);
	m = c->full_depot;
	if (m) {
		c->full_depot = m->next;
		c->nr_full_depot--;
		if (s->reserve) {
			s->reserve->next = c->empty_depot;
			c->empty_depot = s->reserve;
		}
	}
	irqlock_unlock(&c->lock);
	if (!m)
		return false;
	s->reserve = s->loaded;
	s->reserve_nr = 0;
	s->loaded = m;
	s->nr = s->cap = c->magazine_cap;
	return true;
}

/* Half a magazine out of the slabs: room is left for what comes back. */
static void fill_from_slabs(struct slab_cache *c, struct slab_slot *s)
{
	unsigned want = (s->cap + 1u) / 2;

	irqlock_lock(&c->lock);
	while (s->nr < want) {
		void *obj = slab_take(c);

		if (!obj)
			break;
		s->loaded->obj[s->nr++] = obj;
	}
	irqlock_unlock(&c->lock);
}

static NOINLINE void *alloc_slow(struct slab_cache *c, struct slab_slot *s)
{
	if (c->index == SLAB_NO_MAGAZINES)
		return cache_take_one(c);
	if (s->reserve_nr)
		swap_with_reserve(c, s);
	else if (!load_full(c, s) && (s->loaded || load_empty(c, s)))
		fill_from_slabs(c, s);
	return s->nr ? s->loaded->obj[--s->nr] : cache_take_one(c);
}

static NOINLINE void free_slow(struct slab_cache *c, struct slab_slot *s, void *obj)
{
	if (c->index != SLAB_NO_MAGAZINES) {
		if (s->reserve && s->reserve_nr == 0)
			swap_with_reserve(c, s);
		if (s->nr < s->cap || load_empty(c, s)) {
			s->loaded->obj[s->nr++] = obj;
			return;
		}
	}
	cache_give_all(c, &obj, 1);
}

/* ---- The two calls ---- */

static ALWAYS_INLINE void *alloc_object(struct slab_cache *c)
{
	bool irqs = arch_irq_save();
	struct slab_slot *s = slot_of(c);
	void *obj = LIKELY(s->nr) ? s->loaded->obj[--s->nr] : alloc_slow(c, s);

	arch_irq_restore(irqs);
	return obj;
}

void *slab_alloc_sized(struct slab_cache *c, unsigned flags, size_t size)
{
	void *obj;

	if (!(flags & SLAB_NO_FAIL_INJECT) && fail_now())
		return NULL;
	obj = alloc_object(c);
	if (UNLIKELY(!obj) && page_drain_if_allowed()) /* a slab asks with a lock held */
		obj = alloc_object(c);
	if (UNLIKELY(!obj))
		return NULL;
	slab_debug_alloc(c, obj, size, arch_frame_pointer());
	if (flags & SLAB_ZERO)
		memset(obj, 0, size);
	return obj;
}

void *slab_alloc(struct slab_cache *c, unsigned flags)
{
	return slab_alloc_sized(c, flags, c->size);
}

void slab_free(struct slab_cache *c, void *obj)
{
	struct slab_slot *s;
	bool irqs;

	if (!slab_debug_free(c, obj, arch_frame_pointer()))
		return;
	irqs = arch_irq_save();
	if (slab_quarantine_swap(&c, &obj)) {
		s = slot_of(c);
		if (LIKELY(s->nr < s->cap))
			s->loaded->obj[s->nr++] = obj;
		else
			free_slow(c, s, obj);
	}
	arch_irq_restore(irqs);
}

/* ---- Giving back ---- */

/* Empties this CPU's magazines of one cache. */
static void drain_slot(struct slab_cache *c)
{
	bool irqs = arch_irq_save();
	struct slab_slot *s = slot_of(c), old = *s;

	*s = (struct slab_slot){0};
	if (old.loaded) {
		cache_give_all(c, old.loaded->obj, old.nr);
		old.loaded->next = NULL;
	}
	if (old.reserve) {
		cache_give_all(c, old.reserve->obj, old.reserve_nr);
		old.reserve->next = NULL;
	}
	magazine_free(old.loaded);
	magazine_free(old.reserve);
	arch_irq_restore(irqs);
}

/* Gives what is in this CPU's quarantine back to the slabs: of one cache, or of all. */
static void drain_quarantine(struct slab_cache *only)
{
	bool irqs = arch_irq_save();
	struct slab_cache *c = only;
	void *obj;

	while ((obj = slab_quarantine_take(&c))) {
		cache_give_all(c, &obj, 1);
		c = only;
	}
	arch_irq_restore(irqs);
}

/* On each CPU, while somebody holds caches_lock; arg is one cache, or NULL for all. */
static void drain_slots(void *arg)
{
	drain_quarantine(arg);
	if (arg) {
		drain_slot(arg);
		return;
	}
	list_for_each(c, &caches, struct slab_cache, link)
	{
		drain_slot(c);
	}
}

static void drain_depot(struct slab_cache *c)
{
	struct magazine *empty;

	irqlock_lock(&c->lock);
	empty = c->empty_depot;
	c->empty_depot = NULL;
	while (c->full_depot) {
		struct magazine *m = c->full_depot;

		c->full_depot = m->next;
		for (unsigned i = 0; i < c->magazine_cap; i++)
			slab_give(c, m->obj[i]);
		m->next = empty;
		empty = m;
	}
	c->nr_full_depot = 0;
	irqlock_unlock(&c->lock);
	magazine_free(empty);
}

static void free_empty_slabs(struct slab_cache *c)
{
	irqlock_lock(&c->lock);
	while (c->nr_empty)
		slab_destroy(c, list_last(&c->partial, struct page, lru)); /* empty ones are last */
	irqlock_unlock(&c->lock);
}

/* Of all caches, as they stand. */
static size_t count_pages(void) MUST_HOLD(caches_lock)
{
	size_t pages = 0;

	list_for_each(c, &caches, struct slab_cache, link)
	{
		pages += (size_t)READ_ONCE(c->nr_slabs) << c->order;
	}
	return pages;
}

size_t slab_shrink(void)
{
	size_t before, after;

	spinlock_lock(&caches_lock);
	before = count_pages();
	ipi_call_others(drain_slots, NULL);
	drain_slots(NULL);
	list_for_each(c, &caches, struct slab_cache, link)
	{
		drain_depot(c);
	}
	list_for_each(c, &caches, struct slab_cache, link)
	{
		free_empty_slabs(c);
	}
	after = count_pages();
	spinlock_unlock(&caches_lock);
	return before > after ? before - after : 0; /* others may take some meanwhile */
}

/* ---- Caches ---- */

/* The smallest slab that wastes at most an eighth of itself; else the one that wastes least. */
static int choose_order(size_t stride)
{
	for (unsigned order = 0; order <= MAX_SLAB_ORDER; order++) {
		size_t bytes = PAGE_SIZE << order;

		if (stride <= bytes && bytes % stride <= bytes / 8)
			return (int)order;
	}
	return MAX_SLAB_ORDER;
}

static unsigned choose_magazine_cap(size_t size)
{
	if (size <= 256)
		return MAGAZINE_MAX;
	return size <= 1024 ? 16 : size <= 4096 ? 8 : 4;
}

/* Fills in a cache that is in no list yet. */
int slab_cache_setup(struct slab_cache *c, const char *name, size_t size, size_t align)
{
	align = MAX(align, (size_t)MIN_ALIGN);
	if (size == 0 || size > MAX_OBJECT_SIZE || align > PAGE_SIZE || (align & (align - 1)))
		return -EINVAL;
	*c = (struct slab_cache){.name = name, .size = size, .align = (uint32_t)align};
	c->stride = (uint32_t)ALIGN_UP(slab_debug_stride(ALIGN_UP(size, MIN_ALIGN)), align);
	c->order = (uint8_t)choose_order(c->stride);
	c->per_slab = (uint32_t)(slab_bytes(c) / c->stride);
	irqlock_init(&c->lock, RANK_SLAB, name);
	list_init(&c->partial);
	list_init(&c->full);
	return 0;
}

static int add_cache(struct slab_cache *c)
{
	size_t index;

	spinlock_lock(&caches_lock);
	index = bitmap_find_zero(indices_used, SLAB_MAX_CACHES, SLAB_NO_MAGAZINES + 1);
	if (index < SLAB_MAX_CACHES) {
		bitmap_set(indices_used, index);
		c->index = (uint16_t)index;
		c->magazine_cap = (uint16_t)choose_magazine_cap(c->size);
		list_add_tail(&caches, &c->link);
	}
	spinlock_unlock(&caches_lock);
	return index < SLAB_MAX_CACHES ? 0 : -ENFILE;
}

int slab_cache_create(struct slab_cache **out, const char *name, size_t size, size_t align)
{
	struct slab_cache *c = slab_alloc(&cache_cache, 0);
	int err;

	if (!c)
		return -ENOMEM;
	err = slab_cache_setup(c, name, size, align);
	if (err)
		goto free_cache;
	err = add_cache(c);
	if (err)
		goto free_cache;
	*out = c;
	return 0;

free_cache:
	slab_free(&cache_cache, c);
	return err;
}

void slab_cache_destroy(struct slab_cache *c)
{
	spinlock_lock(&caches_lock);
	ipi_call_others(drain_slots, c);
	drain_slots(c);
	drain_depot(c);
	list_remove(&c->link);
	bitmap_clear(indices_used, c->index);
	spinlock_unlock(&caches_lock);
	free_empty_slabs(c);
	if (c->nr_out) {
		log_err("mm: cache %s destroyed with %llu objects in use", c->name,
			(unsigned long long)c->nr_out);
		debug_assert(c->nr_out == 0);
		return; /* its slabs name it for ever */
	}
	slab_free(&cache_cache, c);
}

void slab_init(void)
{
	int err = slab_cache_setup(&cache_cache, "slab-cache", sizeof(struct slab_cache), 0);

	err = err ? err : slab_cache_setup(&magazine_cache, "slab-magazine", sizeof(struct magazine), 0);
	assert(!err);
	spinlock_lock(&caches_lock);
	list_add_tail(&caches, &cache_cache.link);
	list_add_tail(&caches, &magazine_cache.link);
	spinlock_unlock(&caches_lock);
	mem_init();
}

void slab_init_cpu(void)
{
	/* A CPU's slots start as zero: no magazines, which the slow paths know how to change. */
}

/* ---- What tests and the console ask ---- */

/* Objects in callers' hands: out of the slabs, but in no magazine. Exact when nobody else acts. */
static uint64_t objects_in_use(struct slab_cache *c) MUST_HOLD(c->lock)
{
	uint64_t parked = (uint64_t)c->nr_full_depot * c->magazine_cap + slab_debug_quarantined(c);

	for (unsigned i = 0; i < cpu_count() && c->index != SLAB_NO_MAGAZINES; i++) {
		const struct slab_slot *s = &(*percpu_of(slab_slots, cpus[i]))[c->index];

		parked += READ_ONCE(s->nr) + READ_ONCE(s->reserve_nr);
	}
	return c->nr_out > parked ? c->nr_out - parked : 0;
}

void slab_for_each_cache(
	void (*fn)(const char *name, size_t size, uint64_t in_use, uint64_t pages, void *ctx),
	void *ctx)
{
	spinlock_lock(&caches_lock);
	list_for_each(c, &caches, struct slab_cache, link)
	{
		uint64_t in_use, pages;

		irqlock_lock(&c->lock);
		in_use = objects_in_use(c);
		pages = (uint64_t)c->nr_slabs << c->order;
		irqlock_unlock(&c->lock);
		fn(c->name, c->size, in_use, pages, ctx);
	}
	spinlock_unlock(&caches_lock);
}

static void add_stats(
	const char *name UNUSED, size_t size UNUSED, uint64_t in_use, uint64_t pages, void *ctx)
{
	struct slab_stats *stats = ctx;

	stats->nr_objects += in_use;
	stats->nr_pages += pages;
}

void slab_get_stats(struct slab_stats *out)
{
	*out = (struct slab_stats){0};
	slab_for_each_cache(add_stats, out);
}

static void check_slab(const struct slab_cache *c, const struct page *slab, bool is_full)
{
	unsigned nr_free = 0;

	assert(slab->state == PAGE_SLAB && slab->cache == c);
	assert((slab->slab_in_use == c->per_slab) == is_full && slab->slab_carved <= c->per_slab);
	for (void *obj = slab->slab_free; obj; obj = *slab_free_link(c, obj)) {
		assert(slab_of(c, obj) == slab);
		nr_free++;
	}
	assert(nr_free + slab->slab_in_use == slab->slab_carved);
	slab_debug_check_slab(c, slab);
}

void slab_check(void)
{
	spinlock_lock(&caches_lock);
	list_for_each(c, &caches, struct slab_cache, link)
	{
		irqlock_lock(&c->lock);
		list_for_each(slab, &c->partial, struct page, lru)
		{
			check_slab(c, slab, false);
		}
		list_for_each(slab, &c->full, struct page, lru)
		{
			check_slab(c, slab, true);
		}
		irqlock_unlock(&c->lock);
	}
	spinlock_unlock(&caches_lock);
}
