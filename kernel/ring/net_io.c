// SPDX-License-Identifier: MIT
/*
 * Bytes on sockets: SEND, SENDMSG and their zero-copy forms, RECV, RECVMSG.
 *
 *     choose a buffer of the group, where there is one
 *     -> the family's send or recv -> -EAGAIN: the buffer goes back, park
 *                                  -> bytes: a completion; multishot goes on
 *
 * A buffer of a group is chosen for each try, so that a request which waits needs none; one that has moved
 * a part already (MSG_WAITALL) keeps its own over the park. The bytes of one plain buffer are described anew
 * for each try; of all others the description is in net->msg, and advances.
 *
 * A bundle fills, or sends, several buffers of a group with one completion, which names the first.
 *
 * SEND_ZC copies, whatever the socket: its notification follows at once, and says so to who asks.
 *
 * Locks   ring->lock [l]
 * Spec    man 2 io_uring_enter; man 3 io_uring_prep_recv_multishot, io_uring_prep_recvmsg_multishot
 */
#include "lib/atomic.h"
#include "ops/message.h"
#include "ring/net_priv.h"
#include "ring/opcodes.h"
#include "ring/tables.h"

/* One try: of a plain buffer it is here that it is described. */
struct
try {
	struct socket *s;
	struct socket_msg *m;
	struct iter *iter;
	struct socket_msg own_m;
	struct iter own_iter;
};

static void begin_try(struct req *r, struct try *t)
{
	struct req_msg *msg = r->net.msg;

	t->s = net_socket(r);
	if (msg) {
		t->m = &msg->m;
		t->iter = &msg->iter;
	} else {
		t->own_m = (struct socket_msg){.iter = &t->own_iter, .flags = r->net.msg_flags};
		if (UNLIKELY(r->net.flags & IORING_RECVSEND_BUNDLE))
			iter_init_kernel(&t->own_iter, NULL, 0); /* nothing yet: iter_fini */
		t->m = &t->own_m;
		t->iter = &t->own_iter;
	}
	t->m->done = r->net.done;
}

/* The plain buffer, from where the last try came to. */
static int describe(struct req *r, struct try *t)
{
	struct req_net *net = &r->net;

	if (net->msg)
		return 0;
	if (net->buffer)
		return ring_buffer_iter(
			net->buffer, t->iter, net->addr.addr + net->done, net->len - net->done);
	return iter_init_user(t->iter, uptr_add(net->addr, net->done), net->len - net->done);
}

/* ---- Buffers of a group ---- */

static bool is_bundle(const struct req *r)
{
	return r->net.flags & IORING_RECVSEND_BUNDLE;
}

/* No more than this in one try; 0: as much as there is room for. */
static size_t limit_of(const struct req *r)
{
	const struct req_net *net = &r->net;

	return net->left && (!net->limit || net->left < net->limit) ? net->left : net->limit;
}

static int choose_bundle(struct req *r, struct try *t)
{
	int err;

	iter_fini(t->iter);
	err = ring_buffers_select(r, t->iter, limit_of(r));
	if (!err)
		r->net.len = (uint32_t)t->iter->left;
	return err;
}

static int choose_one(struct req *r, struct try *t)
{
	struct req_net *net = &r->net;
	size_t len = limit_of(r);
	uptr addr;
	int err = ring_buffer_select(r, &addr, &len);

	if (err)
		return err;
	len = MIN(len, ITER_MAX_BYTES);
	if (!net_is_message(r))
		net->addr = addr;
	net->len = (uint32_t)len;
	return net->msg ? iter_init_user(t->iter, addr, len) : describe(r, t);
}

/* What the next try is about. */
static int choose(struct req *r, struct try *t)
{
	if (!(r->flags & REQ_BUFFER_SELECT) || r->flags & REQ_HAS_BUFFER)
		return describe(r, t);
	return is_bundle(r) ? choose_bundle(r, t) : choose_one(r, t);
}

