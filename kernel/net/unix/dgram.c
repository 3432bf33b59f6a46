// SPDX-License-Identifier: MIT
/*
 * Datagrams, and the messages of SOCK_SEQPACKET: sending and receiving, whole or cut.
 *
 * Who sends to a queue that is full waits for that queue, unless both are connected to each
 * other, or it is its own: then only the sender's own buffer limits it, as on Linux.
 */
#include <asm/poll.h>

#include "lib/atomic.h"
#include "net/unix/unix_priv.h"

enum { LEN_SPARE = 32 };

/* ---- Sending ---- */

/* Whom it is connected to, with a reference. */
static int get_peer(struct unix_sock *u, struct unix_sock **out)
{
	int err = 0;

	mutex_lock(&u->lock);
	if (u->peer) {
		unix_get(u->peer);
		*out = u->peer;
	} else {
		err = -ENOTCONN;
	}
	mutex_unlock(&u->lock);
	return err;
}

static bool is_full_for(const struct unix_sock *to, const struct unix_sock *from)
{
	return to != from && READ_ONCE(to->peer) != from &&
	       READ_ONCE(to->nr_queued) > READ_ONCE(to->backlog);
}

/* What keeps u from sending so much, whoever it is for. */
static int may_send(struct unix_sock *u, size_t len)
{
	int err;

	if (len > READ_ONCE(u->base.sndbuf) - LEN_SPARE)
		return -EMSGSIZE;
	err = socket_take_error(&u->base);
	if (err)
		return err;
	if (READ_ONCE(u->shutdown) & UNIX_SHUT_WR)
		return -EPIPE;
	return unix_may_charge(u) ? 0 : -EAGAIN;
}

/* What keeps u's message off the queue; -EAGAIN: u is told when there is room. */
static int may_push(struct unix_sock *u, struct unix_sock *to) MUST_HOLD(to->lock)
{
	if (to->state == UNIX_DEAD)
		return -ECONNREFUSED;
	if (unix_is_dgram(to) && to->peer && to->peer != u)
		return -EPERM;
	if (to->shutdown & UNIX_SHUT_RD)
		return -EPIPE;
	if (is_full_for(to, u))
		return unix_block_on(to, u) ? -ENOMEM : -EAGAIN;
	return 0;
}

static int push(struct unix_sock *u, struct unix_sock *to, struct unix_buf *b,
	const struct socket_msg *m)
{
	int err;

	mutex_lock(&to->lock);
	err = may_push(u, to);
	if (!err)
		unix_buf_queue(to, b, m);
	mutex_unlock(&to->lock);
	return err;
}

static int push_with_files(
	struct unix_sock *u, struct unix_sock *to, struct unix_buf *b, struct socket_msg *m)
{
	int err;

	b->files = m->control_in->files;
	unix_flight_lock();
	err = unix_flight_begin(b->files);
	if (!err) {
		err = push(u, to, b, m);
		if (err)
			unix_flight_end(b->files);
	}
	unix_flight_unlock();
	if (err)
		b->files = NULL;
	else
		m->control_in->files = NULL;
	return err;
}

/* A connected socket whose peer is gone is no longer connected, and loses what the peer sent. */
static void lose_peer(struct unix_sock *u, struct unix_sock *gone)
{
	bool was_peer;

	mutex_lock(&u->lock);
	was_peer = u->peer == gone && unix_is_dgram(u);
	if (was_peer) {
		u->peer = NULL;
		u->state = UNIX_FREE;
	}
	mutex_unlock(&u->lock);
	if (was_peer) {
		(void)unix_drop_queue(u);
		unix_put(gone);
	}
}

static int send_to(
	struct unix_sock *u, struct unix_sock *to, struct unix_buf *b, struct socket_msg *m)
{
	int err;

	if (m->control_in && m->control_in->files)
		err = push_with_files(u, to, b, m);
	else
		err = push(u, to, b, m);
	if (err == -ECONNREFUSED)
		lose_peer(u, to);
	if (!err && waitq_has_waiters(&to->base.readable))
		handover_wake(
			&to->base.hint, &to->base.readable, POLLIN | POLLRDNORM | POLLRDBAND);
	return err;
}

/* The message, for the peer or (NULL) whom its address names: looked for when all the rest is well, as on Linux. */
static int64_t send_message(struct unix_sock *u, struct unix_sock *peer, struct socket_msg *m)
{
	struct unix_sock *to = peer;
	size_t len = m->iter->left;
	struct unix_buf *b;
	int err = unix_buf_create(u, m, len, &b);

	if (err)
		return err;
	if (!peer)
		err = unix_find(m->addr, SOCK_DGRAM, &to);
	if (!err) {
		err = send_to(u, to, b, m);
		if (!peer)
			unix_put(to);
	}
	if (!err)
		return (int64_t)len;
	iter_revert(m->iter, len);
	unix_buf_destroy(b);
	return err;
}

static int64_t dgram_send(struct socket *s, struct socket_msg *m)
{
	struct unix_sock *u = unix_of(s), *peer = NULL;
	int64_t n;
	int err;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->addr && unix_is_dgram(u))
		err = unix_check_addr(m->addr);
	else
		err = get_peer(u, &peer);
	if (!err && (READ_ONCE(s->flags) & SOCKET_PASS_CRED))
		err = unix_autobind(u);
	if (!err)
		err = may_send(u, m->iter->left);
	n = err ? err : send_message(u, peer, m);
	if (peer)
		unix_put(peer);
	return n;
}

