// SPDX-License-Identifier: MIT
/* man 2 seccomp_unotify: what a supervisor does, for the tests of both doors. */
#pragma once

#include <sys/ioctl.h>

#include "filter.h"
#include "guest.h"

/* From now on a supervisor is asked about this call: its listener, or -1. */
static inline int add_listener(int nr, unsigned flags)
{
	return (int)filter_with(
		nr, SECCOMP_RET_USER_NOTIF, flags | SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

static inline struct seccomp_notif hear(int listener)
{
	struct seccomp_notif n = {0};

	CHECK_OK(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n));
	return n;
}

static inline int answer(int listener, uint64_t id, int64_t val, int error, unsigned flags)
{
	struct seccomp_notif_resp r = {id, val, error, flags};

	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &r);
}
