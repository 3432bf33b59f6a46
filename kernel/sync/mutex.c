// SPDX-License-Identifier: MIT
/*
 * Mutexes with priority inheritance.
 *
 * Free and contended are told apart by one word: the owner's address, and bit 0 when somebody
 * waits. Without waiters taking and releasing are one compare-and-exchange each; once the bit
 * is set, the word changes only under wait_lock. Release hands the mutex to the best waiter, so
 * ownership never lies open between the two and nobody overtakes.
 *
 * Inheritance. A thread's effective parameters are the best of its own, of the first waiter of
 * each mutex on its held_mutexes, and of what those lend who wait for it elsewhere (mutex_lend). When a waiter comes, goes or changes, the change runs
 * along the chain: owner, the mutex that one waits for, its owner, and so on:
 *
 *     walk: [t locked] recompute t; is t blocked? -> try wait_lock of its mutex m
 *           [t, m]     put t's waiter in its new place among m's waiters; let t go
 *           [m]        lock m's owner; refresh what m shows the owner; let m go
 *           [owner]    is the next t
 *
 * Locks   wait_lock (RANK_MUTEX) comes before thread->lock (RANK_THREAD); the walk needs a step
 *         the other way round, which it may only try. If that fails it lets go of everything,
 *         pins t by a reference, and starts again at t.
 * Alive   who owns a mutex whose bit is set cannot release it without the mutex's wait_lock and
 *         then its own lock; who waits cannot stop waiting without the wait_lock. So each thread
 *         of the walk is kept by a lock the walk holds. (That is why a waiter that gives up
 *         leaves the bit set: the owner clears it when it comes.)
 *
 * The walk runs with interrupts off and ends after CHAIN_MAX threads; in debug kernels it
 * follows the whole chain and panics when that leads back to the thread that is about to wait.
 *
 * Rejected: one lock for all chains (a contended mutex would slow down all others), and
 * spinning while the owner runs (to be measured when there are workloads; see README.md).
 */
#include "sync/mutex.h"

#include "lib/assert.h"
#include "lib/atomic.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "sync/preempt.h"

enum { HAS_WAITERS = 1, CHAIN_MAX = 64 };

#ifdef DEBUG
enum { FOLLOW_WHOLE_CHAIN = 1 };
#else
enum { FOLLOW_WHOLE_CHAIN = 0 };
#endif

/*
 * On the stack of the thread that waits.
 *
 *   [w] the mutex's wait_lock      [I] immutable
 */
struct mutex_waiter {
	struct rbtree_node node;    /* [w] */
	struct thread *thread;      /* [I] */
	struct mutex *mutex;        /* [I] */
	struct sched_params params; /* [w] the thread's, as of its place among the waiters */
	bool is_granted;            /* [w] the thread owns the mutex now */
};

void mutex_init(struct mutex *m, enum lock_rank rank, const char *name)
{
	*m = (struct mutex){.rank = (uint16_t)rank, .name = name};
	irqlock_init(&m->wait_lock, RANK_MUTEX, name);
	rbtree_init(&m->waiters, NULL);
}

static uintptr_t owner_word(const struct thread *t)
{
	return (uintptr_t)t;
}

static struct thread *owner_of(const struct mutex *m)
{
	return (struct thread *)(atomic_load_relaxed(&m->owner) & ~(uintptr_t)HAS_WAITERS);
}

bool mutex_is_mine(const struct mutex *m)
{
	return owner_of(m) == arch_current();
}

/* ---- Waiters in order; wait_lock held ---- */

static bool waiter_less(const struct rbtree_node *a, const struct rbtree_node *b)
{
	return sched_params_better(&container_of(a, struct mutex_waiter, node)->params,
		&container_of(b, struct mutex_waiter, node)->params);
}

static struct mutex_waiter *first_waiter(const struct mutex *m)
{
	return rbtree_object(rbtree_first(&m->waiters), struct mutex_waiter, node);
}

/* Shows the owner what it inherits from m: its best waiter, or nothing. Both locked. */
static void refresh_owner(struct mutex *m, struct thread *owner)
{
	const struct mutex_waiter *first = first_waiter(m);

	if (first)
		m->best = first->params;
	if (first && !list_node_is_linked(&m->owner_link))
		list_add_tail(&owner->held_mutexes, &m->owner_link);
	else if (!first && list_node_is_linked(&m->owner_link))
		list_remove(&m->owner_link);
}

/* ---- The chain; interrupts off ---- */

/* t's effective parameters from what its mutexes show and others lend. t locked. */
static void recompute(struct thread *t) MUST_HOLD(t->lock)
{
	const struct sched_params lent = {.policy = SCHED_CLASS_FIFO, .priority = t->lent};
	const struct sched_params *best = t->lent ? &lent : NULL;

	list_for_each (m, &t->held_mutexes, struct mutex, owner_link) {
		if (!best || sched_params_better(&m->best, best))
			best = &m->best;
	}
	sched_set_inherited(t, best);
}

static bool is_same(const struct sched_params *a, const struct sched_params *b)
{
	return !sched_params_better(a, b) && !sched_params_better(b, a);
}

