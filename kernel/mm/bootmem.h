// SPDX-License-Identifier: MIT
/*
 * Memory before there is a page allocator: takes pages from the usable ranges of bootinfo, and
 * finally hands everything left to the zones. One CPU, no locks.
 */
#pragma once

#include "lib/base.h"

/* Learns the usable ranges, less the image, the initrd and the first page. `limit`: mem=, or 0. */
void bootmem_init(paddr_t limit);
/* Zeroed, aligned, contiguous; panics with `what` when there is none (nothing can go on). */
void *bootmem_alloc(size_t size, size_t align, const char *what);
/* The same anywhere in RAM, not zeroed and not touched; gives the physical address. */
paddr_t bootmem_alloc_raw(size_t size, size_t align, const char *what);
/*
 * The highest free place for an aligned block that ends at or below `ceiling`, not taken; 0 if
 * there is none. What is in use (image, initrd, earlier allocations) is not free.
 */
paddr_t bootmem_find(size_t size, size_t align, paddr_t ceiling);
/* Keeps a range (the page in which other CPUs start) out of the zones. Before bootmem_release. */
void bootmem_reserve(paddr_t start, paddr_t end, const char *what);
/* Maps all RAM at arch_layout.direct_base with the kernel image W^X, and switches to that table. */
void bootmem_map_all(void);
/*
 * Backs an array with bytes_per_page bytes for each frame of RAM, with holes where RAM has large
 * ones: mapped, not touched. Part of bootmem_map_all.
 */
void bootmem_map_array(vaddr_t base, size_t bytes_per_page, const char *what);
/* Gives the rest to the page allocator; page_init calls it. */
void bootmem_release(void (*give)(paddr_t start, paddr_t end));
/* Whether any of that went there. */
bool bootmem_had(paddr_t start, paddr_t end);
/* Calls fn on each range of RAM below mem=, whole pages, ascending, whoever uses it. */
void bootmem_for_each_ram(void (*fn)(paddr_t start, paddr_t end, void *ctx), void *ctx);
uint64_t bootmem_usable_bytes(void);
/* One more than the highest frame of RAM. struct page exists up to the next PAGE_MAX_ORDER block. */
pfn_t bootmem_max_pfn(void);
