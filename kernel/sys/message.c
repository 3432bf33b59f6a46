// SPDX-License-Identifier: MIT
/*
 * sendto, recvfrom, sendmsg, recvmsg, sendmmsg, recvmmsg.
 *
 * Decoding is in ops/message.c, which the ring uses, too.
 */
#include "lib/atomic.h"
#include "ops/message.h"
#include "ops/socket.h"
#include "proc/signal.h"
#include "sched/thread.h"
#include "sys/syscall.h"
#include "sys/timeout.h"

/* ---- One buffer ---- */

/* Errors: those of the family, EBADF, ENOTSOCK, EFAULT, EINVAL. */
SYSCALL6(sendto, int, fd, uptr, buf, size_t, len, unsigned, flags, uptr, addr, int, addr_len)
{
	struct socket_borrowed b;
	struct socket_addr a;
	struct socket_op o;
	struct iter it;
	int err = iter_init_user(&it, buf, len);

	if (!err)
		err = socket_borrow(fd, &b);
	if (err)
		return err;
	a.len = 0; /* an address of no length is none */
	if (!uptr_is_null(addr)) {
		err = socket_addr_read(&a, addr, addr_len);
		if (err) {
			fd_release(b.file);
			return err;
		}
	}
	socket_send_prepare(&o, b, flags);
	o.msg.iter = &it;
	o.msg.addr = a.len ? &a : NULL;
	return op_run(&o.op);
}

SYSCALL6(recvfrom, int, fd, uptr, buf, size_t, len, unsigned, flags, uptr, addr, uptr, addr_len)
{
	struct socket_borrowed b;
	struct socket_addr a;
	struct socket_op o;
	struct iter it;
	int64_t n;
	int err = iter_init_user(&it, buf, len);

	if (!err)
		err = socket_borrow(fd, &b);
	if (err)
		return err;
	a.len = 0;
	socket_recv_prepare(&o, b, flags);
	o.msg.iter = &it;
	o.msg.addr = uptr_is_null(addr) ? NULL : &a;
	n = op_run(&o.op);
	if (n >= 0 && !uptr_is_null(addr)) {
		err = socket_addr_write(&a, addr, addr_len);
		if (err)
			return err;
	}
	return n;
}

/* ---- A vector of buffers, with control messages ---- */

static int read_header(struct user_msghdr *h, uptr msg, struct iter *it)
{
	int err = message_read_header(h, msg);

	return err ? err : iter_init_iovec(it, UPTR(h->iov), h->iov_len);
}

/* The borrowed file stays the caller's. *left: bytes that were not sent. */
static int64_t send_one(struct socket_borrowed b, uptr msg, unsigned flags, size_t *left)
{
	struct control_send control = {0};
	struct user_msghdr h;
	struct socket_addr a;
	struct socket_op o;
	struct iter it;
	int64_t n = read_header(&h, msg, &it);

	if (n)
		return n;
	if (h.name_len)
		n = message_read_addr(&h, &a);
	if (!n)
		n = control_read(&control, UPTR(h.control), h.control_len);
	if (!n) {
		b.file.is_counted = false; /* the operation's share; ours stays */
		socket_send_prepare(&o, b, flags);
		o.msg.iter = &it;
		o.msg.addr = h.name_len ? &a : NULL;
		o.msg.control_in = h.control_len ? &control : NULL;
		n = op_run(&o.op);
	}
	*left = it.left;
	control_fini(&control);
	iter_fini(&it);
	return n;
}

static int64_t recv_one(struct socket_borrowed b, uptr msg, unsigned flags)
{
	struct control_recv control = {0};
	struct user_msghdr h;
	struct socket_addr a;
	struct socket_op o;
	struct iter it;
	int64_t n = read_header(&h, msg, &it);

	if (n)
		return n;
	control.at = UPTR(h.control);
	control.left = h.control ? h.control_len : 0;
	control.close_on_exec = flags & MSG_CMSG_CLOEXEC;
	a.len = 0;
	b.file.is_counted = false;
	socket_recv_prepare(&o, b, flags & ~(unsigned)MSG_CMSG_CLOEXEC);
	o.msg.iter = &it;
	o.msg.addr = h.name ? &a : NULL;
	o.msg.control_out = control.left ? &control : NULL;
	n = op_run(&o.op);
	if (n >= 0 && message_write_results(msg, &h, &o.msg, &control, flags))
		n = -EFAULT;
	iter_fini(&it);
	return n;
}

