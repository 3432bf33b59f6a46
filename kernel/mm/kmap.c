// SPDX-License-Identifier: MIT
/*
 * The kernel's own mappings: addresses between kmap_base and kmap_end, each range with an
 * unmapped page on both sides.
 *
 *     | guard | used: pages, or device memory | guard and what is left of the power of two |
 *
 * Addresses are plenty and never the shortage, so a range is a power of two of pages, taken from
 * the list of ranges of that size that came back, or cut off the end of what was ever used:
 * constant time, no splitting, no merging. Live ranges are also in a tree by address, for
 * kmap_free and for the fault report.
 *
 * Locks   ranges_lock [r]  irq, RANK_KMAP: the tree and the lists
 *         tables_lock      irq, RANK_PGTABLE: kernel_pgtable; table pages are taken under it
 * Order   free: unmap, flush every CPU, and only then give pages and addresses back.
 * Rejected: a tree of gaps (augmented, merging): logarithmic, longer, and saves only addresses.
 */
#include "mm/kmap.h"

#include "arch/arch.h"
#include "debug/log.h"
#include "lib/assert.h"
#include "lib/fmt.h"
#include "lib/list.h"
#include "lib/rbtree.h"
#include "mm/page.h"
#include "mm/pgtable.h"
#include "mm/slab.h"
#include "mm/tlb.h"
#include "sync/spinlock.h"

enum {
	GUARD_PAGES = 2, /* one on each side */
	NR_CLASSES = 36, /* up to 2^35 pages */
};

/*
 *   [r] ranges_lock    [o] its owner
 */
struct kmap_range {
	struct rbtree_node node; /* [r] while live */
	struct list_node link;	 /* [r] while free, on free_ranges[class] */
	vaddr_t start;		 /* [I] the lower guard */
	unsigned class;		 /* [I] 2^class pages, guards included */
	vaddr_t used;		 /* [o] first mapped page */
	size_t used_size;	 /* [o] whole pages */
	bool owns_pages;	 /* [o] else device memory */
	const char *name;	 /* [o] */
};

static struct irqlock ranges_lock = IRQLOCK_INIT(RANK_KMAP, "kmap ranges");
static struct irqlock tables_lock = IRQLOCK_INIT(RANK_PGTABLE, "kernel page tables");
static struct rbtree live;			   /* [r] by start */
static struct list free_ranges[NR_CLASSES];	   /* [r] */
static vaddr_t next_unused;			   /* [r] */
static struct slab_cache *range_cache;		   /* [I] after kmap_init */

static struct kmap_range *range_from(const struct rbtree_node *node)
{
	return container_of((struct rbtree_node *)node, struct kmap_range, node);
}

static bool starts_before(const struct rbtree_node *a, const struct rbtree_node *b)
{
	return range_from(a)->start < range_from(b)->start;
}

static size_t range_size(const struct kmap_range *r)
{
	return PAGE_SIZE << r->class;
}

static int compare_address(const void *key, const struct rbtree_node *node)
{
	vaddr_t va = *(const vaddr_t *)key;
	const struct kmap_range *r = range_from(node);

	if (va < r->start)
		return -1;
	return va - r->start < range_size(r) ? 0 : 1;
}

static struct kmap_range *find_live(vaddr_t va) MUST_HOLD(ranges_lock)
{
	return rbtree_object(rbtree_find(&live, &va, compare_address), struct kmap_range, node);
}

/* ---- Ranges of addresses ---- */

/* Cuts a range off the unused end; it is not live yet. */
static int range_create(unsigned class, struct kmap_range **out)
{
	struct kmap_range *r = slab_alloc(range_cache, SLAB_ZERO);
	vaddr_t start;

	if (!r)
		return -ENOMEM;
	irqlock_lock(&ranges_lock);
	start = next_unused;
	if (PAGE_SIZE << class <= arch_layout.kmap_end - start)
		next_unused = start + (PAGE_SIZE << class);
	else
		start = 0;
	irqlock_unlock(&ranges_lock);
	if (!start) {
		slab_free(range_cache, r);
		return -ENOMEM;
	}
	r->start = start;
	r->class = class;
	*out = r;
	return 0;
}

