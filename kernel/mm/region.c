// SPDX-License-Identifier: MIT
/*
 * The regions of an address space: a tree by address, in which each knows how much is free below it and
 * the largest such gap of its subtree, so that a place for a new mapping is found in logarithmic time.
 *
 * Below a stack the guard gap is not free: a gap ends VM_STACK_GUARD_PAGES earlier there.
 *
 * Regions with a source are on its list; the list's lock also covers their borders, because
 * page_source_unmap (mm/page_source.c) looks at them without vm->lock.
 *
 * Locks   vm->lock [V] to change; source->lock for what is said above.
 */
#include "lib/assert.h"
#include "lib/atomic.h"
#include "mm/slab.h"
#include "mm/vmspace_priv.h"

static struct slab_cache *region_cache; /* [I] after region_init_cache */

static struct region *region_of(const struct rbtree_node *node)
{
	return container_of((struct rbtree_node *)node, struct region, node);
}

void region_init_cache(void)
{
	if (slab_cache_create(&region_cache, "region", sizeof(struct region), 0))
		panic("mm: no memory for the cache of regions");
}

/* ---- Order and gaps ---- */

static bool starts_before(const struct rbtree_node *a, const struct rbtree_node *b)
{
	return region_of(a)->start < region_of(b)->start;
}

static vaddr_t max_gap_of(const struct rbtree_node *node)
{
	return node ? region_of(node)->max_gap : 0;
}

static bool update_max_gap(struct rbtree_node *node)
{
	struct region *r = region_of(node);
	vaddr_t left = max_gap_of(node->child[RBTREE_LEFT]),
		right = max_gap_of(node->child[RBTREE_RIGHT]);
	vaddr_t below = MAX(left, right), max = MAX(r->gap, below);

	if (max == r->max_gap)
		return false;
	r->max_gap = max;
	return true;
}

void region_init_tree(struct vmspace *vm)
{
	rbtree_init(&vm->regions, update_max_gap);
	list_init(&vm->dying);
}

/* The lowest address that it keeps others from. */
static vaddr_t low_of(const struct region *r)
{
	vaddr_t guard = VM_STACK_GUARD_PAGES * PAGE_SIZE;

	if (LIKELY(!(r->flags & VM_GROWSDOWN)))
		return r->start;
	return r->start > guard ? r->start - guard : 0;
}

static void update_gap(struct region *r)
{
	const struct region *prev = region_prev(r);
	vaddr_t from = prev ? prev->end : VM_MIN_ADDR, low = low_of(r);
	vaddr_t gap = low > from ? low - from : 0;

	if (gap == r->gap)
		return;
	r->gap = gap;
	rbtree_update_from(&r->vm->regions, &r->node);
}

static void update_gap_above(struct region *r)
{
	struct region *next = region_next(r);

	if (next)
		update_gap(next);
}

/* ---- Looking ---- */

struct region *region_at_or_after(const struct vmspace *vm, vaddr_t addr)
{
	struct rbtree_node *node = vm->regions.root;
	struct region *best = NULL;

	while (node) {
		struct region *r = region_of(node);

		if (r->end > addr) {
			best = r;
			if (r->start <= addr)
				break;
			node = node->child[RBTREE_LEFT];
		} else {
			node = node->child[RBTREE_RIGHT];
		}
	}
	return best;
}

struct region *region_find(struct vmspace *vm, vaddr_t addr)
{
	/* a region goes only while nobody reads, and takes the hint with it */
	struct region *r = atomic_load_relaxed(&vm->hint);

	if (r && addr - r->start < r->end - r->start)
		return r;
	r = region_at_or_after(vm, addr);
	if (!r || r->start > addr)
		return NULL;
	atomic_store_relaxed(&vm->hint, r);
	return r;
}

struct region *region_next(const struct region *r)
{
	return rbtree_object(rbtree_next(&r->node), struct region, node);
}

struct region *region_prev(const struct region *r)
{
	return rbtree_object(rbtree_prev(&r->node), struct region, node);
}

bool region_covers(const struct vmspace *vm, vaddr_t start, vaddr_t end)
{
	for (const struct region *r = region_at_or_after(vm, start); r && r->start <= start;
		r = region_next(r)) {
		if (r->end >= end)
			return true;
		start = r->end;
	}
	return false;
}

