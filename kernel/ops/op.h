// SPDX-License-Identifier: MIT
/*
 * An operation: what a program asks of the kernel, by whichever door.
 *
 *     prepare   decode, validate, take references     may fail; has touched nothing
 *     issue     act: a result, or OP_PARKED after leaving a waiter behind
 *     cancel    generic: takes the waiter off
 *     drop      gives the references back             never fails
 *
 * Each operation is a structure of its own that begins with a struct op (ops/rw.h: struct rw_op)
 * and lives wherever its door keeps it: on the caller's stack for a system call. prepare is a
 * function of the operation's own signature, which ends with op_init().
 *
 * Parked means: waiting for the outside world, on a wait queue, with no kernel stack of its own.
 * A wake-up issues it again. issue() is therefore written as "try; park; try once more":
 *
 *     for (;;) {
 *             n = try();
 *             if (n != -EAGAIN || !may_wait)
 *                     return n;
 *             if (op_expired(op))
 *                     return -ETIMEDOUT;
 *             if (op_park(op, &thing->waitq))
 *                     return OP_PARKED;
 *     }
 *
 * op_park queues the waiter and says false the first time (a wake-up between the try and the
 * queueing must not be lost), and true when it has been queued since before the last try.
 *
 * What an operation keeps over a park (how far a write came, what a wait has counted) it keeps in
 * its structure. The system-call door (op_run) parks by sleeping; the ring door goes on with
 * the next submission.
 *
 * Locks   op->state is atomic; the waiter belongs to its queue's lock.
 */
#pragma once

#include "lib/base.h"
#include "sync/waitq.h"

struct file;
struct op;
struct thread;

#define OP_PARKED INT64_MIN

/*
 * RUNNING  its door runs issue()
 * ARMED    the waiter is queued; issue() tries once more, or it is parked
 * WOKEN    something happened since: issue() is to run (again)
 */
enum op_state { OP_RUNNING, OP_ARMED, OP_WOKEN };

struct op_type {
	const char *name;
	int64_t (*issue)(struct op *op); /* result, -errno, or OP_PARKED */
	void (*drop)(struct op *op);     /* NULL: nothing is held */
	/*
	 * What a wait ended by a signal returns: -EINTR, one of -ERESTART*, or a partial result.
	 * NULL: -ERESTARTSYS.
	 */
	int64_t (*interrupted)(struct op *op);
};

/* An operation without a thread has been woken, by whoever it was, under whatever lock he has. */
typedef void op_woken(struct op *op, bool is_handover);

struct op {
	const struct op_type *type;
	uint32_t state;    /* [a] enum op_state */
	bool is_exclusive; /* of a wake_one only one such operation is woken (accept) */
	bool is_begun;   /* the operation's own: its first issue was */
	bool is_expired;   /* the deadline passed: set by the door before it issues again */
	bool has_no_thread; /* [I] op_leave_thread */
	struct waiter waiter;
	union {
		struct thread *thread; /* whom the system-call door wakes */
		op_woken *woken;       /* [I] of a door without a thread */
	};
	uint64_t deadline_ns;  /* absolute, monotonic; WAIT_FOREVER */
	struct waitq *queue;   /* where the waiter was queued last; NULL: nowhere */
};

void op_init(struct op *op, const struct op_type *type);
/* What op_init gives the waiter: takes it off its queue, which is locked, and wakes. */
bool op_waiter_wake(struct waiter *w, uint64_t key);
/* See above. The queue must outlive the operation, which holds a reference of whatever has it. */
bool op_park(struct op *op, struct waitq *q);
/* The same on the queue that a file names for POLLIN or POLLOUT (file_ops.waitq). */
bool op_park_on_file(struct op *op, struct file *f, uint32_t events);
/* The same without a queue: somebody who knows the operation will call op_wake. */
bool op_park_alone(struct op *op);
/* Any context; also under the lock of a wait queue. Whether it was parked or about to. */
bool op_wake(struct op *op);
/* The same; its thread continues here when the caller's waits next, and not before. */
bool op_wake_handover(struct op *op);
static inline bool op_expired(const struct op *op)
{
	return op->is_expired;
}
/* It has come further: what it waits for next has a time of its own. */
static inline void op_renew_time(struct op *op)
{
	op->deadline_ns = WAIT_FOREVER;
	op->is_expired = false;
}

/*
 * Doors without a thread: the ring's and native AIO's. After op_init; `woken` is called by each wake-up of what is
 * parked or about to be, and the operation must exist until it has been. is_handover: as op_wake_handover.
 */
static inline void op_leave_thread(struct op *op, op_woken *woken)
{
	op->has_no_thread = true;
	op->woken = woken;
}
/*
 * Takes a parked operation back from everybody who could wake it; *result is what a signal would have
 * made of it. False: it has been woken, and its door is told.
 */
MUST_CHECK bool op_cancel(struct op *op, int64_t *result);
/* What becomes of an operation that is not to be issued again, of which a wake-up was told. */
int64_t op_end(struct op *op);
/* The last step: off its queue, and its references given back. */
void op_fini(struct op *op);

/* The system-call door: issues, sleeps while parked, drops, returns the result. */
int64_t op_run(struct op *op);
