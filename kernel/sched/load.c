// SPDX-License-Identifier: MIT
/*
 * How many threads wanted a CPU, averaged over the last minutes with exponential weights.
 *
 * Linux counts every five seconds on every CPU. A tickless kernel would wake for nothing; so the
 * averages move on when they are read: for the time since the last look the load is taken to have been
 * the share of time that the CPUs were busy, plus those who wait now.
 *
 * Locks   lock [l] irq, RANK_EVENT
 */
#include "sched/load.h"

#include "sched/sched.h"
#include "sync/spinlock.h"
#include "time/clock.h"

enum { PERIODS = 3, SHIFT = 11, STEP_MAX = 4096 };
#define STEP_NS (5 * NS_PER_SEC)

/* 2048 * exp(-5 s / period): what is left of the old value after one step. */
static const uint64_t decay[PERIODS] = {1884, 2014, 2037};

static struct irqlock lock = IRQLOCK_INIT(RANK_EVENT, "load");
static struct {
	uint64_t at_ns, idle_ns;   /* [l] of the last step */
	uint64_t average[PERIODS]; /* [l] << SHIFT */
} state;

static uint64_t sum_idle(unsigned *running)
{
	struct sched_stats s;
	uint64_t idle = 0;

	*running = 0;
	for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
		sched_get_stats(cpu, &s);
		idle += s.idle_ns;
		*running += s.nr_ready;
	}
	return idle;
}

void load_get(struct load_averages *out)
{
	uint64_t now = clock_monotonic_ns(), idle, idled, busy, load, steps, span;
	unsigned waiting, p;

	irqlock_lock(&lock);
	idle = sum_idle(&waiting);
	span = now - state.at_ns;
	steps = span / STEP_NS;
	if (steps) {
		busy = span * cpu_count();
		idled = idle > state.idle_ns ? idle - state.idle_ns : 0;
		busy -= MIN(idled, busy);
		load = (busy << SHIFT) / span + ((uint64_t)(waiting) << SHIFT);
		for (uint64_t i = 0; i < MIN(steps, (uint64_t)STEP_MAX); i++)
			for (p = 0; p < PERIODS; p++)
				state.average[p] = (state.average[p] * decay[p] +
							   load * ((1u << SHIFT) - decay[p])) >>
						   SHIFT;
		state.at_ns = now;
		state.idle_ns = idle;
	}
	for (p = 0; p < PERIODS; p++)
		out->centi[p] = (unsigned)(state.average[p] * 100 >> SHIFT);
	irqlock_unlock(&lock);
	out->running = waiting + 1; /* and who asks */
}
