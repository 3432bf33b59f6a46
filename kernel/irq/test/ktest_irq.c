// SPDX-License-Identifier: MIT
/*
 * Descriptors and deferred calls. The interrupts here are made by calling what the machine would
 * call, on a message-signalled number that no device has.
 */
#include "irq/irq.h"

#include "arch/arch.h"
#include "lib/atomic.h"
#include "lib/test.h"
#include "mm/slab.h"
#include "sync/preempt.h"

static unsigned test_irq;
static struct msi_message message;

/* As if `test_irq` came on this CPU. */
static void interrupt(void)
{
	static struct arch_frame kernel_frame; /* of nothing in particular */
	struct arch_frame *outer;
	bool were_enabled = arch_irq_save();

	outer = trap_interrupt_enter(&kernel_frame);
	trap_irq(test_irq);
	trap_interrupt_exit(outer);
	arch_irq_restore(were_enabled);
}

static bool allocate(void)
{
	if (arch_msi_alloc(0, &test_irq, &message) == 0)
		return true;
	test_skip("this machine has no message-signalled interrupts");
	return false;
}

struct seen {
	unsigned nr;
	enum irq_result answer;
	unsigned nr_wrong;
};

static enum irq_result on_interrupt(unsigned irq, void *ctx)
{
	struct seen *s = ctx;

	s->nr++;
	s->nr_wrong += irq != test_irq || arch_irq_enabled() || !in_interrupt();
	return s->answer;
}

TEST(irq, a_handler_is_called_and_its_claims_are_counted)
{
	struct irq_action action;
	struct seen s = { .answer = IRQ_HANDLED };
	uint64_t before;

	if (!allocate())
		return;
	before = irq_count_total(test_irq);
	REQUIRE(irq_add(test_irq, &action, on_interrupt, &s, "test") == 0);
	interrupt();
	interrupt();
	EXPECT_EQ(s.nr, 2);
	EXPECT_EQ(s.nr_wrong, 0);
	EXPECT_EQ(action.count, 2);
	EXPECT_EQ(irq_count_total(test_irq) - before, 2);
	irq_remove(test_irq, &action);
	interrupt();
	EXPECT_EQ(s.nr, 2);
	arch_msi_free(test_irq);
}

TEST(irq, handlers_of_a_shared_line_are_all_asked)
{
	struct irq_action a, b;
	struct seen first = { .answer = IRQ_NONE }, second = { .answer = IRQ_HANDLED };
	uint64_t unclaimed;

	if (!allocate())
		return;
	REQUIRE(irq_add(test_irq, &a, on_interrupt, &first, "first") == 0);
	REQUIRE(irq_add(test_irq, &b, on_interrupt, &second, "second") == 0);
	unclaimed = irq_count_unclaimed(test_irq);
	interrupt();
	EXPECT_EQ(first.nr, 1);
	EXPECT_EQ(second.nr, 1);
	EXPECT_EQ(irq_count_unclaimed(test_irq), unclaimed);
	irq_remove(test_irq, &b);
	interrupt();
	EXPECT_EQ(irq_count_unclaimed(test_irq), unclaimed + 1);
	irq_remove(test_irq, &a);
	arch_msi_free(test_irq);
}

TEST(irq, what_comes_while_disabled_is_handled_after_the_last_enable)
{
	struct irq_action action;
	struct seen s = { .answer = IRQ_HANDLED };

	if (!allocate())
		return;
	REQUIRE(irq_add(test_irq, &action, on_interrupt, &s, "test") == 0);
	irq_disable(test_irq);
	irq_disable(test_irq);
	interrupt();
	interrupt();
	irq_enable(test_irq);
	EXPECT_EQ(s.nr, 0);
	irq_enable(test_irq);
	while (READ_ONCE(s.nr) == 0)
		arch_cpu_relax();
	EXPECT_EQ(s.nr, 1); /* an edge is remembered once */
	EXPECT_EQ(s.nr_wrong, 0);
	irq_remove(test_irq, &action);
	arch_msi_free(test_irq);
}

TEST(irq, message_numbers_run_out_with_enospc_and_come_back)
{
	unsigned *irqs, nr = 0, again;
	int err = 0;

	if (!allocate())
		return;
	arch_msi_free(test_irq);
	irqs = mem_alloc(arch_irq_count() * sizeof(*irqs), 0);
	REQUIRE(irqs);
	while (nr < arch_irq_count() && !(err = arch_msi_alloc(0, &irqs[nr], &message)))
		nr++;
	EXPECT_EQ(err, -ENOSPC);
	EXPECT_GT(nr, 8);
	for (unsigned i = 0; i < nr; i++)
		arch_msi_free(irqs[i]);
	for (again = 0; again < nr && !arch_msi_alloc(0, &irqs[again], &message); again++)
		;
	EXPECT_EQ(again, nr);
	for (unsigned i = 0; i < again; i++)
		arch_msi_free(irqs[i]);
	mem_free(irqs);
}

/* ---- Deferred calls ---- */

static uint32_t nr_deferred, nr_deferred_wrong; /* [a] */
static uint32_t nr_again;

static void on_deferred(struct deferred *d)
{
	if (!arch_irq_enabled() || preempt_is_enabled() || in_interrupt())
		atomic_add(&nr_deferred_wrong, 1u);
	if (nr_again) {
		nr_again--;
		deferred_call(d);
	}
	atomic_add(&nr_deferred, 1u);
}

static struct deferred deferred = DEFERRED_INIT(on_deferred);

static void wait_for_deferred(uint32_t nr)
{
	while (atomic_load(&nr_deferred) < nr)
		arch_cpu_relax();
	EXPECT_EQ(nr_deferred, nr);
	EXPECT_EQ(nr_deferred_wrong, 0);
}

TEST(irq, a_deferred_call_from_a_thread_runs_soon_and_once)
{
	bool were_enabled;

	nr_deferred = nr_deferred_wrong = nr_again = 0;
	were_enabled = arch_irq_save();
	deferred_call(&deferred);
	deferred_call(&deferred);
	EXPECT_EQ(nr_deferred, 0);
	arch_irq_restore(were_enabled);
	wait_for_deferred(1);
}

TEST(irq, a_deferred_call_that_asks_for_itself_ends)
{
	nr_deferred = nr_deferred_wrong = 0;
	nr_again = 100; /* more than one interrupt's rounds */
	deferred_call(&deferred);
	wait_for_deferred(101);
}
