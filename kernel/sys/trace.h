// SPDX-License-Identifier: MIT
/*
 * strace=1 on the command line: each call of each program as a line in the log, in the manner of
 * strace. strace=PID,... and strace=NAME,... restrict it (sys/trace.c).
 */
#pragma once

#include "lib/base.h"

/* strace= was said at all: who traces more than calls looks here first. */
extern bool trace_is_on; /* [I] after start */
/* Around a call by a thread that is traced. */
void trace_enter(uint64_t nr, const uint64_t *a);
void trace_leave(uint64_t nr, const uint64_t *a, int64_t result);
/*
 * A request of a ring, by its process and its user_data: as the call `nr` that it means, or, when that is
 * negative, by the operation's name.
 */
struct trace_request {
	int pid;
	uint64_t user_data;
	int nr;
	const char *operation;
};
void trace_request_begin(const struct trace_request *t, const uint64_t *a);
void trace_request_end(const struct trace_request *t, int64_t result);
/* Whether a new thread of this process is to be traced. proc/ asks at each start. */
bool trace_wants(int pid);