/* Moves w to where its thread's parameters belong. Thread and wait_lock locked. */
static bool reposition(
	struct mutex *m, struct mutex_waiter *w, const struct sched_params *params)
{
	if (is_same(&w->params, params))
		return false;
	rbtree_erase(&m->waiters, &w->node);
	w->params = *params;
	rbtree_insert(&m->waiters, &w->node, waiter_less);
	return true;
}

static void check_no_cycle(const struct mutex *m, const struct thread *owner)
{
	const struct thread *self = arch_current();

	if (FOLLOW_WHOLE_CHAIN && owner == self && self->blocked_on)
		panic("deadlock: thread %s waits for mutex %s, whose chain of owners ends in "
		      "itself "
		      "by mutex %s",
			self->name, self->blocked_on->mutex->name, m->name);
}

/*
 * Carries a change of t along the chain. Entered with t locked; all is unlocked on return.
 * Returns  NULL at the end, or a thread at which to start again, with a reference for the
 * caller
 */
static struct thread *walk(struct thread *t) NOT_ANALYSED
{
	for (unsigned depth = 0;; depth++) {
		struct mutex_waiter *w = t->blocked_on;
		struct thread *owner;
		struct mutex *m;
		bool has_moved;

		recompute(t);
		if (!w || depth == CHAIN_MAX)
			break;
		m = w->mutex;
		if (!irqlock_try_lock(&m->wait_lock)) {
			thread_get(t);
			irqlock_unlock(&t->lock);
			return t;
		}
		has_moved = reposition(m, w, &t->params);
		irqlock_unlock(&t->lock);
		owner = owner_of(m);
		check_no_cycle(m, owner);
		if (!has_moved && !FOLLOW_WHOLE_CHAIN) {
			irqlock_unlock(&m->wait_lock);
			return NULL;
		}
		irqlock_lock(&owner->lock);
		refresh_owner(m, owner);
		irqlock_unlock(&m->wait_lock);
		t = owner;
	}
	irqlock_unlock(&t->lock);
	return NULL;
}

/*
 * Finishes a walk that had to let go. Nothing held, interrupts on between the attempts, so that
 * whoever holds the lock we could not get can get on.
 */
static void walk_again(struct thread *t) NOT_ANALYSED
{
	while (t) {
		struct thread *pinned = t;
		bool were_enabled = arch_irq_save();

		preempt_disable();
		irqlock_lock(&t->lock);
		t = walk(t);
		arch_irq_restore(were_enabled);
		preempt_enable();
		thread_put(pinned);
		arch_cpu_relax();
	}
}

void mutex_params_changed(struct thread *t)
{
	thread_get(t);
	walk_again(t);
}

void mutex_lend(struct thread *t, int priority)
{
	irqlock_lock(&t->lock);
	t->lent = (uint8_t)priority;
	irqlock_unlock(&t->lock);
	mutex_params_changed(t);
}

/* ---- Taking ---- */

static bool take_free(struct mutex *m)
{
	uintptr_t none = 0;

	/* pairs with the release in give_free and in hand_over */
	return atomic_cmpxchg_acquire(&m->owner, &none, owner_word(arch_current()));
}

/* Marks m as waited for. Returns whether it was free, and is now ours. wait_lock held. */
static bool take_or_mark(struct mutex *m)
{
	uintptr_t old = atomic_load_relaxed(&m->owner);

	while (!(old & HAS_WAITERS)) {
		uintptr_t new = old ? old | HAS_WAITERS : owner_word(arch_current());

		if (atomic_cmpxchg_acquire(&m->owner, &old, new))
			return old == 0;
	}
	return false;
}

/* Queues w and passes its priority on. wait_lock held on entry, nothing on return. */
static struct thread *enqueue(struct mutex *m, struct mutex_waiter *w) NOT_ANALYSED
{
	struct thread *owner = owner_of(m);

	irqlock_lock(&w->thread->lock);
	w->params = w->thread->params;
	w->thread->blocked_on = w;
	irqlock_unlock(&w->thread->lock);
	rbtree_insert(&m->waiters, &w->node, waiter_less);

	irqlock_lock(&owner->lock);
	refresh_owner(m, owner);
	irqlock_unlock(&m->wait_lock);
	return walk(owner);
}

/* Stops waiting without the mutex. wait_lock held on entry, nothing on return. */
static struct thread *dequeue(struct mutex *m, struct mutex_waiter *w) NOT_ANALYSED
{
	struct thread *owner = owner_of(m);

	irqlock_lock(&w->thread->lock);
	w->thread->blocked_on = NULL;
	irqlock_unlock(&w->thread->lock);
	rbtree_erase(&m->waiters, &w->node);

	irqlock_lock(&owner->lock);
	refresh_owner(m, owner);
	irqlock_unlock(&m->wait_lock);
	return walk(owner);
}

static bool must_give_up(const struct thread *t, enum wait_flags flags)
{
	return (flags & WAIT_KILLABLE) && (atomic_load(&t->flags) & THREAD_KILLED);
}

