// SPDX-License-Identifier: MIT
/*
 * Waiting on futexes: ipc/futex.c has the queues, an operation parks beside them.
 *
 * An operation is armed before its waiter can be found, so that a wake-up at any moment is kept.
 * Whether the waiter is still on its queue tells what happened: taken off means woken, and then
 * that is the result even if a signal or the deadline came at the same time. So no wake-up that
 * another waiter could have had is ever lost.
 *
 * A deadline on the real-time clock is one on the monotonic clock until somebody sets the
 * time: such an operation parks on clock_was_set and reckons again.
 *
 * Spec    man 2 futex, linux/futex.h about futex_waitv
 */
#include "ops/futex.h"

#include <linux/futex.h>
#include <linux/time.h>

#include "mm/slab.h"
#include "proc/clocks.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "time/clock.h"
#include "uaccess/uaccess.h"

/* ---- Parking with a deadline ---- */

static uint64_t deadline_of(uint64_t until, bool is_real)
{
	return is_real ? clock_to_monotonic(CLOCK_REALTIME, until) : until;
}

/* Arms the operation for a wake-up by anybody who knows it. As op_park. */
static bool park(struct op *op, uint64_t until, bool is_real)
{
	if (LIKELY(!is_real || until == WAIT_FOREVER))
		return op_park_alone(op);
	op->deadline_ns = deadline_of(until, true);
	return op_park(op, &clock_was_set);
}

/* Whether the deadline has really passed: real time may have been set back meanwhile. */
static bool is_over(struct op *op, uint64_t until, bool is_real)
{
	if (!op_expired(op))
		return false;
	if (!is_real || (uint64_t)clock_realtime_ns() >= until)
		return true;
	op->is_expired = false;
	return false;
}

/* ---- One word ---- */

static struct futex_wait_op *wait_of(struct op *op)
{
	return container_of(op, struct futex_wait_op, op);
}

/* Of the bucket, which is locked. */
static void wake_one_word(struct futex_waiter *w, bool is_handover)
{
	struct futex_wait_op *f = container_of(w, struct futex_wait_op, waiter);

	if (is_handover)
		op_wake_handover(&f->op);
	else
		op_wake(&f->op);
}

static int64_t wait_issue(struct op *op)
{
	struct futex_wait_op *f = wait_of(op);
	int err;

	if (!op->is_begun) {
		op->is_begun = true;
		futex_note_wait();
		(void)park(op, f->until, f->is_real);
		err = futex_queue(&f->waiter, f->at, f->expected);
		return err ? err : OP_PARKED;
	}
	for (;;) {
		if (futex_is_woken(&f->waiter))
			return 0;
		if (is_over(op, f->until, f->is_real))
			return futex_unqueue(&f->waiter) ? -ETIMEDOUT : 0;
		if (park(op, f->until, f->is_real))
			return OP_PARKED;
	}
}

static int64_t wait_interrupted(struct op *op)
{
	return futex_unqueue(&wait_of(op)->waiter) ? -ERESTARTSYS : 0;
}

static void wait_drop(struct op *op)
{
	(void)futex_unqueue(&wait_of(op)->waiter);
}

static const struct op_type wait_type = {
	.name = "futex wait",
	.issue = wait_issue,
	.interrupted = wait_interrupted,
};

static void wait_init(struct futex_wait_op *f, const struct op_type *type, uptr at,
	uint64_t until, bool is_real)
{
	op_init(&f->op, type);
	f->op.deadline_ns = deadline_of(until, is_real);
	f->waiter.bucket = NULL;
	f->waiter.wake = wake_one_word;
	f->waiter.bitset = FUTEX_BITSET_MATCH_ANY;
	f->waiter.is_pi = f->waiter.is_bequeathed = false;
	f->waiter.target = NULL;
	f->waiter.thread = arch_current();
	f->waiter.owner = NULL;
	f->at = at;
	f->until = until;
	f->is_real = is_real;
}

int futex_wait_prepare(struct futex_wait_op *f, uptr at, bool is_private, uint32_t expected,
	uint32_t bitset, uint64_t until, bool is_real)
{
	if (!bitset)
		return -EINVAL;
	wait_init(f, &wait_type, at, until, is_real);
	f->waiter.bitset = bitset;
	f->expected = expected;
	return futex_key_get(at, is_private, &f->waiter.key);
}

/* ---- A lock ---- */

