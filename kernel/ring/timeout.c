// SPDX-License-Identifier: MIT
/*
 * Timeouts: a completion at a time, or after so many other completions; and linked timeouts, which
 * cancel the request before them.
 *
 * A timer's callback runs in an interrupt and only wakes the request (ops/op.h: it parks alone), which
 * then goes on in its owner's thread like any other. One for a time of day (ABS and REALTIME) hears of
 * each setting of the clock, and its callback looks whether it is that time.
 *
 * Locks   ring->lock [l]
 * Spec    man 2 io_uring_enter: IORING_OP_TIMEOUT, _TIMEOUT_REMOVE, _LINK_TIMEOUT
 */
#include <linux/time.h>

#include "lib/atomic.h"
#include "proc/clocks.h"
#include "proc/signal.h"
#include "ring/ring_priv.h"
#include "time/clock.h"
#include "uaccess/uaccess.h"

/* ---- Time ---- */

static int read_time(uptr at, uint64_t *ns)
{
	struct __kernel_timespec t;

	if (user_get(t, at))
		return -EFAULT;
	if (t.tv_sec < 0 || t.tv_nsec < 0)
		return -EINVAL;
	*ns = (uint64_t)t.tv_sec < WAIT_FOREVER / NS_PER_SEC - 2
		      ? (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec
		      : WAIT_FOREVER;
	return 0;
}

static int clock_of(uint32_t flags)
{
	if (flags & IORING_TIMEOUT_REALTIME)
		return CLOCK_REALTIME;
	return flags & IORING_TIMEOUT_BOOTTIME ? CLOCK_BOOTTIME : CLOCK_MONOTONIC;
}

/* ---- The operation ---- */

/* Its time has come, or so many completions: what woke it shows in its fields. */
static int64_t op_issue(struct op *op UNUSED)
{
	return -ETIME;
}

static const struct op_type timeout_type = {.name = "timeout", .issue = op_issue};

/* Whether its time comes sooner or later when somebody sets the clock. */
static bool follows_clock(const struct req_timeout *t)
{
	const uint32_t time_of_day = IORING_TIMEOUT_ABS | IORING_TIMEOUT_REALTIME;

	return (t->flags & time_of_day) == time_of_day && t->ns != WAIT_FOREVER;
}

static void arm(struct req_timeout *t)
{
	if (t->flags & IORING_TIMEOUT_ABS)
		clock_start_timer(&t->timer, clock_of(t->flags), t->ns);
	else
		timer_start(&t->timer, clock_deadline_ns(t->ns));
}

static void fired(struct timer *timer)
{
	struct req_timeout *t = container_of(timer, struct req_timeout, timer);

	if (follows_clock(t) && (uint64_t)clock_realtime_ns() < t->ns)
		arm(t);
	else
		(void)op_wake(&t->op);
}

/* The clock was set, and its queue is locked: the callback does the rest. */
static bool fire_now(struct waiter *w, uint64_t key UNUSED)
{
	timer_start(&container_of(w, struct req_timeout, was_set)->timer, 0);
	return false;
}

static void start(struct req *r)
{
	struct req_timeout *t = &r->timer;

	(void)op_park_alone(&r->op);
	if (follows_clock(t) && !t->was_set.queue) /* before the clock is looked at */
		waitq_add(&clock_was_set, &t->was_set);
	if (t->ns != WAIT_FOREVER)
		arm(t);
}

/* False: its time has come. Nobody looks at it any more. */
static bool stop(struct req_timeout *t)
{
	if (UNLIKELY(t->was_set.queue != NULL))
		waitq_remove(&clock_was_set, &t->was_set);
	return timer_stop_sync(&t->timer);
}

/* Linux 6.1: also what later got a meaning for other operations. */
static bool has_unused_fields(const struct io_uring_sqe *sqe)
{
	return sqe->buf_index || sqe->splice_fd_in || sqe->addr3 || sqe->__pad2[0];
}

static int prepare(struct req *r, const struct io_uring_sqe *sqe, uint32_t known)
{
	uint32_t clocks = sqe->timeout_flags & IORING_TIMEOUT_CLOCK_MASK;

	if (has_unused_fields(sqe) || sqe->len != 1)
		return -EINVAL;
	if (sqe->timeout_flags & ~known || clocks == IORING_TIMEOUT_CLOCK_MASK)
		return -EINVAL;
	r->timer.flags = sqe->timeout_flags;
	r->timer.count = r->timer.counted_from = r->timer.repeats = 0;
	r->timer.has_counted = false;
	r->timer.target_req = NULL;
	list_node_init(&r->timer.link);
	timer_init(&r->timer.timer, fired);
	r->timer.was_set = (struct waiter){.wake = fire_now};
	op_init(&r->op, &timeout_type);
	return read_time(UPTR(sqe->addr), &r->timer.ns);
}

int timeout_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	const uint32_t multishot = IORING_TIMEOUT_MULTISHOT;
	int err = prepare(r, sqe,
		IORING_TIMEOUT_ABS | IORING_TIMEOUT_CLOCK_MASK | IORING_TIMEOUT_ETIME_SUCCESS |
			multishot);

	if (err)
		return err;
	/* man: multishot repeats an interval, which is no time of day */
	if ((sqe->timeout_flags & multishot) && (sqe->timeout_flags & IORING_TIMEOUT_ABS))
		return -EINVAL;
	if (sqe->timeout_flags & multishot) {
		r->flags |= REQ_MULTISHOT;
		r->timer.repeats = (uint32_t)sqe->off;
	} else {
		r->timer.count = (uint32_t)sqe->off;
	}
	return 0;
}

