// SPDX-License-Identifier: MIT
/*
 * Sockets on the ring: what their entries say, accepting and connecting. Bytes: net_io.c.
 *
 * The same socket_ops as those of the system calls, but tried under the ring's lock and parked without a
 * stack. What differs from the calls is what Linux' ring does otherwise:
 *
 *     - O_NONBLOCK and SO_RCVTIMEO say nothing here; MSG_DONTWAIT and IORING_ACCEPT_DONTWAIT do
 *     - nobody gets SIGPIPE
 *     - a stream's send ends with what there is room for, unless MSG_WAITALL
 *
 * A parked request is small: an address, a vector or a header is memory of its own (struct req_msg),
 * which a plain send or receive does not have.
 *
 * Locks   ring->lock [l]
 * Spec    man 2 io_uring_enter; man 3 io_uring_prep_accept, _recv_multishot, _send_zc
 */
#include <linux/resource.h>

#include "fs/vfs/fdtable.h"
#include "lib/atomic.h"
#include "mm/slab.h"
#include "ops/message.h"
#include "proc/proc.h"
#include "ring/net_priv.h"
#include "ring/opcodes.h"
#include "ring/tables.h"

enum {
	SEND_FLAGS =
		IORING_RECVSEND_POLL_FIRST | IORING_RECVSEND_BUNDLE | IORING_SEND_VECTORIZED,
	ZC_FLAGS = IORING_RECVSEND_POLL_FIRST | IORING_RECVSEND_FIXED_BUF |
		   IORING_SEND_ZC_REPORT_USAGE | IORING_SEND_VECTORIZED,
	RECV_FLAGS =
		IORING_RECVSEND_POLL_FIRST | IORING_RECV_MULTISHOT | IORING_RECVSEND_BUNDLE,
	ACCEPT_FLAGS =
		IORING_ACCEPT_MULTISHOT | IORING_ACCEPT_DONTWAIT | IORING_ACCEPT_POLL_FIRST,
};

/* ---- Waiting ---- */

int64_t net_park(struct req *r, struct waitq *q)
{
	if (r->flags & REQ_NO_WAIT)
		return -EAGAIN;
	return op_park(&r->op, q) ? OP_PARKED : 0;
}

int64_t net_poll_first(struct req *r, struct waitq *q, uint32_t events)
{
	struct socket *s = net_socket(r);

	if (LIKELY(!(r->flags & REQ_POLL_FIRST)))
		return 0;
	if (r->flags & REQ_NO_WAIT)
		return -EAGAIN;
	for (;;) {
		bool was_armed = op_park(&r->op, q);

		if (s->ops->poll(s) & (events | POLLERR | POLLHUP))
			break;
		if (was_armed)
			return OP_PARKED;
	}
	r->flags &= (uint16_t)~REQ_POLL_FIRST;
	return 0;
}

/* ---- What entries have in common ---- */

static void begin(struct req *r, const struct io_uring_sqe *sqe, const struct op_type *type)
{
	struct req_net *net = &r->net;

	op_init(&r->op, type);
	net->addr = UPTR(sqe->addr);
	net->len = net->limit = sqe->len;
	net->done = 0;
	net->flags = sqe->ioprio;
	net->msg_flags = sqe->msg_flags;
	net->slot = 0;
	net->has_notification = false;
	net->error = 0;
	net->msg = NULL;
	net->buffer = NULL;
}

static int add_msg(struct req *r)
{
	struct req_msg *msg = mem_alloc(sizeof(*msg), SLAB_ZERO);

	if (!msg)
		return -ENOMEM;
	msg->iter.segments = &msg->iter.one;
	msg->m = (struct socket_msg){.iter = &msg->iter, .flags = r->net.msg_flags};
	r->net.msg = msg;
	return 0;
}

