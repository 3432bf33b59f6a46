// SPDX-License-Identifier: MIT
/*
 * Futexes that are locks: the word holds the owner's thread id, and FUTEX_WAITERS when somebody waits
 * in the kernel, so that the owner comes here to unlock.
 *
 * The word is the whole state. A waiter is queued like any other, but a wake-up of it means "the
 * lock is yours": who unlocks writes the best waiter's id into the word, then wakes it. So the lock
 * never lies open between the two and nobody overtakes. The best waiter is the one with the best
 * scheduling parameters, and of equals the first.
 *
 * When a thread ends, the waiters of each lock it holds are found through its pi_waiters. The best
 * of each inherits the lock; as the word may lie in an address space that the dying
 * thread does not have, the waiter writes it itself (futex_pi_inherit), and starts again if
 * somebody was faster.
 *
 * The owner runs with the best FIFO or RR priority of its waiters (thread->lent), and if it waits for
 * another lock itself, so does that one's owner, along the whole chain. A chain that would end in
 * itself is refused with EDEADLK, so none does.
 *
 * Locks   bucket->lock [b]; pi_lock [x] after it, for owners, their lists and what they are lent. One for
 *         all, so that a chain can be walked as it is: only locks that are waited for need it.
 * Spec    man 2 futex, "Priority-inheritance futexes"
 */
#include <linux/futex.h>

#include "ipc/futex.h"
#include "ipc/futex_priv.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "sched/sched.h"
#include "sync/mutex.h"

static struct irqlock pi_lock = IRQLOCK_INIT(RANK_FUTEX_PI, "futex pi");

static int my_tid(void)
{
	return uthread_current()->tid_nr;
}

/* ---- Who waits for whom; pi_lock held ---- */

enum { CHAIN_MAX = 1024 /* Linux: the first value of kernel.max_lock_depth */ };

/* The next owner in the chain, or NULL. */
static struct thread *waits_for(const struct thread *t)
{
	const struct futex_waiter *w = t->user->pi_wait;

	return w ? w->owner : NULL;
}

static bool leads_to(const struct thread *from, const struct thread *to)
{
	for (unsigned depth = 0; from; depth++, from = waits_for(from))
		if (from == to || depth == CHAIN_MAX)
			return true;
	return false;
}

static int best_priority(struct uthread *u)
{
	int best = 0;

	if (u->pi_waiters.head.next)
		list_for_each (w, &u->pi_waiters, struct futex_waiter, owner_link)
			best = MAX(best, sched_rt_priority(w->thread));
	return best;
}

/* What t's waiters have may have changed: t gets it, and so on along the chain, which has no cycle. */
static void lend_along(struct thread *t)
{
	for (; t; t = waits_for(t)) {
		int best = best_priority(t->user);

		if (best == t->lent)
			return;
		mutex_lend(t, best);
	}
}

/* Takes over the caller's reference to owner. -ESRCH: it has ended; -EDEADLK: it waits for w's thread. */
static int attach(struct futex_waiter *w, struct thread *owner)
{
	struct uthread *u = owner->user;

	if (u->has_left_futexes)
		return -ESRCH;
	if (leads_to(owner, w->thread))
		return -EDEADLK;
	if (!u->pi_waiters.head.next)
		list_init(&u->pi_waiters);
	w->owner = owner;
	w->thread->user->pi_wait = w;
	list_add_tail(&u->pi_waiters, &w->owner_link);
	return 0;
}

/* Gives the owner that w waited for to the caller, with its reference; NULL: there was none. */
static struct thread *detach(struct futex_waiter *w)
{
	struct thread *owner = w->owner;

	if (!owner)
		return NULL;
	w->owner = NULL;
	w->thread->user->pi_wait = NULL;
	list_remove(&w->owner_link);
	return owner;
}

/* ---- The same without pi_lock ---- */

static int set_owner(struct futex_waiter *w, struct thread *owner)
{
	int err;

	irqlock_lock(&pi_lock);
	err = attach(w, owner);
	if (!err && sched_rt_priority(w->thread) > owner->lent)
		lend_along(owner);
	irqlock_unlock(&pi_lock);
	return err;
}

