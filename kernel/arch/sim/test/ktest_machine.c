// SPDX-License-Identifier: MIT
/*
 * The simulated machine's own behaviour, as the kernel sees it.
 */
#include "arch/sim/sim.h"

#include "arch/arch.h"
#include "irq/irq.h"
#include "lib/atomic.h"
#include "lib/test.h"
#include "mm/page.h"
#include "sched/thread.h"
#include "time/clock.h"
#include "time/timer.h"

enum { LINE = 5, ROUNDS = 20 };

TEST(sim, probing_a_bad_address_is_an_error)
{
	uint64_t good = 42, copy = 0;

	EXPECT_EQ(arch_probe_read(&copy, &good, sizeof(copy)), 0);
	EXPECT_EQ(copy, 42);
	EXPECT_EQ(arch_probe_read(&copy, (const void *)16, sizeof(copy)), -EFAULT);
}

TEST(sim, time_jumps_while_everybody_sleeps)
{
	uint64_t before = clock_monotonic_ns();
	int err = sleep_ns(3600 * NS_PER_SEC);

	EXPECT_EQ(err, 0);
	EXPECT_GE(clock_monotonic_ns() - before, 3600 * NS_PER_SEC);
	EXPECT_LT(clock_monotonic_ns() - before, 3601 * NS_PER_SEC);
}

static enum irq_result count_irq(unsigned irq, void *ctx)
{
	EXPECT_EQ(irq, LINE);
	EXPECT(!arch_irq_enabled());
	atomic_fetch_add((uint32_t *)ctx, 1u);
	return IRQ_HANDLED;
}

/* Until the interrupt came, or so long that it never will. */
static void await(const uint32_t *count, uint32_t wanted)
{
	uint64_t deadline = clock_monotonic_ns() + NS_PER_SEC;

	while (atomic_load_acquire(count) < wanted && clock_monotonic_ns() < deadline)
		arch_cpu_relax();
}

TEST(sim, a_raised_line_reaches_its_handler_once)
{
	struct irq_action action = {0};
	uint32_t count = 0;

	REQUIRE(irq_add(LINE, &action, count_irq, &count, "sim test") == 0);
	for (uint32_t i = 1; i <= ROUNDS; i++) {
		EXPECT_EQ(irq_set_cpu(LINE, i % cpu_count()), 0);
		sim_irq_raise(LINE);
		await(&count, i);
		EXPECT_EQ(count, i);
	}
	irq_remove(LINE, &action);
	EXPECT_EQ(count, ROUNDS);
}

TEST(sim, a_disabled_line_forgets_no_request)
{
	struct irq_action action = {0};
	uint32_t count = 0;

	REQUIRE(irq_add(LINE, &action, count_irq, &count, "sim test") == 0);
	irq_disable(LINE);
	sim_irq_raise(LINE);
	sim_irq_raise(LINE);
	clock_spin_ns(NS_PER_MS);
	EXPECT_EQ(count, 0);
	irq_enable(LINE);
	await(&count, 1);
	EXPECT(count == 1 || count == 2); /* the two may have become one */
	irq_remove(LINE, &action);
}

TEST(sim, free_memory_is_poisoned_for_asan)
{
	extern int __asan_address_is_poisoned(void const volatile *addr);
	struct page *p;
	void *at;

	REQUIRE(page_alloc(&p, 0, 0) == 0);
	at = page_to_virt(p);
	EXPECT(!__asan_address_is_poisoned(at));
	page_put(p);
	EXPECT(__asan_address_is_poisoned(at));
}
