// SPDX-License-Identifier: MIT
/*
 * Waiting for signals: sigsuspend, pause, sigtimedwait.
 */
#pragma once

#include <asm/siginfo.h>

#include "lib/base.h"
#include "ops/op.h"

/* Until a handler runs, or the process ends. -ERESTARTNOHAND. */
struct pause_op {
	struct op op;
};
void pause_op_prepare(struct pause_op *p);

/* Takes a signal of `set`: its number, with *info; -EAGAIN at the deadline; -EINTR. */
struct sigwait_op {
	struct op op;
	uint64_t set;
	siginfo_t *info;
};
void sigwait_op_prepare(
	struct sigwait_op *w, uint64_t set, siginfo_t *info, uint64_t deadline_ns);
