// SPDX-License-Identifier: MIT
/*
 * What an address space holds: its regions one after another, and their pages counted, for
 * /proc/PID/maps, smaps and pagemap.
 */
#pragma once

#include "lib/base.h"
#include "mm/vmspace.h"

/* Bytes. */
struct vm_region_stats {
	uint64_t resident, proportional, proportional_dirty, proportional_anonymous;
	uint64_t shared_clean, shared_dirty, private_clean, private_dirty;
	uint64_t referenced, anonymous, huge, locked;
};

void vm_region_stats_add(struct vm_region_stats *sum, const struct vm_region_stats *s);

/*
 * Copies of the regions from `at` on, a few at a time: those of a batch are of one moment, and cost one
 * hold of vm->lock. So who looks at thousands of regions does not queue for each of them behind whoever
 * changes them, and who changes them never waits for all. Sources come with a reference.
 *
 *	region_walk_start(&w, vm, at, NULL);
 *	while ((r = region_walk_next(&w)) != NULL)
 *		...
 *	region_walk_end(&w);
 *
 * Owns     vm and stats stay the caller's
 */
enum { REGION_BATCH = 6 };

struct region_walk {
	struct vmspace *vm;
	vaddr_t at;                    /* where the next batch begins */
	struct vm_region_stats *stats; /* NULL, or room for REGION_BATCH: those of regions */
	bool skips_anonymous;          /* what has no source is not counted */
	unsigned nr, next;
	struct region regions[REGION_BATCH];
};
static inline void region_walk_start(
	struct region_walk *w, struct vmspace *vm, vaddr_t at, struct vm_region_stats *stats)
{
	w->vm = vm;
	w->at = at;
	w->stats = stats;
	w->skips_anonymous = false;
	w->nr = w->next = 0;
}
/* The first region whose end is above `at`, then the next; NULL: there is none. Sleeps. */
const struct region *region_walk_next(struct region_walk *w);
/* With w->stats: of the region that region_walk_next returned last. */
static inline const struct vm_region_stats *region_walk_stats(const struct region_walk *w)
{
	return &w->stats[w->next - 1];
}
/* Puts what was copied; also before the last region. */
void region_walk_end(struct region_walk *w);

/*
 * The region's pages count as referenced again only when they are used. It may have become another
 * meanwhile: only its addresses are looked at.
 */
void vmspace_region_forget_use(struct vmspace *vm, const struct region *r);
/* Pages that hold its page tables, below the root. What fork shares counts for both. */
uint64_t vmspace_count_tables(struct vmspace *vm);
/* The highest number of resident pages becomes the present one. */
void vmspace_forget_peak(struct vmspace *vm);

struct vm_page_info {
	uint64_t pfn;
	bool is_file, is_exclusive;
};
/* What is mapped at va; false: nothing. */
bool vmspace_page_info(struct vmspace *vm, vaddr_t va, struct vm_page_info *out);
