// SPDX-License-Identifier: MIT
/*
 * Waiting for children, on the queue of the process that has them.
 */
#include "ops/wait.h"

#include <linux/wait.h>

static int64_t wait_issue(struct op *op)
{
	struct wait_op *w = container_of(op, struct wait_op, op);

	for (;;) {
		int64_t n = proc_wait_try(&w->what, &w->news);

		if (n || (w->what.options & WNOHANG))
			return n;
		if (op_park(op, &proc_current()->child_exit))
			return OP_PARKED;
	}
}

static void wait_drop(struct op *op)
{
	struct wait_op *w = container_of(op, struct wait_op, op);

	if (w->what.pid)
		pid_put(w->what.pid);
}

static const struct op_type wait_type = {
	.name = "wait",
	.issue = wait_issue,
	.drop = wait_drop,
};

void wait_op_prepare(struct wait_op *w, const struct wait_what *what)
{
	w->what = *what;
	op_init(&w->op, &wait_type);
}