/* Nothing was moved, or something with more to come: the buffer is given back, or kept. */
static void leave_buffer(struct req *r)
{
	if (!(r->flags & REQ_HAS_BUFFER))
		return;
	if (r->net.done)
		ring_buffer_keep(r);
	else
		ring_buffer_return(r);
}

static bool wants_all(const struct req *r, const struct socket *s)
{
	return r->net.msg_flags & MSG_WAITALL &&
	       (s->type == SOCK_STREAM || s->type == SOCK_SEQPACKET);
}

/* What it comes to: bytes moved by all tries, if any; a short one of MSG_WAITALL breaks its chain. */
static int64_t result(struct req *r, int64_t n)
{
	struct req_net *net = &r->net;

	if (n == OP_PARKED)
		return n;
	if (net->done)
		n = net->done;
	if (net->msg_flags & MSG_WAITALL && n != (int64_t)net->len)
		r->flags |= REQ_FAILED;
	return n;
}

static int64_t interrupted(struct op *op)
{
	return result(req_of(op), -EINTR);
}

/* ---- Sending ---- */

/* Control messages are read when the message is begun. */
static int begin_send(struct req *r)
{
	struct req_msg *msg = r->net.msg;
	int err;

	if (net_is_zero_copy(r)) {
		r->cqe_flags |= IORING_CQE_F_MORE;
		r->net.has_notification = true;
	}
	if (!msg || !msg->header.control_len)
		return 0;
	err = control_read(
		&msg->control.in, UPTR(msg->header.control), msg->header.control_len);
	if (!err)
		msg->m.control_in = &msg->control.in;
	return err;
}

static int64_t send_try(struct req *r, struct try *t)
{
	int64_t n = choose(r, t);

	if (n)
		return n;
	n = t->s->ops->send(t->s, t->m);
	if (n > 0)
		r->net.done += (uint32_t)n;
	return n;
}

static int64_t send_issue(struct op *op)
{
	struct req *r = req_of(op);
	struct try t;
	int64_t n;

	begin_try(r, &t);
	n = net_poll_first(r, &t.s->writable, POLLOUT);
	if (!n && !op->is_begun) {
		op->is_begun = true;
		n = begin_send(r);
	}
	for (unsigned tries = 0; !n; tries++) {
		if (!req_may_try(tries)) {
			leave_buffer(r);
			n = req_try_later(r);
			break;
		}
		n = send_try(r, &t);
		if (n >= 0 && !(n && wants_all(r, t.s) && t.iter->left))
			break;
		if (n == -EAGAIN) {
			leave_buffer(r);
			n = net_park(r, &t.s->writable);
		} else if (n > 0) {
			n = 0;
		}
		t.m->done = r->net.done;
	}
	return result(r, n);
}

const struct op_type net_send_type = {
	.name = "ring_send", .issue = send_issue, .interrupted = interrupted};

bool send_suits(struct ring_batch *b UNUSED, const volatile struct io_uring_sqe *sqe,
	uint32_t word UNUSED)
{
	return !(sqe->msg_flags & ~(uint32_t)MSG_NOSIGNAL) && !sqe->addr2 && !sqe->__pad3[0] &&
	       user_range_ok(UPTR(sqe->addr), sqe->len);
}

/* SEND of a plain buffer for which there is room: its one try. */
int64_t send_quick(struct ring_batch *b, const volatile struct io_uring_sqe *sqe, uint32_t word)
{
	struct file *f = ring_batch_file(b, sqe->fd, word);
	struct socket *s = f ? socket_of(f) : NULL;
	struct iter it;
	struct socket_msg m = {.iter = &it, .flags = MSG_NOSIGNAL};
	int64_t n;

	if (!s || !send_suits(b, sqe, word) || iter_init_user(&it, UPTR(sqe->addr), sqe->len))
		return RING_NOT_QUICK;
	n = s->ops->send(s, &m);
	return n == -EAGAIN ? RING_NOT_QUICK : n;
}

/* ---- Messages of a multishot RECVMSG ---- */

