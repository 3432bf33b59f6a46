// SPDX-License-Identifier: MIT
/*
 * A file lock as an operation: it parks on the queue that the inode's locks have.
 */
#include "ops/lock.h"

struct lock_op {
	struct op op;
	const struct lock_request *request;
	struct lock_wait wait;
};

static int64_t issue(struct op *op)
{
	struct lock_op *l = container_of(op, struct lock_op, op);

	for (;;) {
		int err = locks_try(l->request, &l->wait);

		if (err != -EAGAIN)
			return err;
		if (op_park(op, locks_waitq(&l->wait)))
			return OP_PARKED;
	}
}

static void drop(struct op *op)
{
	locks_end_wait(&container_of(op, struct lock_op, op)->wait);
}

static const struct op_type lock_type = {.name = "lock", .issue = issue, .drop = drop};

int64_t lock_wait_for(const struct lock_request *req)
{
	struct lock_op l = {.request = req};

	op_init(&l.op, &lock_type);
	return op_run(&l.op);
}
