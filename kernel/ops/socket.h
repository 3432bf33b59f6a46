// SPDX-License-Identifier: MIT
/*
 * What waits at a socket: sending, receiving, connecting, accepting.
 */
#pragma once

#include "fs/vfs/fdtable.h"
#include "net/socket.h"
#include "ops/op.h"

struct socket_op {
	struct op op;
	struct borrowed_file file; /* given back at the end */
	struct socket *socket;
	bool may_wait;
	uint64_t timeout_ns;
	union {
		struct socket_msg msg;          /* send, receive */
		const struct socket_addr *addr; /* connect */
		struct socket *accepted;        /* accept: the result */
	};
};

/* Whom an operation is about, and whether it waits: from the file's and the message's flags. */
struct socket_borrowed {
	struct borrowed_file file;
	struct socket *socket;
};
/* -EBADF, -ENOTSOCK. */
MUST_CHECK int socket_borrow(int fd, struct socket_borrowed *out);

/* Each takes over the borrowed file. Results: bytes; bytes; 0; 0. */
void socket_send_prepare(struct socket_op *o, struct socket_borrowed b, unsigned flags);
void socket_recv_prepare(struct socket_op *o, struct socket_borrowed b, unsigned flags);
void socket_connect_prepare(
	struct socket_op *o, struct socket_borrowed b, const struct socket_addr *addr);
void socket_accept_prepare(struct socket_op *o, struct socket_borrowed b);
/*
 * read(2) of a socket whose file has been tried, and brought so many bytes, or none: waits as a receive does. The file
 * stays the caller's.
 */
int64_t socket_read_wait(struct file *f, struct iter *to, int64_t done);
/*
 * An accept that was woken has ended: a connection that came meanwhile woke nobody else, so the next one
 * who waits is told of it here.
 */
void socket_wake_next_accept(struct socket *s);