/* In the subtree, the highest place that ends at or below top. */
static vaddr_t find_gap_in(
	const struct rbtree_node *node, size_t size, vaddr_t min, vaddr_t top)
{
	while (node && max_gap_of(node) >= size) {
		const struct region *r = region_of(node);
		vaddr_t low = low_of(r), from, to, found;

		if (r->end < top) {
			found = find_gap_in(node->child[RBTREE_RIGHT], size, min, top);
			if (found)
				return found;
		}
		to = MIN(low, top);
		from = MAX(low - r->gap, min);
		if (r->gap >= size && to > from && to - from >= size)
			return to - size;
		if (r->start <= min)
			return 0;
		node = node->child[RBTREE_LEFT];
	}
	return 0;
}

vaddr_t region_find_gap(const struct vmspace *vm, size_t size, vaddr_t min, vaddr_t top)
{
	const struct region *last =
		rbtree_object(rbtree_last(&vm->regions), struct region, node);
	vaddr_t from = last ? MAX(last->end, min) : min;

	if (top > from && top - from >= size)
		return top - size;
	return find_gap_in(vm->regions.root, size, min, top);
}

/* ---- Life ---- */

struct region *region_alloc(void)
{
	return slab_alloc(region_cache, SLAB_ZERO);
}

void region_release(struct region *r)
{
	if (r->source)
		list_add_tail(&r->vm->dying, &r->source_link);
	else
		slab_free(region_cache, r);
}

void vmspace_unlock(struct vmspace *vm)
{
	struct list dying = LIST_INIT(dying);
	struct region *r;

	if (!list_is_empty(&vm->dying))
		list_splice_tail(&dying, &vm->dying);
	rwlock_write_unlock(&vm->lock);
	while ((r = list_pop_head(&dying, struct region, source_link)))
		region_free(r);
}

/* Seals and the like have to know of it. */
static bool is_writable_share(const struct region *r)
{
	return (r->flags & (VM_SHARED | VM_MAYWRITE)) == (VM_SHARED | VM_MAYWRITE);
}

int region_attach_source(struct region *r, struct page_source *source)
{
	int err = 0;

	if (is_writable_share(r) && source->ops->map_writable)
		err = source->ops->map_writable(source);
	if (err)
		return err;
	if (source->ops->get)
		source->ops->get(source);
	if (source->ops->attach)
		source->ops->attach(source);
	r->source = source;
	return 0;
}

struct region *region_copy(const struct region *from, vaddr_t start, vaddr_t end)
{
	struct region *r = slab_alloc(region_cache, 0);

	if (!r)
		return NULL;
	*r = *from;
	rbtree_node_init(&r->node);
	list_node_init(&r->source_link);
	r->gap = r->max_gap = 0;
	r->offset_pages += (start - from->start) >> PAGE_SHIFT;
	r->start = start;
	r->end = end;
	if (from->source && region_attach_source(r, from->source)) {
		slab_free(region_cache, r);
		return NULL;
	}
	return r;
}

void region_free(struct region *r)
{
	struct page_source *s = r->source;

	if (s && is_writable_share(r) && s->ops->unmap_writable)
		s->ops->unmap_writable(s);
	if (s && s->ops->detach)
		s->ops->detach(s);
	if (s && s->ops->put)
		s->ops->put(s);
	slab_free(region_cache, r);
}

static void count(struct vmspace *vm, uint64_t pages, uint32_t flags)
{
	vm->nr_mapped += pages;
	if (region_is_data(flags))
		vm->nr_data += pages;
	if (region_is_accounted(flags))
		vm->nr_committed += pages;
	if (flags & VM_LOCKED)
		vm->nr_locked += pages;
}

/* For a page of our own: writable, if the region is. */
static void compute_own_leaf(struct region *r)
{
	unsigned flags = region_pte_flags(r->flags) | PTE_ANON;

	if (r->flags & VM_WRITE)
		flags |= PTE_WRITE;
	r->own_leaf = arch_pte_leaf(0, flags, 0);
}

