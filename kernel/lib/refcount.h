// SPDX-License-Identifier: MIT
/*
 * Reference counts that cannot wrap.
 *
 * A count that is driven beyond REFCOUNT_MAX sticks at REFCOUNT_STUCK: the object leaks instead
 * of being freed under its users. Taking a reference to an object that has none, or putting one
 * too many, is a bug of ours and an assertion in every build.
 *
 *     get      the caller already holds a reference (or the lock that keeps one)
 *     try_get  the caller found the object in an index that holds none: may be dying
 *     put      true exactly once, for the last holder, who must free the object
 */
#pragma once

#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/base.h"

enum { REFCOUNT_MAX = 0x7fffffff };
#define REFCOUNT_STUCK 0xc0000000u /* so far from both ends that races cannot reach them */

typedef uint32_t refcount; /* [a] changed only here */

static inline void refcount_init(refcount *ref, uint32_t count)
{
	atomic_store_relaxed(ref, count);
}

/* For reports and assertions: stale as soon as it is read. */
static inline uint32_t refcount_read(const refcount *ref)
{
	return atomic_load_relaxed(ref);
}

static inline void refcount_get(refcount *ref)
{
	/* relaxed: the reference the caller holds already orders everything */
	uint32_t old = atomic_fetch_add_relaxed(ref, 1);

	assert(old != 0);
	if (UNLIKELY(old >= REFCOUNT_MAX))
		atomic_store_relaxed(ref, REFCOUNT_STUCK);
}

MUST_CHECK static inline bool refcount_try_get(refcount *ref)
{
	uint32_t old = atomic_load_relaxed(ref);

	do {
		if (old == 0)
			return false;
		if (UNLIKELY(old >= REFCOUNT_MAX))
			return true; /* stuck: alive for ever */
	} while (!atomic_cmpxchg_acquire(ref, &old, old + 1));
	return true;
}

MUST_CHECK static inline bool refcount_put(refcount *ref)
{
	/* the release: this holder's accesses come before the free of whoever is last */
	uint32_t old = atomic_fetch_sub_release(ref, 1);

	assert(old != 0);
	if (LIKELY(old != 1)) {
		if (UNLIKELY(old > REFCOUNT_MAX))
			atomic_store_relaxed(ref, REFCOUNT_STUCK);
		return false;
	}
	atomic_fence_acquire(); /* pairs with the releases of all earlier puts */
	return true;
}
