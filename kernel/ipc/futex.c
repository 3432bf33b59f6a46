// SPDX-License-Identifier: MIT
/*
 * Futexes: threads wait for a word of memory, others wake them. The queues are in futex_queue.c.
 *
 *     wait    lock the bucket; count; is the word as expected? queue : -EAGAIN
 *     wake    (the program has changed the word); anybody counted? lock the bucket; take off
 *
 * No wake-up is lost: a waiter raises the bucket's count before it reads the word, a waker
 * reads the count after the word was written, so one of the two sees the other. And a wake of
 * nobody takes no lock.
 *
 * The word is read with the bucket locked, where a page fault cannot be served: if the page is not
 * there, everything is let go, the page is brought in and the attempt starts again.
 *
 * A word in a shared mapping is named by its place in the mapped object, so that processes which map
 * it at different addresses meet; any other by its address space and address. The names hold no
 * references. When an object goes and another comes at its place in memory while somebody still
 * waits, he may be woken without cause, which every user of futexes must expect anyway.
 *
 * Hand-over: a thread that time and again waits right after it woke one waiter, or is at once
 * preempted by it, is waiting for the answer. Its wake-ups hand over its CPU (sched/handover.c); those of others do not, as the
 * waiter would have to wait until they block.
 *
 * Locks   bucket->lock (RANK_FUTEX), two in the order of their addresses
 * Spec    man 2 futex, man 7 futex
 */
#include "ipc/futex.h"

#include <linux/futex.h>

#include "arch/arch.h"
#include "ipc/futex_priv.h"
#include "lib/atomic.h"
#include "mm/vmspace.h"
#include "proc/proc.h"
#include "time/clock.h"

int futex_key_get(uptr at, bool is_private, struct futex_key *out)
{
	const struct page_source *source;
	struct vmspace *vm = arch_current()->vm;
	uint64_t index;
	int err;

	if (!IS_ALIGNED(at.addr, sizeof(uint32_t)))
		return -EINVAL;
	if (!user_range_ok(at, sizeof(uint32_t)))
		return -EFAULT;
	*out = (struct futex_key){.object = (uintptr_t)vm, .word = at.addr};
	if (is_private)
		return 0;
	err = vmspace_identify(vm, at.addr, &source, &index);
	if (!err && source) {
		out->object = (uintptr_t)source;
		out->word = index << PAGE_SHIFT | (at.addr & PAGE_MASK);
	}
	return err;
}

/* ---- Waiting ---- */

int futex_queue(struct futex_waiter *w, uptr at, uint32_t expected)
{
	struct futex_bucket *b = futex_bucket_of(&w->key);
	uint32_t value;
	int err;

	for (;;) {
		irqlock_lock(&b->lock);
		atomic_add(&b->nr_waiters, 1); /* before the look: pairs with futex_wake */
		err = user_peek32(&value, at);
		if (LIKELY(!err && value == expected)) {
			futex_add_counted(b, w);
			irqlock_unlock(&b->lock);
			return 0;
		}
		atomic_sub(&b->nr_waiters, 1);
		irqlock_unlock(&b->lock);
		if (!err)
			return -EAGAIN;
		if (user_load32(&value, at))
			return -EFAULT;
	}
}

bool futex_unqueue(struct futex_waiter *w)
{
	struct futex_bucket *b;

	/* pairs with the release in futex_wake_waiter */
	while ((b = atomic_load_acquire(&w->bucket))) {
		irqlock_lock(&b->lock);
		if (w->bucket == b) {
			futex_remove(b, w);
			if (UNLIKELY(w->is_pi))
				futex_pi_forget(w);
			w->bucket = NULL;
			irqlock_unlock(&b->lock);
			return true;
		}
		irqlock_unlock(&b->lock);
	}
	return false;
}

bool futex_is_woken(const struct futex_waiter *w)
{
	struct futex_bucket *b = atomic_load_acquire(&w->bucket);

	if (LIKELY(!b))
		return true;
	/* Who wakes it holds the lock from before the wake-up until bucket is NULL. */
	irqlock_lock(&b->lock);
	irqlock_unlock(&b->lock);
	return !atomic_load_acquire(&w->bucket);
}

/* ---- Waking ---- */

enum { HABIT_CERTAIN = 3 };
static const uint64_t HABIT_SOON_NS = 10 * NS_PER_US;

void futex_note_wait(void)
{
	struct uthread *u = uthread_current();

	if (!u->futex_wake_ns)
		return;
	if (clock_monotonic_ns() - u->futex_wake_ns > HABIT_SOON_NS)
		u->futex_habit = 0;
	else if (u->futex_habit < HABIT_CERTAIN)
		u->futex_habit++;
	u->futex_wake_ns = 0;
}

/* Whether the current thread, which wakes one waiter, will most likely wait for it. */
static bool is_wake_handover(void)
{
	struct thread *me = arch_current();
	struct uthread *u = me->user;

	if (u->futex_wake_ns) { /* it did not wait: was it preempted? */
		if (me->nr_switches == u->futex_switches)
			u->futex_habit = 0;
		else if (u->futex_habit < HABIT_CERTAIN)
			u->futex_habit++;
	}
	u->futex_wake_ns = clock_monotonic_ns();
	u->futex_switches = me->nr_switches;
	return u->futex_habit == HABIT_CERTAIN;
}

struct wake {
	struct futex_walk walk;
	int nr, woken;
	uint32_t bitset;
};

