// SPDX-License-Identifier: MIT
/*
 * Locks for many readers or one writer.
 *
 * Everybody who cannot go in joins one queue. Whoever leaves lets in the first of the queue: a
 * writer alone, or all readers up to the next writer, and counts them as holders before it
 * wakes them. So nobody overtakes, and neither kind starves.
 *
 * Locks   rwlock->lock (RANK_MUTEX), under it thread and run queue locks by sched_wake
 *
 * Rejected: letting readers in past a waiting writer (starves writers), per-CPU reader counts
 * (writers become very dear; to be measured when address spaces use this lock).
 */
#include "sync/mutex.h"

#include "lib/assert.h"
#include "lib/atomic.h"
#include "sched/sched.h"
#include "sched/thread.h"

enum { WRITER = -1 };

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

/* Whether one more of this kind can go in, queue aside. */
static bool has_room(const struct rwlock *l, bool is_writer)
{
	return is_writer ? l->holders == 0 : l->holders >= 0;
}

static void go_in(struct rwlock *l, const struct thread *t, bool is_writer)
{
	if (is_writer) {
		l->holders = WRITER;
		l->writer = t;
	} else {
		l->holders++;
	}
}

/* Lets in who may come in, first come first. lock held. */
static void grant(struct rwlock *l)
{
	struct rwlock_waiter *w;

	while ((w = list_first(&l->waiters, struct rwlock_waiter, link)) != NULL &&
		has_room(l, w->is_writer)) {
		list_remove(&w->link);
		go_in(l, w->thread, w->is_writer);
		w->is_granted = true;
		sched_wake(w->thread); /* under the lock, so it cannot be gone yet */
	}
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

static void enter(struct rwlock *l, bool is_writer, vaddr_t at)
{
	struct rwlock_waiter w = {.thread = arch_current(), .is_writer = is_writer};
	bool is_in;

	lock_check_may_sleep(l->name);
	lock_check_acquire(l, l->name, l->rank, 0, at);
	irqlock_lock(&l->lock);
	is_in = list_is_empty(&l->waiters) && has_room(l, is_writer);
	if (is_in)
		go_in(l, w.thread, is_writer);
	else
		list_add_tail(&l->waiters, &w.link);
	irqlock_unlock(&l->lock);
	if (!is_in) {
		atomic_store(&w.thread->wait_flags, (uint32_t)WAIT_BOUNDED);
		wait_for_grant(l, &w);
	}
	lock_check_acquired(l);
}

void rwlock_read_lock(struct rwlock *l) NOT_ANALYSED
{
	enter(l, false, CALLER);
}

void rwlock_write_lock(struct rwlock *l) NOT_ANALYSED
{
	enter(l, true, CALLER);
}

void rwlock_read_unlock(struct rwlock *l) NOT_ANALYSED
{
	lock_check_release(l);
	irqlock_lock(&l->lock);
	assert(l->holders > 0);
	l->holders--;
	grant(l);
	irqlock_unlock(&l->lock);
}

/* The writer has left or become a reader. lock held. */
static void end_writing(struct rwlock *l, int32_t holders)
{
	assert(l->holders == WRITER && l->writer == arch_current());
	l->writer = NULL;
	l->holders = holders;
	grant(l);
}

void rwlock_write_unlock(struct rwlock *l) NOT_ANALYSED
{
	lock_check_release(l);
	irqlock_lock(&l->lock);
	end_writing(l, 0);
	irqlock_unlock(&l->lock);
}

void rwlock_downgrade(struct rwlock *l) NOT_ANALYSED
{
	irqlock_lock(&l->lock);
	end_writing(l, 1);
	irqlock_unlock(&l->lock);
}
