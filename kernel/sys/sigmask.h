// SPDX-License-Identifier: MIT
/*
 * The signal mask that ppoll, pselect6 and epoll_pwait take for the length of a call.
 */
#pragma once

#include "lib/base.h"
#include "proc/fiber.h"
#include "proc/signal.h"
#include "uaccess/uaccess.h"

enum { SIGSET_SIZE = 8 };

/* The null pointer leaves the mask alone. -EINVAL: also of a fiber, which gets no signals; -EFAULT. */
MUST_CHECK static inline int sigmask_use(uptr mask, size_t size)
{
	uint64_t set;

	if (uptr_is_null(mask))
		return 0;
	if (size != SIGSET_SIZE || fiber_is_current())
		return -EINVAL;
	if (user_get(set, mask))
		return -EFAULT;
	signal_set_temporary_mask(set);
	return 0;
}
