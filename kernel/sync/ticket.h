// SPDX-License-Identifier: MIT
/*
 * The mechanism under both spinning locks, without ranks, contracts or preemption: take a
 * number, wait until it is called. First come, first served, and a release touches only the
 * half of the word that nobody else writes.
 *
 * Use struct spinlock or struct irqlock. The bare operations are for them, and for the log's
 * emergency path, which must not enter the checker.
 */
#pragma once

#include "arch/arch.h"
#include "lib/atomic.h"
#include "lib/base.h"

/* Numbers wrap at 16 bits: enough for 65535 CPUs that wait at once. */
struct ticket {
	union {
		struct {
			uint16_t next;  /* [a] the number the next taker gets */
			uint16_t owner; /* [a] the number that is being served; written by the
					   holder */
		};
		uint32_t both; /* [a] for the attempt that must not wait */
	};
};

/* spinlock.c: waits until `number` is called. */
void ticket_wait(struct ticket *t, uint16_t number);

static ALWAYS_INLINE void ticket_lock(struct ticket *t)
{
	uint16_t number = atomic_fetch_add_acquire(&t->next, (uint16_t)1);

	/* pairs with the release in ticket_unlock */
	if (UNLIKELY(atomic_load_acquire(&t->owner) != number))
		ticket_wait(t, number);
}

static ALWAYS_INLINE bool ticket_try_lock(struct ticket *t)
{
	struct ticket seen, taken;

	seen.both = atomic_load_relaxed(&t->both);
	if (seen.next != seen.owner)
		return false;
	taken = seen;
	taken.next++;
	/* pairs with the release in ticket_unlock */
	return atomic_cmpxchg_acquire(&t->both, &seen.both, taken.both);
}

static ALWAYS_INLINE void ticket_unlock(struct ticket *t)
{
	/* pairs with the acquires above; only the holder writes owner */
	atomic_store_release(&t->owner, (uint16_t)(t->owner + 1));
}

static inline bool ticket_is_taken(const struct ticket *t)
{
	struct ticket seen = {.both = atomic_load_relaxed(&t->both)};

	return seen.next != seen.owner;
}
