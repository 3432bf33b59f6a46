// SPDX-License-Identifier: MIT
/*
 * Locks for many readers or one writer.
 *
 * One word says who is inside: how many readers, whether a writer, whether anybody waits. While
 * nobody waits, going in and leaving is one compare-and-exchange on it. Everybody who cannot go in joins one
 * queue and sets RWLOCK_WAITERS; from then until the queue is empty again the word changes under lock
 * only. Whoever leaves lets in the first of the queue: a writer alone, or all readers up to the
 * next writer, and counts them as inside before it wakes them. So nobody overtakes, and neither
 * kind starves.
 *
 * Locks   rwlock->lock (RANK_MUTEX), under it thread and run queue locks by sched_wake
 *
 * Rejected: letting readers in past a waiting writer (starves writers), per-CPU reader counts
 * (writers become very dear; to be measured when many threads fault at once).
 */
#include "sync/mutex.h"

#include "lib/assert.h"
#include "lib/atomic.h"
#include "sched/sched.h"
#include "sched/thread.h"

/*
 * On the stack of the thread that waits.
 *
 *   [l] rwlock->lock      [I] immutable
 */
struct rwlock_waiter {
	struct list_node link; /* [l] */
	struct thread *thread; /* [I] */
	bool is_writer;        /* [I] */
	bool is_granted;       /* [l] holds the lock now */
};

void rwlock_init(struct rwlock *l, enum lock_rank rank, const char *name)
{
	*l = (struct rwlock){.rank = (uint16_t)rank, .name = name};
	irqlock_init(&l->lock, RANK_MUTEX, name);
	list_init(&l->waiters);
}

static uint32_t share_of(bool is_writer)
{
	return is_writer ? RWLOCK_WRITER : 1;
}

/* Whether one more of this kind can go in, queue aside. */
static bool has_room(uint32_t state, bool is_writer)
{
	return !(state & (is_writer ? ~RWLOCK_WAITERS : RWLOCK_WRITER));
}

/* One try, if nobody waits. Acquires; pairs with the release of who leaves. */
static ALWAYS_INLINE bool try_enter(struct rwlock *l, bool is_writer)
{
	uint32_t state = atomic_load_relaxed(&l->state);

	while (LIKELY(!(state & RWLOCK_WAITERS) && has_room(state, is_writer)))
		if (LIKELY(atomic_cmpxchg_acquire(
			    &l->state, &state, state + share_of(is_writer))))
			return true;
	return false;
}

/* Lets in who may come in, first come first. lock held, and RWLOCK_WAITERS set. */
static void grant(struct rwlock *l)
{
	struct rwlock_waiter *w;

	while ((w = list_first(&l->waiters, struct rwlock_waiter, link)) != NULL &&
		has_room(l->state, w->is_writer)) {
		list_remove(&w->link);
		atomic_add(&l->state, share_of(w->is_writer));
		w->is_granted = true;
		sched_wake(w->thread); /* under the lock, so it cannot be gone yet */
	}
	if (list_is_empty(&l->waiters))
		atomic_and(&l->state, ~RWLOCK_WAITERS);
}

/* BLOCKED is set before is_granted is looked at, so that a grant after it ends sched_switch. */
static void wait_for_grant(struct rwlock *l, struct rwlock_waiter *w)
{
	bool is_over = false;

	while (!is_over) {
		irqlock_lock(&l->lock);
		sched_set_blocked();
		is_over = w->is_granted;
		if (is_over)
			sched_set_running();
		irqlock_unlock(&l->lock);
		if (!is_over)
			sched_switch();
	}
}

static NOINLINE void enter_slowly(struct rwlock *l, bool is_writer)
{
	struct rwlock_waiter w = {.thread = arch_current(), .is_writer = is_writer};

	irqlock_lock(&l->lock);
	atomic_or(&l->state, RWLOCK_WAITERS); /* from here on it changes under lock only */
	list_add_tail(&l->waiters, &w.link);
	grant(l); /* us, if whoever was inside left meanwhile */
	irqlock_unlock(&l->lock);
	atomic_store(&w.thread->wait_flags, (uint32_t)WAIT_BOUNDED);
	wait_for_grant(l, &w);
}

/* Takes `was` out of the word and puts `is` in. */
static NOINLINE void leave_slowly(struct rwlock *l, uint32_t was, uint32_t is)
{
	irqlock_lock(&l->lock);
	atomic_sub(&l->state, was - is);
	if (l->state & RWLOCK_WAITERS)
		grant(l);
	irqlock_unlock(&l->lock);
}

static ALWAYS_INLINE void leave(struct rwlock *l, uint32_t was, uint32_t is)
{
	uint32_t state = atomic_load_relaxed(&l->state);

	while (LIKELY(!(state & RWLOCK_WAITERS)))
		if (LIKELY(atomic_cmpxchg_release(&l->state, &state, state - was + is)))
			return; /* pairs with the acquire in try_enter */
	leave_slowly(l, was, is);
}

void rwlock_read_lock(struct rwlock *l) NOT_ANALYSED
{
	lock_check_may_sleep(l->name);
	lock_check_acquire(l, l->name, l->rank, 0, CALLER);
	if (UNLIKELY(!try_enter(l, false)))
		enter_slowly(l, false);
	lock_check_acquired(l);
}

void rwlock_write_lock(struct rwlock *l) NOT_ANALYSED
{
	lock_check_may_sleep(l->name);
	lock_check_acquire(l, l->name, l->rank, 0, CALLER);
	if (UNLIKELY(!try_enter(l, true)))
		enter_slowly(l, true);
	WRITE_ONCE(l->writer, arch_current());
	lock_check_acquired(l);
}

void rwlock_read_unlock(struct rwlock *l) NOT_ANALYSED
{
	lock_check_release(l);
	debug_assert(l->state & RWLOCK_READERS);
	leave(l, 1, 0);
}

void rwlock_write_unlock(struct rwlock *l) NOT_ANALYSED
{
	lock_check_release(l);
	assert(l->writer == arch_current());
	WRITE_ONCE(l->writer, NULL);
	leave(l, RWLOCK_WRITER, 0);
}

void rwlock_downgrade(struct rwlock *l) NOT_ANALYSED
{
	assert(l->writer == arch_current());
	WRITE_ONCE(l->writer, NULL);
	leave(l, RWLOCK_WRITER, 1);
}
