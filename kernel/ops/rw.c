// SPDX-License-Identifier: MIT
/*
 * read and write as operations: what happens when a file would have to wait.
 *
 * A read ends with whatever is there; one that waits at a socket is a receive (ops/socket.c). A write to
 * something that waits (a pipe, a terminal, a stream socket) goes on until all is written, and says how
 * far it came when something ends it.
 */
#include "ops/rw.h"

#include <linux/poll.h>

#include "ops/socket.h"
#include "proc/signal.h"
#include "time/clock.h"

static struct rw_op *rw_of(struct op *op)
{
	return container_of(op, struct rw_op, op);
}

/* Parks until the file's limit (SO_SNDTIMEO, a terminal's VTIME). */
static bool park(struct rw_op *rw, uint32_t events)
{
	struct file *f = rw->file;
	uint64_t limit;

	if (!op_park_on_file(&rw->op, f, events))
		return false;
	limit = f->ops->wait_limit ? f->ops->wait_limit(f, events) : WAIT_FOREVER;
	rw->op.deadline_ns = clock_deadline_ns(limit);
	return true;
}

static int64_t read_issue(struct op *op)
{
	struct rw_op *rw = rw_of(op);

	for (;;) {
		int64_t n = rw->file->ops->read_lost ? rw->file->ops->read_lost(rw->file) : 0;

		if (n)
			return n;
		n = rw->file->ops->read(rw->file, rw->iter, rw->pos);
		if (n != -EAGAIN)
			return n;
		if (op_expired(op))
			return rw->file->ops->read_expired
				       ? rw->file->ops->read_expired(rw->file, rw->iter)
				       : -EAGAIN;
		if (park(rw, POLLIN))
			return OP_PARKED;
	}
}

static int64_t write_issue(struct op *op)
{
	struct rw_op *rw = rw_of(op);

	for (;;) {
		int64_t n = rw->file->ops->write(rw->file, rw->iter, rw->pos);

		if (n > 0) {
			rw->done += n;
			if (rw->is_once || !rw->iter->left)
				return rw->done;
			op_renew_time(op);
			continue;
		}
		if (n != -EAGAIN || op_expired(op))
			return rw->done ? rw->done : n;
		if (park(rw, POLLOUT))
			return OP_PARKED;
	}
}

/* man 7 signal: where the end of its time is an error (SO_SNDTIMEO), it is not begun anew. */
static int64_t interrupted(struct op *op)
{
	const struct rw_op *rw = rw_of(op);
	bool has_timeout = op->deadline_ns != WAIT_FOREVER && !rw->file->ops->read_expired;

	if (rw->done)
		return rw->done;
	return has_timeout ? -EINTR : -ERESTARTSYS;
}

static const struct op_type read_type = {
	.name = "read", .issue = read_issue, .interrupted = interrupted};
static const struct op_type write_type = {
	.name = "write", .issue = write_issue, .interrupted = interrupted};

void rw_read_prepare(struct rw_op *rw, struct file *f, struct iter *to, int64_t *pos)
{
	rw->file = f;
	rw->iter = to;
	rw->pos = pos;
	rw->done = 0;
	op_init(&rw->op, &read_type);
}

void rw_write_prepare(
	struct rw_op *rw, struct file *f, struct iter *from, int64_t *pos, int64_t done)
{
	rw->file = f;
	rw->iter = from;
	rw->pos = pos;
	rw->done = done;
	rw->is_once = false;
	op_init(&rw->op, &write_type);
}

static bool may_wait(const struct file *f)
{
	return f->ops->waitq && !(READ_ONCE(f->flags) & O_NONBLOCK);
}

NOINLINE int64_t rw_read_wait(struct file *f, struct iter *to, int64_t *pos, int64_t done)
{
	struct rw_op rw;

	if (!may_wait(f) || (done && !to->left))
		return done ? done : -EAGAIN;
	if (socket_of(f))
		return socket_read_wait(f, to, done);
	rw_read_prepare(&rw, f, to, pos);
	(void)op_park_on_file(&rw.op, f, POLLIN); /* the first try was the caller's */
	return op_run(&rw.op);
}

NOINLINE int64_t rw_write_wait(struct file *f, struct iter *from, int64_t *pos, int64_t done)
{
	struct rw_op rw;

	if (!may_wait(f))
		return done ? done : -EAGAIN;
	rw_write_prepare(&rw, f, from, pos, done);
	return op_run(&rw.op);
}
