// SPDX-License-Identifier: MIT
/*
 * The kernel's own mappings: stacks and large buffers with guard pages, device registers.
 */
#pragma once

#include "lib/base.h"

struct page;

void kmap_init(void);
/* Pages mapped one after another with an unmapped page on each side; contents zero. -ENOMEM. Interrupts on. */
MUST_CHECK int kmap_alloc(void **out, size_t size, const char *what);
/* Unmaps (on all CPUs) and frees. Interrupts on. */
void kmap_free(void *p);
/* The same for several, with one flush. */
void kmap_free_many(void *const *p, unsigned nr);
/*
 * Device memory or a firmware table at a physical address, readable; PTE_WRITE, PTE_UNCACHED and
 * PTE_WRITE_COMBINE in flags. Any alignment. -EINVAL if the range wraps, -ENOMEM. Interrupts on.
 */
MUST_CHECK int kmap_phys(void **out, paddr_t pa, size_t size, unsigned flags, const char *what);
/* Pages, which remain the caller's, one after another, to be read and written. -ENOMEM. Interrupts on. */
MUST_CHECK int kmap_pages(void **out, struct page *const *pages, size_t nr, const char *what);
void kmap_unmap(void *p); /* of the latter two */
/* "the guard page below the kernel stack at ..." for the fault report; false if va is in no guard. */
bool kmap_describe(vaddr_t va, char *buf, size_t size);

/* A thread's kernel stack, KSTACK_SIZE, guard page below; recycled through a small store. Free: any context. */
MUST_CHECK int kstack_alloc(vaddr_t *bottom, vaddr_t *top);
void kstack_free(vaddr_t bottom);
/* Unmaps the stacks in the store. Interrupts on. */
void kstack_drain(void);
