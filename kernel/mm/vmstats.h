// SPDX-License-Identifier: MIT
/*
 * What an address space holds, counted page by page: /proc/PID/smaps and pagemap.
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

/* Of what was a region a moment ago: only its addresses and flags are looked at. */
void vmspace_region_stats(
	struct vmspace *vm, const struct region *r, struct vm_region_stats *out);
void vm_region_stats_add(struct vm_region_stats *sum, const struct vm_region_stats *s);

/* The region's pages count as referenced again only when they are used. The same rules. */
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
