// SPDX-License-Identifier: MIT
/*
 * Streams: sending and receiving.
 *
 * A send is cut into pieces, each a message on the peer's queue. A receive glues pieces together,
 * but for those that come with files, which end it, and those of different senders'
 * credentials. The receiver copies under its lock: a page fault then holds up the sender for as
 * long as memory takes.
 */
#include <asm/poll.h>

#include "ipc/pipe.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "net/unix/unix_priv.h"

/* A piece: so that several fit into the sender's room, and allocation is easy. */
enum { PIECE_MAX = 32 * 1024, PIECE_SPARE = 64 };

/* ---- Sending ---- */

/* Queues it; -EPIPE if nobody will read. */
static int push(struct unix_sock *peer, struct unix_buf *b, const struct socket_msg *m)
{
	int err = 0;

	mutex_lock(&peer->lock);
	if (UNLIKELY(peer->state == UNIX_DEAD || (peer->shutdown & UNIX_SHUT_RD)))
		err = -EPIPE;
	else
		unix_buf_queue(peer, b, m);
	mutex_unlock(&peer->lock);
	return err;
}

/* The first piece takes the files with it. */
static int push_with_files(struct unix_sock *peer, struct unix_buf *b, struct socket_msg *m)
{
	int err;

	b->files = m->control_in->files;
	unix_flight_lock();
	err = unix_flight_begin(b->files);
	if (!err) {
		err = push(peer, b, m);
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

static int64_t send_piece(struct unix_sock *u, struct unix_sock *peer, struct socket_msg *m)
{
	size_t most = READ_ONCE(u->base.sndbuf) / 2 - PIECE_SPARE, len;
	struct unix_buf *b;
	int err;

	err = socket_take_error(&u->base);
	if (UNLIKELY(err))
		return err;
	if (UNLIKELY(READ_ONCE(u->shutdown) & UNIX_SHUT_WR))
		return -EPIPE;
	if (UNLIKELY(!unix_may_charge(u)))
		return -EAGAIN;
	most = MIN(most, (size_t)PIECE_MAX);
	len = MIN(m->iter->left, most);
	err = unix_buf_create(u, m, len, &b);
	if (err)
		return err;
	if (UNLIKELY(m->control_in && m->control_in->files))
		err = push_with_files(peer, b, m);
	else
		err = push(peer, b, m);
	if (err) {
		iter_revert(m->iter, len);
		unix_buf_destroy(b);
		return err;
	}
	if (waitq_has_waiters(&peer->base.readable))
		handover_wake(&peer->base.hint, &peer->base.readable,
			POLLIN | POLLRDNORM | POLLRDBAND);
	return (int64_t)len;
}

static int64_t send_pieces(struct unix_sock *u, struct unix_sock *peer, struct socket_msg *m)
{
	int64_t done = 0, n;

	do {
		n = send_piece(u, peer, m);
		if (n < 0)
			return done ? done : n;
		done += n;
	} while (m->iter->left);
	return done;
}

/*
 * Linux: an end that is there when the call comes is told at once, with a signal, and leaves a pending error to
 * others. What comes while it waits it is told as an errno alone, the pending error first: a writer
 * whose reader goes without having read all gets ECONNRESET (unix_error.waiting_writer_*).
 */
static int64_t stream_send(struct socket *s, struct socket_msg *m)
{
	struct unix_sock *u = unix_of(s);
	/* a stream's peer is set once, and stays until our own release */
	struct unix_sock *peer = atomic_load_acquire(&u->peer);
	int64_t n;

	if (UNLIKELY(m->flags & MSG_OOB))
		return -EOPNOTSUPP; /* as without CONFIG_AF_UNIX_OOB */
	if (UNLIKELY(m->addr))
		return READ_ONCE(u->state) == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	if (UNLIKELY(!peer))
		return -ENOTCONN;
	if (UNLIKELY(READ_ONCE(u->shutdown) & UNIX_SHUT_WR) && !m->is_retry)
		n = -EPIPE;
	else if (UNLIKELY(!m->iter->left))
		return 0; /* no bytes, no piece; control messages are dropped */
	else
		n = send_pieces(u, peer, m);
	if (UNLIKELY(n == -EPIPE) && !m->is_retry && !(m->flags & MSG_NOSIGNAL))
		pipe_send_sigpipe();
	return n;
}

/* ---- Receiving ---- */

struct receipt {
	struct list done;             /* messages read to their end */
	struct control_files *files;  /* that came */
	const struct unix_buf *first; /* whose credentials hold for all */
	bool is_border;               /* what comes next is somebody else's */
	int64_t copied;
};

/* The credentials that are shown with the first byte hold for all, so this is whose they are. */
static void note_writer(struct socket_msg *m, const struct unix_buf *b)
{
	m->writer = (struct socket_writer){.is_known = true, .has_cred = b->has_cred};
	if (b->has_cred)
		m->writer.cred = b->cred;
}

static bool is_of_another(const struct socket_msg *m, const struct unix_buf *b)
{
	const struct socket_writer *w = &m->writer;

	return w->is_known &&
	       (w->has_cred != b->has_cred ||
		       (w->has_cred && memcmp(&w->cred, &b->cred, sizeof(w->cred))));
}

/* Whether credentials part b from what came before it, in this try or an earlier one. */
static bool is_border(struct socket_msg *m, const struct receipt *r, const struct unix_buf *b)
{
	if (r->first || m->done)
		return is_of_another(m, b);
	note_writer(m, b);
	return false;
}

/* The files of a message: taken out, or copied for a peek. The flight lock is held. */
static int take_files(struct unix_sock *u, struct unix_buf *b, bool is_peek, struct receipt *r)
	MUST_HOLD(u->lock)
{
	if (is_peek)
		return control_files_copy(b->files, &r->files);
	WRITE_ONCE(u->nr_files, u->nr_files - b->files->nr);
	unix_flight_end(b->files);
	r->files = b->files;
	b->files = NULL;
	return 0;
}

/* Where a peek begins: SO_PEEK_OFF bytes on. */
static struct unix_buf *skip_peeked(struct unix_sock *u, uint32_t *skip)
{
	list_for_each (b, &u->recvq, struct unix_buf, link) {
		uint32_t here = b->len - b->offset;

		if (*skip < here)
			return b;
		*skip -= here;
	}
	return NULL;
}

/* Where reading begins, and how far into it: after peek_off bytes, if that is more than none. */
static ALWAYS_INLINE struct unix_buf *first_to_read(
	struct unix_sock *u, int32_t peek_off, uint32_t *skip) MUST_HOLD(u->lock)
{
	*skip = (uint32_t)MAX(peek_off, 0);
	return *skip ? skip_peeked(u, skip) : list_first(&u->recvq, struct unix_buf, link);
}

/* n bytes of b were read: an empty one goes. */
static ALWAYS_INLINE void consume_locked(
	struct unix_sock *u, struct unix_buf *b, size_t n, struct receipt *r) MUST_HOLD(u->lock)
{
	b->offset += (uint32_t)n;
	if (b->offset != b->len)
		return;
	list_remove(&b->link);
	list_add_tail(&r->done, &b->link);
	WRITE_ONCE(u->nr_queued, u->nr_queued - 1);
}

/*
 * Copies from the queue; stops at the end of it, of the program's buffer, or at a border between
 * messages. Returns  0, or an errno that counts if nothing was copied; -EDEADLK: the flight lock
 * is needed for what comes next
 */
static int copy_locked(struct unix_sock *u, struct socket_msg *m, struct receipt *r,
	bool has_flight_lock) MUST_HOLD(u->lock)
{
	bool is_peek = m->flags & MSG_PEEK;
	int32_t peek_off = is_peek ? READ_ONCE(u->base.peek_off) : -1; /* SO_PEEK_OFF */
	uint32_t skip;
	struct unix_buf *b = first_to_read(u, peek_off, &skip);
	bool pass_cred = READ_ONCE(u->base.flags) & SOCKET_PASS_CRED;

	while (b) { /* the first also without room for a byte of it */
		struct unix_buf *next = list_next(&u->recvq, b, struct unix_buf, link);
		size_t want = MIN((size_t)(b->len - b->offset - skip), m->iter->left), n;

		if (UNLIKELY(pass_cred) && is_border(m, r, b)) {
			r->is_border = true;
			break;
		}
		if (b->files && !has_flight_lock)
			return -EDEADLK;
		n = iter_write(m->iter, b->data + b->offset + skip, want);
		if (UNLIKELY(n < want)) { /* it stays, with its files */
			iter_revert(m->iter, n);
			return r->first ? 0 : -EFAULT;
		}
		r->copied += (int64_t)n;
		r->first = r->first ? r->first : b;
		if (b->files) {
			int err = take_files(u, b, is_peek, r);

			if (err)
				return err;
		}
		skip = 0;
		if (!is_peek)
			consume_locked(u, b, n, r);
		if (r->files || !m->iter->left)
			break;
		b = next;
	}
	return 0;
}

/* With nothing to copy: the pending error, the end, or wait. */
static int64_t nothing_there(struct unix_sock *u)
{
	int err = socket_take_error(&u->base);

	if (err)
		return err;
	return READ_ONCE(u->shutdown) & UNIX_SHUT_RD ? 0 : -EAGAIN;
}

/*
 * The sender's address and credentials, while the first message cannot go away. At the end there is none, and
 * credentials all the same.
 */
static void show_sender(struct unix_sock *u, struct socket_msg *m, const struct unix_buf *first)
	MUST_HOLD(u->lock)
{
	if (m->done)
		return;
	if (m->addr && first)
		unix_copy_addr(first->sender, m->addr);
	unix_deliver_cred(u, first, m);
}

static int64_t recv_once(
	struct unix_sock *u, struct socket_msg *m, struct receipt *r, bool with_flight)
{
	int64_t n;
	int err;

	if (with_flight)
		unix_flight_lock();
	mutex_lock(&u->lock);
	err = copy_locked(u, m, r, with_flight);
	unix_move_peek_off(u, m->flags & MSG_PEEK ? r->copied : -r->copied);
	if (r->copied || err)
		n = r->copied ? r->copied : err;
	else
		n = r->first || r->is_border ? 0 : nothing_there(u);
	if (n >= 0)
		show_sender(u, m, r->first);
	mutex_unlock(&u->lock);
	if (with_flight)
		unix_flight_unlock();
	return n;
}

static NOINLINE int64_t receive(struct unix_sock *u, struct socket_msg *m)
{
	struct receipt r = {.done = LIST_INIT(r.done)};
	struct unix_buf *b;
	int64_t n;

	n = recv_once(u, m, &r, READ_ONCE(u->nr_files) != 0);
	if (UNLIKELY(n == -EDEADLK))
		n = recv_once(u, m, &r, true);
	m->is_ended = r.files || r.is_border;
	if (UNLIKELY(r.files))
		unix_deliver_files(r.files, m);
	while ((b = list_pop_head(&r.done, struct unix_buf, link)))
		unix_buf_destroy(b);
	return n;
}

static int64_t stream_recv(struct socket *s, struct socket_msg *m)
{
	struct unix_sock *u = unix_of(s);

	if (UNLIKELY(READ_ONCE(u->state) != UNIX_CONNECTED))
		return -EINVAL;
	if (UNLIKELY(m->flags & MSG_OOB))
		return -EOPNOTSUPP;
	/* the order: what is queued before a shutdown is seen with it */
	if (!READ_ONCE(s->error) && !atomic_load_acquire(&u->shutdown) &&
		!READ_ONCE(u->nr_queued))
		return -EAGAIN;
	return receive(u, m);
}

const struct socket_ops unix_stream_ops = {
	.bind = unix_bind,
	.connect = unix_stream_connect,
	.listen = unix_listen,
	.accept = unix_accept,
	.get_name = unix_get_name,
	.send = stream_send,
	.recv = stream_recv,
	.shutdown = unix_shutdown,
	.get_option = unix_get_option,
	.ioctl = unix_ioctl,
	.poll = unix_stream_poll,
	.fdinfo = unix_fdinfo,
	.release = unix_release,
};
