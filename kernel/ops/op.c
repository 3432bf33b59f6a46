// SPDX-License-Identifier: MIT
/*
 * Parking and waking of operations, and the system-call door's way to wait for one.
 *
 *     op_run: issue -> OP_PARKED -> sleep -> issue -> ... -> result -> drop
 *                                    ^ op_wake: ARMED -> WOKEN, thread made ready
 *
 * An operation waits on one queue at a time. Its waiter takes itself off when it is woken, so a
 * second event between the wake-up and the next try costs nothing; op_park puts it back.
 *
 * Locks   the queue's lock around the waiter; none here.
 */
#include "ops/op.h"

#include "fs/vfs/file.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "proc/signal.h"
#include "sched/sched.h"
#include "time/clock.h"
#include "time/timer.h"

/* ---- Waking ---- */

/* ARMED -> WOKEN, and the thread behind it runs. */
static bool wake(struct op *op, bool is_handover)
{
	uint32_t expected = OP_ARMED;
	/* read before: an operation that has a thread may end as soon as it is WOKEN */
	struct thread *t = op->has_no_thread ? NULL : op->thread;

	if (!atomic_cmpxchg(&op->state, &expected, OP_WOKEN))
		return false;
	if (UNLIKELY(!t))
		op->woken(op, is_handover);
	else if (is_handover)
		sched_wake_handover(t);
	else
		sched_wake(t);
	return true;
}

bool op_wake(struct op *op)
{
	return wake(op, false);
}

bool op_wake_handover(struct op *op)
{
	return wake(op, true);
}

bool op_waiter_wake(struct waiter *w, uint64_t key UNUSED) NOT_ANALYSED
{
	struct op *op = container_of(w, struct op, waiter);
	struct waitq *q = w->queue;

	waitq_remove_locked(q, w);
	return wake(op, q->is_handover);
}

/* ---- Parking ---- */

void op_init(struct op *op, const struct op_type *type)
{
	op->type = type;
	op->state = OP_RUNNING;
	op->is_exclusive = false;
	op->is_begun = false;
	op->is_expired = false;
	op->has_no_thread = false;
	op->waiter.queue = NULL;
	op->waiter.wake = op_waiter_wake;
	op->thread = arch_current();
	op->deadline_ns = WAIT_FOREVER;
	op->queue = NULL;
}

/*
 * Off the queue, even if the waiter has left it by itself: with the lock taken once, whoever woke
 * the operation under it has done so, and nothing refers to it any more.
 */
static void leave_queue(struct op *op)
{
	if (!op->queue)
		return;
	waitq_remove(op->queue, &op->waiter);
	op->queue = NULL;
}

bool op_park(struct op *op, struct waitq *q)
{
	if (op->queue == q && atomic_load(&op->state) == OP_ARMED)
		return true;
	leave_queue(op);
	atomic_store(&op->state, OP_ARMED); /* before anybody can find the waiter */
	op->waiter.is_exclusive = op->is_exclusive;
	op->queue = q;
	waitq_add(q, &op->waiter);
	/*
	 * The next try may look without a lock. Pairs with the lock or atomic operation by which the
	 * other side changes what we look at, before it looks for waiters.
	 */
	atomic_fence();
	return false;
}

bool op_park_on_file(struct op *op, struct file *f, uint32_t events)
{
	return op_park(op, f->ops->waitq(f, events));
}

bool op_park_alone(struct op *op)
{
	if (!op->queue && atomic_load(&op->state) == OP_ARMED)
		return true;
	leave_queue(op);
	atomic_store(&op->state, OP_ARMED);
	return false;
}

/* ---- Doors without a thread ---- */

bool op_cancel(struct op *op, int64_t *result)
{
	uint32_t expected = OP_ARMED;

	if (!atomic_cmpxchg(&op->state, &expected, OP_RUNNING))
		return false;
	*result = op_end(op);
	return true;
}

int64_t op_end(struct op *op)
{
	leave_queue(op);
	return op->type->interrupted ? op->type->interrupted(op) : -ERESTARTSYS;
}

void op_fini(struct op *op)
{
	leave_queue(op);
	if (op->type->drop)
		op->type->drop(op);
}

/* ---- The system-call door ---- */

/* Sleeps until the operation is woken: 0, -ETIMEDOUT, -EINTR. */
static int sleep_while_parked(struct op *op)
{
	struct thread *t = arch_current();
	int err = 0;

	atomic_store(&t->wait_flags, WAIT_SIGNAL); /* before the look for signals */
	for (;;) {
		sched_set_blocked();
		if (atomic_load(&op->state) != OP_ARMED)
			break;
		if (wait_is_interrupted(WAIT_SIGNAL)) {
			err = -EINTR;
			break;
		}
		wait_note_ring();
		wait_switch(op->deadline_ns);
		if (atomic_load(&op->state) != OP_ARMED)
			return 0;
		if (op->deadline_ns != WAIT_FOREVER && clock_monotonic_ns() >= op->deadline_ns)
			return -ETIMEDOUT;
	}
	sched_set_running();
	return err;
}

int64_t op_run(struct op *op)
{
	int64_t result;
	int err;

	while ((result = op->type->issue(op)) == OP_PARKED) {
		err = sleep_while_parked(op);
		if (err == -EINTR) {
			leave_queue(op);
			/* a wake-up meant for one waiter, taken at the last moment, is not lost */
			if (op->is_exclusive && atomic_load(&op->state) == OP_WOKEN) {
				result = op->type->issue(op);
				if (result != OP_PARKED)
					break;
			}
			result = op_end(op);
			break;
		}
		if (err) { /* in time: the last try tells what was reached */
			op->is_expired = true;
			atomic_store(&op->state, OP_WOKEN);
		}
	}
	op_fini(op);
	return result;
}
