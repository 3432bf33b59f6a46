// SPDX-License-Identifier: MIT
/*
 * Work items: order, overlap where they block, flush, cancel, items that queue themselves.
 */
#include "arch/arch.h"
#include "irq/work.h"
#include "lib/atomic.h"
#include "lib/test.h"
#include "sched/sched.h"
#include "time/clock.h"
#include "time/timer.h"

enum { ITEMS = 20 };

struct item {
	struct work work;
	unsigned number;
	uint32_t runs;    /* [a] */
	uint32_t running; /* [a] */
};

static struct item items[ITEMS];
static uint32_t started[ITEMS]; /* which item started n-th */
static uint32_t nr_started;     /* [a] */
static uint32_t overlaps;       /* [a] an item that ran twice at once */

static void items_init(void (*fn)(struct work *w))
{
	nr_started = overlaps = 0;
	for (unsigned i = 0; i < ITEMS; i++)
		items[i] = (struct item){.work = WORK_INIT(fn), .number = i};
}

static struct item *begin(struct work *w)
{
	struct item *item = container_of(w, struct item, work);

	if (atomic_fetch_add(&item->running, 1) != 0)
		atomic_add(&overlaps, 1);
	started[atomic_fetch_add(&nr_started, 1) % ITEMS] = item->number;
	return item;
}

static void end(struct item *item)
{
	atomic_add(&item->runs, 1);
	atomic_sub(&item->running, 1);
}

static void run_quickly(struct work *w)
{
	end(begin(w));
}

TEST(work, items_start_in_order)
{
	items_init(run_quickly);
	for (unsigned i = 0; i < ITEMS; i++)
		EXPECT(work_queue(&items[i].work));
	for (unsigned i = 0; i < ITEMS; i++)
		work_flush(&items[i].work);
	EXPECT_EQ(nr_started, ITEMS);
	for (unsigned i = 0; i < ITEMS; i++)
		EXPECT_EQ(started[i], i);
}

static void run_and_sleep(struct work *w)
{
	struct item *item = begin(w);

	EXPECT_EQ(sleep_ns(20 * NS_PER_MS), 0);
	end(item);
}

TEST(work, items_that_sleep_overlap)
{
	uint64_t start = clock_monotonic_ns();

	items_init(run_and_sleep);
	for (unsigned i = 0; i < ITEMS; i++)
		EXPECT(work_queue(&items[i].work));
	work_flush(&items[ITEMS - 1].work);
	/* the last has slept; one after the other they would have needed ITEMS times as long */
	EXPECT_EQ(nr_started, ITEMS);
	EXPECT_GE(clock_monotonic_ns() - start, 20 * NS_PER_MS);
	for (unsigned i = 0; i < ITEMS; i++)
		work_flush(&items[i].work);
	for (unsigned i = 0; i < ITEMS; i++) {
		EXPECT_EQ(started[i], i);
		EXPECT_EQ(items[i].runs, 1);
	}
}

static uint32_t gate; /* [a] */

static void run_behind_gate(struct work *w)
{
	struct item *item = begin(w);

	while (!atomic_load(&gate))
		EXPECT_EQ(sleep_ns(100 * NS_PER_US), 0);
	end(item);
}

TEST(work, a_blocked_item_does_not_hold_up_the_next)
{
	items_init(run_behind_gate);
	items[1].work.fn = run_quickly;
	gate = 0;
	EXPECT(work_queue(&items[0].work));
	EXPECT(work_queue(&items[1].work));
	work_flush(&items[1].work); /* hangs if item 0 had to end first */
	EXPECT_EQ(items[0].runs, 0);
	atomic_store(&gate, 1);
	work_flush(&items[0].work);
	EXPECT_EQ(items[0].runs, 1);
}

