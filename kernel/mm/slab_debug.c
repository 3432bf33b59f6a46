// SPDX-License-Identifier: MIT
/*
 * Red zones, poison, quarantine: what debug kernels know about each object.
 *
 *     | object ............... | red zone ..... | track |
 *       size its owner asked for  at least 16      state, link, who allocated, who freed
 *
 * While an object is free its bytes are POISON_FREED; while it is allocated its red zone, which
 * begins right behind the size asked for, is RED_ZONE. Both are compared at every allocation and
 * free, so a wrong write is reported with the object it hit and the two traces, at the latest
 * when the object changes hands. Freed objects pass through a quarantine first, so that a late
 * writer hits a free object and not the next owner's.
 *
 * Under KASAN (or ASan on the host) the same ranges are also poisoned for the checker, which
 * then reports the access itself; the functions here that look at poisoned bytes are therefore
 * NO_CHECKERS.
 *
 * Locks   none: a track belongs to whoever allocates or frees, a quarantine to its CPU.
 */
#include "mm/slab_debug.h"

#ifdef DEBUG

#include "debug/log.h"
#include "debug/panic.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/poison.h"
#include "mm/slab_priv.h"

enum {
	FILL_NEW = 0xa5,	  /* allocated, not yet written */
	FILL_FREED = 0xdb,
	FILL_RED_ZONE = 0xbb,
	MIN_RED_ZONE = 16,
	QUARANTINE_SLOTS = 64,
	QUARANTINE_MAX_SIZE = 2048,
};

enum object_state { OBJECT_FREE = 0x45455246, OBJECT_ALLOCATED = 0x434f4c41 }; /* "FREE", "ALOC" */

struct track {
	void *link;	    /* the slab's free list */
	uint32_t state;	    /* enum object_state */
	uint32_t size;	    /* what the owner asked for */
	vaddr_t alloc_at[SLAB_TRACE_DEPTH];
	vaddr_t free_at[SLAB_TRACE_DEPTH];
};

/* Freed objects that are not given out yet. A full one gives up its oldest for each that comes. */
struct quarantine {
	unsigned next; /* the oldest, or empty */
	struct quarantined {
		struct slab_cache *cache;
		void *obj;
	} slot[QUARANTINE_SLOTS];
};
static PERCPU(struct quarantine, quarantine); /* [c] interrupts off */

static slab_report_fn *report_hook; /* set by tests, one at a time */

slab_report_fn *slab_set_report_hook(slab_report_fn *fn)
{
	slab_report_fn *old = report_hook;

	report_hook = fn;
	return old;
}

size_t slab_debug_stride(size_t size)
{
	return size + MIN_RED_ZONE + sizeof(struct track);
}

static struct track *track_of(const struct slab_cache *c, const void *obj)
{
	return (struct track *)((char *)obj + c->stride - sizeof(struct track));
}

void **slab_free_link(const struct slab_cache *c, void *obj)
{
	return &track_of(c, obj)->link;
}

size_t slab_debug_size(const struct slab_cache *c, const void *obj)
{
	return track_of(c, obj)->size;
}

/* ---- Bytes that a checker may have poisoned; by words, since debug kernels do little else ---- */

#define WORD_OF(byte) (0x0101010101010101ul * (uint8_t)(byte))

static NO_CHECKERS void fill(void *at, int byte, size_t len)
{
	volatile uint8_t *b = at, *end = b + len;

	for (; b < end && !IS_ALIGNED((vaddr_t)b, sizeof(uint64_t)); b++)
		*b = (uint8_t)byte;
	for (; end - b >= (ptrdiff_t)sizeof(uint64_t); b += sizeof(uint64_t))
		*(volatile uint64_t *)b = WORD_OF(byte);
	for (; b < end; b++)
		*b = (uint8_t)byte;
}

/* The first byte that differs, or len. */
static NO_CHECKERS size_t find_other(const void *at, int byte, size_t len)
{
	const uint8_t *b = at, *end = b + len;

	for (; b < end && !IS_ALIGNED((vaddr_t)b, sizeof(uint64_t)); b++)
		if (*b != (uint8_t)byte)
			goto out;
	while (end - b >= (ptrdiff_t)sizeof(uint64_t) && *(const uint64_t *)b == WORD_OF(byte))
		b += sizeof(uint64_t);
	while (b < end && *b == (uint8_t)byte)
		b++;
out:
	return (size_t)(b - (const uint8_t *)at);
}

