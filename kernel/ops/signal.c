// SPDX-License-Identifier: MIT
/*
 * Operations that wait for signals. That a signal arrived is no wake-up of theirs but the end of
 * any wait (THREAD_SIGNAL), so sigsuspend and pause park alone; sigtimedwait, whose signals are
 * blocked and prod nobody, parks on the queue that tells of every signal sent (signal_waitq).
 *
 * Spec    man 2 sigsuspend, pause, sigtimedwait
 */
#include "ops/signal.h"

#include "proc/proc.h"
#include "proc/signal.h"

/* ---- sigsuspend, pause ---- */

static int64_t pause_issue(struct op *op)
{
	for (;;) {
		if (op_park_alone(op))
			return OP_PARKED;
	}
}

static int64_t pause_interrupted(struct op *op UNUSED)
{
	return -ERESTARTNOHAND;
}

static const struct op_type pause_type = {
	.name = "pause",
	.issue = pause_issue,
	.interrupted = pause_interrupted,
};

void pause_op_prepare(struct pause_op *p)
{
	op_init(&p->op, &pause_type);
}

/* ---- sigtimedwait ---- */

static int64_t sigwait_issue(struct op *op)
{
	struct sigwait_op *w = container_of(op, struct sigwait_op, op);

	for (;;) {
		if (!signal_take(w->set, w->info))
			return w->info->si_signo;
		if (op_expired(op) || op->deadline_ns == 0)
			return -EAGAIN;
		if (op_park(op, signal_waitq(proc_current())))
			return OP_PARKED;
	}
}

static int64_t sigwait_interrupted(struct op *op)
{
	struct sigwait_op *w = container_of(op, struct sigwait_op, op);

	/* one of its signals may have come together with the one that ended the wait */
	return signal_take(w->set, w->info) ? -EINTR : w->info->si_signo;
}

static const struct op_type sigwait_type = {
	.name = "sigwait",
	.issue = sigwait_issue,
	.interrupted = sigwait_interrupted,
};

void sigwait_op_prepare(
	struct sigwait_op *w, uint64_t set, siginfo_t *info, uint64_t deadline_ns)
{
	op_init(&w->op, &sigwait_type);
	w->set = set;
	w->info = info;
	w->op.deadline_ns = deadline_ns;
}
