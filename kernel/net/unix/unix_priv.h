// SPDX-License-Identifier: MIT
/*
 * Unix sockets, for the files of this folder.
 */
#pragma once

#include "fs/vfs/path.h"
#include "lib/base.h"
#include "lib/list.h"
#include "lib/refcount.h"
#include "net/socket.h"
#include "net/unix/unix.h"
#include "proc/cred.h"
#include "sync/mutex.h"

enum { UNIX_PATH_MAX = 108, UNIX_DGRAM_QUEUE = 10 /* net.unix.max_dgram_qlen */ };

/* A name: family and path as bind got it. Counted: it outlives a rename and is shown by peers. */
struct unix_addr {
	refcount refs;
	unsigned len; /* with the family */
	union {
		uint16_t family;
		uint8_t bytes[2 + UNIX_PATH_MAX + 1];
	};
};

/* A name without a file: the path begins with NUL. */
static inline bool unix_addr_is_abstract(const struct unix_addr *a)
{
	return a->bytes[2] == 0;
}

enum unix_state { UNIX_FREE, UNIX_LISTENING, UNIX_CONNECTED, UNIX_DEAD };
enum { UNIX_SHUT_RD = 1, UNIX_SHUT_WR = 2, UNIX_SHUT_BOTH = 3 };

/* Bytes on their way: one message, or a piece of a stream. */
struct unix_buf {
	struct list_node link;
	struct unix_sock *sender;    /* one reference; its wmem has our charge */
	struct control_files *files; /* in flight while it is queued; NULL: none */
	uint32_t len, offset;        /* data[offset, len) is not read yet */
	uint32_t charge; /* 0 until it is queued */
	bool has_cred;
	struct user_ucred cred;
	uint8_t data[];
};

/*
 *   [l] lock      [L] lock to write, read anywhere      [a] atomic      [I] immutable
 *   [n] names.c's lock      [g] rights.c's lock      [s] list.c's lock
 *   [b] blocked.c's lock
 */
struct unix_sock {
	struct socket base;
	refcount refs;      /* [a] its file or listener, peers, messages, who found its name */
	struct list_node all_link; /* [s] */
	struct mutex lock;  /* RANK_UNIX_SOCKET */
	uint32_t state;     /* [L] enum unix_state */
	uint32_t shutdown;  /* [L] UNIX_SHUT_* */
	uint32_t nr_queued; /* [L] on recvq, or embryos */
	uint32_t nr_files;  /* [L] that travel with those on recvq */
	uint32_t backlog;       /* [L] more are not queued */
	uint32_t wmem;          /* [a] bytes sent and not read yet */
	struct unix_sock
		*peer;       /* [L] one reference. Of a stream: set once, kept until release */
	struct list recvq;   /* [l] struct unix_buf */
	struct list embryos; /* [l] of a listener: not accepted yet */
	struct list_node embryo_link; /* [l] of the listener */
	struct unix_addr *addr;       /* [L] set once; one reference */
	struct path path;             /* [n] where it is bound, or {} */
	struct list_node hash_link;   /* [n] an abstract name */
	struct list blocked;          /* [b] struct unix_blocked: who waits for room here */
	struct list waits_for;        /* [b] struct unix_blocked: for whose room it waits */
	const struct cred
		*peer_cred;    /* [L] one reference; of a listener: its own at listen() */
	int peer_pid;          /* [L] */
	bool is_sent_to;       /* [L] a datagram socket that another connected to */
	uint32_t nr_in_flight; /* [g] how many messages carry its file, counted by file */
	uint32_t nr_inside;    /* [g] the collector's */
	bool is_reached;       /* [g] the collector's */
	struct unix_sock *next_reached; /* [g] whose queue is to be looked at next */
	struct list_node flight_link; /* [g] while nr_in_flight > 0 */
};

static inline struct unix_sock *unix_of(struct socket *s)
{
	return container_of(s, struct unix_sock, base);
}
static inline bool unix_is_dgram(const struct unix_sock *u)
{
	return u->base.type == SOCK_DGRAM;
}

extern const struct socket_ops unix_stream_ops, unix_dgram_ops, unix_seqpacket_ops;

/* ---- unix.c: life ---- */
MUST_CHECK int unix_alloc(int type, struct unix_sock **out);
void unix_get(struct unix_sock *u);
void unix_put(struct unix_sock *u);
void unix_release(struct socket *s);
void unix_lock_two(struct unix_sock *a, struct unix_sock *b);
void unix_unlock_two(struct unix_sock *a, struct unix_sock *b);
/* The current thread's credentials become what the peer of u sees, or what u shows of its peer. */
void unix_set_peer_cred(struct unix_sock *u, const struct cred *c, int pid) MUST_HOLD(u->lock);
int unix_current_pid(void);