static void free_msg(struct req *r)
{
	struct req_msg *msg = r->net.msg;

	if (!msg)
		return;
	iter_fini(&msg->iter);
	if (msg->m.control_in)
		control_fini(&msg->control.in);
	mem_free(msg);
	r->net.msg = NULL;
}

/* Posted after the completion of its request: the bytes are no longer looked at. */
static void notify(struct req *r)
{
	bool is_copied = r->net.flags & IORING_SEND_ZC_REPORT_USAGE;

	if (!r->ring->is_dead)
		(void)ring_post(r->ring, r->user_data,
			is_copied ? (int32_t)IORING_NOTIF_USAGE_ZC_COPIED : 0,
			IORING_CQE_F_NOTIF, NULL, false);
}

static void give_back(struct req *r)
{
	if (r->opcode != IORING_OP_ACCEPT)
		free_msg(r);
	if (r->net.buffer)
		ring_node_put(r->ring, r->net.buffer);
	r->net.buffer = NULL;
}

void net_clean(struct req *r)
{
	op_fini(&r->op);
	if (r->op.is_exclusive && atomic_load(&r->op.state) == OP_WOKEN)
		socket_wake_next_accept(net_socket(r));
	if (r->flags & REQ_HAS_BUFFER)
		ring_buffer_return(r);
	give_back(r);
	if (r->net.has_notification)
		notify(r);
}

int64_t net_issue(struct req *r)
{
	if (UNLIKELY(!net_socket(r)))
		return -ENOTSOCK;
	if (UNLIKELY(r->net.error))
		return r->net.error;
	return r->op.type->issue(&r->op);
}

/*
 * What an entry names in memory has been read, or not: then that is the request's result, when it is begun.
 * The entry itself was right, and does not end the submission. Linux: ring_net.bad_memory_does_not_end_it
 */
static int decoded(struct req *r, int err)
{
	if (LIKELY(!err))
		return 0;
	give_back(r);
	if (err == -ENOMEM)
		return err;
	r->net.error = err;
	return 0;
}

/* ---- Sending ---- */

/* man 3 io_uring_prep_send_set_addr */
static int decode_addr(struct req *r, const struct io_uring_sqe *sqe)
{
	int err = 0;

	if (!sqe->addr2)
		return 0;
	if (!r->net.msg)
		err = add_msg(r);
	if (!err)
		err = socket_addr_read(&r->net.msg->addr, UPTR(sqe->addr2), sqe->addr_len);
	if (!err && r->net.msg->addr.len) /* an address of no length is none */
		r->net.msg->m.addr = &r->net.msg->addr;
	return err;
}

static int decode_vector(struct req *r, uptr iov, size_t nr)
{
	struct req_net *net = &r->net;
	int err;

	if (net->buffer)
		err = ring_buffer_iter_vector(net->buffer, &net->msg->iter, iov, nr);
	else
		err = iter_init_iovec(&net->msg->iter, iov, nr);
	net->len = (uint32_t)net->msg->iter.left;
	return err;
}

static int decode_send(struct req *r, const struct io_uring_sqe *sqe)
{
	struct req_net *net = &r->net;
	bool needs_msg =
		sqe->addr2 || net->flags & (IORING_SEND_VECTORIZED | IORING_RECVSEND_BUNDLE);
	int err = needs_msg ? add_msg(r) : 0;

	if (!err)
		err = decode_addr(r, sqe);
	if (err || r->flags & REQ_BUFFER_SELECT)
		return err;
	if (net->flags & IORING_SEND_VECTORIZED)
		return decode_vector(r, net->addr, sqe->len);
	if (!net->msg)
		return user_range_ok(net->addr, net->len) ? 0 : -EFAULT;
	if (net->buffer)
		return ring_buffer_iter(net->buffer, &net->msg->iter, net->addr.addr, net->len);
	return iter_init_user(&net->msg->iter, net->addr, net->len);
}

