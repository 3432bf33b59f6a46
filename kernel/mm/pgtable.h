// SPDX-License-Identifier: MIT
/*
 * The one page-table walker. Tables have 512 entries of arch_pte per level; the machine encodes
 * an entry, this file decides which entry, with pages from an allocator the caller names.
 *
 * No function here takes a lock or flushes a TLB: the owner of the tables does both. Ranges are
 * whole pages, and addresses are canonical.
 */
#pragma once

#include "arch/arch.h"
#include "lib/base.h"

struct pgtable {
	paddr_t root;
	/* A zeroed page for a table, or 0. Boot passes bootmem, later code the page allocator. */
	paddr_t (*alloc_table)(void);
};

/* The kernel's own tables; after start under the lock of mm/kmap.c. */
extern struct pgtable kernel_pgtable;

/*
 * Maps [va, va + size) to [pa, ...) with the largest pages that alignment allows, up to max_level.
 * Nothing in the range may be mapped (asserted). -ENOMEM: what was mapped is undone; tables that
 * were added for it stay.
 */
MUST_CHECK int pgtable_map(struct pgtable *pt, vaddr_t va, paddr_t pa, size_t size, unsigned flags,
	unsigned max_level);
/*
 * Unmaps what is mapped in the range; a leaf that crosses its border is split first, which is all
 * that can fail (-ENOMEM, nothing unmapped). Tables stay, for the next mapping there.
 */
MUST_CHECK int pgtable_unmap(struct pgtable *pt, vaddr_t va, size_t size);
/* Changes the flags of what is mapped in the range; splits and fails as pgtable_unmap. */
MUST_CHECK int pgtable_protect(struct pgtable *pt, vaddr_t va, size_t size, unsigned flags);
/* Where va leads: 0 with *pa, *flags and *level, or -EFAULT. Any may be NULL. */
MUST_CHECK int pgtable_lookup(
	const struct pgtable *pt, vaddr_t va, paddr_t *pa, unsigned *flags, unsigned *level);
/* Calls fn for each leaf, ascending. For tests and dumps. */
void pgtable_for_each_leaf(const struct pgtable *pt,
	void (*fn)(vaddr_t va, paddr_t pa, unsigned flags, unsigned level, void *ctx), void *ctx);
/* What one entry of a level maps: 4 KiB, 2 MiB, 1 GiB, ... */
static inline size_t pgtable_level_size(unsigned level)
{
	return PAGE_SIZE << (9 * level);
}