/* ---- list.c: all of them, from birth to the last reference ---- */
void unix_list_add(struct unix_sock *u);
void unix_list_remove(struct unix_sock *u);

/* ---- names.c ---- */
int unix_bind(struct socket *s, const struct socket_addr *addr);
MUST_CHECK int unix_autobind(struct unix_sock *u);
int unix_get_name(struct socket *s, bool peer, struct socket_addr *out);
void unix_forget_name(struct unix_sock *u);
/* Whether it could be a name: -EINVAL. */
MUST_CHECK int unix_check_addr(const struct socket_addr *a);
/* Who is bound there, with a reference. -EINVAL, -ECONNREFUSED, -EPROTOTYPE, or the path's errors. */
MUST_CHECK int unix_find(const struct socket_addr *addr, int type, struct unix_sock **out);
/* What a message from u shows as its sender. */
void unix_copy_addr(struct unix_sock *u, struct socket_addr *out);

/* ---- connect.c ---- */
int unix_listen(struct socket *s, unsigned backlog);
int unix_accept(struct socket *s, struct socket **out);
int unix_stream_connect(struct socket *s, const struct socket_addr *addr);
int unix_dgram_connect(struct socket *s, const struct socket_addr *addr);
int unix_shutdown(struct socket *s, int how);
int unix_pair(struct socket *a, struct socket *b);
/* What an old peer sent is not for the new one's partner. Whether there was anything. */
bool unix_drop_queue(struct unix_sock *u);

/* ---- blocked.c: waiting for another socket's room ---- */
/* u, whose file is open, is told by its writable queue when to_wait_for has room or is no more. -ENOMEM. */
MUST_CHECK int unix_block_on(struct unix_sock *to_wait_for, struct unix_sock *u)
	MUST_HOLD(to_wait_for->lock);
/* Tells them all; u has room, or is no more. */
void unix_unblock(struct unix_sock *u) MUST_HOLD(u->lock);
/* u is no more, and waits for nobody. */
void unix_forget_blocked(struct unix_sock *u);

/* ---- buf.c: messages ---- */
/* Copies a message's next `len` bytes. -EFAULT, -ENOMEM. */
MUST_CHECK int unix_buf_create(
	struct unix_sock *sender, struct socket_msg *m, size_t len, struct unix_buf **out);
/* Last on to's queue, charged to its sender, who is named where somebody asks for that. */
void unix_buf_queue(struct unix_sock *to, struct unix_buf *b, const struct socket_msg *m)
	MUST_HOLD(to->lock);
/* Freed. If it was queued: uncharged, and the sender is woken. Files are no longer in flight. */
void unix_buf_destroy(struct unix_buf *b);
static inline bool unix_may_charge(const struct unix_sock *u)
{
	return READ_ONCE(u->wmem) < READ_ONCE(u->base.sndbuf);
}
static inline bool unix_is_writable(const struct unix_sock *u)
{
	return READ_ONCE(u->wmem) * 4ull <= READ_ONCE(u->base.sndbuf);
}
/* Control messages that a message brings: credentials (b NULL: a stream's end), files (whose set is taken over). */
void unix_deliver_cred(struct unix_sock *u, const struct unix_buf *b, struct socket_msg *m);
void unix_deliver_files(struct control_files *files, struct socket_msg *m);

/* SO_PEEK_OFF, where it is on: bytes peeked at move it on, bytes taken off move it back. */
static inline void unix_move_peek_off(struct unix_sock *u, int64_t by) MUST_HOLD(u->lock)
{
	int64_t off = READ_ONCE(u->base.peek_off);

	if (UNLIKELY(off >= 0))
		WRITE_ONCE(u->base.peek_off,
			(int32_t)MIN(MAX(off + by, (int64_t)0), (int64_t)INT32_MAX));
}

/* ---- rights.c: files in flight ---- */
/*
 * Held around queueing, taking off and copying of messages with files, outside of all socket
 * locks; so the collector sees each file either in its message or not in flight.
 */
void unix_flight_lock(void);
void unix_flight_unlock(void);
/* The files go on their way. -ETOOMANYREFS: the sender has too many there. */
MUST_CHECK int unix_flight_begin(struct control_files *f);
void unix_flight_end(struct control_files *f);
/* After a release: looks for sockets that only messages refer to, later. */
void unix_collect_later(void);

/* ---- option.c: what may be asked ---- */
int unix_get_option(struct socket *s, int level, int name, uptr value, unsigned *len);
int64_t unix_ioctl(struct socket *s, unsigned cmd, uintptr_t arg);
void unix_fdinfo(struct socket *s, struct text *out);
uint32_t unix_stream_poll(struct socket *s);
uint32_t unix_dgram_poll(struct socket *s);