/* The header is read now; control messages when it is begun, as descriptors mean what they do then. */
static int decode_sendmsg(struct req *r)
{
	struct req_msg *msg;
	int err = add_msg(r);

	if (err)
		return err;
	msg = r->net.msg;
	err = message_read_header(&msg->header, r->net.addr);
	if (!err && msg->header.name_len) {
		err = message_read_addr(&msg->header, &msg->addr);
		msg->m.addr = &msg->addr;
	}
	return err ? err : decode_vector(r, UPTR(msg->header.iov), msg->header.iov_len);
}

/* A bundle is of provided buffers, which are no vector. */
static int check_send_flags(const struct req *r, unsigned flags)
{
	bool selects = r->flags & REQ_BUFFER_SELECT;

	if (flags & ~(unsigned)(net_is_zero_copy(r) ? ZC_FLAGS : SEND_FLAGS))
		return -EINVAL;
	if (flags & (IORING_RECVSEND_BUNDLE | IORING_SEND_VECTORIZED) && net_is_message(r))
		return -EINVAL;
	if (flags & IORING_RECVSEND_BUNDLE && !selects)
		return -EINVAL;
	return flags & IORING_SEND_VECTORIZED && selects ? -EINVAL : 0;
}

static int check_send(const struct req *r, const struct io_uring_sqe *sqe)
{
	if (net_is_message(r) ? sqe->addr2 || sqe->file_index : sqe->__pad3[0])
		return -EINVAL;
	if (net_is_zero_copy(r) &&
		(sqe->__pad2[0] || sqe->addr3 || sqe->flags & IOSQE_CQE_SKIP_SUCCESS))
		return -EINVAL;
	return check_send_flags(r, sqe->ioprio);
}

static void set_waiting(struct req *r, bool no_wait, bool poll_first)
{
	if (no_wait)
		r->flags |= REQ_NO_WAIT;
	if (poll_first)
		r->flags |= REQ_POLL_FIRST;
}

int send_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	struct req_net *net = &r->net;
	int err = check_send(r, sqe);

	if (err)
		return err;
	begin(r, sqe, &net_send_type);
	net->msg_flags |= MSG_NOSIGNAL;
	if (net->flags & IORING_RECVSEND_BUNDLE)
		net->msg_flags |= MSG_WAITALL;
	set_waiting(r, net->msg_flags & MSG_DONTWAIT, net->flags & IORING_RECVSEND_POLL_FIRST);
	if (net->flags & IORING_RECVSEND_FIXED_BUF) {
		net->buffer = ring_table_get(&r->ring->buffers, sqe->buf_index);
		if (!net->buffer)
			return -EFAULT;
	}
	return decoded(r, net_is_message(r) ? decode_sendmsg(r) : decode_send(r, sqe));
}

/* ---- Receiving ---- */

/* With a buffer of a group the vector is one element, which says how much of it. */
static int decode_limit(struct req *r, const struct user_msghdr *h)
{
	struct {
		uint64_t base;
		int64_t len;
	} iov;

	r->net.limit = 0;
	if (h->iov_len == 0)
		return 0;
	if (h->iov_len > 1)
		return -EINVAL;
	if (user_get(iov, UPTR(h->iov)))
		return -EFAULT;
	if (iov.len < 0)
		return -EINVAL;
	r->net.limit = (uint32_t)MIN((uint64_t)iov.len, ITER_MAX_BYTES);
	return 0;
}

/* Of a multishot one the lengths say how much of each buffer is kept for the name and control messages. */
static int decode_multishot_header(struct req *r, struct user_msghdr *h)
{
	uint64_t sum = sizeof(struct io_uring_recvmsg_out);

	if (user_get(*h, r->net.addr))
		return -EFAULT;
	if (h->name_len < 0)
		return -EINVAL;
	sum += (uint32_t)h->name_len;
	return h->control_len > INT32_MAX - sum ? -EOVERFLOW : 0;
}

