// SPDX-License-Identifier: MIT
/*
 * The queues, for futex.c and futex_pi.c: buckets of words, and in each a tree of waiters by word and, of one
 * word, first come first. So finding those of a word does not depend on how many wait for others.
 */
#pragma once

#include "ipc/futex.h"
#include "lib/rbtree.h"
#include "sync/spinlock.h"

/*
 *   [b] lock      [a] atomic
 */
struct futex_bucket {
	struct irqlock lock;
	uint32_t nr_waiters; /* [a] raised before the word is looked at: see futex_wake */
	struct rbtree waiters; /* [b] */
	struct futex_waiter *lone; /* [b] the only one, beside a tree that is empty; or NULL */
	uint64_t next_turn;    /* [b] */
} ALIGNED(64);

struct futex_bucket *futex_bucket_of(const struct futex_key *key);
/* Both, the lower address first; they may be one. */
void futex_lock_two(struct futex_bucket *a, struct futex_bucket *b);
void futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b);

/* ---- The bucket is locked ---- */

void futex_add(struct futex_bucket *b, struct futex_waiter *w);
/* The same for who has raised nr_waiters. */
void futex_add_counted(struct futex_bucket *b, struct futex_waiter *w);
void futex_remove(struct futex_bucket *b, struct futex_waiter *w);
/* Takes w off and tells it. It may be gone afterwards. */
void futex_wake_waiter(struct futex_bucket *b, struct futex_waiter *w, bool is_handover);
void futex_move(struct futex_bucket *from, struct futex_bucket *to, struct futex_waiter *w,
	const struct futex_key *key);

/* Each is NULL where there is none. */
struct futex_waiter *futex_first(struct futex_bucket *b, const struct futex_key *key);
struct futex_waiter *futex_next(const struct futex_waiter *w);

/* All that wait for the word. The body may take `w` off, and no other. */
#define futex_for_each_safe(w, b, key)                                                         \
	for (struct futex_waiter *w = futex_first(b, key), *w##_next;                          \
		w && (w##_next = futex_next(w), true); w = w##_next)

/*
 * A walk along those who wait for a word when it begins, a section of the lock after the other: there may be
 * a million of them.
 *
 *     struct futex_walk walk = {.key = &key};
 *     do {
 *             irqlock_lock(&b->lock);
 *             futex_for_section(w, b, &walk)
 *                     ...                             // may take w off
 *             irqlock_unlock(&b->lock);
 *     } while (!futex_walk_is_over(&walk));
 */
struct futex_walk {
	const struct futex_key *key;
	uint64_t turn, end; /* where it goes on, and what is not of it any more */
	unsigned nr_left;   /* in this section */
	bool has_begun;
};

void futex_section_begin(struct futex_bucket *b, struct futex_walk *walk);
/* NULL at the end of the section. */
struct futex_waiter *futex_section_next(struct futex_bucket *b, struct futex_walk *walk);
/* After a section that was not left early. */
static inline bool futex_walk_is_over(const struct futex_walk *walk)
{
	return walk->turn == walk->end;
}

#define futex_for_section(w, b, walk)                                                          \
	futex_section_begin(b, walk);                                                          \
	for (struct futex_waiter * w; (w = futex_section_next(b, walk));)
