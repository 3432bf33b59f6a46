// SPDX-License-Identifier: MIT
/*
 * Waiting for events of an epoll set.
 */
#pragma once

#include "fs/vfs/fdtable.h"
#include "lib/base.h"
#include "ops/op.h"

struct epoll_op {
	struct op op;
	struct borrowed_file set;
	uptr events;
	unsigned max;
	uint64_t timeout_ns;
};

/* What max and its memory must be. -EINVAL, -EFAULT. */
MUST_CHECK int epoll_check_room(uptr events, unsigned max);
/*
 * Takes over the borrowed file, which is a set; timeout_ns is not 0. The result is how many events were written, 0 at the
 * end of the time, -EFAULT, -EINTR.
 */
void epoll_op_prepare(struct epoll_op *e, struct borrowed_file set, uptr events, unsigned max,
	uint64_t timeout_ns);
