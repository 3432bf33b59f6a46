// SPDX-License-Identifier: MIT
/*
 * The CPUs that there are, and no trace of those that are not.
 */
#include "arch/cpu.h"
#include "lib/test.h"
#include "sched/thread.h"

static void count_idle(struct thread *t, void *ctx)
{
	unsigned *of_cpu = ctx;

	if (t->flags & THREAD_IDLE)
		of_cpu[MIN(t->cpu, (uint32_t)MAX_CPUS)]++;
}

TEST(smp, every_cpu_has_one_idle_thread_and_no_other_thread_idles)
{
	static unsigned of_cpu[MAX_CPUS + 1];

	for (unsigned i = 0; i < ARRAY_LEN(of_cpu); i++)
		of_cpu[i] = 0;
	thread_for_each(count_idle, of_cpu);
	for (unsigned i = 0; i < ARRAY_LEN(of_cpu); i++)
		EXPECT_EQ(of_cpu[i], i < cpu_count() ? 1 : 0);
}

TEST(smp, the_list_of_cpus_ends_where_the_count_says)
{
	for (unsigned i = 0; i < MAX_CPUS; i++) {
		EXPECT_EQ(cpus[i] != NULL, i < cpu_count());
		if (i < cpu_count())
			EXPECT_EQ(cpus[i]->id, i);
	}
}
