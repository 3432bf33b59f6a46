// SPDX-License-Identifier: MIT
/*
 * Unix sockets: birth and death.
 *
 * A socket is what sends and receives by its lock and the lock of whom it sends to. It has a
 * receive queue of its own; to send is to put a message on the peer's queue.
 *
 *     names.c     bind, finding by name        connect.c   listen, connect, accept, shutdown
 *     buf.c       messages                     stream.c    send and receive of streams
 *     dgram.c     of datagrams and seqpackets  rights.c    files in flight, and cycles of them
 *     blocked.c   who waits for whose room     list.c      all of them, for /proc
 *
 * References. A connected pair refer to each other, and let go at release; a message refers
 * to its sender, whose room it takes. So a socket whose file is gone (UNIX_DEAD) stays as
 * memory until nobody points to it.
 *
 * Who waits, waits on its own queues: for bytes on `readable`, for room on `writable`. Whoever
 * frees room at another socket (a full backlog, a full queue of datagrams) wakes the `writable` of
 * those who asked for it (blocked.c).
 *
 * Locks   unix_flight_lock    RANK_UNIX_FLIGHT [g]  outside: messages with files
 *         sock->lock          RANK_UNIX_SOCKET [l]  two by address
 *         names               RANK_UNIX_NAMES  [n]  inside
 *         who waits for room  RANK_UNIX_BLOCKED [b] spinning
 *         the list of all     RANK_UNIX_LIST   [s]  spinning
 *         User memory is copied under sock->lock when receiving, before it when sending.
 * Spec    man 7 unix
 */
#include <asm/poll.h>

#include "lib/atomic.h"
#include "mm/slab.h"
#include "net/unix/unix_priv.h"
#include "proc/proc.h"

static const struct socket_ops *ops_of_type(int type)
{
	switch (type) {
	case SOCK_STREAM:
		return &unix_stream_ops;
	case SOCK_SEQPACKET:
		return &unix_seqpacket_ops;
	default:
		return &unix_dgram_ops;
	}
}

int unix_alloc(int type, struct unix_sock **out)
{
	struct unix_sock *u = mem_alloc(sizeof(*u), SLAB_ZERO);

	if (!u)
		return -ENOMEM;
	socket_init(&u->base, ops_of_type(type), AF_UNIX, type, 0);
	refcount_init(&u->refs, 1);
	mutex_init(&u->lock, RANK_UNIX_SOCKET, "unix socket");
	list_init(&u->recvq);
	list_init(&u->embryos);
	list_init(&u->blocked);
	list_init(&u->waits_for);
	u->backlog = UNIX_DGRAM_QUEUE;
	unix_list_add(u);
	*out = u;
	return 0;
}

void unix_get(struct unix_sock *u)
{
	refcount_get(&u->refs);
}

void unix_put(struct unix_sock *u)
{
	if (!refcount_put(&u->refs))
		return;
	unix_list_remove(u);
	if (u->addr && refcount_put(&u->addr->refs))
		mem_free(u->addr);
	if (u->peer_cred)
		cred_put(u->peer_cred);
	mem_free(u);
}

void unix_lock_two(struct unix_sock *a, struct unix_sock *b) NOT_ANALYSED
{
	struct unix_sock *first = a < b ? a : b, *second = a < b ? b : a;

	mutex_lock_nested(&first->lock, (uintptr_t)first);
	if (first != second)
		mutex_lock_nested(&second->lock, (uintptr_t)second);
}

void unix_unlock_two(struct unix_sock *a, struct unix_sock *b) NOT_ANALYSED
{
	mutex_unlock(&a->lock);
	if (a != b)
		mutex_unlock(&b->lock);
}

int unix_current_pid(void)
{
	const struct uthread *t = uthread_current();

	return t ? t->proc->pid->nr : 0;
}

void unix_set_peer_cred(struct unix_sock *u, const struct cred *c, int pid)
{
	if (u->peer_cred)
		cred_put(u->peer_cred);
	cred_get(c);
	u->peer_cred = c;
	u->peer_pid = pid;
}

/* ---- Death ---- */

/* The other end of a stream learns of it. had_data: what it sent was not read. */
static void hang_up_peer(struct unix_sock *peer, bool had_data)
{
	mutex_lock(&peer->lock);
	WRITE_ONCE(peer->shutdown, UNIX_SHUT_BOTH);
	if (had_data)
		atomic_store(&peer->base.error, ECONNRESET);
	mutex_unlock(&peer->lock);
	waitq_wake_all(
		&peer->base.readable, POLLIN | POLLRDNORM | POLLRDHUP | POLLHUP | POLLERR);
	waitq_wake_all(&peer->base.writable, POLLOUT | POLLWRNORM | POLLHUP | POLLERR);
}

/* Destroys messages; those with files under the flight lock. */
static void destroy_all(struct list *bufs)
{
	struct unix_buf *b;

	while ((b = list_pop_head(bufs, struct unix_buf, link)))
		unix_buf_destroy(b);
}

static void release_one(struct unix_sock *u, bool is_embryo);

static void release_embryos(struct list *embryos)
{
	struct unix_sock *e;

	while ((e = list_pop_head(embryos, struct unix_sock, embryo_link)))
		release_one(e, true);
}

static void release_one(struct unix_sock *u, bool is_embryo)
{
	struct list bufs = LIST_INIT(bufs), embryos = LIST_INIT(embryos);
	struct unix_sock *peer;
	bool had_data;

	unix_forget_name(u);
	unix_flight_lock(); /* what is taken off here is not lost to the collector's sight */
	mutex_lock(&u->lock);
	WRITE_ONCE(u->state, UNIX_DEAD);
	WRITE_ONCE(u->shutdown, UNIX_SHUT_BOTH);
	list_splice_tail(&bufs, &u->recvq);
	list_splice_tail(&embryos, &u->embryos);
	list_for_each (b, &bufs, struct unix_buf, link)
		if (b->files)
			unix_flight_end(b->files);
	peer = u->peer;
	u->peer = NULL;
	unix_unblock(u);
	mutex_unlock(&u->lock);
	unix_flight_unlock();
	unix_forget_blocked(u);

	had_data = !list_is_empty(&bufs) || is_embryo;
	if (peer) {
		if (!unix_is_dgram(u))
			hang_up_peer(peer, had_data);
		unix_put(peer);
	}
	destroy_all(&bufs);
	release_embryos(&embryos);
	unix_put(u);
}

void unix_release(struct socket *s)
{
	release_one(unix_of(s), false);
	unix_collect_later();
}

/* ---- The family ---- */

static int unix_create(int type, int protocol, struct socket **out)
{
	struct unix_sock *u;
	int err;

	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (type == SOCK_RAW)
		type = SOCK_DGRAM; /* Linux: believed to be what BSD does */
	if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	err = unix_alloc(type, &u);
	if (!err)
		*out = &u->base;
	return err;
}

static const struct socket_family unix_family = {
	.family = AF_UNIX,
	.create = unix_create,
	.pair = unix_pair,
};
SET_ADD(socket_families, unix_family);
