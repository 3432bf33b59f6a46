// SPDX-License-Identifier: MIT
/*
 * What the small operations cost that everything else is made of, as `bench:` lines for bench/run.
 *
 * Each is repeated in a loop and the loop's own cost taken off. Under QEMU's -icount the counter
 * counts instructions; otherwise the numbers are cycles. Nothing is asserted of them here: the
 * tests fail only if an operation does.
 *
 * It stands in boot/ because no lower folder may see all that it measures.
 */
#include "arch/arch.h"
#include "debug/log.h"
#include "debug/test_runner.h"
#include "irq/ipi.h"
#include "lib/test.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "sync/mutex.h"
#include "sync/preempt.h"
#include "sync/rcu.h"
#include "sync/spinlock.h"
#include "sync/waitq.h"
#include "time/clock.h"
#include "time/timer.h"

enum { ROUNDS = 4096, TENTHS = 10, OBJECT_SIZE = 256, FAR_AWAY_S = 1000 };

static uint64_t empty_loop;

static void report(const char *what, uint64_t counts)
{
	uint64_t tenths = (counts > empty_loop ? counts - empty_loop : 0) * TENTHS / ROUNDS;

	log_info("bench: %s %llu.%llu", what, (unsigned long long)(tenths / TENTHS),
		(unsigned long long)(tenths % TENTHS));
}

/* Runs the statement ROUNDS times on this CPU, after once to warm up; evaluates to the counts. */
#define COUNT(statement)                                                                       \
	({                                                                                     \
		uint64_t start_;                                                               \
		statement;                                                                     \
		start_ = arch_counter_read();                                                  \
		for (unsigned i_ = 0; i_ < ROUNDS; i_++) {                                     \
			statement;                                                             \
			__asm__ volatile("" ::: "memory");                                     \
		}                                                                              \
		arch_counter_read() - start_;                                                  \
	})

#define REPORT(what, statement)                                                                \
	do {                                                                                   \
		empty_loop = COUNT();                                                          \
		report(what, COUNT(statement));                                                \
	} while (0)

static void page_round(unsigned order)
{
	struct page *page;

	if (page_alloc(&page, order, 0))
		test_fail(__FILE__, __LINE__, "no page");
	else
		page_put(page);
}

TEST(bench, pages)
{
	REPORT("page_alloc_put", page_round(0));
	REPORT("page_alloc_put_64k", page_round(4));
}

TEST(bench, slabs)
{
	struct slab_cache *cache;
	void *p;

	REQUIRE(slab_cache_create(&cache, "bench", OBJECT_SIZE, 0) == 0);
	p = slab_alloc(cache, 0); /* so that the slab stays */
	REPORT("slab_alloc_free", slab_free(cache, slab_alloc(cache, 0)));
	slab_free(cache, p);
	slab_cache_destroy(cache);
	REPORT("mem_alloc_free_100", mem_free(mem_alloc(100, 0)));
}

static struct spinlock spin = SPINLOCK_INIT(RANK_TEST_SPIN, "bench spin");
static struct irqlock irq = IRQLOCK_INIT(RANK_TEST_IRQ, "bench irq");

TEST(bench, locks)
{
	struct mutex mutex;

	mutex_init(&mutex, RANK_TEST_INNER, "bench mutex");
	REPORT("spinlock", spinlock_lock(&spin); spinlock_unlock(&spin));
	REPORT("irqlock", irqlock_lock(&irq); irqlock_unlock(&irq));
	REPORT("mutex", mutex_lock(&mutex); mutex_unlock(&mutex));
	REPORT("rcu_read", rcu_read_lock(); rcu_read_unlock());
}

static void nothing(struct timer *t UNUSED)
{
}

TEST(bench, waiting_and_time)
{
	struct waitq queue;
	struct timer timer;
	volatile uint64_t sink UNUSED;
	uint64_t far = clock_monotonic_ns() + FAR_AWAY_S * NS_PER_SEC;

	waitq_init(&queue);
	timer_init(&timer, nothing);
	REPORT("wake_nobody", waitq_wake_one(&queue, 0));
	REPORT("clock", sink = clock_monotonic_ns());
	REPORT("timer_start_stop", timer_start(&timer, far); timer_stop(&timer));
}

static void answer(void *arg UNUSED)
{
}

TEST(bench, other_cpus)
{
	if (cpu_count() < 2)
		test_skip("needs two CPUs");
	else
		REPORT("ipi_call_others", ipi_call_others(answer, NULL));
}
