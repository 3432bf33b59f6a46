// SPDX-License-Identifier: MIT
/*
 * Numbers for objects: file descriptors, process ids, timers. Hands out a free number between
 * two bounds and finds the object by it.
 *
 * No lock in here: the owner says which one. An item is not null.
 */
#pragma once

#include "lib/radix.h"

struct idr {
	struct radix items;
	uint64_t min;  /* [I] */
	uint64_t max;  /* [I] included; below 2^64 - 1 */
	uint64_t next; /* where idr_alloc_cyclic() looks first */
};

/* An allocator of ids from `min` to `max`, both included. */
void idr_init(struct idr *idr, uint64_t min, uint64_t max, struct allocator *allocator);

/* Gives back the memory; the items are the owner's business. */
void idr_fini(struct idr *idr);

/*
 * Gives `item` an id: the lowest free one; the lowest at or above `from`; the first free one
 * after the last that cyclic gave, beginning again at the bottom, so that a number just freed
 * stays unused for long.
 *
 * Returns  0 and the id in *out; -ENOSPC when none is free; -ENOMEM
 */
MUST_CHECK int idr_alloc(struct idr *idr, void *item, uint64_t *out);
MUST_CHECK int idr_alloc_from(struct idr *idr, void *item, uint64_t from, uint64_t *out);
MUST_CHECK int idr_alloc_cyclic(struct idr *idr, void *item, uint64_t *out);

/* Gives `item` exactly this id. Returns 0; -EEXIST; -ENOSPC out of bounds; -ENOMEM. */
MUST_CHECK int idr_alloc_at(struct idr *idr, void *item, uint64_t id);

/* Null when no object has this id. */
void *idr_lookup(const struct idr *idr, uint64_t id);

/* Makes `id` free again; returns the item that had it, or null. */
void *idr_free(struct idr *idr, uint64_t id);

/* The object with the lowest id at or above *id, which becomes its id; null at the end. */
void *idr_find(const struct idr *idr, uint64_t *id);
