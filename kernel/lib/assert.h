// SPDX-License-Identifier: MIT
/*
 * What must be true. An assertion states an invariant of our own code; whatever a user, a disk,
 * a packet or a device can cause is an errno and never an assertion.
 *
 *     assert        in every build: for checks that cost a compare
 *     debug_assert  in DEBUG builds: for checks that walk something or sit on a hot path
 *     panic         a place that must not be reached, with the reason in words
 *
 * They end in two functions that belong to the surroundings: debug/panic.c in the kernel
 * and the simulated machine, tests/host/main.c under the host unit tests.
 */
#pragma once

#include "lib/base.h"

/*
 * Reports a broken invariant and does not return. `what` is the expression.
 *
 * Context  any: interrupts off, locks held, half-started
 */
NORETURN void assert_failed(const char *what, const char *file, int line);

/* A place that must not be reached, or a state nothing can go on from, with the reason in words. */
NORETURN void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);

#define assert(cond) (LIKELY(cond) ? (void)0 : assert_failed(#cond, __FILE__, __LINE__))

#if defined(DEBUG)
#define debug_assert(cond) assert(cond)
#else
#define debug_assert(cond) ((void)sizeof(!(cond))) /* compiled, never evaluated */
#endif