SYSCALL3(sendmsg, int, fd, uptr, msg, unsigned, flags)
{
	struct socket_borrowed b;
	size_t left;
	int64_t n = socket_borrow(fd, &b);

	if (n)
		return n;
	n = send_one(b, msg, flags, &left);
	fd_release(b.file);
	return n;
}

SYSCALL3(recvmsg, int, fd, uptr, msg, unsigned, flags)
{
	struct socket_borrowed b;
	int64_t n = socket_borrow(fd, &b);

	if (n)
		return n;
	n = recv_one(b, msg, flags);
	fd_release(b.file);
	return n;
}

/* ---- Several messages ---- */

static uptr length_of(uptr mmsg)
{
	return uptr_add(mmsg, offsetof(struct user_mmsghdr, len));
}

/* man 2 sendmmsg: how many were sent, the last perhaps in part; an error only if not even the first was. */
SYSCALL4(sendmmsg, int, fd, uptr, msgs, unsigned, nr, unsigned, flags)
{
	struct socket_borrowed b;
	unsigned done = 0;
	size_t left = 0;
	int64_t n = socket_borrow(fd, &b);

	if (n)
		return n;
	nr = MIN(nr, (unsigned)ITER_MAX_SEGMENTS);
	while (done < nr && !left) {
		uint32_t len;

		n = send_one(b, msgs, flags, &left);
		if (n < 0)
			break;
		len = (uint32_t)n;
		if (user_put(length_of(msgs), len)) {
			n = -EFAULT;
			break;
		}
		msgs = uptr_add(msgs, sizeof(struct user_mmsghdr));
		done++;
	}
	fd_release(b.file);
	return done ? done : n;
}

static int64_t recv_many(
	struct socket_borrowed b, uptr msgs, unsigned nr, unsigned flags, uint64_t deadline_ns)
{
	unsigned done = 0;
	int64_t n = 0;

	while (done < nr) {
		uint32_t len;

		n = recv_one(b, msgs, flags & ~(unsigned)MSG_WAITFORONE);
		if (n < 0)
			break;
		len = (uint32_t)n;
		if (user_put(length_of(msgs), len)) {
			n = -EFAULT;
			break;
		}
		msgs = uptr_add(msgs, sizeof(struct user_mmsghdr));
		done++;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		/* man 2 recvmmsg, BUGS: the time is looked at between messages only */
		if (deadline_ns != WAIT_FOREVER && clock_monotonic_ns() >= deadline_ns)
			break;
		if (thread_is_killed()) /* ends of a stream come without end */
			break;
	}
	/* The error of a later message is for the next call. */
	if (done && n < 0 && n != -EAGAIN && n > -ERESTARTSYS)
		atomic_store(&b.socket->error, (int32_t)-n);
	return done ? done : n;
}

SYSCALL5(recvmmsg, int, fd, uptr, msgs, unsigned, nr, unsigned, flags, uptr, timeout)
{
	struct socket_borrowed b;
	uint64_t timeout_ns, deadline_ns = WAIT_FOREVER;
	int64_t n = timeout_read(timeout, &timeout_ns);

	if (!n)
		n = socket_borrow(fd, &b);
	if (n)
		return n;
	n = socket_take_error(b.socket);
	if (!n) {
		if (timeout_ns != WAIT_FOREVER)
			deadline_ns = clock_deadline_ns(timeout_ns);
		n = recv_many(b, msgs, nr, flags, deadline_ns);
		if (n > 0 && deadline_ns != WAIT_FOREVER) {
			uint64_t now = clock_monotonic_ns();
			uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
			int64_t parts[2] = {
				(int64_t)(left / NS_PER_SEC), (int64_t)(left % NS_PER_SEC)};

			if (user_put(timeout, parts))
				n = -EFAULT;
		}
	}
	fd_release(b.file);
	return n;
}
