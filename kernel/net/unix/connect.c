// SPDX-License-Identifier: MIT
/*
 * Connections of unix sockets.
 *
 * A connect to a listener makes the other end at once (an embryo: a socket without a file), links
 * the two, and puts the embryo on the listener's queue; accept gives it a file. So connect never
 * waits for accept, only for room on that queue, and bytes may be sent before it is accepted.
 *
 * Locks   listener->lock and the connecting socket's, by address; the embryo is nobody else's
 * Spec    man 7 unix, man 2 connect, accept, listen, shutdown
 */
#include <asm/poll.h>
#include <linux/fcntl.h>

#include "lib/atomic.h"
#include "net/unix/unix_priv.h"
#include "proc/proc.h"

/* ---- Listening and accepting ---- */

int unix_listen(struct socket *s, unsigned backlog)
{
	struct unix_sock *u = unix_of(s);
	int err = 0;

	mutex_lock(&u->lock);
	if (!u->addr || (u->state != UNIX_FREE && u->state != UNIX_LISTENING)) {
		err = -EINVAL;
	} else {
		if (backlog > u->backlog)
			unix_unblock(u);
		u->backlog = backlog;
		WRITE_ONCE(u->state, UNIX_LISTENING);
		atomic_or(&s->flags, (uint32_t)SOCKET_LISTENS);
		/* man 7 unix, SO_PEERCRED: the listener's credentials are those at listen(2) */
		unix_set_peer_cred(u, cred_current(), unix_current_pid());
	}
	mutex_unlock(&u->lock);
	return err;
}

int unix_accept(struct socket *s, struct socket **out)
{
	struct unix_sock *u = unix_of(s), *e;
	bool may_wait = !(READ_ONCE(s->file->flags) & O_NONBLOCK);
	int err = 0;

	mutex_lock(&u->lock);
	e = u->state == UNIX_LISTENING
		    ? list_pop_head(&u->embryos, struct unix_sock, embryo_link)
		    : NULL;
	if (u->state != UNIX_LISTENING) {
		err = -EINVAL;
	} else if (e) {
		WRITE_ONCE(u->nr_queued, u->nr_queued - 1);
		unix_unblock(u);
	} else {
		/* Linux: shut down, and nobody waits any more; who may not wait is told that alone */
		err = u->shutdown & UNIX_SHUT_RD && may_wait ? -EINVAL : -EAGAIN;
	}
	mutex_unlock(&u->lock);
	if (!err)
		*out = &e->base;
	return err;
}

/* ---- Connecting ---- */

/* Both locked; the embryo is ours. */
static void link_up(
	struct unix_sock *u, struct unix_sock *listener, struct unix_sock *embryo) NOT_ANALYSED
{
	unix_get(u);
	embryo->peer = u;
	embryo->state = UNIX_CONNECTED;
	unix_set_peer_cred(embryo, cred_current(), unix_current_pid());
	if (listener->addr) {
		refcount_get(&listener->addr->refs);
		embryo->addr = listener->addr;
	}
	atomic_or(&embryo->base.flags, READ_ONCE(listener->base.flags) & SOCKET_PASS_CRED);

	unix_get(embryo);
	unix_set_peer_cred(u, listener->peer_cred, listener->peer_pid);
	atomic_store_release(&u->peer, embryo); /* pairs with the load in stream_send */
	WRITE_ONCE(u->state, UNIX_CONNECTED);

	list_add_tail(&listener->embryos, &embryo->embryo_link);
	WRITE_ONCE(listener->nr_queued, listener->nr_queued + 1);
}

static int connect_locked(
	struct unix_sock *u, struct unix_sock *listener, struct unix_sock *embryo) NOT_ANALYSED
{
	if (listener->state != UNIX_LISTENING || (listener->shutdown & UNIX_SHUT_RD))
		return -ECONNREFUSED;
	if (listener->nr_queued > listener->backlog)
		return unix_block_on(listener, u) ? -ENOMEM : -EAGAIN;
	if (u->state != UNIX_FREE)
		return u->state == UNIX_CONNECTED ? -EISCONN : -EINVAL;
	link_up(u, listener, embryo);
	return 0;
}

int unix_stream_connect(struct socket *s, const struct socket_addr *addr)
{
	struct unix_sock *u = unix_of(s), *listener, *embryo;
	int err = 0;

	if (READ_ONCE(s->flags) & SOCKET_PASS_CRED)
		err = unix_autobind(u);
	if (!err)
		err = unix_find(addr, s->type, &listener);
	if (err)
		return err;
	err = unix_alloc(s->type, &embryo);
	if (err)
		goto put_listener;
	unix_lock_two(u, listener);
	err = connect_locked(u, listener, embryo); /* of a listener with itself: EINVAL */
	unix_unlock_two(u, listener);
	if (err) {
		unix_put(embryo);
	} else {
		waitq_wake_one(&listener->base.readable, POLLIN | POLLRDNORM);
		/* Who polls an unconnected socket has seen a hang-up. */
		waitq_wake_all(&s->writable, POLLOUT | POLLWRNORM | POLLWRBAND);
	}
put_listener:
	unix_put(listener);
	return err;
}