static int range_get(size_t size, const char *name, struct kmap_range **out)
{
	size_t pages = (size >> PAGE_SHIFT) + GUARD_PAGES;
	struct kmap_range *r;
	unsigned class = 0;
	int err;

	while (1ul << class < pages)
		class++;
	if (class >= NR_CLASSES)
		return -ENOMEM;
	irqlock_lock(&ranges_lock);
	r = list_pop_head(&free_ranges[class], struct kmap_range, link);
	irqlock_unlock(&ranges_lock);
	if (!r) {
		err = range_create(class, &r);
		if (err)
			return err;
	}
	r->used = r->start + PAGE_SIZE;
	r->used_size = size;
	r->name = name;
	irqlock_lock(&ranges_lock);
	rbtree_insert(&live, &r->node, starts_before);
	irqlock_unlock(&ranges_lock);
	*out = r;
	return 0;
}

/* Back to the free ones; already out of the tree. */
static void range_put(struct kmap_range *r)
{
	irqlock_lock(&ranges_lock);
	list_add_head(&free_ranges[r->class], &r->link);
	irqlock_unlock(&ranges_lock);
}

static struct kmap_range *take_live(const void *p)
{
	struct kmap_range *r;

	irqlock_lock(&ranges_lock);
	r = find_live((vaddr_t)p);
	if (r)
		rbtree_erase(&live, &r->node);
	irqlock_unlock(&ranges_lock);
	assert(r); /* or freed twice, or never ours */
	return r;
}

/* ---- Tables ---- */

static paddr_t table_from_pages(void)
{
	struct page *p;

	return page_alloc(&p, 0, PAGE_ALLOC_ZERO) ? 0 : page_to_phys(p);
}

static int map_locked(vaddr_t va, paddr_t pa, size_t size, unsigned flags)
{
	int err;

	irqlock_lock(&tables_lock);
	err = pgtable_map(&kernel_pgtable, va, pa, size, flags | PTE_GLOBAL, 0);
	irqlock_unlock(&tables_lock);
	return err;
}

/* Unmaps the first `size` bytes of what is used; pages of ours are gathered in `pages`. */
static void unmap_range(const struct kmap_range *r, size_t size, struct list *pages)
{
	int err;

	if (!size)
		return;
	irqlock_lock(&tables_lock);
	for (size_t at = 0; at < size && r->owns_pages; at += PAGE_SIZE) {
		paddr_t pa;

		err = pgtable_lookup(&kernel_pgtable, r->used + at, &pa, NULL, NULL);
		assert(!err);
		list_add_tail(pages, &pfn_to_page(pa >> PAGE_SHIFT)->link);
	}
	err = pgtable_unmap(&kernel_pgtable, r->used, size);
	assert(!err); /* single pages: nothing to split */
	irqlock_unlock(&tables_lock);
}

static void put_pages(struct list *pages)
{
	struct page *p;

	while ((p = list_pop_head(pages, struct page, link)))
		page_put(p);
}

static int map_new_page(vaddr_t va)
{
	struct page *p;
	int err;

	err = page_alloc(&p, 0, PAGE_ALLOC_ZERO);
	if (err)
		return err;
	err = map_locked(va, page_to_phys(p), PAGE_SIZE, PTE_WRITE);
	if (err)
		page_put(p);
	return err;
}

static int map_new_pages(struct kmap_range *r)
{
	struct list undo = LIST_INIT(undo);
	size_t at;
	int err;

	r->owns_pages = true;
	for (at = 0; at < r->used_size; at += PAGE_SIZE) {
		err = map_new_page(r->used + at);
		if (err)
			goto unmap;
	}
	return 0;

unmap:
	unmap_range(r, at, &undo);
	if (at)
		tlb_flush_kernel(r->used, at);
	put_pages(&undo);
	return err;
}

/* ---- The calls ---- */

void kmap_init(void)
{
	int err = slab_cache_create(&range_cache, "kmap-range", sizeof(struct kmap_range), 0);

	if (err)
		panic("mm: no memory for the cache of kernel mappings");
	for (unsigned i = 0; i < NR_CLASSES; i++)
		list_init(&free_ranges[i]);
	rbtree_init(&live, NULL);
	next_unused = arch_layout.kmap_base;
	kernel_pgtable.alloc_table = table_from_pages;
}

