// SPDX-License-Identifier: MIT
/* Spinning locks: one holder at a time, contexts, attempts. */
#include "sync/spinlock.h"

#include "lib/atomic.h"
#include "lib/test.h"
#include "sync/preempt.h"
#include "sync/test/team.h"

enum { THREADS = 8, ROUNDS = 10000 };

static struct {
	struct spinlock spin;
	struct irqlock irq;
	uint64_t counter; /* plain on purpose: only the lock keeps it right */
	unsigned long rounds;
} s;

static void reset(void)
{
	spinlock_init(&s.spin, RANK_TEST_SPIN, "test spin");
	irqlock_init(&s.irq, RANK_TEST_IRQ, "test irq");
	s.counter = 0;
	s.rounds = test_rounds(ROUNDS);
}

static void add_spinning(void *arg UNUSED)
{
	for (unsigned long i = 0; i < s.rounds; i++) {
		spinlock_lock(&s.spin);
		WRITE_ONCE(s.counter, READ_ONCE(s.counter) + 1);
		spinlock_unlock(&s.spin);
	}
}

static void add_irq(void *arg UNUSED)
{
	for (unsigned long i = 0; i < s.rounds; i++) {
		irqlock_lock(&s.irq);
		WRITE_ONCE(s.counter, READ_ONCE(s.counter) + 1);
		irqlock_unlock(&s.irq);
	}
}

static void add_trying(void *arg UNUSED)
{
	for (unsigned long i = 0; i < s.rounds;) {
		if (!spinlock_try_lock(&s.spin)) {
			arch_cpu_relax();
			continue;
		}
		WRITE_ONCE(s.counter, READ_ONCE(s.counter) + 1);
		spinlock_unlock(&s.spin);
		i++;
	}
}

static void run_team(void (*fn)(void *))
{
	struct team team;

	reset();
	team_start(&team, THREADS, fn, NULL);
	team_join(&team);
	EXPECT_EQ(s.counter, THREADS * s.rounds);
}

TEST(spinlock, one_holder_at_a_time)
{
	run_team(add_spinning);
}

TEST(spinlock, one_holder_at_a_time_when_some_only_try)
{
	run_team(add_trying);
}

TEST(irqlock, one_holder_at_a_time)
{
	run_team(add_irq);
}

TEST(spinlock, holds_preemption_off_and_leaves_interrupts_on)
{
	reset();
	EXPECT(preempt_is_enabled());
	spinlock_lock(&s.spin);
	EXPECT(!preempt_is_enabled());
	EXPECT(arch_irq_enabled());
	EXPECT(spinlock_is_mine(&s.spin));
	spinlock_unlock(&s.spin);
	EXPECT(preempt_is_enabled());
}

TEST(irqlock, nests_and_restores_what_was)
{
	struct irqlock inner;

	reset();
	irqlock_init(&inner, RANK_MUTEX, "test inner");
	irqlock_lock(&s.irq);
	EXPECT(!arch_irq_enabled());
	irqlock_lock(&inner);
	irqlock_unlock(&inner);
	EXPECT(!arch_irq_enabled());
	irqlock_unlock(&s.irq);
	EXPECT(arch_irq_enabled());
	EXPECT(preempt_is_enabled());
}

static bool try_irq(void) NOT_ANALYSED /* it is held already */
{
	return irqlock_try_lock(&s.irq);
}

TEST(irqlock, an_attempt_on_a_held_lock_fails_and_changes_nothing)
{
	reset();
	irqlock_lock(&s.irq);
	EXPECT(!try_irq());
	EXPECT(!arch_irq_enabled());
	irqlock_unlock(&s.irq);
	EXPECT(arch_irq_enabled());
	EXPECT(preempt_is_enabled());
	REQUIRE(irqlock_try_lock(&s.irq));
	irqlock_unlock(&s.irq);
}

TEST(spinlock, the_checker_counts_what_this_cpu_holds)
{
	unsigned before, inside;

	reset();
	preempt_disable();
	before = lock_check_depth();
	spinlock_lock(&s.spin);
	irqlock_lock(&s.irq);
	inside = lock_check_depth();
	irqlock_unlock(&s.irq);
	spinlock_unlock(&s.spin);
	EXPECT_EQ(lock_check_depth(), before);
	preempt_enable();
#ifdef DEBUG
	EXPECT_EQ(inside, before + 2);
#else
	EXPECT_EQ(inside, 0);
#endif
}