/*
 * In the buffer: struct io_uring_recvmsg_out, room for the name, room for control messages, the bytes.
 */
static size_t header_size(const struct user_msghdr *h)
{
	return sizeof(struct io_uring_recvmsg_out) + (uint32_t)h->name_len + h->control_len;
}

static int lay_out(struct req *r, struct try *t, uptr *buf)
{
	struct req_msg *msg = r->net.msg;
	size_t head = header_size(&msg->header);

	*buf = UPTR(t->iter->one.addr);
	if (r->net.len < head)
		return -EFAULT;
	iter_advance(t->iter, head);
	msg->control.out = (struct control_recv){
		.at = uptr_add(*buf,
			sizeof(struct io_uring_recvmsg_out) + (uint32_t)msg->header.name_len),
		.left = msg->header.control_len,
		.close_on_exec = r->net.msg_flags & MSG_CMSG_CLOEXEC};
	msg->m.control_out = msg->header.control_len ? &msg->control.out : NULL;
	msg->m.out_flags = 0;
	msg->addr.len = 0;
	return 0;
}

/* n bytes have come: the rest of the buffer, and how much of it is used. */
static int64_t write_out(struct req *r, const struct try *t, uptr buf, int64_t n)
{
	const struct req_msg *msg = r->net.msg;
	size_t head = header_size(&msg->header), room = r->net.len - head;
	unsigned name_len = MIN(msg->addr.len, (unsigned)msg->header.name_len);
	struct io_uring_recvmsg_out out = {
		.namelen = msg->addr.len,
		.controllen = (uint32_t)msg->control.out.used,
		.payloadlen = (uint32_t)n,
		.flags = t->m->out_flags | (r->net.msg_flags & MSG_CMSG_CLOEXEC),
	};

	if (msg->control.out.is_cut)
		out.flags |= MSG_CTRUNC;
	if (user_put(buf, out) ||
		user_write(uptr_add(buf, sizeof(out)), msg->addr.bytes, name_len))
		return -EFAULT;
	return (int64_t)(head + MIN((size_t)n, room));
}

static int64_t recv_multishot_message(struct req *r, struct try *t, bool *is_end)
{
	uptr buf;
	int64_t n = lay_out(r, t, &buf);

	if (!n)
		n = t->s->ops->recv(t->s, t->m);
	if (n < 0)
		return n;
	*is_end = n == 0;
	return write_out(r, t, buf, n);
}

/* ---- Receiving ---- */

/* What may let a receive go on. */
enum { WAKES_RECV = POLLIN | POLLPRI | POLLRDHUP };

/* It has received before, and there is neither a buffer nor anything to receive. */
static bool is_dry(const struct req *r, struct socket *s, unsigned tries)
{
	return r->flags & REQ_MULTISHOT && (tries || r->flags & REQ_IS_PARKED) &&
	       ring_buffer_is_out(r) && !(s->ops->poll(s) & (WAKES_RECV | POLLERR | POLLHUP));
}

/*
 * One try. is_end: nothing is to be asked for after what it returns.
 */
static int64_t recv_try(struct req *r, struct try *t, bool *is_end)
{
	bool is_multishot_message = r->flags & REQ_MULTISHOT && r->opcode == IORING_OP_RECVMSG;
	int64_t n = choose(r, t);

	if (n)
		return n;
	if (UNLIKELY(is_multishot_message)) {
		n = recv_multishot_message(r, t, is_end);
	} else {
		n = t->s->ops->recv(t->s, t->m);
		*is_end = n == 0;
	}
	if (n > 0)
		r->net.done += (uint32_t)n;
	return n;
}

/* man 2 io_uring_enter: IORING_CQE_F_SOCK_NONEMPTY. A buffer that was not filled took all. */
static uint32_t nonempty_flag(struct socket *s, const struct iter *it)
{
	if (s->type == SOCK_STREAM && it->left)
		return 0;
	return s->ops->poll(s) & POLLIN ? IORING_CQE_F_SOCK_NONEMPTY : 0;
}

