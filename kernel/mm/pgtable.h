// SPDX-License-Identifier: MIT
/*
 * The one page-table walker. Tables have 512 entries of arch_pte per level; the machine encodes
 * an entry, this file decides which entry, with pages from an allocator the caller names.
 */
#pragma once

#include "arch/arch.h"
#include "lib/base.h"

struct pgtable {
	paddr_t root;
	/* A zeroed page for a table, or 0. Boot passes bootmem, later code the page allocator. */
	paddr_t (*alloc_table)(void);
	void (*free_table)(paddr_t pa); /* NULL: tables are never freed */
};

/*
 * Maps [va, va + size) to [pa, ...) with the largest pages that alignment allows, up to max_level.
 * Nothing in the range may be mapped (asserted). -ENOMEM: what was mapped is undone.
 */
MUST_CHECK int pgtable_map(struct pgtable *pt, vaddr_t va, paddr_t pa, size_t size, unsigned flags, unsigned max_level);
/* Unmaps whole leaves inside the range; a leaf that crosses its border is split first (-ENOMEM). */
MUST_CHECK int pgtable_unmap(struct pgtable *pt, vaddr_t va, size_t size);
/* Changes the flags of what is mapped in the range, splitting leaves at its borders. */
MUST_CHECK int pgtable_protect(struct pgtable *pt, vaddr_t va, size_t size, unsigned flags);
/* Where va leads: 0 with *pa, *flags and *level, or -EFAULT. Any may be NULL. */
MUST_CHECK int pgtable_lookup(const struct pgtable *pt, vaddr_t va, paddr_t *pa, unsigned *flags, unsigned *level);
