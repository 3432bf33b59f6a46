// SPDX-License-Identifier: MIT
/*
 * Waiting for events of an epoll set. Of several waiters one is woken for an event (it is
 * exclusive); who leaves events behind wakes the next (epoll_collect). The system call has
 * looked once before it comes here.
 */
#include "ops/epoll.h"

#include "fs/vfs/epoll.h"
#include "lib/atomic.h"
#include "time/clock.h"

int epoll_check_room(uptr events, unsigned max)
{
	size_t size = max * sizeof(struct epoll_event);

	if (max == 0 || max > INT32_MAX / sizeof(struct epoll_event))
		return -EINVAL;
	return user_range_ok(events, size) ? 0 : -EFAULT;
}

static int64_t epoll_issue(struct op *op)
{
	struct epoll_op *e = container_of(op, struct epoll_op, op);

	for (;;) {
		int64_t n = epoll_collect(e->set.file, e->events, e->max);

		if (n || op_expired(op))
			return n;
		if (e->timeout_ns != WAIT_FOREVER && op->deadline_ns == WAIT_FOREVER)
			op->deadline_ns = clock_deadline_ns(e->timeout_ns);
		if (op_park(op, epoll_waitq(e->set.file)))
			return OP_PARKED;
	}
}

static void epoll_drop(struct op *op)
{
	fd_release(container_of(op, struct epoll_op, op)->set);
}

/* Off the queue already. */
static int64_t epoll_interrupted(struct op *op)
{
	if (atomic_load(&op->state) == OP_WOKEN)
		epoll_wake_next(container_of(op, struct epoll_op, op)->set.file);
	return -EINTR; /* man 7 signal: never restarted */
}

static const struct op_type epoll_type = {
	.name = "epoll_wait",
	.issue = epoll_issue,
	.drop = epoll_drop,
	.interrupted = epoll_interrupted,
};

void epoll_op_prepare(struct epoll_op *e, struct borrowed_file set, uptr events, unsigned max,
	uint64_t timeout_ns)
{
	op_init(&e->op, &epoll_type);
	e->op.is_exclusive = true;
	e->set = set;
	e->events = events;
	e->max = max;
	e->timeout_ns = timeout_ns;
}