static int decode_recvmsg(struct req *r)
{
	struct req_msg *msg;
	bool is_multishot = r->flags & REQ_MULTISHOT;
	int err = add_msg(r);

	if (err)
		return err;
	msg = r->net.msg;
	msg->m.flags &= ~(unsigned)MSG_CMSG_CLOEXEC;
	err = is_multishot ? decode_multishot_header(r, &msg->header)
			   : message_read_header(&msg->header, r->net.addr);
	if (err)
		return err;
	if (is_multishot ? msg->header.name_len != 0 : msg->header.name != 0)
		msg->m.addr = &msg->addr;
	msg->control.out.at = UPTR(msg->header.control);
	msg->control.out.left = msg->header.control ? msg->header.control_len : 0;
	msg->control.out.close_on_exec = r->net.msg_flags & MSG_CMSG_CLOEXEC;
	if (msg->control.out.left)
		msg->m.control_out = &msg->control.out;
	if (r->flags & REQ_BUFFER_SELECT)
		return decode_limit(r, &msg->header);
	return decode_vector(r, UPTR(msg->header.iov), msg->header.iov_len);
}

static int check_recv(const struct req *r, const struct io_uring_sqe *sqe)
{
	bool may_have_end = r->opcode == IORING_OP_RECV && sqe->ioprio & IORING_RECV_MULTISHOT;

	if (sqe->addr2 || sqe->ioprio & ~(unsigned)RECV_FLAGS)
		return -EINVAL;
	if (sqe->file_index && !may_have_end) /* optlen, in newer headers */
		return -EINVAL;
	if (sqe->ioprio & IORING_RECV_MULTISHOT &&
		(!(r->flags & REQ_BUFFER_SELECT) || sqe->msg_flags & MSG_WAITALL))
		return -EINVAL;
	if (sqe->ioprio & IORING_RECVSEND_BUNDLE && r->opcode == IORING_OP_RECVMSG)
		return -EINVAL;
	return 0;
}

/* Whatever there is, into the one buffer that the entry names: it is tried as it stands. */
static bool is_plain_recv(const struct req *r, const struct io_uring_sqe *sqe)
{
	return r->opcode == IORING_OP_RECV && !(r->flags & REQ_BUFFER_SELECT) && !sqe->ioprio &&
	       !(sqe->msg_flags & MSG_WAITALL);
}

int recv_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	struct req_net *net = &r->net;
	int err = check_recv(r, sqe);

	if (err)
		return err;
	begin(r, sqe, is_plain_recv(r, sqe) ? &net_recv_plain_type : &net_recv_type);
	if (net->flags & IORING_RECV_MULTISHOT)
		r->flags |= REQ_MULTISHOT;
	net->left = sqe->file_index;
	set_waiting(r, net->msg_flags & MSG_DONTWAIT, net->flags & IORING_RECVSEND_POLL_FIRST);
	if (net_is_message(r))
		return decoded(r, decode_recvmsg(r));
	if (!(r->flags & REQ_BUFFER_SELECT) && !user_range_ok(net->addr, net->len))
		return decoded(r, -EFAULT);
	return 0;
}

/* ---- Accepting ---- */

/* The number is taken first, so that no connection is lost for want of one. man 2 accept: EMFILE */
static int64_t accept_to_number(struct req *r, struct socket *s)
{
	struct fdtable *t = uthread_current()->files;
	struct req_net *net = &r->net;
	struct socket *accepted;
	struct file *f;
	int fd, err = fd_reserve(t, 0, proc_rlimit(RLIMIT_NOFILE), &fd);

	if (err)
		return err;
	err = s->ops->accept(s, &accepted);
	if (!err)
		err = socket_open_accepted(
			accepted, (int)net->msg_flags, net->addr, net->addr_len, &f);
	if (err) {
		fd_unreserve(t, fd);
		return err;
	}
	fd_install(t, fd, f, net->msg_flags & SOCK_CLOEXEC);
	return fd;
}