TEST(work, queued_twice_before_it_starts_runs_once)
{
	items_init(run_behind_gate);
	gate = 0;
	for (unsigned i = 0; i < ITEMS; i++)
		items[i].work.fn = i ? run_quickly : run_behind_gate;
	EXPECT(work_queue(&items[0].work));
	while (!atomic_load(&items[0].running))
		EXPECT_EQ(sleep_ns(50 * NS_PER_US), 0);
	EXPECT(work_queue(&items[0].work)); /* it runs: once more afterwards */
	EXPECT(!work_queue(&items[0].work));
	atomic_store(&gate, 1);
	work_flush(&items[0].work);
	EXPECT_EQ(items[0].runs, 2);
	EXPECT_EQ(overlaps, 0);
}

static void run_again_and_again(struct work *w)
{
	struct item *item = begin(w);

	if (atomic_load(&item->runs) < 9)
		EXPECT(work_queue(w));
	end(item);
}

TEST(work, an_item_may_queue_itself)
{
	items_init(run_again_and_again);
	EXPECT(work_queue(&items[0].work));
	work_flush(&items[0].work);
	EXPECT_EQ(items[0].runs, 10);
	EXPECT_EQ(overlaps, 0);
}

TEST(work, cancelled_items_do_not_run)
{
	uint32_t before;

	items_init(run_behind_gate);
	gate = 0;
	EXPECT(work_queue(&items[0].work));
	while (!atomic_load(&items[0].running))
		EXPECT_EQ(sleep_ns(50 * NS_PER_US), 0);
	EXPECT(work_queue(&items[0].work));
	atomic_store(&gate, 1);
	work_cancel(&items[0].work); /* waits for the run, perhaps the second has begun */
	before = atomic_load(&items[0].runs);
	EXPECT_GE(before, 1);
	EXPECT_EQ(sleep_ns(NS_PER_MS), 0);
	EXPECT_EQ(items[0].runs, before);
	work_cancel(&items[1].work); /* never queued */
	EXPECT_EQ(items[1].runs, 0);
}

static uint32_t gate_seen; /* [a] */

static void hold_the_pool(struct work *w)
{
	struct item *item = begin(w);
	uint64_t limit = clock_monotonic_ns() + NS_PER_SEC;

	while (!atomic_load(&gate) && clock_monotonic_ns() < limit)
		arch_cpu_relax(); /* without blocking: nothing behind it starts */
	atomic_store(&gate_seen, atomic_load(&gate));
	end(item);
}

static void flush_and_open_gate(void *arg)
{
	work_flush(arg);
	atomic_store(&gate, 1);
}

TEST(work, cancelling_ends_the_flush_of_another)
{
	struct thread *t;

	items_init(hold_the_pool);
	gate = gate_seen = 0;
	EXPECT(work_queue(&items[0].work));
	EXPECT(work_queue(&items[1].work));
	REQUIRE(thread_create(&t, "flusher", flush_and_open_gate, &items[1].work) == 0);
	thread_start(t);
	EXPECT_EQ(sleep_ns(20 * NS_PER_MS), 0); /* it waits by now */
	work_cancel(&items[1].work);
	(void)thread_join(t);
	work_flush(&items[0].work);
	EXPECT_EQ(items[1].runs, 0);
	EXPECT_EQ(gate_seen, 1); /* the flush ended while item 0 still ran */
}

static void queue_all(void *arg)
{
	for (unsigned long n = 0; n < test_rounds(5000); n++) {
		(void)work_queue(&items[n % ITEMS].work);
		if (n % 7 == 0)
			work_flush(&items[(n + (uintptr_t)arg) % ITEMS].work);
		if (n % 31 == 0)
			work_cancel(&items[(n + (uintptr_t)arg) % ITEMS].work);
	}
}

TEST(work, many_threads_queue_flush_and_cancel)
{
	struct thread *t[4];

	items_init(run_quickly);
	for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
		REQUIRE(thread_create(&t[i], "queuer", queue_all, (void *)(uintptr_t)i) == 0);
		thread_start(t[i]);
	}
	for (unsigned i = 0; i < ARRAY_LEN(t); i++)
		(void)thread_join(t[i]);
	for (unsigned i = 0; i < ITEMS; i++) {
		work_flush(&items[i].work);
		EXPECT_EQ(items[i].work.state, WORK_IDLE);
	}
	EXPECT_EQ(overlaps, 0);
}
