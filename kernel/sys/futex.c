// SPDX-License-Identifier: MIT
/*
 * System calls about futexes: man 2 futex, set_robust_list; linux/futex.h about futex_waitv.
 */
#include <linux/futex.h>
#include <linux/time.h>

#include "mm/vmspace.h"
#include "ops/futex.h"
#include "proc/access.h"
#include "proc/clocks.h"
#include "proc/proc.h"
#include "sys/syscall.h"
#include "sys/timespec.h"

struct futex_call {
	uptr at, at2;
	int cmd;
	bool is_private, is_real;
	uint32_t val, val2, val3;
	uint64_t until; /* WAIT_FOREVER: no timeout */
};

/* ---- Waiting, with its restart ---- */

enum { RESTART_AT, RESTART_VAL, RESTART_UNTIL, RESTART_BITS };
enum { RESTART_PRIVATE = 1, RESTART_REAL = 2, RESTART_BITSET_SHIFT = 32 };

static int64_t wait_for(const struct futex_call *c, uint32_t bitset);

static int64_t wait_again(struct restart *r)
{
	struct futex_call c = {
		.at = UPTR(r->arg[RESTART_AT]),
		.val = (uint32_t)r->arg[RESTART_VAL],
		.until = r->arg[RESTART_UNTIL],
		.is_private = r->arg[RESTART_BITS] & RESTART_PRIVATE,
		.is_real = r->arg[RESTART_BITS] & RESTART_REAL,
	};

	return wait_for(&c, (uint32_t)(r->arg[RESTART_BITS] >> RESTART_BITSET_SHIFT));
}

static int64_t wait_for(const struct futex_call *c, uint32_t bitset)
{
	struct restart *r = &uthread_current()->restart;
	struct futex_wait_op f;
	int64_t result = futex_wait_prepare(
		&f, c->at, c->is_private, c->val, bitset, c->until, c->is_real);

	if (!result)
		result = op_run(&f.op);
	if (result != -ERESTARTSYS || c->until == WAIT_FOREVER)
		return result;
	r->fn = wait_again;
	r->arg[RESTART_AT] = c->at.addr;
	r->arg[RESTART_VAL] = c->val;
	r->arg[RESTART_UNTIL] = c->until;
	r->arg[RESTART_BITS] = (c->is_private ? RESTART_PRIVATE : 0) |
			       (c->is_real ? RESTART_REAL : 0) |
			       (uint64_t)bitset << RESTART_BITSET_SHIFT;
	return -ERESTART_RESTARTBLOCK;
}

/* ---- The others ---- */

static int64_t wake(const struct futex_call *c, uint32_t bitset)
{
	struct futex_key key;
	int err;

	if (!bitset)
		return -EINVAL;
	err = futex_key_get(c->at, c->is_private, &key);
	return err ? err : futex_wake(&key, (int)c->val, bitset);
}

static int get_two(const struct futex_call *c, struct futex_key *key, struct futex_key *key2)
{
	int err = futex_key_get(c->at, c->is_private, key);

	return err ? err : futex_key_get(c->at2, c->is_private, key2);
}

static int64_t requeue(const struct futex_call *c, const uint32_t *expected)
{
	struct futex_key key, key2;
	int err;

	if ((int)c->val < 0 || (int)c->val2 < 0)
		return -EINVAL;
	err = get_two(c, &key, &key2);
	return err ? err : futex_requeue(&key, &key2, c->val, c->val2, c->at, expected);
}

static int64_t wake_op(const struct futex_call *c)
{
	struct futex_key key, key2;
	int err = get_two(c, &key, &key2), woken, more = 0, matches;

	if (err)
		return err;
	matches = futex_change_word(c->at2, c->val3);
	if (matches < 0)
		return matches;
	woken = futex_wake(&key, (int)c->val, FUTEX_BITSET_MATCH_ANY);
	if (woken >= 0 && matches)
		more = futex_wake(&key2, (int)c->val2, FUTEX_BITSET_MATCH_ANY);
	return woken < 0 ? woken : more < 0 ? more : woken + more;
}

static int64_t lock(const struct futex_call *c)
{
	struct futex_wait_op f;
	int err = futex_lock_prepare(&f, c->at, c->is_private, c->until, c->is_real);

	return err ? err : op_run(&f.op);
}

static int64_t try_lock(const struct futex_call *c)
{
	struct futex_waiter w = {.thread = arch_current()};
	int err = futex_key_get(c->at, c->is_private, &w.key);

	return err ? err : futex_pi_lock(&w, c->at, true);
}

static int64_t unlock(const struct futex_call *c)
{
	struct futex_key key;
	int err = futex_key_get(c->at, c->is_private, &key);

	return err ? err : futex_pi_unlock(c->at, &key);
}

static int64_t wait_requeue(const struct futex_call *c)
{
	struct futex_requeue_op f;
	int err;

	if (c->at.addr == c->at2.addr)
		return -EINVAL;
	err = futex_wait_requeue_prepare(
		&f, c->at, c->at2, c->is_private, c->val, c->until, c->is_real);
	return err ? err : op_run(&f.wait.op);
}

static int64_t requeue_to_lock(const struct futex_call *c)
{
	struct futex_key key, key2;
	int err;

	if (c->val != 1 || (int)c->val2 < 0 || c->at.addr == c->at2.addr)
		return -EINVAL;
	err = get_two(c, &key, &key2);
	if (!err && futex_key_equal(&key, &key2))
		err = -EINVAL;
	return err ? err : futex_pi_requeue(&key, c->at, c->val3, &key2, c->at2, c->val2);
}

