// SPDX-License-Identifier: MIT
/*
 * What slab.c, slab_debug.c and mem.c share.
 */
#pragma once

#include "arch/arch.h"
#include "lib/base.h"
#include "lib/list.h"
#include "mm/slab.h"
#include "sync/spinlock.h"

enum {
	SLAB_MAX_CACHES = 128,
	SLAB_NO_MAGAZINES = 0, /* the index of caches that go straight to their slabs */
	MAGAZINE_MAX = 31,     /* with its link 256 bytes */
};

/* A stack of free objects. How many it has is known to whoever holds it. */
struct magazine {
	struct magazine *next;
	void *obj[MAGAZINE_MAX];
};

/*
 *   [I] immutable once slab_cache_create() returns    [c] lock    [L] the lock of the list
 */
struct slab_cache {
	size_t size;	       /* [I] what the caller may use */
	uint32_t stride;       /* [I] from one object to the next */
	uint16_t index;	       /* [I] in each CPU's slots */
	uint16_t magazine_cap; /* [I] objects in a full magazine; 0: none are used */
	uint32_t per_slab;     /* [I] */
	uint32_t align;	       /* [I] */
	uint8_t order;	       /* [I] pages in a slab: 2^order */
	const char *name;      /* [I] */
	struct list_node link; /* [L] */

	struct irqlock lock;
	struct list partial;	       /* [c] slabs with free objects, empty ones last */
	struct list full;	       /* [c] slabs without */
	uint32_t nr_slabs;	       /* [c] */
	uint32_t nr_empty;	       /* [c] slabs of which nothing is handed out */
	uint32_t next_color;	       /* [c] */
	uint64_t nr_out;	       /* [c] objects handed out of slabs, magazines included */
	struct magazine *full_depot;   /* [c] magazines with magazine_cap objects */
	struct magazine *empty_depot;  /* [c] */
	uint32_t nr_full_depot;	       /* [c] */
};

static inline size_t slab_bytes(const struct slab_cache *c)
{
	return PAGE_SIZE << c->order;
}

/* The slab that an object of the cache is in. */
static inline struct page *slab_of(const struct slab_cache *c, const void *obj)
{
	return pfn_to_page(ALIGN_DOWN(virt_to_phys(obj) >> PAGE_SHIFT, 1ul << c->order));
}

static inline void *slab_object(const struct slab_cache *c, const struct page *slab, unsigned i)
{
	return (char *)page_to_virt(slab) + slab->index + (size_t)i * c->stride;
}

/* As slab_alloc, for a caller that wants `size` <= c->size bytes, so the red zone begins there. */
MUST_CHECK void *slab_alloc_sized(struct slab_cache *c, unsigned flags, size_t size);
int slab_cache_setup(struct slab_cache *c, const char *name, size_t size, size_t align);
void mem_init(void);

/* ---- slab_debug.c: nothing at all in release kernels ---- */

#ifdef DEBUG

/* What an object needs beyond its size, red zone included. */
size_t slab_debug_stride(size_t size);
/* Where the link of the free list is kept: not in the object, whose poison must stay. */
void **slab_free_link(const struct slab_cache *c, void *obj);
/* A new slab: all objects free and poisoned. */
void slab_debug_new_slab(const struct slab_cache *c, const struct page *slab);
void slab_debug_alloc(const struct slab_cache *c, void *obj, size_t size, vaddr_t fp);
/* False: the object must not be freed; that was reported. */
bool slab_debug_free(const struct slab_cache *c, void *obj, vaddr_t fp);
/*
 * Quarantine, one for each CPU; interrupts are off. Puts *obj of cache *c in, and gives what leaves
 * for it, of any cache; false if nothing leaves yet.
 */
bool slab_quarantine_swap(struct slab_cache **c, void **obj);
/* Takes out the next object of cache *c (NULL: of any, then *c is set); NULL when there is none. */
void *slab_quarantine_take(struct slab_cache **c);
void slab_debug_check_slab(const struct slab_cache *c, const struct page *slab);
size_t slab_debug_size(const struct slab_cache *c, const void *obj);
unsigned slab_debug_quarantined(const struct slab_cache *c);

#else

static inline size_t slab_debug_stride(size_t size)
{
	return size;
}

static inline void **slab_free_link(const struct slab_cache *c UNUSED, void *obj)
{
	return obj;
}

static inline void slab_debug_new_slab(
	const struct slab_cache *c UNUSED, const struct page *slab UNUSED)
{
}

static inline void slab_debug_alloc(const struct slab_cache *c UNUSED, void *obj UNUSED,
	size_t size UNUSED, vaddr_t fp UNUSED)
{
}

static inline bool slab_debug_free(
	const struct slab_cache *c UNUSED, void *obj UNUSED, vaddr_t fp UNUSED)
{
	return true;
}

static inline bool slab_quarantine_swap(struct slab_cache **c UNUSED, void **obj UNUSED)
{
	return true;
}

static inline void *slab_quarantine_take(struct slab_cache **c UNUSED)
{
	return NULL;
}

static inline void slab_debug_check_slab(
	const struct slab_cache *c UNUSED, const struct page *slab UNUSED)
{
}

static inline size_t slab_debug_size(const struct slab_cache *c, const void *obj UNUSED)
{
	return c->size;
}

static inline unsigned slab_debug_quarantined(const struct slab_cache *c UNUSED)
{
	return 0;
}

#endif
