// SPDX-License-Identifier: MIT
/*
 * assert() states what must be true if our own code is right; it stays in every build. What a
 * user, a disk or a packet can cause is an errno, never an assert. debug_assert() is for checks
 * too dear for the release kernel.
 */
#pragma once

#include "lib/base.h"

/* debug/panic.c in the kernel, the runner on the host. */
NORETURN void assert_failed(const char *expr, const char *file, int line);
NORETURN void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);

#define assert(cond)                                                                           \
	do {                                                                                   \
		if (UNLIKELY(!(cond)))                                                         \
			assert_failed(#cond, __FILE__, __LINE__);                              \
	} while (0)

#ifdef DEBUG
#define debug_assert(cond) assert(cond)
#else
#define debug_assert(cond)                                                                     \
	do {                                                                                   \
		if (0)                                                                         \
			(void)(cond);                                                          \
	} while (0)
#endif
