// SPDX-License-Identifier: MIT
/*
 * Threads come, run, are waited for and give everything back.
 */
#include "arch/cpu.h"
#include "lib/atomic.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "sched/test/help.h"

static void exit_with(void *arg)
{
	thread_exit((int)(intptr_t)arg);
}

TEST(thread, join_gives_the_exit_status)
{
	struct thread *t;

	REQUIRE(thread_create(&t, "status", exit_with, (void *)42) == 0);
	thread_start(t);
	EXPECT_EQ(thread_join(t), 42);
}

static void add_one(void *arg)
{
	atomic_add((uint32_t *)arg, 1);
}

static void wait_for_count(unsigned count)
{
	for (unsigned i = 0; i < 1000 && thread_count() > count; i++) {
		thread_reap();
		EXPECT_EQ(sleep_ns(NS_PER_MS), 0);
	}
	EXPECT_LE(thread_count(), count);
}

static uint64_t memory_in_use(void)
{
	struct page_stats stats;

	page_drain_caches();
	(void)slab_shrink();
	page_drain_caches();
	page_get_stats(&stats);
	return stats.total - stats.free;
}

/* In batches, as that many stacks at once is another test. */
static void run_threads(unsigned long nr, uint32_t *ran)
{
	enum { BATCH = 50 };
	struct thread *t[BATCH];

	while (nr) {
		unsigned batch = (unsigned)MIN(nr, (unsigned long)BATCH);

		for (unsigned i = 0; i < batch; i++) {
			REQUIRE(thread_create(&t[i], "many", add_one, ran) == 0);
			thread_start(t[i]);
		}
		for (unsigned i = 0; i < batch; i++)
			(void)thread_join(t[i]);
		nr -= batch;
	}
}

TEST(thread, ten_thousand_run_and_give_their_memory_back)
{
	unsigned long nr = test_rounds(10000);
	uint32_t ran = 0, warm = 0;
	unsigned count = thread_count();
	uint64_t before, after;

	run_threads(MIN(nr, 100ul), &warm); /* fills the stack cache */
	wait_for_count(count);
	before = memory_in_use();
	run_threads(nr, &ran);
	wait_for_count(count);
	after = memory_in_use();
	EXPECT_EQ(ran, nr);
	/* a slab or two may have a live object now; a lost thread in a hundred would be 400 */
	EXPECT_LE(after, before + 32);
}

static void sleep_for_ever(void *arg)
{
	*(int *)arg = sleep_ns(WAIT_FOREVER);
}

TEST(thread, kill_ends_a_sleep)
{
	struct thread *t;
	int err = 0;

	REQUIRE(thread_create(&t, "sleeper", sleep_for_ever, &err) == 0);
	thread_start(t);
	EXPECT_EQ(sleep_ns(NS_PER_MS), 0);
	thread_kill(t);
	(void)thread_join(t);
	EXPECT_EQ(err, -EINTR);
}

TEST(thread, killed_before_it_starts_does_not_sleep)
{
	struct thread *t;
	int err = 0;

	REQUIRE(thread_create(&t, "sleeper", sleep_for_ever, &err) == 0);
	thread_kill(t);
	thread_start(t);
	(void)thread_join(t);
	EXPECT_EQ(err, -EINTR);
}

static void find_self(struct thread *t, void *ctx)
{
	if (t == arch_current())
		++*(unsigned *)ctx;
}

TEST(thread, every_thread_is_listed_once)
{
	unsigned found = 0;

	thread_for_each(find_self, &found);
	EXPECT_EQ(found, 1);
}

static void use_fpu(void *arg)
{
	if (thread_fpu_begin() == 0) {
		sched_yield();
		EXPECT_EQ(sleep_ns(NS_PER_MS), 0);
		thread_fpu_end();
		atomic_add((uint32_t *)arg, 1);
	}
}

TEST(thread, vector_state_comes_and_goes)
{
	struct thread *t[4];
	uint32_t done = 0;

	for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
		REQUIRE(thread_create(&t[i], "fpu", use_fpu, &done) == 0);
		thread_start(t[i]);
	}
	for (unsigned i = 0; i < ARRAY_LEN(t); i++)
		(void)thread_join(t[i]);
	EXPECT_EQ(done, ARRAY_LEN(t));
}

static void nearly_sleep(void *arg UNUSED)
{
	sched_set_blocked();
	sched_set_running(); /* what it would have waited for is there already */
}

/* A waker that found it about to wait may be overtaken by its end: dead it must stay. */
TEST(thread, a_late_wake_up_does_not_bring_back_the_dead)
{
	/* where there is one CPU, each round lasts a slice: 20000 would take a minute */
	unsigned long rounds = cpu_count() > 1 ? test_rounds(20000) : 0;

	for (unsigned long i = 0; i < MAX(rounds, 200ul); i++) {
		struct thread *t;

		REQUIRE(thread_create(&t, "sleeper", nearly_sleep, NULL) == 0);
		while (READ_ONCE(t->state) != THREAD_DEAD) { /* hangs if it is brought back */
			(void)sched_wake(t);
			arch_cpu_relax();
		}
		(void)thread_join(t);
	}
}
