// SPDX-License-Identifier: MIT
/*
 * CPUs that call each other: every one answers, all at once, nothing lost, nothing run twice.
 */
#include "irq/ipi.h"

#include "arch/arch.h"
#include "lib/atomic.h"
#include "lib/test.h"
#include "sched/sched.h"
#include "sync/preempt.h"
#include "time/clock.h"
#include "time/timer.h"

static uint32_t answers[MAX_CPUS]; /* [a] */
static uint32_t nr_wrong_context;  /* [a] */

static void count_answer(void *arg UNUSED)
{
	if (arch_irq_enabled())
		atomic_add(&nr_wrong_context, 1u);
	atomic_add(&answers[arch_cpu()->id], 1u);
}

static void start(void)
{
	for (unsigned i = 0; i < MAX_CPUS; i++)
		answers[i] = 0;
	nr_wrong_context = 0;
}

TEST(irq, every_cpu_answers_a_call)
{
	struct cpumask all;

	start();
	cpumask_fill(&all);
	ipi_call(&all, count_answer, NULL);
	for (unsigned i = 0; i < cpu_count(); i++)
		EXPECT_EQ(answers[i], 1);
	EXPECT_EQ(nr_wrong_context, 0);
}

TEST(irq, a_call_to_the_others_leaves_this_cpu_out)
{
	unsigned self;
	uint32_t sum = 0;

	start();
	preempt_disable();
	self = arch_cpu()->id;
	ipi_call_others(count_answer, NULL);
	preempt_enable();
	for (unsigned i = 0; i < cpu_count(); i++)
		sum += answers[i];
	EXPECT_EQ(answers[self], 0);
	EXPECT_EQ(sum, cpu_count() - 1);
}

/* ---- All at once ---- */

enum { CALLS = 10000 };
static unsigned long calls_each;

static void call_all(void *arg UNUSED)
{
	struct cpumask all;

	cpumask_fill(&all);
	for (unsigned long i = 0; i < calls_each; i++)
		ipi_call(&all, count_answer, NULL);
}

TEST(irq, ten_thousand_calls_between_all_cpus_at_once)
{
	static struct thread *threads[MAX_CPUS];
	unsigned nr = cpu_count(), nr_started = 0;

	start();
	calls_each = test_rounds(CALLS) / (nr * nr) + 1; /* each by nr CPUs, to nr CPUs */
	for (unsigned i = 0; i < nr; i++) {
		struct cpumask one = cpumask_of(i);

		if (thread_create(&threads[i], "caller", call_all, NULL))
			break;
		EXPECT_EQ(sched_set_affinity(threads[i], &one), 0);
		nr_started++;
	}
	EXPECT_EQ(nr_started, nr);
	for (unsigned i = 0; i < nr_started; i++)
		thread_start(threads[i]);
	for (unsigned i = 0; i < nr_started; i++)
		thread_join(threads[i]);
	for (unsigned i = 0; i < nr; i++)
		EXPECT_EQ(answers[i], nr_started * calls_each);
	EXPECT_EQ(nr_wrong_context, 0);
}

/* ---- Without waiting ---- */

enum { ASYNC_CALLS = 16 };
static unsigned order[ASYNC_CALLS], nr_ordered; /* the one target CPU */

static void note_order(void *arg)
{
	order[nr_ordered++] = (unsigned)(uintptr_t)arg;
}

TEST(irq, calls_that_nobody_waits_for_arrive_in_order)
{
	static struct ipi_call_async calls[ASYNC_CALLS];
	unsigned target = cpu_count() - 1;

	nr_ordered = 0;
	for (unsigned i = 0; i < ASYNC_CALLS; i++) {
		calls[i].fn = note_order;
		calls[i].arg = (void *)(uintptr_t)i;
		ipi_call_async(target, &calls[i]);
	}
	for (unsigned i = 0; i < ASYNC_CALLS; i++) {
		while (!atomic_load_acquire(&calls[i].is_done)) /* pairs with ipi.c: run_inbox */
			arch_cpu_relax();
	}
	EXPECT_EQ(nr_ordered, ASYNC_CALLS);
	for (unsigned i = 0; i < ASYNC_CALLS; i++)
		EXPECT_EQ(order[i], i);
}

/* ---- Timers of every CPU ---- */

static struct timer timers[MAX_CPUS];

static void timer_fired(struct timer *t)
{
	if (clock_monotonic_ns() < t->expires_ns)
		atomic_add(&nr_wrong_context, 1u);
	if (t == &timers[arch_cpu()->id])
		count_answer(NULL);
}

static void start_timer(void *arg UNUSED)
{
	struct timer *t = &timers[arch_cpu()->id];

	timer_init(t, timer_fired);
	timer_start(t, clock_monotonic_ns() + 2 * NS_PER_MS);
}

TEST(irq, the_timer_of_every_cpu_fires_there_and_not_early)
{
	struct cpumask all;

	start();
	cpumask_fill(&all);
	ipi_call(&all, start_timer, NULL);
	for (unsigned i = 0; i < cpu_count(); i++) {
		while (!atomic_load_acquire(&answers[i])) /* pairs with count_answer */
			EXPECT_EQ(sleep_ns(NS_PER_MS), 0);
	}
	for (unsigned i = 0; i < cpu_count(); i++)
		timer_stop_sync(&timers[i]);
	EXPECT_EQ(nr_wrong_context, 0);
}