static size_t red_zone_size(const struct slab_cache *c, size_t size)
{
	return c->stride - sizeof(struct track) - size;
}

/* ---- Reports ---- */

void slab_print_traces(const struct slab_report *r)
{
	const vaddr_t *traces[] = {r->alloc_at, r->free_at};
	static const char *const titles[] = {"allocated by", "freed by"};
	char name[80];

	for (unsigned t = 0; t < ARRAY_LEN(traces); t++) {
		for (unsigned i = 0; traces[t] && i < SLAB_TRACE_DEPTH && traces[t][i]; i++) {
			symbol_describe(traces[t][i], name, sizeof(name));
			log_emergency("  %-12s %s", i == 0 ? titles[t] : "", name);
		}
	}
}

static void report(const struct slab_cache *c, const void *obj, enum slab_error error, size_t offset)
{
	static const char *const words[] = {
		[SLAB_RED_ZONE_WRITTEN] = "written behind its end",
		[SLAB_WRITTEN_AFTER_FREE] = "written after it was freed",
		[SLAB_FREED_TWICE] = "freed twice",
		[SLAB_NOT_AN_OBJECT] = "freed, but no object begins there",
	};
	const struct track *t = error == SLAB_NOT_AN_OBJECT ? NULL : track_of(c, obj);
	struct slab_report r = {
		.error = error,
		.cache = c->name,
		.obj = obj,
		.size = t ? t->size : c->size,
		.offset = offset,
		.alloc_at = t ? t->alloc_at : NULL,
		.free_at = t ? t->free_at : NULL,
	};

	if (report_hook) {
		report_hook(&r);
		return;
	}
	log_emergency("slab: %s object at %p (%zu bytes): %s, at byte %zu", r.cache, obj, r.size,
		words[error], offset);
	slab_print_traces(&r);
	panic("slab: %s object %s", r.cache, words[error]);
}

/* ---- What the allocator calls ---- */

static void check_red_zone(const struct slab_cache *c, void *obj)
{
	size_t size = track_of(c, obj)->size, len = red_zone_size(c, size);
	size_t at = find_other((char *)obj + size, FILL_RED_ZONE, len);

	if (at == len)
		return;
	report(c, obj, SLAB_RED_ZONE_WRITTEN, size + at);
	fill((char *)obj + size, FILL_RED_ZONE, len);
}

static void check_poison(const struct slab_cache *c, void *obj)
{
	size_t at = find_other(obj, FILL_FREED, c->size);

	if (at == c->size)
		return;
	report(c, obj, SLAB_WRITTEN_AFTER_FREE, at);
	fill(obj, FILL_FREED, c->size);
}

static void capture(vaddr_t *trace, vaddr_t fp)
{
	unsigned nr = backtrace_capture(fp, trace, SLAB_TRACE_DEPTH);

	while (nr < SLAB_TRACE_DEPTH)
		trace[nr++] = 0;
}

void slab_debug_new_slab(const struct slab_cache *c, const struct page *slab)
{
	for (unsigned i = 0; i < c->per_slab; i++) {
		char *obj = slab_object(c, slab, i);
		struct track *t = track_of(c, obj);

		*t = (struct track){.state = OBJECT_FREE, .size = (uint32_t)c->size};
		fill(obj, FILL_FREED, c->size);
		fill(obj + c->size, FILL_RED_ZONE, red_zone_size(c, c->size));
		memory_poison(obj, c->stride - sizeof(*t), POISON_FREE_OBJECT);
	}
}

void slab_debug_alloc(const struct slab_cache *c, void *obj, size_t size, vaddr_t fp)
{
	struct track *t = track_of(c, obj);

	assert(t->state == OBJECT_FREE); /* or the allocator itself, or a wild write, broke it */
	check_poison(c, obj);
	check_red_zone(c, obj);
	t->size = (uint32_t)size;
	capture(t->alloc_at, fp);
	fill(obj, FILL_NEW, size);
	fill((char *)obj + size, FILL_RED_ZONE, red_zone_size(c, size));
	memory_poison(obj, c->stride - sizeof(*t), POISON_RED_ZONE);
	memory_unpoison(obj, size);
	t->state = OBJECT_ALLOCATED;
}

