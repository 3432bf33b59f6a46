// SPDX-License-Identifier: MIT
/*
 * The two spinning locks. The type says the context:
 *
 *     struct spinlock   interrupts may be on; never taken by an interrupt handler
 *     struct irqlock    disables interrupts; for what handlers share, and for leaf locks
 *
 * Both hold preemption off, are fair (tickets: first come, first served), and are never taken
 * twice by their holder. Take and release are visible pairs in one function body.
 *
 * An irqlock remembers, in itself, whether its taker had interrupts on. Several irqlocks held
 * at once are therefore released in reverse order. The _noirq forms leave the flag alone: for
 * code that has interrupts off already and passes the lock from thread to thread (the
 * scheduler). They hold preemption off as well, on this CPU, and their release never switches
 * threads; nor does irqlock_unlock when interrupts were off before the lock was taken.
 */
#pragma once

#include "lib/base.h"
#include "sync/lock_check.h"
#include "sync/ticket.h"

struct LOCK_TYPE("spinlock") spinlock {
	struct ticket ticket;
	uint16_t rank;    /* [I] */
	const char *name; /* [I] */
};

struct LOCK_TYPE("irqlock") irqlock {
	struct ticket ticket;
	uint16_t rank;     /* [I] */
	bool were_enabled; /* by the holder */
	const char *name;  /* [I] */
};

#define SPINLOCK_INIT(rank_, name_)                                                            \
	{                                                                                      \
		.rank = (rank_), .name = (name_)                                               \
	}
#define IRQLOCK_INIT(rank_, name_)                                                             \
	{                                                                                      \
		.rank = (rank_), .name = (name_)                                               \
	}

void spinlock_init(struct spinlock *l, enum lock_rank rank, const char *name);
void spinlock_lock(struct spinlock *l) ACQUIRES(*l);
void spinlock_lock_nested(struct spinlock *l, uint64_t key) ACQUIRES(*l);
bool spinlock_try_lock(struct spinlock *l) TRY_ACQUIRES(true, *l);
void spinlock_unlock(struct spinlock *l) RELEASES(*l);
bool spinlock_is_mine(const struct spinlock *l); /* for asserts: always true in release */

void irqlock_init(struct irqlock *l, enum lock_rank rank, const char *name);
void irqlock_lock(struct irqlock *l) ACQUIRES(*l);
void irqlock_lock_nested(struct irqlock *l, uint64_t key) ACQUIRES(*l);
bool irqlock_try_lock(struct irqlock *l) TRY_ACQUIRES(true, *l);
void irqlock_unlock(struct irqlock *l) RELEASES(*l);
void irqlock_lock_noirq(struct irqlock *l) ACQUIRES(*l);
void irqlock_lock_noirq_nested(struct irqlock *l, uint64_t key) ACQUIRES(*l);
void irqlock_unlock_noirq(struct irqlock *l) RELEASES(*l);
bool irqlock_is_mine(const struct irqlock *l);