static int64_t lock_issue(struct op *op)
{
	struct futex_wait_op *f = wait_of(op);
	int err;

	for (;;) {
		if (!op->is_begun) {
			op->is_begun = true;
			(void)park(op, f->until, f->is_real);
			err = futex_pi_lock(&f->waiter, f->at, false);
			return err == FUTEX_PI_QUEUED ? OP_PARKED : err;
		}
		if (futex_is_woken(&f->waiter) ||
			(is_over(op, f->until, f->is_real) && !futex_unqueue(&f->waiter))) {
			err = futex_pi_inherit(&f->waiter, f->at);
			if (err != -EAGAIN)
				return err;
			op->is_begun = false; /* another thread has it: begin again */
			continue;
		}
		if (op_expired(op))
			return -ETIMEDOUT;
		if (park(op, f->until, f->is_real))
			return OP_PARKED;
	}
}

static int64_t lock_interrupted(struct op *op)
{
	struct futex_wait_op *f = wait_of(op);
	int err;

	if (futex_unqueue(&f->waiter))
		return -ERESTARTNOINTR;
	err = futex_pi_inherit(&f->waiter, f->at);
	return err == -EAGAIN ? -ERESTARTNOINTR : err;
}

static const struct op_type lock_type = {
	.name = "futex lock",
	.issue = lock_issue,
	.drop = wait_drop,
	.interrupted = lock_interrupted,
};

int futex_lock_prepare(
	struct futex_wait_op *f, uptr at, bool is_private, uint64_t until, bool is_real)
{
	wait_init(f, &lock_type, at, until, is_real);
	return futex_key_get(at, is_private, &f->waiter.key);
}

/* ---- Waiting at one word for the lock at another ---- */

static struct futex_requeue_op *requeue_of(struct op *op)
{
	return container_of(wait_of(op), struct futex_requeue_op, wait);
}

/* Once it was woken and another was faster than it, it waits for the lock like anybody. */
static bool is_at_lock(const struct futex_requeue_op *f)
{
	return !f->wait.waiter.target;
}

/* It was woken: the lock is its own, or was left to it by a thread that ended. */
static int64_t requeue_woken(struct futex_requeue_op *f)
{
	int err = futex_pi_inherit(&f->wait.waiter, f->target_at);

	if (err != -EAGAIN)
		return err;
	f->wait.waiter.target = NULL;
	f->wait.waiter.key = f->target;
	f->wait.at = f->target_at;
	f->wait.op.is_begun = false;
	return -EAGAIN;
}

static int64_t requeue_issue(struct op *op)
{
	struct futex_requeue_op *f = requeue_of(op);
	int64_t result;

	if (is_at_lock(f))
		return lock_issue(op);
	result = wait_issue(op);
	if (result)
		return result;
	result = requeue_woken(f);
	return is_at_lock(f) ? lock_issue(op) : result;
}

static int64_t requeue_interrupted(struct op *op)
{
	struct futex_requeue_op *f = requeue_of(op);
	int64_t result;

	if (is_at_lock(f)) {
		result = lock_interrupted(op);
		return result == -ERESTARTNOINTR ? -EWOULDBLOCK : result;
	}
	if (!futex_unqueue(&f->wait.waiter)) {
		result = requeue_woken(f);
		return is_at_lock(f) ? -EWOULDBLOCK : result;
	}
	return futex_key_equal(&f->wait.waiter.key, &f->target) ? -EWOULDBLOCK
								: -ERESTARTNOINTR;
}

static const struct op_type requeue_type = {
	.name = "futex wait and lock",
	.issue = requeue_issue,
	.interrupted = requeue_interrupted,
};

int futex_wait_requeue_prepare(struct futex_requeue_op *f, uptr at, uptr target_at,
	bool is_private, uint32_t expected, uint64_t until, bool is_real)
{
	int err;

	wait_init(&f->wait, &requeue_type, at, until, is_real);
	f->wait.expected = expected;
	f->target_at = target_at;
	f->wait.waiter.target = &f->target;
	err = futex_key_get(target_at, is_private, &f->target);
	if (!err)
		err = futex_key_get(at, is_private, &f->wait.waiter.key);
	if (!err && futex_key_equal(&f->wait.waiter.key, &f->target))
		err = -EINVAL;
	return err;
}

/* ---- Many words ---- */

static struct futex_waitv_op *waitv_of(struct op *op)
{
	return container_of(op, struct futex_waitv_op, op);
}

