// SPDX-License-Identifier: MIT
/*
 * Relative time limits as poll, select and their like take them and give back what is left.
 */
#pragma once

#include <linux/time_types.h>

#include "lib/base.h"
#include "sync/waitq.h"
#include "time/clock.h"
#include "uaccess/uaccess.h"

/* -EINVAL for what is no time; what does not fit is for ever. */
MUST_CHECK static inline int timeout_from_parts(int64_t sec, int64_t nsec, uint64_t *ns)
{
	if (sec < 0 || nsec < 0 || nsec >= (int64_t)NS_PER_SEC)
		return -EINVAL;
	*ns = (uint64_t)sec < UINT64_MAX / NS_PER_SEC - 1
		      ? (uint64_t)sec * NS_PER_SEC + (uint64_t)nsec
		      : WAIT_FOREVER;
	return 0;
}

/* A struct timespec of the program's; the null pointer means for ever. -EFAULT, -EINVAL. */
MUST_CHECK static inline int timeout_read(uptr ts, uint64_t *ns)
{
	struct __kernel_timespec t;
	int err;

	*ns = WAIT_FOREVER;
	if (uptr_is_null(ts))
		return 0;
	err = user_get(t, ts);
	return err ? err : timeout_from_parts(t.tv_sec, t.tv_nsec, ns);
}

/* Milliseconds; negative: for ever. */
static inline uint64_t timeout_from_ms(int ms)
{
	return ms < 0 ? WAIT_FOREVER : (uint64_t)ms * NS_PER_MS;
}