static bool is_on_list(const struct req *r)
{
	return list_node_is_linked(&r->timer.link);
}

static void leave_list(struct req *r)
{
	if (!is_on_list(r))
		return;
	list_remove(&r->timer.link);
	list_node_init(&r->timer.link);
}

/* How many completions it still waits for: of any count, also one that is larger than half of all numbers. */
static uint32_t left_to_count(const struct req *r)
{
	uint32_t seen = r->ring->nr_counted - r->timer.counted_from;

	return seen < r->timer.count ? r->timer.count - seen : 0;
}

/* Of those that count: the next to be reached comes first. */
static void add_by_target(struct ring *ring, struct req *r)
{
	list_for_each (it, &ring->timeouts, struct req, timer.link) {
		if (left_to_count(it) > left_to_count(r)) {
			list_insert_before(&it->timer.link, &r->timer.link);
			return;
		}
	}
	list_add_tail(&ring->timeouts, &r->timer.link);
}

bool timeout_is_success(const struct req *r)
{
	return (r->opcode == IORING_OP_TIMEOUT || r->opcode == IORING_OP_LINK_TIMEOUT) &&
	       r->timer.flags & IORING_TIMEOUT_ETIME_SUCCESS;
}

static int64_t repeat(struct req *r)
{
	bool is_last = r->timer.repeats == 1;

	if (is_last || !req_post_more(r, -ETIME, 0))
		return -ETIME;
	if (r->timer.repeats)
		r->timer.repeats--;
	start(r);
	return OP_PARKED;
}

static int64_t issue_link(struct req *r);

int64_t timeout_issue(struct req *r)
{
	struct ring *ring = r->ring;

	if (!(r->flags & REQ_IS_PARKED)) {
		if (r->timer.count) {
			r->timer.counted_from = ring->nr_counted;
			add_by_target(ring, r);
		}
		start(r);
		return OP_PARKED;
	}
	if (r->opcode == IORING_OP_LINK_TIMEOUT)
		return issue_link(r);
	if (atomic_load(&r->op.state) == OP_ARMED)
		return OP_PARKED; /* woken for nothing */
	ring->nr_timeouts++;
	r->flags |= REQ_NOT_COUNTED; /* Linux: one that is cancelled counts for the others */
	if (r->timer.has_counted)
		return 0;
	return r->flags & REQ_MULTISHOT ? repeat(r) : -ETIME;
}

void timeout_clean(struct req *r)
{
	leave_list(r);
	if (r->timer.target_req) /* it was cancelled, and what it was for goes on without it */
		r->timer.target_req->timeout = NULL;
	(void)stop(&r->timer);
}

void timeouts_count(struct ring *ring)
{
	list_for_each_safe (r, &ring->timeouts, struct req, timer.link) {
		if (left_to_count(r))
			break;
		leave_list(r);
		r->timer.has_counted = op_wake(&r->op);
	}
}

