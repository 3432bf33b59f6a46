// SPDX-License-Identifier: MIT
/*
 * Between net.c (what entries say; accept, connect) and net_io.c (bytes).
 */
#pragma once

#include <asm/poll.h>

#include "ring/ring_priv.h"

/*
 * What only some requests need, kept from submission to completion; a plain receive has none of it.
 *
 * [I] by prepare    [l] ring->lock
 */
struct req_msg {
	struct user_msghdr header; /* [I] of sendmsg and recvmsg */
	struct iter iter;          /* [l] where the bytes are */
	struct socket_msg m;       /* [l] .iter is ours */
	struct socket_addr addr;   /* [I] where to; [l] recvmsg: where from */
	union {
		struct control_send in; /* [l] read at the first try */
		struct control_recv out;
	} control;
};

/* What issues of one request share. */
static inline struct socket *net_socket(const struct req *r)
{
	return socket_of(r->file);
}

/* After -EAGAIN: OP_PARKED; 0: try once more; or -EAGAIN, for who does not wait. */
int64_t net_park(struct req *r, struct waitq *q);
/* IORING_RECVSEND_POLL_FIRST and the like, at the first issue: 0 when it is ready, OP_PARKED, -EAGAIN. */
int64_t net_poll_first(struct req *r, struct waitq *q, uint32_t events);

static inline bool net_is_message(const struct req *r)
{
	return r->opcode == IORING_OP_SENDMSG || r->opcode == IORING_OP_RECVMSG ||
	       r->opcode == IORING_OP_SENDMSG_ZC;
}
static inline bool net_is_zero_copy(const struct req *r)
{
	return r->opcode == IORING_OP_SEND_ZC || r->opcode == IORING_OP_SENDMSG_ZC;
}

/* ---- net_io.c ---- */
extern const struct op_type net_send_type, net_recv_type, net_recv_plain_type;
