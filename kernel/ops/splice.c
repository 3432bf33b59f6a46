// SPDX-License-Identifier: MIT
/*
 * Waiting while bytes are moved: for a pipe unless SPLICE_F_NONBLOCK, for another file unless it is
 * O_NONBLOCK. Once something was moved only sendfile waits for more.
 */
#include "ops/splice.h"

#include <linux/fcntl.h>

#include "fs/vfs/notify.h"
#include "proc/signal.h"
#include "sched/thread.h"

static struct splice_op *splice_of(struct op *op)
{
	return container_of(op, struct splice_op, op);
}

static bool may_wait(const struct splice_op *o)
{
	const struct file *f = o->s.waits_for;

	if (splice_is_pipe(f) && !o->may_wait_for_pipe)
		return false;
	return f->ops->waitq && !(READ_ONCE(f->flags) & O_NONBLOCK);
}

/* What was moved, of which inotify is told once for both ends; else the error. */
static int64_t finish(const struct splice_op *o, int64_t err)
{
	if (!o->done)
		return err;
	notify_file(o->s.in, IN_ACCESS);
	notify_file(o->s.out, IN_MODIFY);
	return o->done;
}

static int64_t splice_issue(struct op *op)
{
	struct splice_op *o = splice_of(op);

	for (;;) {
		int64_t n = o->move(&o->s);

		if (n > 0) {
			o->done += n;
			o->s.left -= (size_t)n;
			if (!o->goes_on || !o->s.left || UNLIKELY(thread_is_killed()))
				return finish(o, 0);
			continue;
		}
		if (n != -EAGAIN || !may_wait(o))
			return finish(o, n);
		if (op_park_on_file(op, o->s.waits_for, o->s.events))
			return OP_PARKED;
	}
}

static int64_t interrupted(struct op *op)
{
	return finish(splice_of(op), -ERESTARTSYS);
}

static const struct op_type splice_type = {
	.name = "splice", .issue = splice_issue, .interrupted = interrupted};

void splice_prepare(struct splice_op *o, int64_t (*move)(struct splice *s), struct file *in,
	struct file *out, size_t len)
{
	op_init(&o->op, &splice_type);
	o->s = (struct splice){.in = in, .out = out, .left = MIN(len, (size_t)ITER_MAX_BYTES)};
	o->move = move;
	o->may_wait_for_pipe = true;
	o->goes_on = false;
	o->done = 0;
}
