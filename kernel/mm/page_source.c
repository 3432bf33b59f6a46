// SPDX-License-Identifier: MIT
/*
 * Taking a source's pages out of every address space that maps them: truncation, hole punching.
 *
 * The regions are found by the source's list, under its lock, which is taken inside of vm->lock:
 * so vm->lock cannot be taken here, and the tables may be changing under their table_lock alone.
 * That is why a fault looks at source->truncations twice (mm/fault.c).
 *
 * A table that fork shares is changed here although it is shared: whoever shares it has the same mapping there,
 * and loses the same page. Its pages are dropped only after all address spaces were
 * flushed and everybody who was just copying a table is done (RCU: copiers hold a spinlock).
 *
 * Locks   source->lock; under it, one after another, the table_lock of each address space.
 */
#include "mm/page_source.h"

#include "lib/atomic.h"
#include "mm/phys.h"
#include "mm/slab.h"
#include "mm/tlb.h"
#include "mm/vmspace_priv.h"
#include "sync/rcu.h"

void page_source_init(struct page_source *s, const struct page_source_ops *ops)
{
	*s = (struct page_source){.ops = ops};
	mutex_init(&s->lock, RANK_PAGE_SOURCE, "page source");
	list_init(&s->regions);
}

/* What one region maps of the range; false: nothing. */
static bool range_in(
	const struct region *r, uint64_t first, uint64_t nr, vaddr_t *start, vaddr_t *end)
{
	uint64_t pages = region_pages(r), from = r->offset_pages, last = first + nr;
	uint64_t lo = MAX(first, from),
		 hi = MIN(last < first ? UINT64_MAX : last, from + pages);

	if (lo >= hi)
		return false;
	*start = r->start + ((lo - from) << PAGE_SHIFT);
	*end = r->start + ((hi - from) << PAGE_SHIFT);
	return true;
}

/*
 * One region, in rounds of what a batch holds. Pages are put after flush and grace period; until
 * then the entries are gone but the pages live.
 */
static void take_out(struct region *r, vaddr_t start, vaddr_t end, bool private_too)
{
	struct vmspace *vm = r->vm;
	struct page *pages[GATHER_MAX];
	bool is_shared;
	unsigned nr;

	do {
		is_shared = false;
		spinlock_lock(&vm->table_lock);
		nr = vmtable_take_out(
			vm, start, end, private_too, pages, GATHER_MAX, &is_shared);
		spinlock_unlock(&vm->table_lock);
		if (nr == 0)
			return;
		if (is_shared) {
			tlb_flush_all_users();
			rcu_synchronize();
		} else {
			tlb_flush_vm(vm, start, end - start);
		}
		for (unsigned i = 0; i < nr; i++)
			page_put(pages[i]);
	} while (nr == GATHER_MAX);
}

void page_source_unmap(struct page_source *s, uint64_t first, uint64_t nr, bool private_too)
{
	atomic_add(&s->truncations, 1u); /* pairs with was_truncated in mm/fault.c */
	mutex_lock(&s->lock);
	list_for_each (r, &s->regions, struct region, source_link) {
		vaddr_t start, end;

		if (range_in(r, first, nr, &start, &end))
			take_out(r, start, end, private_too);
	}
	mutex_unlock(&s->lock);
}