/* ---- Linked timeouts ---- */

int link_timeout_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	struct ring *ring = r->ring;

	if (sqe->off || !ring->chain || ring->chain_last->opcode == IORING_OP_LINK_TIMEOUT)
		return -EINVAL;
	return prepare(r, sqe,
		IORING_TIMEOUT_ABS | IORING_TIMEOUT_CLOCK_MASK | IORING_TIMEOUT_ETIME_SUCCESS);
}

void link_timeout_arm(struct req *r)
{
	struct req *t = r->next;

	r->next = t->next;
	t->next = NULL;
	r->timeout = t;
	t->timer.target_req = r;
	start(t);
	t->flags |= REQ_IS_PARKED;
	req_track(t);
}

void link_timeout_disarm(struct req *r)
{
	struct req *t = r->timeout;

	if (t) {
		r->timeout = NULL;
		t->timer.target_req = NULL;
		(void)req_cancel(t);
	} else if (r->next && r->next->opcode == IORING_OP_LINK_TIMEOUT) {
		t = r->next;
		r->next = t->next;
		t->next = NULL;
		req_cancel_chain(t, t->flags & REQ_SKIP_SUCCESS);
	}
}

/* Its time has come: the request before it is cancelled, and what became of that is its result. */
static int64_t issue_link(struct req *r)
{
	struct req *target = r->timer.target_req;
	int err;

	if (atomic_load(&r->op.state) == OP_ARMED)
		return OP_PARKED;
	if (!target)
		return -ECANCELED;
	target->timeout = NULL;
	r->timer.target_req = NULL;
	err = req_cancel(target);
	return err ? err : -ETIME;
}

/* ---- Removing and changing them ---- */

int timeout_remove_prepare(struct req *r, const struct io_uring_sqe *sqe)
{
	uint32_t flags = sqe->timeout_flags;

	if (has_unused_fields(sqe) || sqe->len ||
		sqe->flags & (IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT))
		return -EINVAL;
	if (flags & ~(uint32_t)(IORING_TIMEOUT_UPDATE_MASK | IORING_TIMEOUT_ABS |
				IORING_TIMEOUT_CLOCK_MASK | IORING_TIMEOUT_ETIME_SUCCESS) ||
		(flags && !(flags & IORING_TIMEOUT_UPDATE_MASK)) ||
		(flags & IORING_TIMEOUT_CLOCK_MASK) == IORING_TIMEOUT_CLOCK_MASK)
		return -EINVAL;
	r->timer.flags = flags;
	r->timer.old_user_data = sqe->addr;
	r->timer.ns = 0;
	list_node_init(&r->timer.link);
	return flags & IORING_TIMEOUT_UPDATE_MASK ? read_time(UPTR(sqe->addr2), &r->timer.ns)
						  : 0;
}

/*
 * It starts anew, unless its time comes just now. By the same clock, if none is named; and Linux: from now on
 * only its time ends it, not completions.
 */
static int64_t change(struct req *t, const struct req *by)
{
	uint32_t changed =
		IORING_TIMEOUT_ABS | (by->timer.flags & IORING_TIMEOUT_ETIME_SUCCESS);

	if (by->timer.flags & IORING_TIMEOUT_CLOCK_MASK)
		changed |= IORING_TIMEOUT_CLOCK_MASK;
	if (!stop(&t->timer) && t->timer.ns != WAIT_FOREVER)
		return -ENOENT;
	leave_list(t);
	t->timer.ns = by->timer.ns;
	t->timer.flags = (t->timer.flags & ~changed) | (by->timer.flags & changed);
	start(t);
	return 0;
}

int64_t timeout_remove_issue(struct req *r)
{
	bool is_link = r->timer.flags & IORING_LINK_TIMEOUT_UPDATE;
	const uint8_t opcode = is_link ? IORING_OP_LINK_TIMEOUT : IORING_OP_TIMEOUT;
	struct req *t = req_find(r->ring, r->timer.old_user_data, req_is_open, &opcode);

	/* one that has run out, by its time or its count, is none any more, although nobody has seen to it yet */
	if (!t || atomic_load(&t->op.state) != OP_ARMED)
		return -ENOENT;
	return r->timer.flags & IORING_TIMEOUT_UPDATE_MASK ? change(t, r) : req_cancel(t);
}
