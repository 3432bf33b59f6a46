// SPDX-License-Identifier: MIT
/*
 * Polling: a completion when a file is ready, once or each time something happens to it.
 *
 * How it waits is ops/poll_file.h's, where native AIO has it, too.
 *
 * Locks   ring->lock [l]
 * Spec    man 2 io_uring_enter: IORING_OP_POLL_ADD, IORING_OP_POLL_REMOVE
 */
#include <linux/eventpoll.h>
#include <linux/poll.h>

#include "ring/ring_priv.h"

/* What a file tells of; above them are EPOLLET and its like, which are of the request and never change. */
static const uint32_t POLL_EVENTS = 0xffff;

/* ---- The operation ---- */

static int64_t op_issue(struct op *op)
{
	struct req *r = req_of(op);
	struct req_poll *p = &r->poll;

	for (unsigned tries = 0; req_may_try(tries); tries++) {
		uint32_t events = poll_file_try(&p->wait, r->file);

		if (!poll_file_can_wait(&p->wait))
			return events ? (int64_t)events : -EINVAL; /* which will never be */
		if (events && !(r->flags & REQ_MULTISHOT))
			return events;
		if (events && !req_post_more(r, events, 0))
			return events;
		if (poll_file_is_parked(&p->wait))
			return OP_PARKED;
	}
	return req_try_later(r);
}

static const struct op_type poll_type = {.name = "poll", .issue = op_issue};

/* Linux: that the other side sends no more is told of unasked, as poll(2) and native AIO do not. */
static uint32_t events_of(const struct io_uring_sqe *sqe)
{
	return (sqe->poll32_events & POLL_EVENTS) | POLLRDHUP;
}

int64_t poll_add_issue(struct req *r)
{
	return op_issue(&r->op);
}

int poll_add_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	/* IORING_POLL_ADD_LEVEL: Linux refuses it, too */
	if (sqe->buf_index || sqe->off || sqe->addr || sqe->len & ~IORING_POLL_ADD_MULTI)
		return -EINVAL;
	if (sqe->len & IORING_POLL_ADD_MULTI && sqe->flags & IOSQE_CQE_SKIP_SUCCESS)
		return -EINVAL;
	poll_file_prepare(
		&r->poll.wait, &poll_type, events_of(sqe), sqe->poll32_events & EPOLLEXCLUSIVE);
	r->poll.cmd = sqe->len;
	if (sqe->len & IORING_POLL_ADD_MULTI)
		r->flags |= REQ_MULTISHOT;
	return 0;
}

void poll_clean(struct req *r)
{
	poll_file_leave(&r->poll.wait);
}

/* ---- Removing and changing ---- */

int poll_remove_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	const uint32_t update = IORING_POLL_UPDATE_EVENTS | IORING_POLL_UPDATE_USER_DATA;

	if (sqe->buf_index || sqe->splice_fd_in || sqe->len & ~(update | IORING_POLL_ADD_MULTI))
		return -EINVAL;
	if (sqe->len & IORING_POLL_ADD_MULTI && !(sqe->len & update))
		return -EINVAL;
	if (!(sqe->len & IORING_POLL_UPDATE_USER_DATA) && sqe->off)
		return -EINVAL;
	if (!(sqe->len & IORING_POLL_UPDATE_EVENTS) && sqe->poll32_events)
		return -EINVAL;
	r->poll.cmd = sqe->len;
	r->poll.old_user_data = sqe->addr;
	r->poll.new_user_data = sqe->off;
	r->poll.wait.events = events_of(sqe);
	return 0;
}

/*
 * Its new events and name; then it begins again. Linux: how often it tells stays as it was, also with
 * IORING_POLL_ADD_MULTI, of which man 3 io_uring_prep_poll_update promises more.
 */
static void change(struct req *target, const struct req *by)
{
	if (by->poll.cmd & IORING_POLL_UPDATE_EVENTS)
		target->poll.wait.events = by->poll.wait.events;
	if (by->poll.cmd & IORING_POLL_UPDATE_USER_DATA) {
		req_untrack(target);
		target->user_data = by->poll.new_user_data;
		req_track(target);
	}
}

int64_t poll_remove_issue(struct req *r)
{
	static const uint8_t opcode = IORING_OP_POLL_ADD;
	struct req *target = req_find(r->ring, r->poll.old_user_data, req_is_open, &opcode);
	int64_t ignored;

	if (!target)
		return -ENOENT;
	if (!(r->poll.cmd & (IORING_POLL_UPDATE_EVENTS | IORING_POLL_UPDATE_USER_DATA)))
		return req_cancel(target);
	if (!op_cancel(&target->op, &ignored))
		return -EALREADY;
	poll_file_leave(&target->poll.wait);
	change(target, r);
	req_continue(target);
	return 0;
}
