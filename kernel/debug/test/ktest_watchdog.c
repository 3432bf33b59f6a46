// SPDX-License-Identifier: MIT
/*
 * CPUs made to be stuck, and told about.
 */
#include "debug/watchdog.h"

#include "arch/arch.h"
#include "lib/atomic.h"
#include "lib/test.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "sync/preempt.h"
#include "time/clock.h"

#define LIMIT_NS	 (2 * NS_PER_MS)
#define USUAL_LIMIT_NS	 (20 * NS_PER_SEC)
#define PATIENCE_NS	 (10 * NS_PER_SEC)

enum { NR_STUCK = 3 };

/* Holds preemption off, as the others do, until all were told about, or for long enough. */
static void be_stuck(void *arg)
{
	uint32_t before = (uint32_t)(uintptr_t)arg;
	uint64_t end_ns = clock_monotonic_ns() + PATIENCE_NS;

	preempt_disable();
	while (watchdog_count() - before < NR_STUCK && clock_monotonic_ns() < end_ns)
		arch_cpu_relax();
	preempt_enable();
}

TEST(debug, cpus_that_are_stuck_at_the_same_time_are_all_reported)
{
	struct thread *t[NR_STUCK];
	uint32_t before = watchdog_count();
	unsigned nr = 0;

	if (cpu_count() <= NR_STUCK) {
		test_skip("too few CPUs: one has to go on");
		return;
	}
	watchdog_set_limit_ns(LIMIT_NS);
	for (; nr < NR_STUCK; nr++) {
		struct cpumask one = cpumask_of(nr + 1);

		if (thread_create(&t[nr], "stuck", be_stuck, (void *)(uintptr_t)before))
			break;
		EXPECT_EQ(sched_set_affinity(t[nr], &one), 0);
		thread_start(t[nr]);
	}
	for (unsigned i = 0; i < nr; i++)
		thread_join(t[i]);
	watchdog_set_limit_ns(USUAL_LIMIT_NS);
	EXPECT_EQ(nr, NR_STUCK);
	EXPECT_GE(watchdog_count() - before, NR_STUCK);
}
