// SPDX-License-Identifier: MIT
/*
 * What debug kernels notice about objects, and how a test is told instead of the panic.
 */
#pragma once

#include "lib/base.h"

enum slab_error {
	SLAB_RED_ZONE_WRITTEN,	/* somebody wrote behind the end */
	SLAB_WRITTEN_AFTER_FREE,
	SLAB_FREED_TWICE,
	SLAB_NOT_AN_OBJECT,	/* freed: not the start of an object of this cache */
};

enum { SLAB_TRACE_DEPTH = 6 };

struct slab_report {
	enum slab_error error;
	const char *cache;
	const void *obj;
	size_t size;   /* what its owner may use */
	size_t offset; /* of the first wrong byte */
	const vaddr_t *alloc_at, *free_at; /* SLAB_TRACE_DEPTH return addresses, 0 where fewer; or NULL */
};

#ifdef DEBUG
/*
 * Tests: calls fn for what is found from now on instead of panicking; the allocator repairs the
 * object and goes on. NULL: panic again. Returns the one before.
 */
typedef void slab_report_fn(const struct slab_report *report);
slab_report_fn *slab_set_report_hook(slab_report_fn *fn);

/* Who allocated and freed the object around an address, for KASAN; false: none is known. */
bool slab_describe(const void *at, struct slab_report *out);
/* Prints a report's traces by log_emergency. */
void slab_print_traces(const struct slab_report *r);
#endif