static void wake_one_of_many(struct futex_waiter *w, bool is_handover UNUSED)
{
	op_wake(&container_of(w, struct futex_waitv_one, waiter)->all->op);
}

/* Takes all off; the index of one that had been woken, or -1. */
static int64_t unqueue_all(struct futex_waitv_op *f)
{
	int64_t woken = -1;

	while (f->nr_queued) {
		if (!futex_unqueue(&f->one[--f->nr_queued].waiter))
			woken = f->nr_queued;
	}
	return woken;
}

static int64_t queue_all(struct futex_waitv_op *f)
{
	for (unsigned i = 0; i < f->nr; i++) {
		int err = futex_queue(&f->one[i].waiter, f->one[i].at, f->one[i].expected);
		int64_t woken;

		if (!err) {
			f->nr_queued++;
			continue;
		}
		woken = unqueue_all(f);
		return woken >= 0 ? woken : err;
	}
	return OP_PARKED;
}

static bool is_any_woken(const struct futex_waitv_op *f)
{
	for (unsigned i = 0; i < f->nr_queued; i++) {
		if (futex_is_woken(&f->one[i].waiter))
			return true;
	}
	return false;
}

static int64_t waitv_issue(struct op *op)
{
	struct futex_waitv_op *f = waitv_of(op);
	int64_t woken;

	if (!op->is_begun) {
		op->is_begun = true;
		(void)park(op, f->until, f->is_real);
		return queue_all(f);
	}
	for (;;) {
		if (is_any_woken(f))
			return unqueue_all(f);
		if (is_over(op, f->until, f->is_real)) {
			woken = unqueue_all(f);
			return woken >= 0 ? woken : -ETIMEDOUT;
		}
		if (park(op, f->until, f->is_real))
			return OP_PARKED;
	}
}

static int64_t waitv_interrupted(struct op *op)
{
	int64_t woken = unqueue_all(waitv_of(op));

	return woken >= 0 ? woken : -ERESTARTSYS;
}

static void waitv_drop(struct op *op)
{
	(void)unqueue_all(waitv_of(op));
	mem_free(waitv_of(op)->one);
}

static const struct op_type waitv_type = {
	.name = "futex_waitv",
	.issue = waitv_issue,
	.drop = waitv_drop,
	.interrupted = waitv_interrupted,
};

static int read_one(struct futex_waitv_one *one, uptr at)
{
	struct futex_waitv v;

	if (user_get(v, at))
		return -EFAULT;
	if ((v.flags & ~(uint32_t)(FUTEX_32 | FUTEX_PRIVATE_FLAG)) || v.__reserved ||
		!(v.flags & FUTEX_32))
		return -EINVAL;
	one->at = UPTR(v.uaddr);
	one->expected = (uint32_t)v.val;
	one->is_private = v.flags & FUTEX_PRIVATE_FLAG;
	return 0;
}

/* All are read before the first word is looked for: what is wrong with one is said first. */
static int read_all(struct futex_waitv_op *f, uptr waiters)
{
	int err = 0;

	for (unsigned i = 0; i < f->nr && !err; i++)
		err = read_one(&f->one[i], uptr_add(waiters, i * sizeof(struct futex_waitv)));
	for (unsigned i = 0; i < f->nr && !err; i++) {
		struct futex_waitv_one *one = &f->one[i];

		one->all = f;
		one->waiter.wake = wake_one_of_many;
		one->waiter.bitset = FUTEX_BITSET_MATCH_ANY;
		one->waiter.thread = arch_current();
		err = futex_key_get(one->at, one->is_private, &one->waiter.key);
	}
	return err;
}

int futex_waitv_prepare(
	struct futex_waitv_op *f, uptr waiters, unsigned nr, uint64_t until, bool is_real)
{
	int err;

	if (nr == 0 || nr > FUTEX_WAITV_MAX || uptr_is_null(waiters))
		return -EINVAL;
	op_init(&f->op, &waitv_type);
	f->op.deadline_ns = deadline_of(until, is_real);
	f->nr = nr;
	f->nr_queued = 0;
	f->until = until;
	f->is_real = is_real;
	f->one = mem_alloc(nr * sizeof(*f->one), SLAB_ZERO);
	if (!f->one)
		return -ENOMEM;
	err = read_all(f, waiters);
	if (err)
		mem_free(f->one);
	return err;
}