void futex_pi_forget(struct futex_waiter *w)
{
	struct thread *owner;

	irqlock_lock(&pi_lock);
	owner = detach(w);
	if (owner && owner->lent)
		lend_along(owner);
	irqlock_unlock(&pi_lock);
	w->is_pi = false;
	if (owner)
		thread_put(owner);
}

void futex_pi_params_changed(struct thread *t)
{
	if (!t->user)
		return;
	irqlock_lock(&pi_lock);
	lend_along(waits_for(t));
	irqlock_unlock(&pi_lock);
}

/* ---- The waiters of one lock; bucket locked ---- */

struct lock_waiters {
	struct futex_waiter *best;
	bool has_more;   /* than the best */
	bool has_others; /* that wait for no lock: the program is confused */
};

static bool is_better(const struct futex_waiter *w, const struct futex_waiter *best)
{
	return !best || sched_rt_priority(w->thread) > sched_rt_priority(best->thread);
}

static struct lock_waiters waiters_of(struct futex_bucket *b, const struct futex_key *key)
{
	struct lock_waiters found = {0};

	futex_for_each_safe(w, b, key)
	{
		if (!w->is_pi) {
			found.has_others = true;
			continue;
		}
		found.has_more = found.best;
		if (is_better(w, found.best))
			found.best = w;
	}
	return found;
}

/* w waits for this thread from now on; pi_lock held. Returns whom it waited for, as detach. */
static struct thread *change_owner(struct futex_waiter *w, struct thread *owner)
{
	struct thread *was = detach(w);

	thread_get(owner);
	if (attach(w, owner)) /* it ends: w still waits for this lock, and finds out */
		thread_put(owner);
	return was;
}

/* The lock goes to best: the others wait for its thread from now on. */
static void hand_to(struct futex_bucket *b, struct futex_waiter *best)
{
	struct thread *was;

	irqlock_lock(&pi_lock);
	was = detach(best);
	futex_for_each_safe(w, b, &best->key)
	{
		struct thread *same;

		if (w == best || !w->is_pi)
			continue;
		same = change_owner(w, best->thread);
		if (same && same != was && same->lent) /* the program wrote the word itself */
			lend_along(same);
		if (same)
			thread_put(same);
	}
	lend_along(best->thread);
	if (was)
		lend_along(was);
	irqlock_unlock(&pi_lock);
	if (was)
		thread_put(was);
	futex_wake_waiter(b, best, false);
}

/* ---- Locking ---- */

/* One attempt with the bucket locked. *word is what was seen. -EFAULT: bring the page in. */
static int try_locked(struct futex_bucket *b, struct futex_waiter *w, uptr at, bool is_try,
	uint32_t *word, struct thread *owner)
{
	struct lock_waiters found = waiters_of(b, &w->key);
	uint32_t seen, new;
	int err = user_peek32(word, at);

	if (err)
		return err;
	if ((int)(*word & FUTEX_TID_MASK) == my_tid())
		return -EDEADLK;
	if (found.has_others)
		return -EINVAL;
	if (!(*word & FUTEX_TID_MASK)) {
		new = (uint32_t)my_tid() | (*word & FUTEX_OWNER_DIED) |
		      (found.best ? FUTEX_WAITERS : 0);
		err = user_cmpxchg32(at, *word, new, &seen);
		if (err)
			return err;
		return seen == *word ? FUTEX_PI_LOCKED : -EAGAIN;
	}
	if (is_try)
		return -EWOULDBLOCK;
	if (!owner || owner->user->tid_nr != (int)(*word & FUTEX_TID_MASK))
		return -EAGAIN; /* find out who that is first */
	err = user_cmpxchg32(at, *word, *word | FUTEX_WAITERS, &seen);
	if (err)
		return err;
	if (seen != *word)
		return -EAGAIN;
	err = set_owner(w, owner);
	if (err)
		return err;
	w->is_pi = true;
	futex_add(b, w);
	return FUTEX_PI_QUEUED;
}

