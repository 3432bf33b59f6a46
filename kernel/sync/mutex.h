// SPDX-License-Identifier: MIT
/*
 * Sleeping locks. The owner of a mutex inherits the priority of the best thread that waits for
 * it, along chains of mutexes; ownership is handed to the best waiter at release, so no waiter
 * starves. A rwlock is held by many readers or one writer.
 * Waits are WAIT_BOUNDED; the _killable forms return -EINTR when the thread is being killed.
 */
#pragma once

#include "lib/base.h"
#include "lib/rbtree.h"
#include "sched/params.h"
#include "sync/waitq.h"

struct thread;

/*
 *   [w] wait_lock      [a] atomic      [o] wait_lock and owner->lock to write, either to read
 */
struct LOCK_TYPE("mutex") mutex {
	uintptr_t owner; /* [a] struct thread *, bit 0: has waiters; then [w] to change */
	struct irqlock wait_lock;
	struct rbtree waiters;       /* [w] best priority first, then first come */
	struct list_node owner_link; /* [o] on owner->held_mutexes while it has waiters */
	struct sched_params best;    /* [o] of the first waiter while there is one */
	uint16_t rank;               /* [I] */
	const char *name;            /* [I] */
};

#define MUTEX_INIT(rank_, name_)                                                               \
	{                                                                                      \
		.wait_lock = IRQLOCK_INIT(RANK_MUTEX, name_), .rank = (rank_), .name = (name_) \
	}

void mutex_init(struct mutex *m, enum lock_rank rank, const char *name);
void mutex_lock(struct mutex *m) ACQUIRES(*m);
void mutex_lock_nested(struct mutex *m, uint64_t key) ACQUIRES(*m);
/* 0, or -EINTR without the lock when the thread is being killed. */
MUST_CHECK int mutex_lock_killable(struct mutex *m) TRY_ACQUIRES(false, *m);
bool mutex_try_lock(struct mutex *m) TRY_ACQUIRES(true, *m);
/*
 * Owns     the mutex may be looked at until this returns, even when another thread has taken and
 *          released it meanwhile: who frees its memory must know that no unlock is under way
 */
void mutex_unlock(struct mutex *m) RELEASES(*m);
bool mutex_is_mine(const struct mutex *m);
/*
 * ipc/futex_pi.c: threads that wait for t elsewhere lend it this FIFO priority (0: nothing). Carries it along the
 * chain of mutexes. May be called with interrupts off, below RANK_MUTEX.
 */
void mutex_lend(struct thread *t, int priority);
/* sched/: t's own parameters changed. Nothing held; the caller keeps t alive. Any context. */
void mutex_params_changed(struct thread *t);

enum { RWLOCK_READERS = 0x3fffffff };
#define RWLOCK_WAITERS 0x40000000u
#define RWLOCK_WRITER  0x80000000u

/*
 *   [l] lock      [I] immutable      [a] atomic; while RWLOCK_WAITERS is set, under lock only
 */
struct LOCK_TYPE("rwlock") rwlock {
	uint32_t state;              /* [a] how many readers, RWLOCK_* */
	struct irqlock lock;
	struct list waiters;         /* [l] first come first */
	const struct thread *writer; /* who, while there is one: to be told by itself */
	uint16_t rank;               /* [I] */
	const char *name;            /* [I] */
};

/*
 * Readers and writers are served in the order they came; readers that stand next to each other
 * go in together. So a waiting writer stops new readers, and neither kind starves. Nobody's
 * priority is inherited: a reader cannot be found from the lock.
 */
void rwlock_init(struct rwlock *l, enum lock_rank rank, const char *name);
void rwlock_read_lock(struct rwlock *l) ACQUIRES_SHARED(*l);
void rwlock_read_unlock(struct rwlock *l) RELEASES_SHARED(*l);
void rwlock_write_lock(struct rwlock *l) ACQUIRES(*l);
void rwlock_write_unlock(struct rwlock *l) RELEASES(*l);
/* The writer becomes a reader, with no writer between; ends by rwlock_read_unlock. */
void rwlock_downgrade(struct rwlock *l) RELEASES(*l) ACQUIRES_SHARED(*l);
