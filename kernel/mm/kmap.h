// SPDX-License-Identifier: MIT
/*
 * The kernel's own mappings: stacks and large buffers with guard pages, device registers.
 */
#pragma once

#include "lib/base.h"

void kmap_init(void);
/* Pages mapped one after another with an unmapped page on each side; contents zero. May sleep. */
MUST_CHECK int kmap_alloc(void **out, size_t size, const char *what);
/* Unmaps (on all CPUs) and frees. May sleep. */
void kmap_free(void *p);
/* Device memory or a firmware table at a physical address; PTE_UNCACHED etc. in flags. */
MUST_CHECK int kmap_phys(void **out, paddr_t pa, size_t size, unsigned flags, const char *what);
void kmap_unmap(void *p);
/* "guard page below the stack of ..." for the fault report; false if va is not in a kmap guard. */
bool kmap_describe(vaddr_t va, char *buf, size_t size);

/* A thread's kernel stack, KSTACK_SIZE, guard page below; recycled through a small cache. */
MUST_CHECK int kstack_alloc(vaddr_t *bottom, vaddr_t *top);
void kstack_free(vaddr_t bottom);
