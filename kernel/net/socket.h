// SPDX-License-Identifier: MIT
/*
 * Sockets: what all families have in common, and what a family implements.
 *
 * Like files, sockets never wait for the outside: send, recv, accept and connect return -EAGAIN,
 * and ops/socket.c parks on `readable` or `writable`. A family wakes these with POLL* bits.
 *
 *     family->create -> struct socket (inside the family's own structure) -> socket_open_file
 *     system call -> ops/socket.c -> socket->ops
 *     last file_put -> ops->release, which frees it or leaves it to its other references
 */
#pragma once

#include "abi/socket.h"
#include "fs/vfs/file.h"
#include "ipc/handover.h"
#include "lib/base.h"
#include "lib/set.h"
#include "net/control.h"
#include "sync/waitq.h"
#include "uaccess/iter.h"

struct socket;

/* An address as programs give it: sa_family first. */
struct socket_addr {
	unsigned len;
	union {
		uint16_t family;
		uint8_t bytes[SOCKET_ADDR_MAX];
	};
};

/* Whose bytes a receive of a stream began with: those of others do not follow them. */
struct socket_writer {
	bool is_known, has_cred;
	struct user_ucred cred;
};

/*
 * One message on its way. A family advances iter as far as it came.
 */
struct socket_msg {
	struct iter *iter;
	unsigned flags;           /* MSG_*; MSG_DONTWAIT: the end may be said as -EAGAIN */
	unsigned out_flags;       /* recv: MSG_TRUNC, MSG_CTRUNC, MSG_EOR */
	struct socket_addr *addr; /* send: to, or NULL; recv: filled with the sender, or NULL */
	struct control_send *control_in;  /* send: what travels with it, or NULL */
	struct control_recv *control_out; /* recv: where it goes, or NULL */
	bool is_ended; /* recv: whoever wants all of its bytes waits no more */
	bool is_retry; /* send: there was an earlier try of the same call */
	size_t done;   /* bytes moved by earlier tries of the same call */
	struct socket_writer writer; /* recv: the family's, over tries */
};

struct socket_ops {
	int (*bind)(struct socket *s, const struct socket_addr *addr);
	/* Called again after -EAGAIN, until it says something else. */
	int (*connect)(struct socket *s, const struct socket_addr *addr);
	int (*listen)(struct socket *s, unsigned backlog);
	/* A connected socket that has no file yet. */
	int (*accept)(struct socket *s, struct socket **out);
	int (*get_name)(struct socket *s, bool peer, struct socket_addr *out);
	/* Bytes moved; -EAGAIN: none, and it would wait. */
	int64_t (*send)(struct socket *s, struct socket_msg *m);
	int64_t (*recv)(struct socket *s, struct socket_msg *m);
	int (*shutdown)(struct socket *s, int how);
	/* Levels and options that net/sockopt.c does not know. -ENOPROTOOPT. */
	int (*set_option)(struct socket *s, int level, int name, uptr value, unsigned len);
	/* *len: room, then what it takes. */
	int (*get_option)(struct socket *s, int level, int name, uptr value, unsigned *len);
	int64_t (*ioctl)(struct socket *s, unsigned cmd, uintptr_t arg);
	uint32_t (*poll)(struct socket *s);
	/* As file_ops.fdinfo; NULL: nothing of its own. */
	void (*fdinfo)(struct socket *s, struct text *out);
	void (*release)(struct socket *s);
};

enum socket_flags { /* set by options */
	SOCKET_PASS_CRED = 1,
	SOCKET_REUSE_ADDR = 2,
	SOCKET_KEEP_ALIVE = 4,
	SOCKET_BROADCAST = 8,
	SOCKET_OOB_INLINE = 16,
	SOCKET_REUSE_PORT = 32,
	SOCKET_LINGER = 64,
	SOCKET_DONT_ROUTE = 128,
	SOCKET_TIMESTAMP = 256,
	SOCKET_LISTENS = 512, /* the family's to set */
};

/*
 *   [I] immutable once it has a file    [a] atomic, single words; read anywhere
 */
struct socket {
	const struct socket_ops *ops; /* [I] */
	struct file *file;            /* [I] no reference; NULL before accept */
	uint16_t family, type;        /* [I] */
	int protocol;                 /* [I] */
	uint32_t flags;               /* [a] enum socket_flags */
	int32_t error;                /* [a] to be reported once: SO_ERROR, or the next call */
	uint32_t sndbuf, rcvbuf;      /* [a] bytes */
	uint32_t rcvlowat;            /* [a] */
	uint32_t priority, mark;      /* [a] */
	int32_t linger_s;             /* [a] */
	int32_t peek_off;             /* [a] SO_PEEK_OFF; -1: off */
	uint64_t rcvtimeo_ns, sndtimeo_ns; /* [a] WAIT_FOREVER */
	struct waitq readable, writable;
	struct handover_hint hint; /* of writers to us */
};

struct socket_family {
	int family;
	/* -ESOCKTNOSUPPORT, -EPROTONOSUPPORT, -ENOMEM. type without flags. */
	int (*create)(int type, int protocol, struct socket **out);
	int (*pair)(struct socket *a, struct socket *b); /* NULL: -EOPNOTSUPP */
};
SET_DECLARE(const struct socket_family, socket_families);

/* For families: defaults of all fields. */
void socket_init(
	struct socket *s, const struct socket_ops *ops, int family, int type, int protocol);
/* Takes the pending error: 0 or negative. */
int socket_take_error(struct socket *s);

/* socket(2) without its descriptor; -EAFNOSUPPORT, -EINVAL, or what the family said. */
MUST_CHECK int socket_create(int family, int type, int protocol, struct socket **out);
MUST_CHECK int socket_create_pair(int family, int type, int protocol, struct socket *out[2]);
/* flags: O_NONBLOCK. On failure the socket is released. */
MUST_CHECK int socket_open_file(struct socket *s, unsigned flags, struct file **out);
/* The socket of a file; NULL: -ENOTSOCK. */
struct socket *socket_of(const struct file *f);

/* net/sockopt.c: getsockopt(2) and setsockopt(2). */
MUST_CHECK int socket_set_option(struct socket *s, int level, int name, uptr value, int len);
MUST_CHECK int socket_get_option(
	struct socket *s, int level, int name, uptr value, uptr user_len);
