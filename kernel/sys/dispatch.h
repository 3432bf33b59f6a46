// SPDX-License-Identifier: MIT
/*
 * Calling a system call by its number: the entry path, the simulated machine's programs, and
 * the ring.
 */
#pragma once

#include "lib/base.h"

enum { SYSCALL_ARGS = 6 };

/* The call's result or -errno; -ENOSYS for what does not exist. By the current thread. */
int64_t sys_dispatch(uint64_t nr, const uint64_t a[SYSCALL_ARGS]);

/* A call's name (NULL: no such number) and the letters of its arguments: abi/syscalls.def. */
struct syscall_text {
	const char *name, *format;
};
extern const struct syscall_text syscall_texts[];
extern const unsigned nr_syscalls;
