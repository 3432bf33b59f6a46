// SPDX-License-Identifier: MIT
/*
 * The buckets, for futex.c and futex_pi.c.
 */
#pragma once

#include "ipc/futex.h"
#include "lib/list.h"
#include "sync/spinlock.h"

/*
 *   [b] lock      [a] atomic
 */
struct futex_bucket {
	struct irqlock lock;
	uint32_t nr_waiters; /* [a] raised before the word is looked at: see futex_wake */
	struct list waiters; /* [b] first come first; all zero before the first */
} ALIGNED(64);

struct futex_bucket *futex_bucket_of(const struct futex_key *key);
/* Both, the lower address first; they may be one. */
void futex_lock_two(struct futex_bucket *a, struct futex_bucket *b);
void futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b);

/* ---- The bucket is locked ---- */

void futex_add(struct futex_bucket *b, struct futex_waiter *w);
void futex_remove(struct futex_bucket *b, struct futex_waiter *w);
/* Takes w off and tells it. It may be gone afterwards. */
void futex_wake_waiter(struct futex_bucket *b, struct futex_waiter *w, bool is_handover);
void futex_move(struct futex_bucket *from, struct futex_bucket *to, struct futex_waiter *w,
	const struct futex_key *key);

#define futex_for_each_safe(w, b)                                                              \
	if ((b)->nr_waiters)                                                                   \
		list_for_each_safe (w, &(b)->waiters, struct futex_waiter, link)
