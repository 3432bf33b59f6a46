// SPDX-License-Identifier: MIT
/*
 * Waiting for one of many files.
 *
 *     look at all; one is ready, or nobody wants to wait -> done, nothing was queued or allocated
 *     queue a waiter at each; look again; park
 *     a wake-up: look at all; park again if it was for nothing
 *
 * A file is looked up twice, to look and to wait; what a number means when the wait begins counts
 * until it ends, as on Linux.
 *
 * Files may answer poll without a lock, so there is a fence between queueing the waiters and
 * looking. The other side changes its state by an atomic operation or inside a lock, and looks for
 * waiters afterwards.
 */
#include "ops/poll.h"

#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "time/clock.h"

static const uint32_t ANY_IN = POLLIN | POLLRDNORM | POLLRDBAND | POLLPRI | POLLRDHUP;
static const uint32_t ANY_OUT = POLLOUT | POLLWRNORM | POLLWRBAND;

static inline uint32_t ask_file(struct file *f)
{
	if (LIKELY(f->ops->poll))
		return f->ops->poll(f);
	return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

static inline uint32_t mask_of(const struct poll_op *p, const struct pollfd *fd)
{
	return (uint16_t)fd->events | p->always;
}

/* By number, before anything is queued. How many have something to report. */
static unsigned look_by_number(struct poll_op *p)
{
	unsigned nr = 0;

	for (unsigned i = 0; i < p->nr_fds; i++) {
		struct pollfd *fd = &p->fds[i];
		struct borrowed_file b;

		fd->revents = 0;
		if (fd->fd < 0)
			continue;
		b = fd_borrow(fd->fd);
		if (UNLIKELY(!b.file)) {
			fd->revents = POLLNVAL;
		} else {
			fd->revents = (short)(ask_file(b.file) & mask_of(p, fd));
			fd_release(b);
		}
		nr += fd->revents != 0;
	}
	return nr;
}

/* By the files held since the wait began. A file with two entries is asked once. */
static unsigned look_armed(struct poll_op *p)
{
	unsigned nr = 0;

	for (unsigned i = 0; i < p->nr_entries; i++) {
		struct poll_entry *e = &p->entries[i];
		struct pollfd *fd = &p->fds[e->index];

		if (!e->file.file)
			continue;
		fd->revents = (short)(ask_file(e->file.file) & mask_of(p, fd));
		nr += fd->revents != 0;
	}
	return nr;
}

static bool poll_wake(struct waiter *w, uint64_t key)
{
	struct poll_entry *e = container_of(w, struct poll_entry, waiter);

	if (key && !(key & e->wanted))
		return false;
	op_wake(&e->poll->op);
	return true;
}

static struct poll_entry *add_entry(struct poll_op *p, unsigned index, struct borrowed_file b)
{
	struct poll_entry *e = &p->entries[p->nr_entries++];

	memset(e, 0, sizeof(*e));
	e->waiter.wake = poll_wake;
	e->poll = p;
	e->index = index;
	e->file = b;
	e->wanted = mask_of(p, &p->fds[index]) | POLLERR | POLLHUP;
	return e;
}

static void queue_entry(struct poll_entry *e, struct waitq *q)
{
	e->queue = q;
	waitq_add(q, &e->waiter);
}

static void arm_file(struct poll_op *p, unsigned index, struct borrowed_file b)
{
	struct poll_entry *e = add_entry(p, index, b);
	struct waitq *in = NULL, *out = NULL;

	if (!b.file->ops->poll || !b.file->ops->waitq)
		return; /* never changes */
	if (!(e->wanted & ANY_OUT) || (e->wanted & ANY_IN))
		in = b.file->ops->waitq(b.file, POLLIN);
	if (e->wanted & ANY_OUT)
		out = b.file->ops->waitq(b.file, POLLOUT);
	queue_entry(e, in ? in : out);
	if (in && out && in != out)
		queue_entry(add_entry(p, index, (struct borrowed_file){0}), out);
}

static int arm(struct poll_op *p)
{
	unsigned most = 0;

	for (unsigned i = 0; i < p->nr_fds; i++) {
		uint32_t wanted = (uint16_t)p->fds[i].events;

		most += p->fds[i].fd >= 0 ? 1 + ((wanted & ANY_IN) && (wanted & ANY_OUT)) : 0;
	}
	p->entries = most <= POLL_FEW ? p->few : mem_alloc(most * sizeof(*p->entries), 0);
	if (!p->entries)
		return -ENOMEM;
	p->is_armed = true;
	for (unsigned i = 0; i < p->nr_fds; i++) {
		struct borrowed_file b;

		if (p->fds[i].fd < 0)
			continue;
		b = fd_borrow(p->fds[i].fd);
		if (b.file)
			arm_file(p, i, b);
	}
	if (p->timeout_ns != WAIT_FOREVER && p->op.deadline_ns == WAIT_FOREVER)
		p->op.deadline_ns = clock_deadline_ns(p->timeout_ns);
	return 0;
}

static int64_t poll_issue(struct op *op)
{
	struct poll_op *p = container_of(op, struct poll_op, op);
	unsigned nr;
	int err;

	if (!p->is_armed) {
		nr = look_by_number(p);
		if (nr || !p->may_wait)
			return nr;
		err = arm(p);
		if (err)
			return err;
	}
	for (;;) {
		/* pairs with the atomic operation or unlock before others look for waiters */
		atomic_fence();
		nr = look_armed(p);
		if (nr || op_expired(op))
			return nr;
		if (op_park_alone(op))
			return OP_PARKED;
	}
}

static void poll_drop(struct op *op)
{
	struct poll_op *p = container_of(op, struct poll_op, op);

	for (unsigned i = 0; i < p->nr_entries; i++)
		if (p->entries[i].queue)
			waitq_remove(p->entries[i].queue, &p->entries[i].waiter);
	for (unsigned i = 0; i < p->nr_entries; i++)
		if (p->entries[i].file.file)
			fd_release(p->entries[i].file);
	if (p->is_armed && p->entries != p->few)
		mem_free(p->entries);
}

static int64_t poll_interrupted(struct op *op UNUSED)
{
	return -EINTR;
}

static const struct op_type poll_type = {
	.name = "poll",
	.issue = poll_issue,
	.drop = poll_drop,
	.interrupted = poll_interrupted,
};

void poll_op_prepare(struct poll_op *p, struct pollfd *fds, unsigned nr, uint32_t always)
{
	op_init(&p->op, &poll_type);
	p->fds = fds;
	p->nr_fds = nr;
	p->always = always;
	p->may_wait = true;
	p->timeout_ns = WAIT_FOREVER;
	p->entries = NULL;
	p->nr_entries = 0;
	p->is_armed = false;
}
