// SPDX-License-Identifier: MIT
/*
 * Overcommit: how much memory is promised, and whether more may be (vm.overcommit_memory).
 *
 *     0  no single request for more than there is at all
 *     1  everything
 *     2  never more than the limit: a part of RAM, and what is left of it for everybody
 *
 * Locks   none: one counter, added to before it is compared.
 * Spec    man 5 proc, /proc/sys/vm/overcommit_memory
 */
#include "mm/commit.h"

#include "lib/atomic.h"
#include "mm/page.h"
#include "mm/vmspace.h"

enum { DEFAULT_RATIO = 50 }; /* vm.overcommit_ratio */

uint32_t vm_overcommit_mode = OVERCOMMIT_GUESS;
uint32_t vm_overcommit_ratio = DEFAULT_RATIO;
static uint64_t committed; /* [a] pages */
static uint64_t total;     /* [a] pages of RAM, once asked for: it never changes */

static uint64_t total_pages(void)
{
	struct page_stats stats;

	if (UNLIKELY(!atomic_load_relaxed(&total))) {
		page_get_stats(&stats);
		atomic_store_relaxed(&total, stats.total);
	}
	return atomic_load_relaxed(&total);
}

uint64_t vm_commit_limit(void)
{
	return total_pages() * READ_ONCE(vm_overcommit_ratio) / 100;
}

uint64_t vm_committed(void)
{
	return atomic_load_relaxed(&committed);
}

int vm_commit(uint64_t pages)
{
	uint32_t mode = READ_ONCE(vm_overcommit_mode);
	uint64_t before;

	if (mode == OVERCOMMIT_GUESS && pages > total_pages())
		return -ENOMEM;
	before = atomic_fetch_add_relaxed(&committed, pages);
	if (LIKELY(mode != OVERCOMMIT_NEVER) || before + pages <= vm_commit_limit())
		return 0;
	vm_uncommit(pages);
	return -ENOMEM;
}

void vm_uncommit(uint64_t pages)
{
	if (pages)
		atomic_sub_relaxed(&committed, pages);
}
