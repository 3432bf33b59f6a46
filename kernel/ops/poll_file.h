// SPDX-License-Identifier: MIT
/*
 * Waiting for one file without a thread: what a ring's polls and those of native AIO have in common. Each is an
 * operation of its own type, whose issue() calls poll_file_try until that has events, or it is parked.
 */
#pragma once

#include "fs/vfs/file.h"
#include "lib/atomic.h"
#include "lib/base.h"
#include "ops/op.h"

/*
 *   [d] whoever runs the operation      [a] atomic
 */
struct poll_file_op {
	struct op op;             /* its waiter: on in_queue */
	uint32_t events;          /* [d] POLL* that are waited for, without those that always are */
	uint32_t seen;            /* [a] what wake-ups have said since it looked last */
	struct waiter out;        /* of a file with two queues: the second */
	struct waitq *in_queue;   /* [d] NULL: not chosen yet, or there is none */
	struct waitq *out_queue;  /* [d] NULL: the events need one queue only */
};

void poll_file_prepare(
	struct poll_file_op *p, const struct op_type *type, uint32_t events, bool is_exclusive);
/*
 * Waits (again) on all queues that the events need, and looks. What holds now; else what a wake-up has told of
 * and is gone again; 0: nothing. f->ops->poll's context; a first one in the process that asks.
 */
uint32_t poll_file_try(struct poll_file_op *p, struct file *f);
/* After a try that had nothing: whether it is parked. If not it has been woken, or nothing ever wakes it. */
static inline bool poll_file_is_parked(const struct poll_file_op *p)
{
	return atomic_load(&p->op.state) == OP_ARMED;
}
static inline bool poll_file_can_wait(const struct poll_file_op *p)
{
	return p->in_queue != NULL;
}
/* Off its queues: nobody wakes it any more. It may be tried again, for other events. */
void poll_file_leave(struct poll_file_op *p);