static void list_with_source(struct region *r)
{
	if (!r->source)
		return;
	mutex_lock(&r->source->lock);
	list_add_tail(&r->source->regions, &r->source_link);
	mutex_unlock(&r->source->lock);
}

static void insert_uncounted(struct vmspace *vm, struct region *r)
{
	r->vm = vm;
	compute_own_leaf(r);
	rbtree_insert(&vm->regions, &r->node, starts_before);
	vm->nr_regions++;
	update_gap(r);
	update_gap_above(r);
	list_with_source(r);
}

void region_insert(struct vmspace *vm, struct region *r)
{
	insert_uncounted(vm, r);
	count(vm, region_pages(r), r->flags);
	vm->peak_mapped = MAX(vm->peak_mapped, vm->nr_mapped);
}

static void erase_uncounted(struct region *r)
{
	struct vmspace *vm = r->vm;
	struct region *next = region_next(r);

	if (r->source) {
		mutex_lock(&r->source->lock);
		list_remove(&r->source_link);
		mutex_unlock(&r->source->lock);
	}
	rbtree_erase(&vm->regions, &r->node);
	vm->nr_regions--;
	if (vm->hint == r)
		vm->hint = NULL;
	if (next)
		update_gap(next);
}

void region_erase(struct region *r)
{
	count(r->vm, -region_pages(r), r->flags);
	erase_uncounted(r);
}

static void store_borders(struct region *r, vaddr_t start, vaddr_t end)
{
	/* modulo 2^52: in both directions */
	r->offset_pages = (r->offset_pages + ((start - r->start) >> PAGE_SHIFT)) &
			  (UINT64_MAX >> PAGE_SHIFT);
	r->start = start;
	r->end = end;
}

static void set_borders(struct region *r, vaddr_t start, vaddr_t end)
{
	if (r->source) {
		mutex_lock(&r->source->lock);
		store_borders(r, start, end);
		mutex_unlock(&r->source->lock);
	} else {
		store_borders(r, start, end);
	}
	update_gap(r);
	update_gap_above(r);
}

void region_resize(struct region *r, vaddr_t start, vaddr_t end)
{
	count(r->vm, -region_pages(r), r->flags);
	set_borders(r, start, end);
	count(r->vm, region_pages(r), r->flags);
	r->vm->peak_mapped = MAX(r->vm->peak_mapped, r->vm->nr_mapped);
}

void region_set_flags(struct region *r, uint32_t flags)
{
	uint32_t changed = flags ^ r->flags;

	count(r->vm, -region_pages(r), r->flags);
	r->flags = flags;
	compute_own_leaf(r);
	count(r->vm, region_pages(r), r->flags);
	if (changed & VM_GROWSDOWN)
		update_gap(r);
}

int region_split(struct region *r, vaddr_t at, struct region **upper)
{
	struct region *u;

	debug_assert(at > r->start && at < r->end);
	if (r->vm->nr_regions >= VM_MAX_REGIONS)
		return -ENOMEM;
	u = region_copy(r, at, r->end);
	if (!u)
		return -ENOMEM;
	set_borders(r, r->start, at);
	insert_uncounted(r->vm, u);
	*upper = u;
	return 0;
}

int region_isolate(struct vmspace *vm, vaddr_t start, vaddr_t end, struct region **first)
{
	struct region *r = region_at_or_after(vm, start), *last, *upper;
	int err;

	*first = NULL;
	if (!r || r->start >= end)
		return 0;
	if (r->start < start) {
		err = region_split(r, start, &upper);
		if (err)
			return err;
		r = upper;
	}
	last = r->end >= end ? r : region_at_or_after(vm, end - 1);
	if (last && last->start < end && last->end > end) {
		err = region_split(last, end, &upper);
		if (err)
			return err;
	}
	*first = r;
	return 0;
}

/* ---- fork ---- */