static int64_t seqpacket_send(struct socket *s, struct socket_msg *m)
{
	int err = socket_take_error(s);
	int64_t n;

	if (err)
		return err;
	if (READ_ONCE(unix_of(s)->state) != UNIX_CONNECTED)
		return -ENOTCONN;
	n = dgram_send(s, m);
	return n == -ECONNREFUSED ? -EPIPE : n;
}

/* ---- Receiving ---- */

static struct unix_buf *first_to_read(
	struct unix_sock *u, const struct socket_msg *m, uint32_t *skip) MUST_HOLD(u->lock)
{
	int32_t peek_off = READ_ONCE(u->base.peek_off);

	*skip = 0;
	if (!(m->flags & MSG_PEEK) || peek_off <= 0)
		return list_first(&u->recvq, struct unix_buf, link);
	*skip = (uint32_t)peek_off;
	list_for_each (b, &u->recvq, struct unix_buf, link) {
		if (*skip < b->len || (!b->len && !*skip))
			return b;
		*skip -= b->len;
	}
	return NULL;
}

/* Bytes copied. */
static int64_t copy_out(struct unix_sock *u, struct unix_buf *b, uint32_t skip,
	struct socket_msg *m) MUST_HOLD(u->lock)
{
	size_t there = b->len - skip, want = MIN(there, m->iter->left);

	assert(skip <= b->len);
	if (want < there)
		m->out_flags |= MSG_TRUNC;
	if (iter_write(m->iter, b->data + skip, want) < want)
		return -EFAULT;
	if (m->addr)
		unix_copy_addr(b->sender, m->addr);
	unix_deliver_cred(u, b, m);
	return (int64_t)want;
}

/* Takes the message off, or prepares to leave it. The files go to *files. */
static int take_locked(struct unix_sock *u, struct unix_buf *b, bool is_peek,
	struct control_files **files) MUST_HOLD(u->lock)
{
	if (is_peek)
		return b->files ? control_files_copy(b->files, files) : 0;
	if (b->files) {
		WRITE_ONCE(u->nr_files, u->nr_files - b->files->nr);
		unix_flight_end(b->files);
		*files = b->files;
		b->files = NULL;
	}
	list_remove(&b->link);
	WRITE_ONCE(u->nr_queued, u->nr_queued - 1);
	if (u->nr_queued <= u->backlog)
		unix_unblock(u);
	return 0;
}

static int64_t recv_locked(struct unix_sock *u, struct socket_msg *m, bool with_flight,
	struct unix_buf **read, struct control_files **files) MUST_HOLD(u->lock)
{
	bool is_peek = m->flags & MSG_PEEK;
	uint32_t skip;
	struct unix_buf *b;
	int64_t n;
	int err = socket_take_error(&u->base);

	if (err)
		return err;
	b = first_to_read(u, m, &skip);
	if (!b) {
		if (!(u->shutdown & UNIX_SHUT_RD))
			return -EAGAIN;
		/* Linux: a datagram socket that may not wait says so even then */
		return unix_is_dgram(u) && (m->flags & MSG_DONTWAIT) ? -EAGAIN : 0;
	}
	if (b->files && !with_flight)
		return -EDEADLK;
	n = copy_out(u, b, skip, m);
	err = take_locked(u, b, is_peek, files); /* a bad address loses the message, too */
	if (!is_peek)
		*read = b;
	if (n < 0)
		return n;
	unix_move_peek_off(u, is_peek ? n : -(int64_t)b->len);
	if (err)
		return err;
	return m->flags & MSG_TRUNC ? b->len - skip : n;
}

static int64_t recv_once(struct unix_sock *u, struct socket_msg *m, bool with_flight)
{
	struct control_files *files = NULL;
	struct unix_buf *b = NULL;
	int64_t n;

	if (with_flight)
		unix_flight_lock();
	mutex_lock(&u->lock);
	n = recv_locked(u, m, with_flight, &b, &files);
	mutex_unlock(&u->lock);
	if (with_flight)
		unix_flight_unlock();
	if (n >= 0 && files)
		unix_deliver_files(files, m);
	else
		control_files_put(files); /* nobody would hear of their numbers */
	if (b)
		unix_buf_destroy(b);
	return n;
}

static int64_t dgram_recv(struct socket *s, struct socket_msg *m)
{
	struct unix_sock *u = unix_of(s);
	int64_t n;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	n = recv_once(u, m, READ_ONCE(u->nr_files) != 0);
	return n == -EDEADLK ? recv_once(u, m, true) : n;
}

static int64_t seqpacket_recv(struct socket *s, struct socket_msg *m)
{
	if (READ_ONCE(unix_of(s)->state) != UNIX_CONNECTED)
		return -ENOTCONN;
	return dgram_recv(s, m);
}

const struct socket_ops unix_dgram_ops = {
	.bind = unix_bind,
	.connect = unix_dgram_connect,
	.get_name = unix_get_name,
	.send = dgram_send,
	.recv = dgram_recv,
	.shutdown = unix_shutdown,
	.get_option = unix_get_option,
	.ioctl = unix_ioctl,
	.poll = unix_dgram_poll,
	.fdinfo = unix_fdinfo,
	.release = unix_release,
};

const struct socket_ops unix_seqpacket_ops = {
	.bind = unix_bind,
	.connect = unix_stream_connect,
	.listen = unix_listen,
	.accept = unix_accept,
	.get_name = unix_get_name,
	.send = seqpacket_send,
	.recv = seqpacket_recv,
	.shutdown = unix_shutdown,
	.get_option = unix_get_option,
	.ioctl = unix_ioctl,
	.poll = unix_dgram_poll,
	.fdinfo = unix_fdinfo,
	.release = unix_release,
};
