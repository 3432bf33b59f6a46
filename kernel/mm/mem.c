// SPDX-License-Identifier: MIT
/*
 * Memory by size: a slab cache per size class, whole pages above the largest.
 *
 * The classes grow by halves up to 2 KiB (48, 64, 96, 128, 192, ...), so about a third of an object
 * is wasted at most; the first two and the last two double, and may waste half. mem_free() needs no size: each page of a slab names its cache.
 *
 * Locks   none of its own.
 */
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/slab_priv.h"

enum {
	CLASS_UNIT = 16,
	CLASS_MAX_SIZE = 8 << 10,
	NR_SMALL_STEPS = 1024 / CLASS_UNIT, /* sizes with a direct table */
	MAX_CLASS_ALIGN = 64,
};

static const struct size_class {
	uint16_t size;
	const char *name;
} classes[] = {
	{16, "mem-16"}, {32, "mem-32"}, {48, "mem-48"}, {64, "mem-64"}, {96, "mem-96"},
	{128, "mem-128"}, {192, "mem-192"}, {256, "mem-256"}, {384, "mem-384"}, {512, "mem-512"},
	{768, "mem-768"}, {1024, "mem-1024"}, {1536, "mem-1536"}, {2048, "mem-2048"},
	{4096, "mem-4096"}, {CLASS_MAX_SIZE, "mem-8192"},
};

static struct slab_cache *caches[ARRAY_LEN(classes)];	/* [I] after mem_init */
static uint8_t class_of_step[NR_SMALL_STEPS + 1];	/* [I] by size in units of 16 bytes */

static unsigned find_class(size_t size, unsigned from)
{
	while (classes[from].size < size)
		from++;
	return from;
}

static struct slab_cache *cache_for(size_t size)
{
	size_t steps = DIV_ROUND_UP(size, CLASS_UNIT);

	if (LIKELY(steps <= NR_SMALL_STEPS))
		return caches[class_of_step[steps]];
	return caches[find_class(size, class_of_step[NR_SMALL_STEPS] + 1u)];
}

static unsigned order_for(size_t size)
{
	unsigned order = 0;

	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

/* Apart, because a local variable whose address is taken costs a stack check on every path. */
static NOINLINE void *alloc_whole_pages(size_t size, unsigned flags)
{
	unsigned page_flags = (flags & SLAB_ZERO ? PAGE_ALLOC_ZERO : 0) |
			      (flags & SLAB_NO_FAIL_INJECT ? PAGE_ALLOC_NO_FAIL_INJECT : 0);
	struct page *p;

	if (size > PAGE_SIZE << PAGE_MAX_ORDER || page_alloc(&p, order_for(size), page_flags))
		return NULL;
	return page_to_virt(p);
}

void *mem_alloc(size_t size, unsigned flags)
{
	if (LIKELY(size <= CLASS_MAX_SIZE))
		return slab_alloc_sized(cache_for(size), flags, size);
	return alloc_whole_pages(size, flags);
}

void mem_free(void *ptr)
{
	struct page *p;

	if (!ptr)
		return;
	debug_assert(is_direct_map(ptr));
	p = virt_to_page(ptr);
	if (LIKELY(p->state == PAGE_SLAB)) {
		slab_free(p->cache, ptr);
		return;
	}
	assert(p->state == PAGE_USED && IS_ALIGNED((vaddr_t)ptr, PAGE_SIZE)); /* or not from mem_alloc */
	page_put(p);
}

size_t mem_usable_size(const void *ptr)
{
	const struct page *p = virt_to_page(ptr);

	return p->state == PAGE_SLAB ? slab_debug_size(p->cache, ptr) : PAGE_SIZE << p->order;
}

static void *container_alloc(struct allocator *self UNUSED, size_t size)
{
	return mem_alloc(size, SLAB_ZERO);
}

static void container_free(struct allocator *self UNUSED, void *object, size_t size UNUSED)
{
	mem_free(object);
}

struct allocator mem_allocator = {.alloc = container_alloc, .free = container_free};

void mem_init(void)
{
	for (unsigned i = 0; i < ARRAY_LEN(classes); i++) {
		size_t lowest_bit = classes[i].size & -(size_t)classes[i].size;

		if (slab_cache_create(&caches[i], classes[i].name, classes[i].size,
			    MIN(lowest_bit, (size_t)MAX_CLASS_ALIGN)))
			panic("mm: no memory for the cache %s", classes[i].name);
	}
	for (unsigned step = 0; step <= NR_SMALL_STEPS; step++)
		class_of_step[step] = (uint8_t)find_class(step * CLASS_UNIT, 0);
}
