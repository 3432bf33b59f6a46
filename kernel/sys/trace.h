// SPDX-License-Identifier: MIT
/*
 * strace=1 on the command line: each call of each program as a line in the log, in the manner of
 * strace. strace=PID,... and strace=NAME,... restrict it (sys/trace.c).
 */
#pragma once

#include "lib/base.h"

/* Around a call by a thread that is traced. */
void trace_enter(uint64_t nr, const uint64_t *a);
void trace_leave(uint64_t nr, const uint64_t *a, int64_t result);
/* Whether a new thread of this process is to be traced. proc/ asks at each start. */
bool trace_wants(int pid);
