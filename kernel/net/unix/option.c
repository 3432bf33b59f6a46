// SPDX-License-Identifier: MIT
/* What may be asked of a unix socket: options, ioctls, fdinfo, poll. */
#include <asm/ioctls.h>
#include <asm/poll.h>
#include <linux/sockios.h>

#include "fs/proc/entry.h"
#include "lib/atomic.h"
#include "net/unix/unix_priv.h"
#include "proc/proc.h"

/* ---- Options ---- */

static const struct cred *get_peer_cred(struct unix_sock *u, int *pid)
{
	const struct cred *c;

	mutex_lock(&u->lock);
	c = u->peer_cred;
	*pid = u->peer_pid;
	if (c)
		cred_get(c);
	mutex_unlock(&u->lock);
	return c;
}

static int put_peer_cred(struct unix_sock *u, uptr value, unsigned *len)
{
	struct user_ucred cred = {0, UINT32_MAX, UINT32_MAX};
	int pid;
	const struct cred *c = get_peer_cred(u, &pid);

	if (c) {
		cred = (struct user_ucred){pid, c->euid, c->egid};
		cred_put(c);
	}
	*len = MIN(*len, (unsigned)sizeof(cred));
	return user_write(value, &cred, *len);
}

static int put_peer_groups(struct unix_sock *u, uptr value, unsigned *len)
{
	int pid, err;
	const struct cred *c = get_peer_cred(u, &pid);
	unsigned size;

	if (!c)
		return -ENODATA;
	size = c->nr_groups * (unsigned)sizeof(uint32_t);
	err = *len < size ? -ERANGE : user_write(value, c->groups, size);
	*len = size;
	cred_put(c);
	return err;
}

int unix_get_option(struct socket *s, int level, int name, uptr value, unsigned *len)
{
	if (level != SOL_SOCKET)
		return -EOPNOTSUPP;
	switch (name) {
	case SO_PEERCRED:
		return put_peer_cred(unix_of(s), value, len);
	case SO_PEERGROUPS:
		return put_peer_groups(unix_of(s), value, len);
	}
	return -ENOPROTOOPT;
}

/* ---- ioctl ---- */

static int64_t bytes_to_read(struct unix_sock *u)
{
	int64_t bytes = 0;

	if (READ_ONCE(u->state) == UNIX_LISTENING)
		return -EINVAL;
	mutex_lock(&u->lock);
	list_for_each (b, &u->recvq, struct unix_buf, link) {
		bytes += b->len - b->offset;
		if (u->base.type == SOCK_DGRAM)
			break; /* the next message alone */
	}
	mutex_unlock(&u->lock);
	return bytes;
}

int64_t unix_ioctl(struct socket *s, unsigned cmd, uintptr_t arg)
{
	struct unix_sock *u = unix_of(s);
	int64_t n;
	int value;

	if (cmd == FIONREAD)
		n = bytes_to_read(u);
	else if (cmd == TIOCOUTQ)
		n = READ_ONCE(u->wmem);
	else
		return -ENOTTY;
	if (n < 0)
		return n;
	value = (int)n;
	return user_put(UPTR(arg), value);
}

/* ---- /proc/PID/fdinfo ---- */

/* How many descriptors wait to be received; with a listener those of who was not accepted yet. */
static uint32_t files_to_receive(struct unix_sock *u)
{
	uint32_t nr = 0;

	if (READ_ONCE(u->state) != UNIX_LISTENING)
		return READ_ONCE(u->nr_files);
	mutex_lock(&u->lock);
	list_for_each (e, &u->embryos, struct unix_sock, embryo_link)
		nr += READ_ONCE(e->nr_files);
	mutex_unlock(&u->lock);
	return nr;
}

void unix_fdinfo(struct socket *s, struct text *out)
{
	text_add(out, "scm_fds: %u\n", files_to_receive(unix_of(s)));
}

/* ---- poll ---- */

/* Errors, ends, and something to read. */
static uint32_t poll_common(const struct unix_sock *u)
{
	uint32_t shutdown = READ_ONCE(u->shutdown), events = 0;

	if (READ_ONCE(u->base.error))
		events |= POLLERR;
	if (shutdown == UNIX_SHUT_BOTH)
		events |= POLLHUP;
	if (shutdown & UNIX_SHUT_RD)
		events |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (READ_ONCE(u->nr_queued))
		events |= POLLIN | POLLRDNORM;
	if (!unix_is_dgram(u) && READ_ONCE(u->state) == UNIX_FREE)
		events |= POLLHUP; /* Linux: never connected */
	return events;
}

uint32_t unix_stream_poll(struct socket *s)
{
	const struct unix_sock *u = unix_of(s);
	uint32_t events = poll_common(u);

	if (unix_is_writable(u) && READ_ONCE(u->state) != UNIX_LISTENING)
		events |= POLLOUT | POLLWRNORM | POLLWRBAND;
	return events;
}

/* A peer's full queue makes us unwritable, and tells us when it is not. */
static bool peer_has_room(struct unix_sock *u)
{
	struct unix_sock *peer;
	bool has_room;

	mutex_lock(&u->lock);
	peer = u->peer;
	if (peer)
		unix_get(peer);
	mutex_unlock(&u->lock);
	if (!peer)
		return true;
	mutex_lock(&peer->lock);
	has_room = peer->peer == u || peer->nr_queued <= peer->backlog ||
		   peer->state == UNIX_DEAD || unix_block_on(peer, u);
	mutex_unlock(&peer->lock);
	unix_put(peer);
	return has_room;
}

uint32_t unix_dgram_poll(struct socket *s)
{
	struct unix_sock *u = unix_of(s);
	uint32_t events = poll_common(u);

	if (unix_is_writable(u) && READ_ONCE(u->state) != UNIX_LISTENING && peer_has_room(u))
		events |= POLLOUT | POLLWRNORM | POLLWRBAND;
	return events;
}
