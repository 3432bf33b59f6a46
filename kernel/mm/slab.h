// SPDX-License-Identifier: MIT
/*
 * Small objects: slabs of equal objects, with a magazine of free ones per CPU in front.
 *
 * Debug kernels put a red zone behind each object, poison what is free, check both at every free
 * and allocation, and hold freed objects in quarantine for a while.
 */
#pragma once

#include "lib/allocator.h"
#include "lib/base.h"
#include "mm/page.h"

struct slab_cache;

enum slab_flags {
	SLAB_ZERO = 1,		 /* per allocation: contents zero */
	SLAB_NO_FAIL_INJECT = 2,
};

void slab_init(void); /* after page_init */
void slab_init_cpu(void);

/*
 * A cache of objects of `size` bytes, aligned to `align` (a power of two up to a page; 0: 8).
 * Context  a thread; interrupts on
 * Returns  0, -ENOMEM, -EINVAL (size 0 or above 32 KiB), -ENFILE (more than 127 caches)
 * Owns     `name` must outlive the cache
 */
MUST_CHECK int slab_cache_create(struct slab_cache **out, const char *name, size_t size, size_t align);
/* Every object must have been freed: panics with the count otherwise (debug), leaks (release). */
void slab_cache_destroy(struct slab_cache *c);
/* Any context, never sleeps; NULL when memory is out: the one place where NULL means -ENOMEM. */
MUST_CHECK void *slab_alloc(struct slab_cache *c, unsigned flags);
void slab_free(struct slab_cache *c, void *obj);

/*
 * By size: caches of 16 bytes to 8 KiB, whole pages above, up to 4 MiB. Aligned to 16 bytes, whole
 * pages to their size. Any context.
 */
MUST_CHECK void *mem_alloc(size_t size, unsigned flags);
void mem_free(void *p); /* NULL is fine */
size_t mem_usable_size(const void *p);
/* The same for the containers of lib/ (radix, idr). */
extern struct allocator mem_allocator;

/*
 * Gives empty slabs, magazines and quarantined objects back to the page allocator; returns pages
 * freed. Interrupts on.
 */
size_t slab_shrink(void);
struct slab_stats {
	uint64_t nr_objects; /* in use */
	uint64_t nr_pages;
};
void slab_get_stats(struct slab_stats *out); /* of all caches */
void slab_for_each_cache(void (*fn)(const char *name, size_t size, uint64_t in_use, uint64_t pages, void *ctx), void *ctx);
/* Checks every object of every cache (debug); only while nobody allocates or frees. */
void slab_check(void);