/* It has got n more bytes: whether that is all it is for. */
static bool has_got_all(struct req *r, int64_t n)
{
	struct req_net *net = &r->net;

	if (!(r->flags & REQ_MULTISHOT))
		return true;
	if (!net->left)
		return false;
	net->left -= (uint32_t)MIN(n, (int64_t)net->left); /* a datagram cut says its length */
	return !net->left;
}

/* A completion of one that goes on. False: n is its last. */
static bool post_and_go_on(struct req *r, struct try *t, int64_t n)
{
	uint32_t flags = nonempty_flag(t->s, t->iter);

	if (has_got_all(r, n) || !req_post_more(r, n, flags)) {
		r->cqe_flags |= flags;
		return false;
	}
	r->net.done = 0;
	return true;
}

/* Whether so many bytes are not all that it wants. */
static bool wants_more(const struct req *r, const struct try *t)
{
	return wants_all(r, t->s) && !(r->net.msg_flags & MSG_PEEK) && !is_bundle(r) &&
	       !t->m->is_ended && t->iter->left;
}

/* The end of a receive that is none of multishot: what was cut breaks its chain; what recvmsg tells. */
static int64_t finish_recv(struct req *r, struct try *t, int64_t n)
{
	struct req_msg *msg = r->net.msg;

	n = result(r, n);
	if (n < 0 || r->flags & REQ_MULTISHOT)
		return n;
	if (r->net.msg_flags & MSG_WAITALL && t->m->out_flags & (MSG_TRUNC | MSG_CTRUNC))
		r->flags |= REQ_FAILED;
	if (!msg)
		return n;
	return message_write_results(
		       r->net.addr, &msg->header, &msg->m, &msg->control.out, r->net.msg_flags)
		       ? -EFAULT
		       : n;
}

static int64_t recv_loop(struct req *r, struct try *t)
{
	bool is_end = false;

	for (unsigned tries = 0; req_may_try(tries); tries++) {
		int64_t n = is_dry(r, t->s, tries) ? -EAGAIN : recv_try(r, t, &is_end);

		if (n > 0 && wants_more(r, t)) {
			t->m->done = r->net.done;
			continue;
		}
		if (n > 0 && !is_end && post_and_go_on(r, t, r->net.done))
			continue;
		if (n > 0)
			return n;
		leave_buffer(r);
		if (n != -EAGAIN)
			return n;
		n = net_park(r, &t->s->readable);
		if (n)
			return n;
	}
	leave_buffer(r);
	return req_try_later(r);
}

static int64_t recv_issue(struct op *op)
{
	struct req *r = req_of(op);
	struct try t;
	int64_t n;

	begin_try(r, &t);
	n = net_poll_first(r, &t.s->readable, WAKES_RECV);
	if (!n)
		n = recv_loop(r, &t);
	if (n != OP_PARKED)
		n = finish_recv(r, &t, n);
	if (is_bundle(r) && !r->net.msg)
		iter_fini(&t.own_iter);
	return n;
}

const struct op_type net_recv_type = {
	.name = "ring_recv", .issue = recv_issue, .interrupted = interrupted};

/* RECV of whatever there is into one buffer of the program's, as most are. */
static int64_t recv_plain_issue(struct op *op)
{
	struct req *r = req_of(op);
	struct socket *s = net_socket(r);
	struct iter it;
	struct socket_msg m = {.iter = &it, .flags = r->net.msg_flags};
	int64_t n = iter_init_user(&it, r->net.addr, r->net.len);

	while (!n) {
		n = s->ops->recv(s, &m);
		if (n != -EAGAIN)
			break;
		n = net_park(r, &s->readable);
		if (n)
			return n;
	}
	if (n > 0)
		r->cqe_flags |= nonempty_flag(s, &it);
	return n;
}

const struct op_type net_recv_plain_type = {
	.name = "ring_recv", .issue = recv_plain_issue, .interrupted = interrupted};
