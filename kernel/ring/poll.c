// SPDX-License-Identifier: MIT
/*
 * Polling: a completion when a file is ready, once or each time something happens to it.
 *
 * One operation with a waiter on the file's queue, or on both where reading and writing have
 * different ones. Each time it is armed it looks once; so no event is lost, and one that is still true
 * is told of again only after the file has woken somebody. What woke it is told of also when it has gone
 * again before the thread looks: another one may have read.
 *
 * Locks   ring->lock [l]
 * Spec    man 2 io_uring_enter: IORING_OP_POLL_ADD, IORING_OP_POLL_REMOVE
 */
#include <linux/eventpoll.h>
#include <linux/poll.h>

#include "lib/atomic.h"
#include "ring/ring_priv.h"

static const uint32_t ALWAYS = POLLERR | POLLHUP;
static const uint32_t ANY_IN = POLLIN | POLLRDNORM | POLLRDBAND | POLLPRI | POLLRDHUP;
static const uint32_t ANY_OUT = POLLOUT | POLLWRNORM | POLLWRBAND;

/* States, which do not go: who looks sees them, and a wake-up may name one that has not come. */
static const uint32_t LASTING = POLLERR | POLLHUP | POLLRDHUP;

/* ---- Two queues ---- */

/* Whether this is what it waits for; a queue is locked. */
static bool note(struct req_poll *p, uint64_t key)
{
	if (!key)
		return true;
	if (!(key & (p->events | ALWAYS)))
		return false;
	atomic_or(&p->seen, (uint32_t)key & p->events & ~LASTING);
	return true;
}

static bool in_wake(struct waiter *w, uint64_t key)
{
	struct op *op = container_of(w, struct op, waiter);

	return note(container_of(op, struct req_poll, op), key) && op_waiter_wake(w, key);
}

static bool out_wake(struct waiter *w, uint64_t key)
{
	struct req_poll *p = container_of(w, struct req_poll, out);

	return note(p, key) && op_wake(&p->op);
}

static void leave_out_queue(struct req_poll *p)
{
	if (p->out_queue)
		waitq_remove(p->out_queue, &p->out);
	p->out_queue = NULL;
}

/* As op_park, on all queues that the events need. */
static bool park(struct req_poll *p, struct file *f)
{
	struct waitq *in = NULL, *out = NULL;

	if (!(p->events & ANY_OUT) || p->events & ANY_IN)
		in = f->ops->waitq(f, POLLIN);
	if (p->events & ANY_OUT)
		out = f->ops->waitq(f, POLLOUT);
	if (in && out && in != out) {
		leave_out_queue(p);
		if (op_park(&p->op, in))
			return true;
		p->out_queue = out;
		waitq_add(out, &p->out);
		atomic_fence(); /* as in op_park */
		return false;
	}
	return op_park(&p->op, in ? in : out);
}

/* ---- The operation ---- */

static uint32_t ask(const struct req_poll *p, struct file *f)
{
	uint32_t events =
		f->ops->poll ? f->ops->poll(f) : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;

	return events & (p->events | ALWAYS);
}

static int64_t op_issue(struct op *op)
{
	struct req *r = req_of(op);
	struct req_poll *p = &r->poll;
	struct file *f = r->file;
	bool may_wait = f->ops->poll && f->ops->waitq;

	for (;;) {
		bool was_armed = may_wait && park(p, f);
		uint32_t events = was_armed ? 0 : ask(p, f), seen = atomic_xchg(&p->seen, 0);

		if (!events)
			events = seen & p->events;
		if (events && !(r->flags & REQ_MULTISHOT))
			return events;
		if (events && !req_post_more(r, events, 0))
			return events;
		if (!may_wait)
			return events;
		if (atomic_load(&op->state) == OP_ARMED)
			return OP_PARKED;
	}
}

static const struct op_type poll_type = {.name = "poll", .issue = op_issue};

static uint32_t events_of(const struct io_uring_sqe *sqe)
{
	return sqe->poll32_events & ~(uint32_t)(EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE);
}

int64_t poll_add_issue(struct req *r)
{
	return op_issue(&r->op);
}

int poll_add_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	const uint32_t known = IORING_POLL_ADD_MULTI | IORING_POLL_ADD_LEVEL;

	if (sqe->buf_index || sqe->off || sqe->addr || sqe->len & ~known)
		return -EINVAL;
	if (sqe->len & IORING_POLL_ADD_MULTI && sqe->flags & IOSQE_CQE_SKIP_SUCCESS)
		return -EINVAL;
	op_init(&r->op, &poll_type);
	r->op.is_exclusive = sqe->poll32_events & EPOLLEXCLUSIVE;
	r->poll.events = events_of(sqe);
	r->poll.cmd = sqe->len;
	r->poll.seen = 0;
	r->op.waiter.wake = in_wake;
	r->poll.out_queue = NULL;
	r->poll.out = (struct waiter){.wake = out_wake, .is_exclusive = r->op.is_exclusive};
	if (sqe->len & IORING_POLL_ADD_MULTI)
		r->flags |= REQ_MULTISHOT;
	return 0;
}

/* The queue that op_init's waiter stands on is left by op_fini. */
void poll_clean(struct req *r)
{
	leave_out_queue(&r->poll);
	op_fini(&r->op);
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
	r->poll.events = events_of(sqe);
	return 0;
}

/* Its new events and name; then it begins again. */
static void change(struct req *target, const struct req *by)
{
	uint32_t multi = by->poll.cmd & IORING_POLL_ADD_MULTI;

	if (by->poll.cmd & IORING_POLL_UPDATE_EVENTS) {
		target->poll.events = by->poll.events;
		target->flags = (uint16_t)((target->flags & ~REQ_MULTISHOT) |
					   (multi ? REQ_MULTISHOT : 0));
	}
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
	leave_out_queue(&target->poll);
	change(target, r);
	req_continue(target);
	return 0;
}