static bool is_object(const struct slab_cache *c, const void *obj)
{
	const struct page *slab;
	size_t offset;

	if (!is_direct_map(obj))
		return false;
	slab = slab_of(c, obj);
	if (slab->state != PAGE_SLAB || slab->cache != c)
		return false;
	offset = (size_t)((const char *)obj - (const char *)slab_object(c, slab, 0));
	return (const char *)obj >= (const char *)slab_object(c, slab, 0) && offset % c->stride == 0 &&
	       offset / c->stride < c->per_slab;
}

bool slab_debug_free(const struct slab_cache *c, void *obj, vaddr_t fp)
{
	struct track *t;

	if (!is_object(c, obj)) {
		report(c, obj, SLAB_NOT_AN_OBJECT, 0);
		return false;
	}
	t = track_of(c, obj);
	if (t->state != OBJECT_ALLOCATED) {
		report(c, obj, SLAB_FREED_TWICE, 0);
		return false;
	}
	check_red_zone(c, obj);
	t->state = OBJECT_FREE;
	t->size = (uint32_t)c->size;
	capture(t->free_at, fp);
	fill(obj, FILL_FREED, c->size);
	fill((char *)obj + c->size, FILL_RED_ZONE, red_zone_size(c, c->size));
	memory_poison(obj, c->stride - sizeof(*t), POISON_FREE_OBJECT);
	return true;
}

void slab_debug_check_slab(const struct slab_cache *c, const struct page *slab)
{
	for (unsigned i = 0; i < c->per_slab; i++) {
		void *obj = slab_object(c, slab, i);

		if (track_of(c, obj)->state == OBJECT_FREE)
			check_poison(c, obj);
		else
			assert(track_of(c, obj)->state == OBJECT_ALLOCATED);
		check_red_zone(c, obj);
	}
}

bool slab_describe(const void *at, struct slab_report *out)
{
	const struct page *p = virt_to_page(at), *slab;
	const struct slab_cache *c = p->cache;
	const struct track *t;
	const char *obj;
	size_t index;

	if (p->state != PAGE_SLAB)
		return false;
	slab = slab_of(c, at);
	if ((const char *)at < (const char *)slab_object(c, slab, 0))
		return false;
	index = (size_t)((const char *)at - (const char *)slab_object(c, slab, 0)) / c->stride;
	if (index >= c->per_slab)
		return false;
	obj = slab_object(c, slab, (unsigned)index);
	t = track_of(c, obj);
	*out = (struct slab_report){
		.error = t->state == OBJECT_FREE ? SLAB_WRITTEN_AFTER_FREE : SLAB_RED_ZONE_WRITTEN,
		.cache = c->name,
		.obj = obj,
		.size = t->size,
		.offset = (size_t)((const char *)at - obj),
		.alloc_at = t->alloc_at,
		.free_at = t->free_at,
	};
	return true;
}

/* ---- Quarantine: this CPU's, interrupts off ---- */

bool slab_quarantine_swap(struct slab_cache **c, void **obj)
{
	struct quarantine *q = &percpu(quarantine);
	struct quarantined *slot = &q->slot[q->next], old = *slot;

	if ((*c)->size > QUARANTINE_MAX_SIZE)
		return true; /* few of these would keep much memory */
	*slot = (struct quarantined){*c, *obj};
	q->next = (q->next + 1) % QUARANTINE_SLOTS;
	*c = old.cache;
	*obj = old.obj;
	return old.obj != NULL;
}

void *slab_quarantine_take(struct slab_cache **c)
{
	struct quarantine *q = &percpu(quarantine);

	for (unsigned i = 0; i < QUARANTINE_SLOTS; i++) {
		void *obj = q->slot[i].obj;

		if (!obj || (*c && q->slot[i].cache != *c))
			continue;
		*c = q->slot[i].cache;
		q->slot[i] = (struct quarantined){0};
		return obj;
	}
	return NULL;
}

unsigned slab_debug_quarantined(const struct slab_cache *c)
{
	unsigned nr = 0;

	for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
		const struct quarantine *q = percpu_of(quarantine, cpus[cpu]);

		for (unsigned i = 0; i < QUARANTINE_SLOTS; i++)
			nr += READ_ONCE(q->slot[i].cache) == c;
	}
	return nr;
}

#endif
