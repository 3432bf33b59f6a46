// SPDX-License-Identifier: MIT
/*
 * The threads that a call names by a number and what it is the number of: getpriority(2), ioprio_get(2).
 */
#pragma once

#include "lib/base.h"

struct thread;

enum whom { WHOM_THREAD, WHOM_GROUP, WHOM_USER };

/*
 * Calls fn with each, which has a reference meanwhile. who 0: the calling thread, its process's group,
 * its real user.
 * Returns  0, or -ESRCH when there is none
 */
MUST_CHECK int threads_named(
	enum whom whom, int who, void (*fn)(struct thread *t, void *ctx), void *ctx);