/* Makes the word's page present and writable. */
static int bring_in(uptr at)
{
	uint32_t value, old;

	if (user_load32(&value, at))
		return -EFAULT;
	return user_cmpxchg32(at, value, value, &old);
}

/* The owner's thread with a reference, or NULL when the word names none. -EFAULT, -ESRCH. */
static int find_owner(uptr at, struct thread **out)
{
	uint32_t word;
	int tid;

	*out = NULL;
	if (user_load32(&word, at))
		return -EFAULT;
	tid = (int)(word & FUTEX_TID_MASK);
	return tid ? uthread_find(tid, out) : 0;
}

enum { LOST_OWNER_TRIES = 10 }; /* a lock whose owner ended changes hands soon, if it does */

int futex_pi_lock(struct futex_waiter *w, uptr at, bool is_try)
{
	struct futex_bucket *b = futex_bucket_of(&w->key);
	unsigned lost = 0;
	uint32_t word;

	for (;;) {
		struct thread *owner;
		int err = find_owner(at, &owner);

		if (err == -EFAULT)
			return err;
		if (!err) {
			irqlock_lock(&b->lock);
			err = try_locked(b, w, at, is_try, &word, owner);
			irqlock_unlock(&b->lock);
			if (owner && err != FUTEX_PI_QUEUED)
				thread_put(owner);
			if (err == -EFAULT && bring_in(at))
				return -EFAULT;
			if (err == -EAGAIN && is_try)
				return err;
			if (err != -EFAULT && err != -EAGAIN && err != -ESRCH)
				return err;
		}
		if (err == -ESRCH && ++lost > LOST_OWNER_TRIES)
			return err;
		if (thread_is_killed())
			return -EINTR;
		if (err == -ESRCH)
			sched_yield();
	}
}

int futex_pi_inherit(struct futex_waiter *w, uptr at)
{
	uint32_t word, seen;

	if (!w->is_bequeathed)
		return 0;
	w->is_bequeathed = false;
	if (user_load32(&word, at))
		return -EFAULT;
	for (;;) {
		uint32_t tid = word & FUTEX_TID_MASK;
		struct thread *t = NULL;

		if (tid && !uthread_find((int)tid, &t)) {
			bool has_ended = t->user->has_left_futexes;

			thread_put(t);
			if (!has_ended)
				return -EAGAIN;
		}
		if (user_cmpxchg32(at, word,
			    (uint32_t)my_tid() | FUTEX_OWNER_DIED | FUTEX_WAITERS, &seen))
			return -EFAULT;
		if (seen == word)
			return 0;
		word = seen;
	}
}

/* ---- Unlocking ---- */

static int unlock_locked(struct futex_bucket *b, uptr at, const struct futex_key *key)
{
	struct lock_waiters found = waiters_of(b, key);
	uint32_t word, seen, new = 0;
	int err = user_peek32(&word, at);

	if (err)
		return err;
	if ((int)(word & FUTEX_TID_MASK) != my_tid())
		return -EPERM;
	if (found.has_others)
		return -EINVAL;
	if (found.best)
		new = (uint32_t)found.best->thread->user->tid_nr | FUTEX_WAITERS;
	err = user_cmpxchg32(at, word, new, &seen);
	if (err)
		return err;
	if (seen != word)
		return -EAGAIN;
	if (found.best)
		hand_to(b, found.best);
	return 0;
}

int futex_pi_unlock(uptr at, const struct futex_key *key)
{
	struct futex_bucket *b = futex_bucket_of(key);
	int err;

	for (;;) {
		irqlock_lock(&b->lock);
		err = unlock_locked(b, at, key);
		irqlock_unlock(&b->lock);
		if (err == -EFAULT && bring_in(at))
			return -EFAULT;
		if (err != -EFAULT && err != -EAGAIN)
			return err;
	}
}

/* ---- Requeueing to a lock ---- */

/* Gives the free lock to w, or marks it as waited for. Both buckets locked. */
static int take_for(struct futex_waiter *w, uptr at, uint32_t word, bool has_more)
{
	uint32_t new = word | FUTEX_WAITERS, seen;
	int err;

	if (!(word & FUTEX_TID_MASK))
		new = (uint32_t)w->thread->user->tid_nr | (word & FUTEX_OWNER_DIED) |
		      (has_more ? FUTEX_WAITERS : 0);
	err = user_cmpxchg32(at, word, new, &seen);
	if (err)
		return err;
	return seen == word ? 0 : -EAGAIN;
}