/* What a child gets for a region; for one that it shall not have, a place holder without a source. */
static int copy_for_child(const struct region *r, struct region **out)
{
	uint64_t accounted = region_is_accounted(r->flags) ? region_pages(r) : 0;
	struct region *copy;

	if (UNLIKELY(r->flags & VM_DONTFORK)) {
		copy = region_alloc();
		if (!copy)
			return -ENOMEM;
		copy->start = r->start;
		copy->end = r->end;
		copy->flags = r->flags & (VM_DONTFORK | VM_GROWSDOWN);
		*out = copy;
		return 0;
	}
	if (accounted && vm_commit(accounted))
		return -ENOMEM;
	copy = region_copy(r, r->start, r->end);
	if (!copy) {
		vm_uncommit(accounted);
		return -ENOMEM;
	}
	copy->flags &= ~(uint32_t)(VM_LOCKED | VM_ONFAULT);
	*out = copy;
	return 0;
}

/* The same tree, node by node: as high as the other one, at most 2 log2(VM_MAX_REGIONS). */
static int copy_subtree(struct vmspace *to, struct rbtree_node *parent, int side,
	const struct rbtree_node *like, bool *has_exceptions)
{
	const struct region *r = region_of(like);
	struct region *copy;
	int err = copy_for_child(r, &copy);

	if (err)
		return err;
	*has_exceptions |= (r->flags & (VM_DONTFORK | VM_WIPEONFORK)) != 0;
	copy->gap = r->gap;
	copy->max_gap = r->max_gap;
	copy->vm = to;
	rbtree_attach_like(&to->regions, parent, side, &copy->node, like);
	list_with_source(copy);
	count(to, region_pages(copy), copy->flags);
	for (side = RBTREE_LEFT; side <= RBTREE_RIGHT && !err; side++)
		if (like->child[side])
			err = copy_subtree(
				to, &copy->node, side, like->child[side], has_exceptions);
	return err;
}

int region_copy_all(const struct vmspace *from, struct vmspace *to, bool *has_exceptions)
{
	int err = 0;

	if (from->regions.root)
		err = copy_subtree(to, NULL, RBTREE_LEFT, from->regions.root, has_exceptions);
	to->nr_regions = from->nr_regions;
	to->peak_mapped = to->nr_mapped;
	return err;
}

void region_drop_exceptions(struct vmspace *to)
{
	struct region *r = region_at_or_after(to, 0), *next;

	for (; r; r = next) {
		next = region_next(r);
		if (!(r->flags & VM_DONTFORK))
			continue;
		region_erase(r);
		region_free(r);
	}
}

/* ---- The end ---- */

/* Children first, and no balance to keep: the tree is at most 2 log2(VM_MAX_REGIONS) high. */
static void forget_subtree(struct rbtree_node *node)
{
	struct region *r;

	if (!node)
		return;
	forget_subtree(node->child[RBTREE_LEFT]);
	forget_subtree(node->child[RBTREE_RIGHT]);
	r = region_of(node);
	if (r->source) {
		mutex_lock(&r->source->lock);
		list_remove(&r->source_link);
		mutex_unlock(&r->source->lock);
	}
	region_free(r);
}

void region_forget_all(struct vmspace *vm)
{
	forget_subtree(vm->regions.root);
	vm->regions.root = NULL;
}

/* ---- Merging ---- */

/* VM_GROWSDOWN never merges: its start means something. */
enum { NEVER_MERGED = VM_GROWSDOWN | VM_SPECIAL };

static bool is_continued_by(const struct region *a, const struct region *b)
{
	if (a->end != b->start || a->flags != b->flags || (a->flags & NEVER_MERGED))
		return false;
	if (a->source != b->source || a->label != b->label)
		return false;
	return !a->source || (!a->source->ops->detach &&
				     a->offset_pages + region_pages(a) == b->offset_pages);
}

bool region_continues(const struct region *r, const struct map_req *req, vaddr_t start)
{
	return r->end == start && r->flags == req->flags && !r->source && !req->source &&
	       r->label == req->label && !(r->flags & NEVER_MERGED);
}

/* b, which continues a, goes into it. */
static void absorb(struct region *a, struct region *b)
{
	vaddr_t end = b->end;

	erase_uncounted(b);
	set_borders(a, a->start, end);
	region_release(b);
}

struct region *region_merge(struct region *r)
{
	struct region *prev = region_prev(r), *next = region_next(r);

	if (next && is_continued_by(r, next))
		absorb(r, next);
	if (prev && is_continued_by(prev, r)) {
		absorb(prev, r);
		return prev;
	}
	return r;
}
