// SPDX-License-Identifier: MIT
/*
 * One policy for both doors, and one trace: a filter of system calls is asked about the call that an entry means, with
 * the arguments the call would have had (docs/decisions/0016). So what forbids openat(2) forbids
 * IORING_OP_OPENAT, in a chain or not, by whatever thread it is submitted.
 *
 * What only the ring can say is shown as what no call could have meant (abi/torus.h): a registered file is no
 * descriptor, so what a filter allows for descriptor 2 it does not allow for slot 2.
 *
 * Operations that are no call of their own (timeouts, cancelling, what is registered) change nothing
 * but the ring, and are covered by io_uring_enter.
 *
 * Context  submission, under ring->lock
 */
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/futex.h>

#include "proc/proc.h"
#include "ring/opcodes.h"
#include "ring/tables.h"
#include "sys/trace.h"

/* ---- The call that an entry means ---- */

/* A registered file by a number that no descriptor has. */
static uint64_t slot_number(uint64_t slot)
{
	return (uint32_t)slot | TORUS_FIXED_FILE;
}

/* splice() has an address for an offset, or NULL for none. */
static uint64_t offset_shown(uint64_t off)
{
	return off == UINT64_MAX ? 0 : off | TORUS_SPLICE_OFFSET;
}

/* The file that splice and tee read from may be a registered one, too: their flags say so, which are the ring's then. */
static void show_input(uint64_t a[6], unsigned flags_at)
{
	if (a[flags_at] & SPLICE_F_FD_IN_FIXED)
		a[0] = slot_number(a[0]);
	a[flags_at] &= ~(uint64_t)SPLICE_F_FD_IN_FIXED;
}

/* What is done on a fiber has its call's arguments already, but for what only the ring can say. */
static int call_on_fiber(const struct req *r, uint64_t a[6])
{
	for (unsigned i = 0; i < 6; i++)
		a[i] = r->call.a[i];
	switch (r->opcode) {
	case IORING_OP_SPLICE:
		show_input(a, CALL_SPLICE_FLAGS);
		a[1] = offset_shown(a[1]);
		a[3] = offset_shown(a[3]);
		break;
	case IORING_OP_TEE:
		show_input(a, CALL_TEE_FLAGS);
		break;
	case IORING_OP_CLOSE:
		if (r->call.slot)
			a[0] = slot_number((uint32_t)r->call.slot - 1);
		break;
	default:
		break;
	}
	return (int)r->call.nr;
}

/* (fd, vector, nr, position, its upper half, flags) */
static int vector_call(int nr, const struct io_uring_sqe *sqe, uint64_t a[6])
{
	a[3] = sqe->off;
	a[5] = (uint32_t)sqe->rw_flags;
	return nr;
}

/* Only the calls with vectors have flags: with them it is such a call, whose vector stands nowhere. */
static int buffer_call(const struct req *r, const struct io_uring_sqe *sqe, uint64_t a[6])
{
	bool writes = r->type->nr == __NR_write, at_position = sqe->off != UINT64_MAX;

	if (sqe->rw_flags) {
		a[1] = 0;
		a[2] = 1;
		return vector_call(writes ? __NR_pwritev2 : __NR_preadv2, sqe, a);
	}
	if (!at_position)
		return r->type->nr;
	a[3] = sqe->off;
	return writes ? __NR_pwrite64 : __NR_pread64;
}

/* Bytes of several buffers are one message, and in no one place. */
static void show_send(const struct req *r, const struct io_uring_sqe *sqe, uint64_t a[6])
{
	if (sqe->ioprio & IORING_SEND_VECTORIZED) {
		a[1] = 0;
		a[2] = r->net.len;
	}
	a[3] = sqe->msg_flags;
	a[4] = sqe->addr2;
	a[5] = sqe->addr2 ? sqe->addr_len : 0;
}

/* futex(2), as all know it. Its 454 and 455 have the fields of the entry and say no more. */
static void show_futex(const struct req *r, const struct io_uring_sqe *sqe, uint64_t a[6])
{
	bool waits = r->opcode == IORING_OP_FUTEX_WAIT;

	static_assert(FUTEX_PRIVATE_FLAG == FUTEX2_IS_PRIVATE, "one number in both");
	a[0] = sqe->addr;
	a[1] = (unsigned)(waits ? FUTEX_WAIT_BITSET : FUTEX_WAKE_BITSET) |
	       ((unsigned)sqe->fd & FUTEX_PRIVATE_FLAG);
	a[2] = sqe->addr2;
	a[5] = sqe->addr3;
}

/* What the ring does itself. */
static int call_of_ring(const struct req *r, const struct io_uring_sqe *sqe, uint64_t a[6])
{
	a[0] = (uint64_t)(int64_t)sqe->fd;
	a[1] = sqe->addr;
	a[2] = sqe->len;
	a[3] = a[4] = a[5] = 0;
	switch (r->type->nr) {
	case __NR_read:
	case __NR_write:
		return buffer_call(r, sqe, a);
	case __NR_preadv2:
	case __NR_pwritev2:
		return vector_call(r->type->nr, sqe, a);
	case __NR_sendto:
		show_send(r, sqe, a);
		break;
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
	case __NR_futex:
		show_futex(r, sqe, a);
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
	case __NR_fcntl: /* FIXED_FD_INSTALL: a descriptor of a registered file */
		a[1] = (uint32_t)sqe->rw_flags & IORING_FIXED_FD_NO_CLOEXEC ? F_DUPFD
									    : F_DUPFD_CLOEXEC;
		break;
	default:
		break;
	}
	return r->type->nr;
}

/* The arguments as the call has them. -1: it is none. */
static int call_of(const struct req *r, const struct io_uring_sqe *sqe, uint64_t a[6])
{
	bool is_call = r->type->flags & OPCODE_CALL;
	int nr = is_call ? call_on_fiber(r, a) : call_of_ring(r, sqe, a);
	unsigned file_at = is_call ? call_file_at(r) : 0;

	if (r->type->flags & OPCODE_FILE && sqe->flags & IOSQE_FIXED_FILE)
		a[file_at] = slot_number(a[file_at]);
	return nr;
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