/* One section. 1: that was all; 0: there are more; or an error. */
static int wake_section(struct futex_bucket *b, struct wake *k)
{
	futex_for_section(w, b, &k->walk)
	{
		if (UNLIKELY(w->is_pi || w->target))
			return -EINVAL;
		if (!(w->bitset & k->bitset))
			continue;
		futex_wake_waiter(b, w, k->nr == 1 && is_wake_handover());
		if (++k->woken >= k->nr)
			return 1;
	}
	return futex_walk_is_over(&k->walk);
}

static NOINLINE int wake_some(
	struct futex_bucket *b, const struct futex_key *key, int nr, uint32_t bitset)
{
	struct wake k = {.walk = {.key = key}, .nr = nr, .bitset = bitset};
	int done;

	do {
		irqlock_lock(&b->lock);
		done = wake_section(b, &k);
		irqlock_unlock(&b->lock);
	} while (!done);
	return done < 0 ? done : k.woken;
}

int futex_wake(const struct futex_key *key, int nr, uint32_t bitset)
{
	struct futex_bucket *b = futex_bucket_of(key);

	/* between the program's store and the look for waiters: pairs with futex_queue */
	atomic_fence();
	if (LIKELY(!atomic_load_relaxed(&b->nr_waiters)))
		return 0;
	return wake_some(b, key, nr, bitset);
}

void futex_wake_user(uptr at)
{
	struct futex_key key;

	if (!futex_key_get(at, false, &key))
		(void)futex_wake(&key, 1, FUTEX_BITSET_MATCH_ANY);
}

/* ---- Requeueing ---- */

struct requeue {
	struct futex_walk walk; /* along the word that they leave */
	const struct futex_key *to;
	unsigned nr_wake, nr_move, woken, moved;
};

/* As wake_section; both locked. */
static int requeue_section(struct futex_bucket *b1, struct futex_bucket *b2, struct requeue *r)
{
	futex_for_section(w, b1, &r->walk)
	{
		if (w->is_pi || w->target)
			return -EINVAL;
		if (r->woken < r->nr_wake) {
			futex_wake_waiter(b1, w, false);
			r->woken++;
			continue;
		}
		if (r->moved == r->nr_move)
			return 1;
		if (!futex_key_equal(r->walk.key, r->to))
			futex_move(b1, b2, w, r->to);
		r->moved++;
	}
	return futex_walk_is_over(&r->walk);
}

/* The word is looked at when the walk begins: it is along those who waited then. */
static int look_and_requeue(struct futex_bucket *b1, struct futex_bucket *b2, struct requeue *r,
	uptr at, const uint32_t *expected)
{
	uint32_t value;
	int err;

	if (expected && !r->walk.has_begun) {
		err = user_peek32(&value, at);
		if (err)
			return err;
		if (value != *expected)
			return -EAGAIN;
	}
	return requeue_section(b1, b2, r);
}

int futex_requeue(const struct futex_key *from, const struct futex_key *to, unsigned nr_wake,
	unsigned nr_requeue, uptr at, const uint32_t *expected)
{
	struct futex_bucket *b1 = futex_bucket_of(from), *b2 = futex_bucket_of(to);
	struct requeue r = {
		.walk = {.key = from}, .to = to, .nr_wake = nr_wake, .nr_move = nr_requeue};
	uint32_t value;
	int done;

	do {
		futex_lock_two(b1, b2);
		done = look_and_requeue(b1, b2, &r, at, expected);
		futex_unlock_two(b1, b2);
		if (done == -EFAULT)
			done = user_load32(&value, at) ? -EFAULT : 0;
	} while (!done);
	return done < 0 ? done : (int)(r.woken + r.moved);
}

/* ---- FUTEX_WAKE_OP ---- */

/* man 2 futex: op, cmp, oparg and cmparg in one word; both arguments are 12 bits, signed. */
static int32_t sign_12(uint32_t v)
{
	return (int32_t)(v << 20) >> 20;
}

static bool change(uint32_t op, uint32_t old, uint32_t arg, uint32_t *new)
{
	switch (op) {
	case FUTEX_OP_SET:
		*new = arg;
		return true;
	case FUTEX_OP_ADD:
		*new = old + arg;
		return true;
	case FUTEX_OP_OR:
		*new = old | arg;
		return true;
	case FUTEX_OP_ANDN:
		*new = old & ~arg;
		return true;
	case FUTEX_OP_XOR:
		*new = old ^ arg;
		return true;
	default:
		return false;
	}
}

static int compare(uint32_t cmp, int32_t old, int32_t arg)
{
	switch (cmp) {
	case FUTEX_OP_CMP_EQ:
		return old == arg;
	case FUTEX_OP_CMP_NE:
		return old != arg;
	case FUTEX_OP_CMP_LT:
		return old < arg;
	case FUTEX_OP_CMP_GE:
		return old >= arg;
	case FUTEX_OP_CMP_LE:
		return old <= arg;
	case FUTEX_OP_CMP_GT:
		return old > arg;
	default:
		return -ENOSYS;
	}
}

int futex_change_word(uptr at, uint32_t code)
{
	uint32_t op = code >> 28 & 7, arg = (uint32_t)sign_12(code >> 12 & 0xfff);
	uint32_t old, seen, new;
	int err;

	if (code >> 28 & FUTEX_OP_OPARG_SHIFT)
		arg = 1u << (arg & 31);
	err = user_load32(&old, at);
	while (!err) {
		if (!change(op, old, arg, &new))
			return -ENOSYS;
		err = user_cmpxchg32(at, old, new, &seen);
		if (!err && seen == old)
			return compare(code >> 24 & 0xf, (int32_t)old, sign_12(code & 0xfff));
		old = seen;
	}
	return err;
}
