// SPDX-License-Identifier: MIT
/*
 * Sleeping until a clock shows a time. Monotonic time is a deadline. Real time is one until it is
 * set, which wakes the sleeper to reckon again. CPU time moves no faster than the process has
 * threads: the sleeper looks again when that could have been enough, but not more often than
 * every few milliseconds.
 *
 * Spec    man 2 clock_nanosleep
 */
#include "ops/time.h"

#include <linux/time.h>

#include "proc/clocks.h"
#include "proc/signal.h"
#include "time/clock.h"

static const uint64_t CPU_LOOK_NS = 4 * NS_PER_MS; /* Linux looks at each tick */

/* The monotonic time of the next look; 0: now is the time. */
static int64_t next_look(const struct sleep_op *s, uint64_t *look_ns)
{
	unsigned speed;
	int64_t now;
	int err = clock_read(s->clock, &now);

	if (err)
		return err;
	*look_ns = 0;
	if (now >= 0 && (uint64_t)now >= s->at)
		return 0;
	if (clock_kind_of(s->clock) != CLOCK_IS_CPU) {
		*look_ns = clock_to_monotonic(s->clock, s->at);
		return 0;
	}
	speed = MAX(clock_cpu_speed(s->clock), 1u);
	*look_ns = clock_monotonic_ns() + MAX((s->at - (uint64_t)now) / speed, CPU_LOOK_NS);
	return 0;
}

static bool park(struct sleep_op *s)
{
	if (clock_kind_of(s->clock) == CLOCK_IS_REAL)
		return op_park(&s->op, &clock_was_set);
	return op_park_alone(&s->op);
}

static int64_t sleep_issue(struct op *op)
{
	struct sleep_op *s = container_of(op, struct sleep_op, op);

	for (;;) {
		int64_t err = next_look(s, &op->deadline_ns);

		if (err || !op->deadline_ns)
			return err;
		op->is_expired = false;
		if (park(s))
			return OP_PARKED;
	}
}

static int64_t sleep_interrupted(struct op *op UNUSED)
{
	return -ERESTARTNOHAND;
}

static const struct op_type sleep_type = {
	.name = "sleep",
	.issue = sleep_issue,
	.interrupted = sleep_interrupted,
};

int sleep_op_prepare(struct sleep_op *s, int clock, uint64_t at)
{
	switch (clock_kind_of(clock)) {
	case CLOCK_IS_NONE:
		return -EINVAL;
	case CLOCK_IS_COARSE:
	case CLOCK_IS_RAW:
		return -EOPNOTSUPP;
	case CLOCK_IS_CPU:
		if (clock == CLOCK_THREAD_CPUTIME_ID)
			return -EOPNOTSUPP;
		if (clock_is_own_thread(clock))
			return -EINVAL; /* it would stand still for ever */
		break;
	default:
		break;
	}
	op_init(&s->op, &sleep_type);
	s->clock = clock;
	s->at = at;
	return 0;
}