static int64_t accept_to_slot(struct req *r, struct socket *s)
{
	struct req_net *net = &r->net;
	struct socket *accepted;
	struct file *f;
	int err = s->ops->accept(s, &accepted);

	if (!err)
		err = socket_open_accepted(
			accepted, (int)net->msg_flags, net->addr, net->addr_len, &f);
	return err ? err : ring_files_install(r->ring, f, (uint32_t)net->slot);
}

/* It has accepted one, as n. */
static bool accept_goes_on(struct req *r, struct socket *s, int64_t n)
{
	uint32_t flags = s->ops->poll(s) & POLLIN ? IORING_CQE_F_SOCK_NONEMPTY : 0;

	if (r->flags & REQ_MULTISHOT && req_post_more(r, n, flags))
		return true;
	r->cqe_flags |= flags;
	return false;
}

static int64_t accept_issue(struct op *op)
{
	struct req *r = req_of(op);
	struct socket *s = net_socket(r);
	int64_t n;

	if (UNLIKELY(!s->ops->accept))
		return -EOPNOTSUPP;
	n = net_poll_first(r, &s->readable, POLLIN);
	for (unsigned tries = 0; !n; tries++) {
		if (!req_may_try(tries))
			return req_try_later(r);
		n = r->net.slot ? accept_to_slot(r, s) : accept_to_number(r, s);
		if (n >= 0 && !accept_goes_on(r, s, n))
			break;
		n = n == -EAGAIN ? net_park(r, &s->readable) : MIN(n, 0);
	}
	return n;
}

static const struct op_type accept_type = {.name = "accept", .issue = accept_issue};

static int check_accept(const struct io_uring_sqe *sqe)
{
	if (sqe->len || sqe->buf_index || sqe->ioprio & ~(unsigned)ACCEPT_FLAGS)
		return -EINVAL;
	if (sqe->accept_flags & ~(unsigned)(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	if (!sqe->file_index)
		return 0;
	if (sqe->accept_flags & SOCK_CLOEXEC)
		return -EINVAL;
	return sqe->ioprio & IORING_ACCEPT_MULTISHOT &&
			       sqe->file_index != IORING_FILE_INDEX_ALLOC
		       ? -EINVAL
		       : 0;
}

int accept_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	struct req_net *net = &r->net;
	int err = check_accept(sqe);

	if (err)
		return err;
	begin(r, sqe, &accept_type);
	r->op.is_exclusive = true;
	net->slot = (int32_t)sqe->file_index;
	net->addr_len = UPTR(sqe->addr2);
	if (net->flags & IORING_ACCEPT_MULTISHOT)
		r->flags |= REQ_MULTISHOT;
	set_waiting(
		r, net->flags & IORING_ACCEPT_DONTWAIT, net->flags & IORING_ACCEPT_POLL_FIRST);
	return 0;
}

/* ---- Connecting ---- */

static int64_t connect_issue(struct op *op)
{
	struct req *r = req_of(op);
	struct socket *s = net_socket(r);
	int64_t n;

	if (UNLIKELY(!s->ops->connect))
		return -EOPNOTSUPP;
	do {
		n = s->ops->connect(s, &r->net.msg->addr);
		if (n != -EAGAIN)
			return n;
		n = net_park(r, &s->writable);
	} while (!n);
	return n;
}

static const struct op_type connect_type = {.name = "connect", .issue = connect_issue};

int connect_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	int err;

	if (sqe->len || sqe->buf_index || sqe->rw_flags || sqe->splice_fd_in)
		return -EINVAL;
	if (sqe->addr2 > INT32_MAX)
		return -EINVAL;
	begin(r, sqe, &connect_type);
	err = add_msg(r);
	if (!err)
		err = socket_addr_read(&r->net.msg->addr, UPTR(sqe->addr), (int)sqe->addr2);
	return decoded(r, err);
}
