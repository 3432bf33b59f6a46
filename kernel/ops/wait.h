// SPDX-License-Identifier: MIT
/*
 * wait4 and waitid: an operation that parks until a child has news.
 */
#pragma once

#include "ops/op.h"
#include "proc/wait.h"

struct wait_op {
	struct op op;
	struct wait_what what;
	struct wait_news news; /* valid when the result is 1 */
};

/* Takes over the reference of what->pid, if it has one. Its result: 1, 0 (WNOHANG), -ECHILD, -ERESTARTSYS. */
void wait_op_prepare(struct wait_op *w, const struct wait_what *what);
