// SPDX-License-Identifier: MIT
/*
 * One policy for both doors, and one trace: a filter of system calls is asked about the call that an entry means, with
 * the arguments the call would have had (docs/decisions/0016). So what forbids openat(2) forbids
 * IORING_OP_OPENAT, in a chain or not, by whatever thread it is submitted.
 *
 * Operations that are no call of their own (timeouts, cancelling, what is registered) change nothing
 * but the ring, and are covered by io_uring_enter.
 *
 * Context  submission, under ring->lock
 */
#include <asm/unistd.h>

#include "proc/proc.h"
#include "ring/opcodes.h"
#include "ring/tables.h"
#include "sys/trace.h"

/* The arguments as the call has them. -1: it is none. */
static int call_of(const struct req *r, const struct io_uring_sqe *sqe, uint64_t a[6])
{
	bool at_position = sqe->off != UINT64_MAX;

	if (r->type->flags & OPCODE_CALL) {
		for (unsigned i = 0; i < 6; i++)
			a[i] = r->call.a[i];
		return (int)r->call.nr;
	}
	a[0] = (uint64_t)(int64_t)sqe->fd;
	a[1] = sqe->addr;
	a[2] = sqe->len;
	a[3] = a[4] = a[5] = 0;
	switch (r->type->nr) {
	case __NR_read:
		a[3] = at_position ? sqe->off : 0;
		return at_position ? __NR_pread64 : __NR_read;
	case __NR_write:
		a[3] = at_position ? sqe->off : 0;
		return at_position ? __NR_pwrite64 : __NR_write;
	case __NR_preadv2:
	case __NR_pwritev2:
		a[3] = sqe->off;
		a[5] = (uint32_t)sqe->rw_flags;
		break;
	case __NR_sendto:
	case __NR_recvfrom:
		a[3] = sqe->msg_flags;
		break;
	case __NR_sendmsg:
	case __NR_recvmsg:
		a[2] = sqe->msg_flags;
		break;
	case __NR_accept4:
		a[2] = sqe->addr2;
		a[3] = sqe->accept_flags;
		break;
	case __NR_waitid:
		a[0] = sqe->len;
		a[1] = (uint64_t)(int64_t)sqe->fd;
		a[2] = sqe->addr2;
		a[3] = sqe->file_index;
		break;
	case __NR_futex_waitv: /* (waiters, nr, flags, timeout, clock) */
		a[0] = sqe->addr;
		a[1] = sqe->len;
		a[2] = 0;
		break;
	case __NR_epoll_wait:
		a[3] = UINT32_MAX; /* for ever */
		break;
	case __NR_connect:
		a[2] = sqe->addr2;
		break;
	default:
		break;
	}
	return r->type->nr;
}

/* ---- The trace ---- */

static struct trace_request trace_of(const struct req *r, int nr)
{
	return (struct trace_request){.pid = r->task->pid_nr,
		.user_data = r->user_data,
		.nr = nr,
		.operation = r->type->name};
}

void ring_trace_begin(const struct req *r, const struct io_uring_sqe *sqe)
{
	struct trace_request t;
	uint64_t a[6];

	t = trace_of(r, call_of(r, sqe, a));
	trace_request_begin(&t, a);
}

void ring_trace_end(const struct req *r, int64_t result)
{
	struct trace_request t;

	if (!r->type)
		return; /* its entry was wrong: it never began */
	t = trace_of(r, r->type->flags & OPCODE_CALL ? (int)r->call.nr : r->type->nr);
	trace_request_end(&t, result);
}

/* ---- Filters ---- */

int ring_policy(struct req *r, const struct io_uring_sqe *sqe)
{
	struct uthread *u = r->task->user;
	uint64_t a[6];
	int nr;

	if (!(READ_ONCE(u->call_work) & CALL_SECCOMP))
		return 0;
	nr = call_of(r, sqe, a);
	return nr < 0 ? 0 : req_judge(r, nr, a);
}