int kmap_alloc(void **out, size_t size, const char *name)
{
	struct kmap_range *r;
	int err;

	assert(size > 0);
	if (size > arch_layout.kmap_end - arch_layout.kmap_base) /* also what rounding up would wrap */
		return -ENOMEM;
	err = range_get(ALIGN_UP(size, PAGE_SIZE), name, &r);
	if (err)
		return err;
	err = map_new_pages(r);
	if (err) {
		range_put(take_live((void *)r->used));
		return err;
	}
	*out = (void *)r->used;
	return 0;
}

int kmap_phys(void **out, paddr_t pa, size_t size, unsigned flags, const char *name)
{
	paddr_t start = ALIGN_DOWN(pa, PAGE_SIZE);
	struct kmap_range *r;
	int err;

	assert(size > 0 && !(flags & (PTE_EXEC | PTE_USER)));
	if (pa >= arch_layout.phys_end || size > arch_layout.phys_end - pa)
		return -EINVAL;
	err = range_get(ALIGN_UP(pa + size, PAGE_SIZE) - start, name, &r);
	if (err)
		return err;
	r->owns_pages = false;
	err = map_locked(r->used, start, r->used_size, flags);
	if (err) {
		/* the part that was mapped for a moment may be in any TLB: CPUs walk ahead */
		tlb_flush_kernel(r->used, r->used_size);
		range_put(take_live((void *)r->used));
		return err;
	}
	*out = (void *)(r->used + (pa - start));
	return 0;
}

int kmap_pages(void **out, struct page *const *pages, size_t nr, const char *name)
{
	struct kmap_range *r;
	size_t i;
	int err = range_get(nr << PAGE_SHIFT, name, &r);

	if (err)
		return err;
	r->owns_pages = false;
	for (i = 0; i < nr && !err; i++)
		err = map_locked(r->used + (i << PAGE_SHIFT), page_to_phys(pages[i]), PAGE_SIZE,
			PTE_WRITE);
	if (err) {
		unmap_range(r, (i - 1) << PAGE_SHIFT, NULL);
		tlb_flush_kernel(r->used, r->used_size);
		range_put(take_live((void *)r->used));
		return err;
	}
	*out = (void *)r->used;
	return 0;
}

void kmap_free_many(void *const *p, unsigned nr)
{
	struct list pages = LIST_INIT(pages), ranges = LIST_INIT(ranges);
	vaddr_t low = UINTPTR_MAX, high = 0;
	struct kmap_range *r;

	for (unsigned i = 0; i < nr; i++) {
		r = take_live(p[i]);
		unmap_range(r, r->used_size, &pages);
		low = MIN(low, r->used);
		high = MAX(high, r->used + r->used_size);
		list_add_tail(&ranges, &r->link);
	}
	if (nr)
		tlb_flush_kernel(low, high - low);
	put_pages(&pages);
	while ((r = list_pop_head(&ranges, struct kmap_range, link)))
		range_put(r);
}

void kmap_free(void *p)
{
	kmap_free_many(&p, 1);
}

void kmap_unmap(void *p)
{
	kmap_free_many(&p, 1);
}

bool kmap_describe(vaddr_t va, char *buf, size_t size)
{
	const struct kmap_range *r;
	bool is_guard = false;

	if (va < arch_layout.kmap_base || va >= arch_layout.kmap_end)
		return false;
	if (!irqlock_try_lock(&ranges_lock)) { /* we may have faulted with it held */
		snformat(buf, size, "an unmapped page among the kernel's own mappings");
		return true;
	}
	r = find_live(va);
	if (r && va < r->used) {
		snformat(buf, size, "the guard page below the %s at %#lx", r->name, r->used);
		is_guard = true;
	} else if (r && va >= r->used + r->used_size) {
		snformat(buf, size, "the guard page above the %s at %#lx", r->name, r->used);
		is_guard = true;
	}
	irqlock_unlock(&ranges_lock);
	return is_guard;
}
