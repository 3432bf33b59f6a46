// SPDX-License-Identifier: MIT
/*
 * The signal mask that ppoll, pselect6, epoll_pwait, io_pgetevents and io_uring_enter take for the length of a
 * call.
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

/*
 * The wait is over. Only if it was interrupted the mask stays for the signals to be delivered; else what it let in stays
 * pending. Of a call that left the mask alone: nothing. io_pgetevents does without: what it let in is delivered beside its
 * events, too (mask.io_pgetevents_*).
 */
static inline void sigmask_end(bool is_interrupted)
{
	if (!is_interrupted)
		signal_end_temporary_mask();
}
