// SPDX-License-Identifier: MIT
/*
 * Counting what page tables lead to. A page is shared when more than one reference holds it, or
 * when a table on the way to it is: fork shares whole tables.
 *
 * Regions are copied in batches (struct region_walk). What a batch counts is bounded, but for the
 * region it begins with.
 *
 * Locks   vm->lock to read, and table_lock around each stretch of STRETCH bytes
 */
#include "mm/vmstats.h"

#include "mm/pgtable.h"
#include "mm/tlb.h"
#include "mm/vmspace_priv.h"

#define STRETCH (2 * MIB)
/* A batch that counts pages begins no region beyond so many bytes. */
#define BATCH_MAX (8 * MIB)

struct count {
	struct vmspace *vm;
	struct vm_region_stats *stats;
};

static void count_leaf(
	struct entry_place *e, vaddr_t va, unsigned level, void *ctx) NOT_ANALYSED
{
	struct count *c = ctx;
	struct vm_region_stats *s = c->stats;
	unsigned flags = arch_pte_flags(*e->at, level);
	struct page *p = pfn_to_page(arch_pte_paddr(*e->at, level) >> PAGE_SHIFT);
	size_t size = pgtable_level_size(level);
	bool is_dirty = flags & (PTE_WRITE | PTE_ANON);
	uint32_t refs;

	if (flags & PTE_SPECIAL)
		return; /* the zero page and devices are nobody's memory */
	refs = MAX(READ_ONCE(p->refs), 1u);
	if (!vmtable_is_own(c->vm, va))
		refs = MAX(refs, 2u);
	s->resident += size;
	if (arch_pte_was_used(*e->at))
		s->referenced += size;
	s->proportional += size / refs;
	if (is_dirty)
		s->proportional_dirty += size / refs;
	if (flags & PTE_ANON) {
		s->anonymous += size;
		s->proportional_anonymous += size / refs;
	}
	if (level > 0)
		s->huge += size;
	*(refs > 1 ? (is_dirty ? &s->shared_dirty : &s->shared_clean)
		   : (is_dirty ? &s->private_dirty : &s->private_clean)) += size;
}

/* Where to go on behind `at`, which a whole table that is not there may have: its end. */
static vaddr_t skip_absent(struct vmspace *vm, vaddr_t at) MUST_HOLD(vm->table_lock)
{
	unsigned level;

	if (vmtable_look(vm, at, &level) || level == 0)
		return at;
	return ALIGN_DOWN(at, pgtable_level_size(level)) + pgtable_level_size(level);
}

/* Looks at the region's leaves, with table_lock held for a stretch at a time. vm->lock held. */
static void visit_region(
	struct vmspace *vm, const struct region *r, vmtable_visit *fn, void *ctx)
{
	for (vaddr_t at = r->start; at < r->end;) {
		vaddr_t end = MIN(ALIGN_DOWN(at, STRETCH) + STRETCH, r->end), from;

		spinlock_lock(&vm->table_lock);
		from = skip_absent(vm, at);
		if (from < end)
			vmtable_for_each(vm, from, end, fn, ctx);
		spinlock_unlock(&vm->table_lock);
		at = MAX(from, end);
	}
}

static void count_region(
	struct vmspace *vm, const struct region *r, struct vm_region_stats *out)
{
	struct count c = {.vm = vm, .stats = out};

	*out = (struct vm_region_stats){0};
	visit_region(vm, r, count_leaf, &c);
	if (r->flags & VM_LOCKED)
		out->locked = out->resident;
}

static void put_batch(struct region_walk *w)
{
	for (unsigned i = 0; i < w->nr; i++)
		vmspace_region_done(&w->regions[i]);
	w->nr = w->next = 0;
}

static void fill_batch(struct region_walk *w)
{
	const struct region *r;
	size_t size = 0;

	rwlock_read_lock(&w->vm->lock);
	r = region_at_or_after(w->vm, w->at);
	for (; r && w->nr < REGION_BATCH && size < BATCH_MAX; r = region_next(r)) {
		w->regions[w->nr] = *r;
		if (r->source && r->source->ops->get)
			r->source->ops->get(r->source);
		if (w->stats && (r->source || !w->skips_anonymous)) {
			count_region(w->vm, r, &w->stats[w->nr]);
			size += r->end - r->start;
		}
		w->at = r->end;
		w->nr++;
	}
	rwlock_read_unlock(&w->vm->lock);
}

const struct region *region_walk_next(struct region_walk *w)
{
	if (w->next == w->nr) {
		put_batch(w);
		fill_batch(w);
	}
	return w->nr ? &w->regions[w->next++] : NULL;
}

void region_walk_end(struct region_walk *w)
{
	put_batch(w);
}

/* A table may be shared with others, whose use is forgotten too. */
static void forget_leaf(struct entry_place *e, vaddr_t va UNUSED, unsigned level UNUSED,
	void *ctx UNUSED) NOT_ANALYSED
{
	arch_pte_forget_use(e->at);
}

void vmspace_region_forget_use(struct vmspace *vm, const struct region *r)
{
	rwlock_read_lock(&vm->lock);
	visit_region(vm, r, forget_leaf, NULL);
	rwlock_read_unlock(&vm->lock);
	tlb_flush_vm(vm, r->start, r->end - r->start);
}

uint64_t vmspace_count_tables(struct vmspace *vm)
{
	uint64_t nr;

	spinlock_lock(&vm->table_lock);
	nr = vmtable_count(vm);
	spinlock_unlock(&vm->table_lock);
	return nr;
}

void vmspace_forget_peak(struct vmspace *vm)
{
	spinlock_lock(&vm->table_lock);
	vm->peak_resident = vm->nr_resident;
	spinlock_unlock(&vm->table_lock);
}

void vm_region_stats_add(struct vm_region_stats *sum, const struct vm_region_stats *s)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)s;

	static_assert(sizeof(*sum) % sizeof(uint64_t) == 0, "all fields are 64-bit sums");
	for (size_t i = 0; i < sizeof(*sum) / sizeof(uint64_t); i++)
		to[i] += from[i];
}

bool vmspace_page_info(struct vmspace *vm, vaddr_t va, struct vm_page_info *out)
{
	unsigned level, flags;
	arch_pte pte;

	spinlock_lock(&vm->table_lock);
	pte = vmtable_look(vm, va, &level);
	if (pte) {
		flags = arch_pte_flags(pte, level);
		out->pfn =
			(arch_pte_paddr(pte, level) >> PAGE_SHIFT) +
			((va >> PAGE_SHIFT) & ((pgtable_level_size(level) >> PAGE_SHIFT) - 1));
		out->is_file = !(flags & (PTE_ANON | PTE_SPECIAL));
		out->is_exclusive = !(flags & PTE_SPECIAL) &&
				    READ_ONCE(pfn_to_page(out->pfn)->refs) == 1 &&
				    vmtable_is_own(vm, va);
	}
	spinlock_unlock(&vm->table_lock);
	return pte != 0;
}