/*
 * Sleeps until w is granted or the thread is killed. Nothing held, interrupts on. BLOCKED is
 * set before the two are looked at, so that a grant or kill after the look makes sched_switch
 * return.
 */
static int wait_for_grant(
	struct mutex *m, struct mutex_waiter *w, enum wait_flags flags) NOT_ANALYSED
{
	struct thread *again = NULL;
	bool is_over = false, were_enabled;
	int err = 0;

	while (!is_over) {
		were_enabled = arch_irq_save();
		preempt_disable();
		irqlock_lock(&m->wait_lock);
		sched_set_blocked();
		if (!w->is_granted && must_give_up(w->thread, flags))
			err = -EINTR;
		is_over = w->is_granted || err;
		if (is_over)
			sched_set_running();
		if (err)
			again = dequeue(m, w);
		else
			irqlock_unlock(&m->wait_lock);
		arch_irq_restore(were_enabled);
		preempt_enable();
		if (!is_over)
			sched_switch();
	}
	walk_again(again);
	return err;
}

static NOINLINE int lock_slowly(struct mutex *m, enum wait_flags flags) NOT_ANALYSED
{
	struct mutex_waiter w = {.thread = arch_current(), .mutex = m};
	bool were_enabled = arch_irq_save(), is_mine;
	struct thread *again = NULL;

	preempt_disable();
	irqlock_lock(&m->wait_lock);
	is_mine = take_or_mark(m);
	if (is_mine)
		irqlock_unlock(&m->wait_lock);
	else
		again = enqueue(m, &w);
	arch_irq_restore(were_enabled);
	preempt_enable();
	if (is_mine)
		return 0;
	walk_again(again);
	atomic_store(&w.thread->wait_flags, (uint32_t)flags); /* before must_give_up looks */
	return wait_for_grant(m, &w, flags);
}

void mutex_lock_nested(struct mutex *m, uint64_t key) NOT_ANALYSED
{
	lock_check_may_sleep(m->name);
	lock_check_acquire(m, m->name, m->rank, key, CALLER);
	if (!take_free(m))
		(void)lock_slowly(m, WAIT_BOUNDED); /* only a killable wait fails */
	lock_check_acquired(m);
}

void mutex_lock(struct mutex *m) NOT_ANALYSED
{
	lock_check_may_sleep(m->name);
	lock_check_acquire(m, m->name, m->rank, 0, CALLER);
	if (!take_free(m))
		(void)lock_slowly(m, WAIT_BOUNDED); /* only a killable wait fails */
	lock_check_acquired(m);
}

int mutex_lock_killable(struct mutex *m) NOT_ANALYSED
{
	int err = 0;

	lock_check_may_sleep(m->name);
	lock_check_acquire(m, m->name, m->rank, 0, CALLER);
	if (!take_free(m))
		err = lock_slowly(m, WAIT_KILLABLE);
	if (err)
		lock_check_release(m);
	else
		lock_check_acquired(m);
	return err;
}

bool mutex_try_lock(struct mutex *m) NOT_ANALYSED
{
	if (!take_free(m))
		return false;
	lock_check_acquired_try(m, m->name, m->rank, CALLER);
	return true;
}

/* ---- Releasing ---- */

static bool give_free(struct mutex *m)
{
	uintptr_t mine = owner_word(arch_current());

	/* pairs with the acquire in take_free and take_or_mark */
	return atomic_cmpxchg_release(&m->owner, &mine, (uintptr_t)0);
}

/* Stops inheriting through m. wait_lock held. Also keeps us until a walk that holds our lock
 * ends. */
static void stop_inheriting(struct mutex *m, struct thread *self)
{
	irqlock_lock(&self->lock);
	if (list_node_is_linked(&m->owner_link))
		list_remove(&m->owner_link);
	recompute(self);
	irqlock_unlock(&self->lock);
}

/* Makes the first waiter the owner. wait_lock held. */
static void hand_over(struct mutex *m, struct mutex_waiter *w)
{
	struct thread *next = w->thread;
	uintptr_t word = owner_word(next);

	rbtree_erase(&m->waiters, &w->node);
	if (!rbtree_is_empty(&m->waiters))
		word |= HAS_WAITERS;

	irqlock_lock(&next->lock);
	next->blocked_on = NULL;
	atomic_store_release(&m->owner, word); /* pairs with take_free */
	refresh_owner(m, next);
	recompute(next);
	irqlock_unlock(&next->lock);

	w->is_granted = true;
	sched_wake(next); /* under wait_lock, so next cannot be gone yet */
}

static NOINLINE void unlock_slowly(struct mutex *m) NOT_ANALYSED
{
	struct mutex_waiter *first;

	irqlock_lock(&m->wait_lock);
	stop_inheriting(m, arch_current());
	first = first_waiter(m);
	if (first)
		hand_over(m, first);
	else
		atomic_store_release(&m->owner, (uintptr_t)0); /* pairs with take_free */
	irqlock_unlock(&m->wait_lock);
}

void mutex_unlock(struct mutex *m) NOT_ANALYSED
{
	assert(mutex_is_mine(m));
	lock_check_release(m);
	if (!give_free(m))
		unlock_slowly(m);
}