/*
 * Returns  how many were woken (one, with the lock) or moved; -EAGAIN: the lock changed, again
 */
static int requeue_locked(struct futex_bucket *b1, struct futex_bucket *b2,
	const struct futex_key *from, const struct futex_key *to, uptr to_at, unsigned nr_move,
	struct thread *owner)
{
	unsigned done = 0;
	uint32_t word;
	int err = user_peek32(&word, to_at);

	if (err)
		return err;
	futex_for_each_safe(w, b1, from)
	{
		if (done > nr_move) /* one is not counted: it is woken, or would be */
			break;
		if (w->is_pi || !w->target || !futex_key_equal(w->target, to))
			return -EINVAL;
		if (done == 0) {
			if ((word & FUTEX_TID_MASK) &&
				(!owner || owner->user->tid_nr != (int)(word & FUTEX_TID_MASK)))
				return -EAGAIN;
			err = take_for(w, to_at, word, true);
			if (err)
				return err;
			if (!(word & FUTEX_TID_MASK)) {
				done++;
				owner = w->thread;
				futex_wake_waiter(b1, w, false);
				continue;
			}
		}
		thread_get(owner);
		err = set_owner(w, owner);
		if (err)
			thread_put(owner);
		if (err == -EDEADLK || (err && !done))
			return err;
		/* Ending after the first one, it finds the rest by that (hand_to). */
		done++;
		w->is_pi = true;
		futex_move(b1, b2, w, to);
	}
	return (int)done;
}

int futex_pi_requeue(const struct futex_key *from, uptr from_at, uint32_t expected,
	const struct futex_key *to, uptr to_at, unsigned nr_requeue)
{
	struct futex_bucket *b1 = futex_bucket_of(from), *b2 = futex_bucket_of(to);

	for (;;) {
		struct thread *owner;
		uint32_t value;
		bool is_changed = false;
		int result, owner_err = find_owner(to_at, &owner);

		futex_lock_two(b1, b2);
		result = user_peek32(&value, from_at);
		is_changed = !result && value != expected;
		if (!result && !is_changed)
			result = requeue_locked(b1, b2, from, to, to_at, nr_requeue, owner);
		futex_unlock_two(b1, b2);
		if (owner)
			thread_put(owner);
		if (is_changed)
			return -EAGAIN;
		if (result == -EFAULT && (user_load32(&value, from_at) || bring_in(to_at)))
			return -EFAULT;
		if (result != -EFAULT && result != -EAGAIN)
			return result;
		if (result == -EAGAIN && owner_err) /* it is asked for, and not there */
			return owner_err;
		if (thread_is_killed())
			return -EINTR;
	}
}

/* ---- The end of an owner ---- */

/* The key of a lock that the current thread holds and somebody waits for. */
static bool next_held(struct uthread *u, struct futex_key *key)
{
	struct futex_waiter *w = NULL;

	irqlock_lock(&pi_lock);
	u->has_left_futexes = u->sigmask & SIGBIT(SIGKILL); /* it ends: not for exec */
	if (u->pi_waiters.head.next)
		w = list_first(&u->pi_waiters, struct futex_waiter, owner_link);
	if (w)
		*key = w->key; /* changes only on a queue, where w->owner is set anew */
	irqlock_unlock(&pi_lock);
	return w;
}

void futex_pi_exit(void)
{
	struct uthread *u = uthread_current();
	struct futex_key key;

	while (next_held(u, &key)) {
		struct futex_bucket *b = futex_bucket_of(&key);
		struct futex_waiter *best = NULL;

		irqlock_lock(&b->lock);
		futex_for_each_safe(w, b, &key)
		{
			if (w->owner == u->thread && is_better(w, best))
				best = w;
		}
		if (best) {
			best->is_bequeathed = true;
			hand_to(b, best);
		}
		irqlock_unlock(&b->lock);
	}
}