bool unix_drop_queue(struct unix_sock *u)
{
	struct list bufs = LIST_INIT(bufs);
	struct unix_buf *b;
	bool had_messages;

	unix_flight_lock();
	mutex_lock(&u->lock);
	list_splice_tail(&bufs, &u->recvq);
	WRITE_ONCE(u->nr_queued, 0);
	WRITE_ONCE(u->nr_files, 0);
	list_for_each (i, &bufs, struct unix_buf, link)
		if (i->files)
			unix_flight_end(i->files);
	unix_unblock(u);
	mutex_unlock(&u->lock);
	unix_flight_unlock();
	had_messages = !list_is_empty(&bufs);
	while ((b = list_pop_head(&bufs, struct unix_buf, link)))
		unix_buf_destroy(b);
	return had_messages;
}

/* Linux: the old peer is told only if messages were lost (unix_dgram.reconnecting_*). */
static void leave_peer(struct unix_sock *u, struct unix_sock *old, struct unix_sock *peer)
{
	bool is_lost, is_told;

	if (!old)
		return;
	if (old != peer) {
		is_lost = unix_drop_queue(u);
		mutex_lock(&old->lock);
		is_told = is_lost && old->state != UNIX_DEAD && old->peer == u;
		if (is_told)
			atomic_store(&old->base.error, ECONNRESET);
		old->is_sent_to = false; /* Linux: though others may go on */
		mutex_unlock(&old->lock);
		if (is_told) {
			waitq_wake_all(&old->base.readable, POLLERR);
			waitq_wake_all(&old->base.writable, POLLERR);
		}
	}
	unix_put(old);
}

int unix_dgram_connect(struct socket *s, const struct socket_addr *addr)
{
	struct unix_sock *u = unix_of(s), *peer = NULL, *old;
	int err = 0;

	if (addr->len < sizeof(addr->family))
		return -EINVAL;
	if (addr->family != AF_UNSPEC) {
		if (READ_ONCE(s->flags) & SOCKET_PASS_CRED)
			err = unix_autobind(u);
		if (!err)
			err = unix_find(addr, SOCK_DGRAM, &peer);
		if (err)
			return err;
		/* man 7 unix, EPERM: it has a peer, and that is not us */
		mutex_lock(&peer->lock);
		err = peer->peer && peer->peer != u ? -EPERM : 0;
		if (!err)
			peer->is_sent_to = true;
		mutex_unlock(&peer->lock);
		if (err) {
			unix_put(peer);
			return err;
		}
	}
	mutex_lock(&u->lock);
	old = u->peer;
	u->peer = peer;
	WRITE_ONCE(u->state, peer ? UNIX_CONNECTED : UNIX_FREE);
	mutex_unlock(&u->lock);
	leave_peer(u, old, peer);
	return 0;
}

int unix_pair(struct socket *a, struct socket *b) NOT_ANALYSED /* two locks */
{
	struct unix_sock *x = unix_of(a), *y = unix_of(b);

	unix_get(x);
	unix_get(y);
	unix_lock_two(x, y);
	x->peer = y;
	y->peer = x;
	x->state = y->state = UNIX_CONNECTED;
	unix_set_peer_cred(x, cred_current(), unix_current_pid());
	unix_set_peer_cred(y, cred_current(), unix_current_pid());
	unix_unlock_two(x, y);
	return 0;
}

/* ---- Shutting down ---- */

static void wake_shutdown(struct unix_sock *u)
{
	bool both = u->shutdown == UNIX_SHUT_BOTH;

	waitq_wake_all(
		&u->base.readable, POLLIN | POLLRDNORM | POLLRDHUP | (both ? POLLHUP : 0));
	waitq_wake_all(&u->base.writable, POLLOUT | POLLWRNORM | (both ? POLLHUP : 0));
}

int unix_shutdown(struct socket *s, int how)
{
	struct unix_sock *u = unix_of(s), *peer;
	uint32_t mine = (uint32_t)how + 1; /* SHUT_RD, WR, RDWR are 0, 1, 2 */
	uint32_t other = (mine & UNIX_SHUT_RD ? UNIX_SHUT_WR : 0) |
			 (mine & UNIX_SHUT_WR ? UNIX_SHUT_RD : 0);

	mutex_lock(&u->lock);
	WRITE_ONCE(u->shutdown, u->shutdown | mine);
	peer = unix_is_dgram(u) ? NULL : u->peer;
	if (peer)
		unix_get(peer);
	mutex_unlock(&u->lock);
	wake_shutdown(u);
	if (!peer)
		return 0;
	mutex_lock(&peer->lock);
	WRITE_ONCE(peer->shutdown, peer->shutdown | other);
	mutex_unlock(&peer->lock);
	wake_shutdown(peer);
	unix_put(peer);
	return 0;
}