static int64_t futex_call(struct futex_call *c)
{
	switch (c->cmd) {
	case FUTEX_WAIT:
		return wait_for(c, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAIT_BITSET:
		return wait_for(c, c->val3);
	case FUTEX_WAKE:
		return wake(c, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAKE_BITSET:
		return wake(c, c->val3);
	case FUTEX_REQUEUE:
		return requeue(c, NULL);
	case FUTEX_CMP_REQUEUE:
		return requeue(c, &c->val3);
	case FUTEX_WAKE_OP:
		return wake_op(c);
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return lock(c);
	case FUTEX_UNLOCK_PI:
		return unlock(c);
	case FUTEX_TRYLOCK_PI:
		return try_lock(c);
	case FUTEX_WAIT_REQUEUE_PI:
		return wait_requeue(c);
	case FUTEX_CMP_REQUEUE_PI:
		return requeue_to_lock(c);
	default:
		return -ENOSYS;
	}
}

/* The commands whose fourth argument is a time. */
#define TIMED                                                                                  \
	(BIT(FUTEX_WAIT) | BIT(FUTEX_LOCK_PI) | BIT(FUTEX_LOCK_PI2) | BIT(FUTEX_WAIT_BITSET) | \
		BIT(FUTEX_WAIT_REQUEUE_PI))
/* Those that may name the real-time clock, and FUTEX_LOCK_PI, which has no other. */
#define REAL_TIMED (BIT(FUTEX_LOCK_PI2) | BIT(FUTEX_WAIT_BITSET) | BIT(FUTEX_WAIT_REQUEUE_PI))

static int read_until(struct futex_call *c, uptr timeout)
{
	uint64_t ns;
	int err;

	c->until = WAIT_FOREVER;
	if (uptr_is_null(timeout))
		return 0;
	err = timespec_read(timeout, &ns);
	if (!err)
		c->until = c->cmd == FUTEX_WAIT ? deadline_after(ns) : ns;
	return err;
}

/* The two most frequent commands, without what the others need. */
static int64_t wait_private(uptr at, uint32_t val)
{
	struct futex_wait_op f;
	int err = futex_wait_prepare(
		&f, at, true, val, FUTEX_BITSET_MATCH_ANY, WAIT_FOREVER, false);

	return err ? err : op_run(&f.op);
}

/* Whoever unlocks a mutex that others may wait for. */
static int64_t wake_private(uptr at, int nr)
{
	struct futex_key key = {.object = (uintptr_t)arch_current()->vm, .word = at.addr};

	if (UNLIKELY(!IS_ALIGNED(at.addr, sizeof(uint32_t))))
		return -EINVAL;
	if (UNLIKELY(at.addr >= ARCH_USER_END))
		return -EFAULT;
	return futex_wake(&key, nr, FUTEX_BITSET_MATCH_ANY);
}

static NOINLINE int64_t futex(
	uptr at, int op, uint32_t val, uint64_t timeout, uptr at2, uint32_t val3)
{
	struct futex_call c = {
		.at = at,
		.at2 = at2,
		.cmd = op & FUTEX_CMD_MASK,
		.is_private = op & FUTEX_PRIVATE_FLAG,
		.is_real = op & FUTEX_CLOCK_REALTIME,
		.val = val,
		.val2 = (uint32_t)timeout,
		.val3 = val3,
	};
	bool is_known = (unsigned)c.cmd <= FUTEX_LOCK_PI2;
	int err;

	if (c.is_real && (!is_known || !(REAL_TIMED & BIT(c.cmd))))
		return -ENOSYS;
	if (c.cmd == FUTEX_LOCK_PI)
		c.is_real = true;
	if (is_known && (TIMED & BIT(c.cmd))) {
		err = read_until(&c, UPTR(timeout));
		if (err)
			return err;
	}
	return futex_call(&c);
}

SYSCALL6(futex, uptr, at, int, op, uint32_t, val, uint64_t, timeout, uptr, at2, uint32_t, val3)
{
	if (op == (FUTEX_WAKE | FUTEX_PRIVATE_FLAG))
		return wake_private(at, (int)val);
	if (op == (FUTEX_WAIT | FUTEX_PRIVATE_FLAG) && !timeout)
		return wait_private(at, val);
	return futex(at, op, val, timeout, at2, val3);
}

/* ---- futex_waitv ---- */

SYSCALL5(futex_waitv, uptr, waiters, unsigned, nr, unsigned, flags, uptr, timeout, int, clock)
{
	uint64_t until = WAIT_FOREVER;
	struct futex_waitv_op f;
	int err;

	if (flags || nr == 0 || nr > FUTEX_WAITV_MAX || uptr_is_null(waiters))
		return -EINVAL; /* before the time is read */
	if (!uptr_is_null(timeout)) {
		if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)
			return -EINVAL;
		err = timespec_read(timeout, &until);
		if (err)
			return err;
	}
	err = futex_waitv_prepare(&f, waiters, nr, until, clock == CLOCK_REALTIME);
	return err ? err : op_run(&f.op);
}

/* ---- Robust lists ---- */

SYSCALL2(set_robust_list, uptr, head, size_t, len)
{
	struct uthread *u = uthread_current();

	if (len != sizeof(struct robust_list_head))
		return -EINVAL;
	u->robust_list = head;
	u->robust_list_len = len;
	return 0;
}

SYSCALL3(get_robust_list, int, tid, uptr, head, uptr, len)
{
	size_t size = sizeof(struct robust_list_head);
	struct thread *t = arch_current();
	uintptr_t at;
	int err = 0;

	if (tid) {
		err = uthread_find(tid, &t);
		if (err)
			return err;
	}
	err = proc_check_access(t->user->proc);
	at = t->user->robust_list.addr;
	if (tid)
		thread_put(t);
	if (!err && (user_put(len, size) || user_put(head, at)))
		err = -EFAULT;
	return err;
}
