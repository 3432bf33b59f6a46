// SPDX-License-Identifier: MIT
/*
 * Waiting for one file without a thread.
 *
 * A waiter on the file's queue, or on both where reading and writing have different ones. Each time it is armed
 * it looks once; so no event is lost, and one that is still true is told of again only after the file has woken
 * somebody. What woke it is told of also when it has gone again before anybody looks: another one may have read.
 *
 * The queues are chosen once, by whom the first try is: a signalfd's is that of his process, and later tries may
 * be anybody's.
 */
#include "ops/poll_file.h"

#include <linux/poll.h>

static const uint32_t ALWAYS = POLLERR | POLLHUP;
static const uint32_t ANY_IN = POLLIN | POLLRDNORM | POLLRDBAND | POLLPRI | POLLRDHUP;
static const uint32_t ANY_OUT = POLLOUT | POLLWRNORM | POLLWRBAND;

/* States, which do not go: who looks sees them, and a wake-up may name one that has not come. */
static const uint32_t LASTING = POLLERR | POLLHUP | POLLRDHUP;

/* ---- Being woken ---- */

/* Whether this is what it waits for; a queue is locked. */
static bool note(struct poll_file_op *p, uint64_t key)
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

	return note(container_of(op, struct poll_file_op, op), key) && op_waiter_wake(w, key);
}

static bool out_wake(struct waiter *w, uint64_t key)
{
	struct poll_file_op *p = container_of(w, struct poll_file_op, out);

	return note(p, key) && op_wake(&p->op);
}

/* ---- Waiting ---- */

void poll_file_prepare(
	struct poll_file_op *p, const struct op_type *type, uint32_t events, bool is_exclusive)
{
	op_init(&p->op, type);
	p->op.is_exclusive = is_exclusive;
	p->op.waiter.wake = in_wake;
	p->events = events;
	p->seen = 0;
	p->out = (struct waiter){.wake = out_wake, .is_exclusive = is_exclusive};
	p->in_queue = NULL;
	p->out_queue = NULL;
}

static void choose_queues(struct poll_file_op *p, struct file *f)
{
	struct waitq *in = NULL, *out = NULL;

	if (!f->ops->poll || !f->ops->waitq)
		return; /* never changes */
	if (!(p->events & ANY_OUT) || p->events & ANY_IN)
		in = f->ops->waitq(f, POLLIN);
	if (p->events & ANY_OUT)
		out = f->ops->waitq(f, POLLOUT);
	p->in_queue = in ? in : out;
	p->out_queue = in && out != in ? out : NULL;
}

static void arm(struct poll_file_op *p)
{
	if (p->out_queue)
		waitq_remove(p->out_queue, &p->out);
	(void)op_park(&p->op, p->in_queue);
	if (!p->out_queue)
		return;
	waitq_add(p->out_queue, &p->out);
	atomic_fence(); /* as in op_park */
}

static uint32_t ask(const struct poll_file_op *p, struct file *f)
{
	uint32_t events =
		f->ops->poll ? f->ops->poll(f) : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;

	return events & (p->events | ALWAYS);
}

uint32_t poll_file_try(struct poll_file_op *p, struct file *f)
{
	uint32_t events, seen;

	if (!p->in_queue)
		choose_queues(p, f);
	if (p->in_queue)
		arm(p);
	events = ask(p, f);
	seen = atomic_xchg(&p->seen, 0u);
	return events ? events : seen & p->events;
}

void poll_file_leave(struct poll_file_op *p)
{
	if (p->out_queue)
		waitq_remove(p->out_queue, &p->out);
	op_fini(&p->op);
	p->in_queue = NULL;
	p->out_queue = NULL;
}
