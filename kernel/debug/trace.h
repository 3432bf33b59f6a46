// SPDX-License-Identifier: MIT
/*
 * A ring of the last things that happened on each CPU: cheap enough to stay on in debug
 * kernels, printed by panic. trace_point("switch %s", ...) stores a pointer and three words,
 * not text.
 */
#pragma once

#include "lib/base.h"

enum { TRACE_RING_SIZE = 256 }; /* entries per CPU, a power of two */

#ifdef DEBUG
void trace_record(const char *fmt, uint64_t a, uint64_t b, uint64_t c);
#define trace_point(fmt, a, b, c) trace_record(fmt, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c))
#else
#define trace_point(fmt, a, b, c)                                                              \
	do {                                                                                   \
	} while (0)
#endif
/* The last `nr` entries of all CPUs, oldest first, by log_emergency. */
void trace_print_last(unsigned nr);
