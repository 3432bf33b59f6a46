// SPDX-License-Identifier: MIT
/*
 * The mechanism under both spinning locks, without ranks, contracts or preemption: who finds
 * the lock taken draws a number and waits until it is called. First come, first served, and a
 * release touches only the half of the word that nobody else writes.
 *
 * Under a hypervisor nobody draws numbers: the CPU whose turn it is may just not be running,
 * and all others would wait for the host to bring it back. There a free lock is anybody's.
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

/* spinlock.c: the lock was not free. */
void ticket_lock_slowly(struct ticket *t);

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

static ALWAYS_INLINE void ticket_lock(struct ticket *t)
{
	if (UNLIKELY(!ticket_try_lock(t)))
		ticket_lock_slowly(t);
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
