// SPDX-License-Identifier: MIT
/*
 * An index from 64-bit keys to pointers: the page cache, id tables, anything sparse with runs.
 *
 * A tree of nodes of 64 slots, no taller than its largest key needs (key < 64: one node).
 * Memory comes from an allocator that may fail, and only radix_insert asks for it; a failed
 * insert leaves the index as it was. Nodes are given back as soon as they are empty.
 *
 * Every node also knows which of its slots are full all the way down, so the first free key is
 * found as fast as any other: that makes it the base of lib/idr.h.
 *
 * No lock in here: the owner says which one. Readers need it too, but for radix_lookup_rcu:
 * there the allocator's free must wait for a grace period.
 */
#pragma once

#include "lib/allocator.h"
#include "lib/base.h"

struct radix_node; /* radix.c */

struct radix {
	struct radix_node *root;     /* null when empty */
	struct allocator *allocator; /* [I] */
};

#define RADIX_INIT(allocator_)                                                                 \
	{                                                                                      \
		.allocator = (allocator_)                                                      \
	}

static inline void radix_init(struct radix *radix, struct allocator *allocator)
{
	radix->root = NULL;
	radix->allocator = allocator;
}

static inline bool radix_is_empty(const struct radix *radix)
{
	return !radix->root;
}

/*
 * Puts `item`, which is not null, at `key`.
 *
 * Returns  0; -EEXIST if the key is taken; -ENOMEM
 */
MUST_CHECK int radix_insert(struct radix *radix, uint64_t key, void *item);

/* Each returns the item at `key`, or null: replace, when there was none, changes nothing. */
void *radix_lookup(const struct radix *radix, uint64_t key);
/* Beside a writer: what was there before the writer's change or after it. */
void *radix_lookup_rcu(const struct radix *radix, uint64_t key);
void *radix_erase(struct radix *radix, uint64_t key);
void *radix_replace(struct radix *radix, uint64_t key, void *item);

/* The first item at or after *key, which becomes its key. At the end null, *key unspecified. */
void *radix_find(const struct radix *radix, uint64_t *key);

/* The first key at or after `from` without an item. False when all up to 2^64 - 1 are taken. */
bool radix_find_free(const struct radix *radix, uint64_t from, uint64_t *out);

/* Gives all nodes back. What the items point to is the owner's business. */
void radix_clear(struct radix *radix);

/*
 * Each item in order of keys; declares `item` (void *) and uint64_t `key`. The body may erase
 * or insert anything: the walk goes on after `key`.
 */
#define radix_for_each(item, key, radix)                                                       \
	for (uint64_t key = 0, key##_more = 1; key##_more; key##_more = 0)                     \
		for (void *item = radix_find((radix), &key); item;                             \
			item = ++key ? radix_find((radix), &key) : NULL)

/* Asserts the invariants listed in radix.c. O(nodes). */
void radix_check(const struct radix *radix);
