// SPDX-License-Identifier: MIT
/*
 * What the scheduler's tests share: a set of threads on one CPU that start together.
 *
 * The test's own thread becomes FIFO on that CPU, so that nothing it starts runs there before
 * it waits; crew_join() waits for all of them and gives the test thread its old life back.
 */
#pragma once

#include "lib/test.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "sync/preempt.h"
#include "time/clock.h"
#include "time/timer.h"

enum { CREW_MAX = 16, CREW_PRIORITY = 90 };

struct crew {
	unsigned cpu;
	unsigned nr;
	struct thread *thread[CREW_MAX];
};

static const struct sched_params ktest_fair_params = {.policy = SCHED_CLASS_FAIR};

static inline unsigned ktest_this_cpu(void)
{
	unsigned cpu;

	preempt_disable();
	cpu = arch_cpu()->id;
	preempt_enable();
	return cpu;
}

static inline void ktest_pin(struct thread *t, unsigned cpu)
{
	struct cpumask mask = cpumask_of(cpu);

	EXPECT_EQ(sched_set_affinity(t, &mask), 0);
}

static inline void ktest_unpin(struct thread *t)
{
	struct cpumask mask;

	cpumask_fill(&mask);
	EXPECT_EQ(sched_set_affinity(t, &mask), 0);
}

/* The last CPU: the first has more of everything else to do. */
static inline void crew_init(struct crew *crew)
{
	struct sched_params fifo = {.policy = SCHED_CLASS_FIFO, .priority = CREW_PRIORITY};

	*crew = (struct crew){.cpu = cpu_count() - 1};
	EXPECT_EQ(sched_set_params(arch_current(), &fifo), 0);
	ktest_pin(arch_current(), crew->cpu);
}

/* A started thread with these parameters on the crew's CPU; NULL if there is no memory. */
static inline struct thread *crew_add(
	struct crew *crew, const struct sched_params *p, void (*entry)(void *), void *arg)
{
	struct thread *t;

	if (thread_create(&t, "crew", entry, arg))
		return NULL;
	EXPECT_EQ(sched_set_params(t, p), 0);
	ktest_pin(t, crew->cpu);
	thread_get(t); /* for cpu_ns after its end */
	crew->thread[crew->nr++] = t;
	thread_start(t);
	return t;
}

static inline void crew_join(struct crew *crew)
{
	for (unsigned i = 0; i < crew->nr; i++)
		(void)thread_join(crew->thread[i]);
	EXPECT_EQ(sched_set_params(arch_current(), &ktest_fair_params), 0);
	ktest_unpin(arch_current());
}

static inline void crew_free(struct crew *crew)
{
	for (unsigned i = 0; i < crew->nr; i++)
		thread_put(crew->thread[i]);
	crew->nr = 0;
}
