// SPDX-License-Identifier: MIT
/*
 * Sending, receiving, connecting and accepting, as operations.
 *
 * Of a stream a send goes on until all is sent, and a receive ends with whatever is there, if that is as much
 * as SO_RCVLOWAT says, or with MSG_WAITALL when all is there. What was moved before something ends the wait is
 * the result. At the end of SO_RCVTIMEO or SO_SNDTIMEO it is -EAGAIN, and a signal then ends it for good (man 7
 * signal).
 */
#include "ops/socket.h"

#include <asm/poll.h>
#include <linux/fcntl.h>

#include "lib/atomic.h"
#include "proc/signal.h"
#include "time/clock.h"

int socket_borrow(int fd, struct socket_borrowed *out)
{
	out->file = fd_borrow(fd);
	if (UNLIKELY(!out->file.file))
		return -EBADF;
	out->socket = socket_of(out->file.file);
	if (LIKELY(out->socket))
		return 0;
	fd_release(out->file);
	return -ENOTSOCK;
}

static struct socket_op *socket_op_of(struct op *op)
{
	return container_of(op, struct socket_op, op);
}

/* After -EAGAIN: OP_PARKED, 0 to try once more, or what it comes to. */
static int64_t park(struct socket_op *o, struct waitq *q)
{
	if (!o->may_wait || op_expired(&o->op))
		return -EAGAIN;
	if (o->timeout_ns != WAIT_FOREVER && o->op.deadline_ns == WAIT_FOREVER)
		o->op.deadline_ns = clock_deadline_ns(o->timeout_ns);
	return op_park(&o->op, q) ? OP_PARKED : 0;
}

static int64_t result(const struct socket_op *o, int64_t n)
{
	return o->msg.done && n != OP_PARKED ? (int64_t)o->msg.done : n;
}

static int64_t send_issue(struct op *op)
{
	struct socket_op *o = socket_op_of(op);
	struct socket *s = o->socket;

	for (;;) {
		int64_t n = s->ops->send(s, &o->msg);

		o->msg.is_retry = true;
		if (n >= 0) {
			o->msg.done += (size_t)n;
			if (s->type != SOCK_STREAM || !n || !o->msg.iter->left)
				return (int64_t)o->msg.done;
			op_renew_time(op); /* SO_SNDTIMEO is for each piece */
			continue;
		}
		if (n == -EAGAIN)
			n = park(o, &s->writable);
		if (n)
			return result(o, n);
	}
}

/* It goes on until so many bytes have come: man 7 socket, SO_RCVLOWAT; man 2 recv, MSG_WAITALL. */
static size_t wanted(const struct socket_op *o)
{
	size_t all = o->msg.done + o->msg.iter->left;

	if (o->socket->type != SOCK_STREAM || o->msg.flags & MSG_PEEK)
		return 0;
	return o->msg.flags & MSG_WAITALL ? all
					  : MIN(all, (size_t)READ_ONCE(o->socket->rcvlowat));
}

static int64_t recv_issue(struct op *op)
{
	struct socket_op *o = socket_op_of(op);
	struct socket *s = o->socket;
	size_t least = wanted(o);

	for (;;) {
		int64_t n = s->ops->recv(s, &o->msg);

		if (n >= 0) {
			o->msg.done += (size_t)n;
			if (!n || o->msg.is_ended || o->msg.done >= least)
				return (int64_t)o->msg.done;
			continue;
		}
		if (n == -EAGAIN)
			n = park(o, &s->readable);
		if (n)
			return result(o, n);
	}
}

static int64_t connect_issue(struct op *op)
{
	struct socket_op *o = socket_op_of(op);

	for (;;) {
		int64_t n = o->socket->ops->connect(o->socket, o->addr);

		if (n != -EAGAIN)
			return n;
		n = park(o, &o->socket->writable);
		if (n)
			return n;
	}
}

static int64_t accept_issue(struct op *op)
{
	struct socket_op *o = socket_op_of(op);

	for (;;) {
		int64_t n = o->socket->ops->accept(o->socket, &o->accepted);

		if (n != -EAGAIN)
			return n;
		n = park(o, &o->socket->readable);
		if (n)
			return n;
	}
}

static void drop(struct op *op)
{
	fd_release(socket_op_of(op)->file);
}

void socket_wake_next_accept(struct socket *s)
{
	if (s->ops->poll(s) & POLLIN)
		waitq_wake_one(&s->readable, POLLIN | POLLRDNORM);
}

/* Off the queue already. */
static void accept_drop(struct op *op)
{
	if (atomic_load(&op->state) == OP_WOKEN)
		socket_wake_next_accept(socket_op_of(op)->socket);
	drop(op);
}

static int64_t interrupted(struct op *op)
{
	return socket_op_of(op)->timeout_ns == WAIT_FOREVER ? -ERESTARTSYS : -EINTR;
}

static int64_t msg_interrupted(struct op *op)
{
	return result(socket_op_of(op), interrupted(op));
}

static const struct op_type send_type = {
	.name = "send", .issue = send_issue, .drop = drop, .interrupted = msg_interrupted};
static const struct op_type recv_type = {
	.name = "recv", .issue = recv_issue, .drop = drop, .interrupted = msg_interrupted};
static const struct op_type connect_type = {
	.name = "connect", .issue = connect_issue, .drop = drop, .interrupted = interrupted};
static const struct op_type accept_type = {.name = "accept",
	.issue = accept_issue,
	.drop = accept_drop,
	.interrupted = interrupted};

static void prepare(struct socket_op *o, const struct op_type *type, struct socket_borrowed b)
{
	op_init(&o->op, type);
	o->file = b.file;
	o->socket = b.socket;
	o->may_wait = !(READ_ONCE(b.file.file->flags) & O_NONBLOCK);
}

static void prepare_msg(struct socket_op *o, unsigned flags)
{
	if (!o->may_wait)
		flags |= MSG_DONTWAIT;
	o->may_wait = !(flags & MSG_DONTWAIT);
	o->msg = (struct socket_msg){.flags = flags};
}

void socket_send_prepare(struct socket_op *o, struct socket_borrowed b, unsigned flags)
{
	prepare(o, &send_type, b);
	prepare_msg(o, flags);
	o->timeout_ns = READ_ONCE(b.socket->sndtimeo_ns);
}

void socket_recv_prepare(struct socket_op *o, struct socket_borrowed b, unsigned flags)
{
	prepare(o, &recv_type, b);
	prepare_msg(o, flags);
	o->timeout_ns = READ_ONCE(b.socket->rcvtimeo_ns);
}

int64_t socket_read_wait(struct file *f, struct iter *to, int64_t done)
{
	struct socket_borrowed b = {{.file = f}, socket_of(f)};
	struct socket_op o;

	socket_recv_prepare(&o, b, 0);
	o.msg.iter = to;
	o.msg.done = (size_t)done;
	(void)op_park(&o.op, &b.socket->readable); /* the first try was the caller's */
	return op_run(&o.op);
}

void socket_connect_prepare(
	struct socket_op *o, struct socket_borrowed b, const struct socket_addr *addr)
{
	prepare(o, &connect_type, b);
	o->timeout_ns = READ_ONCE(b.socket->sndtimeo_ns);
	o->addr = addr;
}

void socket_accept_prepare(struct socket_op *o, struct socket_borrowed b)
{
	prepare(o, &accept_type, b);
	o->op.is_exclusive = true;
	o->timeout_ns = READ_ONCE(b.socket->rcvtimeo_ns);
	o->accepted = NULL;
}
