// SPDX-License-Identifier: MIT
/*
 * Waiting on futexes.
 */
#pragma once

#include "ipc/futex.h"
#include "lib/base.h"
#include "ops/op.h"

/* FUTEX_WAIT, WAIT_BITSET. 0, -EAGAIN, -ETIMEDOUT, -EFAULT; interrupted: -ERESTARTSYS. */
struct futex_wait_op {
	struct op op;
	struct futex_waiter waiter;
	uptr at;           /* [I] */
	uint32_t expected; /* [I] */
	bool is_real;      /* [I] the deadline is `until` on the real-time clock */
	uint64_t until;    /* [I] */
};
/* until: by the monotonic clock, or with is_real by the other; WAIT_FOREVER. */
MUST_CHECK int futex_wait_prepare(struct futex_wait_op *f, uptr at, bool is_private,
	uint32_t expected, uint32_t bitset, uint64_t until, bool is_real);

/* FUTEX_LOCK_PI. 0, -ETIMEDOUT, those of futex_pi_lock; interrupted: -ERESTARTNOINTR. */
struct futex_lock_op {
	struct futex_wait_op wait;
};
MUST_CHECK int futex_lock_prepare(
	struct futex_wait_op *f, uptr at, bool is_private, uint64_t until, bool is_real);

/* FUTEX_WAIT_REQUEUE_PI: waits at `at`, and has the lock `target` at the end. */
struct futex_requeue_op {
	struct futex_wait_op wait;
	struct futex_key target;
	uptr target_at;
};
MUST_CHECK int futex_wait_requeue_prepare(struct futex_requeue_op *f, uptr at, uptr target_at,
	bool is_private, uint32_t expected, uint64_t until, bool is_real);

/* futex_waitv: the index of one that was woken. */
struct futex_waitv_one {
	struct futex_waiter waiter;
	struct futex_waitv_op *all;
	uptr at;
	uint32_t expected;
	bool is_private;
};
struct futex_waitv_op {
	struct op op;
	struct futex_waitv_one *one; /* [I] memory of its own */
	unsigned nr, nr_queued;
	bool is_real;
	uint64_t until;
};
/* Reads nr struct futex_waitv. -EINVAL, -EFAULT, -ENOMEM. */
MUST_CHECK int futex_waitv_prepare(
	struct futex_waitv_op *f, uptr waiters, unsigned nr, uint64_t until, bool is_real);
