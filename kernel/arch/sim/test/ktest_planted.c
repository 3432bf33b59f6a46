// SPDX-License-Identifier: MIT
/*
 * Bugs on purpose, each beside the same code without the bug. The simulated machine must find
 * every one within a bounded number of seeds, by the report that fits it, replay it exactly,
 * and find nothing in the correct twins: `torus-sim --planted`. No other run includes area
 * `planted`.
 *
 * They are the kinds that other people's kernels are haunted by: a missing lock, data shared
 * with an interrupt, a lost wake-up, locks in two orders, a pointer kept past its free.
 */
#include "arch/sim/sim.h"

#include "arch/sim/test/states.h"
#include "lib/atomic.h"
#include "lib/test.h"
#include "mm/slab.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "sync/rcu.h"
#include "sync/spinlock.h"
#include "sync/ticket.h"
#include "sync/waitq.h"
#include "time/clock.h"
#include "time/timer.h"

enum { NR_THREADS = 4, ROUNDS = 500 };

/* Runs entry(arg) in `nr` threads and waits for their ends. */
static void run_threads(unsigned nr, void (*entry)(void *), void *arg)
{
	struct thread *t[NR_THREADS];

	for (unsigned i = 0; i < nr; i++) {
		REQUIRE(thread_create(&t[i], "planted", entry, arg) == 0);
		thread_start(t[i]);
	}
	for (unsigned i = 0; i < nr; i++)
		thread_join(t[i]);
}

/* ---- A counter without, and with, its lock ---- */

static unsigned counter;
static struct spinlock counter_lock = SPINLOCK_INIT(RANK_TEST_SPIN, "planted counter");

static void count_unlocked(void *arg UNUSED)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		counter++;
		compiler_barrier(); /* or the loop becomes one addition */
	}
}

static void count_locked(void *arg UNUSED)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		spinlock_lock(&counter_lock);
		counter++;
		spinlock_unlock(&counter_lock);
	}
}

TEST(planted, missing_lock)
{
	run_threads(NR_THREADS, count_unlocked, NULL);
	EXPECT_EQ(counter, NR_THREADS * ROUNDS);
}

TEST(planted, missing_lock_correct)
{
	run_threads(NR_THREADS, count_locked, NULL);
	EXPECT_EQ(counter, NR_THREADS * ROUNDS);
}
SIM_PLANTED(missing_lock, missing_lock_correct, .report = "counter is ", .max_seeds = 20);

/* ---- A counter shared with an interrupt, whose flag is left on, or turned off ---- */

enum { NR_TICKS = 200 };
#define TICK_NS (5 * NS_PER_US)

static unsigned ticks_seen, shared;
static struct timer ticker;

static void tick(struct timer *t)
{
	shared++;
	if (++ticks_seen < NR_TICKS)
		timer_start(t, clock_monotonic_ns() + TICK_NS);
}

/* Counts beside the interrupt until it has ended; returns how often. Pinned by preemption off.
 */
static unsigned count_beside_interrupt(bool is_correct)
{
	unsigned mine = 0;

	timer_init(&ticker, tick);
	preempt_disable();
	timer_start(&ticker, clock_monotonic_ns() + TICK_NS);
	while (READ_ONCE(ticks_seen) < NR_TICKS) {
		bool irqs = is_correct ? arch_irq_save() : false;

		shared++;
		mine++;
		if (is_correct)
			arch_irq_restore(irqs);
	}
	preempt_enable();
	return mine;
}

TEST(planted, interrupts_left_on)
{
	unsigned mine = count_beside_interrupt(false);

	EXPECT_EQ(shared, mine + NR_TICKS);
}

TEST(planted, interrupts_left_on_correct)
{
	unsigned mine = count_beside_interrupt(true);

	EXPECT_EQ(shared, mine + NR_TICKS);
}
SIM_PLANTED(interrupts_left_on, interrupts_left_on_correct, .report = "shared is ",
	.max_seeds = 100);

/* ---- A wake-up between the test and the sleep ---- */

static uint32_t is_started, is_done; /* [a] */
static struct waitq done_waiters = WAITQ_INIT(done_waiters);

static void sleeper_forgetful(void *arg UNUSED)
{
	atomic_store_release(&is_started, 1u);
	if (!atomic_load_acquire(&is_done)) { /* the wake-up may come right here */
		sched_set_blocked();
		sched_switch();
	}
}

static void sleeper_correct(void *arg UNUSED)
{
	int err;

	atomic_store_release(&is_started, 1u);
	err = WAIT_EVENT(
		&done_waiters, WAIT_BOUNDED, WAIT_FOREVER, atomic_load_acquire(&is_done));

	EXPECT_EQ(err, 0);
}

static void start_sleeper(struct thread **t, void (*entry)(void *))
{
	REQUIRE(thread_create(t, "sleeper", entry, NULL) == 0);
	thread_start(*t);
	while (!atomic_load_acquire(&is_started))
		arch_cpu_relax();
}

TEST(planted, lost_wakeup)
{
	struct thread *t;

	start_sleeper(&t, sleeper_forgetful);
	atomic_store_release(&is_done, 1u);
	sched_wake(t);
	thread_join(t);
}

TEST(planted, lost_wakeup_correct)
{
	struct thread *t;

	start_sleeper(&t, sleeper_correct);
	atomic_store_release(&is_done, 1u);
	waitq_wake_all(&done_waiters, 0);
	thread_join(t);
}
SIM_PLANTED(lost_wakeup, lost_wakeup_correct,
	.report = "hang: every CPU is idle and no timer is armed", .max_seeds = 300);

/* ---- Two locks in two orders: spinning, behind the back of the checker of ranks ---- */

static struct ticket spin_a, spin_b;

static void take_spinning(struct ticket *first, struct ticket *second)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		preempt_disable();
		ticket_lock(first);
		ticket_lock(second);
		ticket_unlock(second);
		ticket_unlock(first);
		preempt_enable();
	}
}

static void take_ab(void *arg UNUSED)
{
	take_spinning(&spin_a, &spin_b);
}

static void take_ba(void *arg UNUSED)
{
	take_spinning(&spin_b, &spin_a);
}

TEST(planted, spinning_ab_ba)
{
	struct thread *t;

	REQUIRE(thread_create(&t, "takes b, a", take_ba, NULL) == 0);
	thread_start(t);
	take_ab(NULL);
	thread_join(t);
}

TEST(planted, spinning_ab_ba_correct)
{
	struct thread *t;

	REQUIRE(thread_create(&t, "takes a, b", take_ab, NULL) == 0);
	thread_start(t);
	take_ab(NULL);
	thread_join(t);
}
SIM_PLANTED(spinning_ab_ba, spinning_ab_ba_correct, .report = "livelock: ", .max_seeds = 50,
	.max_steps = 10000000);

/* ---- The same with sleeping locks, made of wait queues so that no checker knows them ---- */

struct gate {
	uint32_t is_taken; /* [a] */
	struct waitq waiters;
};
static struct gate gate_a = {.waiters = WAITQ_INIT(gate_a.waiters)};
static struct gate gate_b = {.waiters = WAITQ_INIT(gate_b.waiters)};

static void gate_enter(struct gate *g)
{
	int err = WAIT_EVENT_EXCLUSIVE(
		&g->waiters, WAIT_BOUNDED, WAIT_FOREVER, atomic_xchg(&g->is_taken, 1u) == 0);

	EXPECT_EQ(err, 0);
}

static void gate_leave(struct gate *g)
{
	atomic_store_release(&g->is_taken, 0u);
	waitq_wake_one(&g->waiters, 0);
}

static void enter_both(struct gate *first, struct gate *second)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		gate_enter(first);
		gate_enter(second);
		gate_leave(second);
		gate_leave(first);
	}
}

static void enter_ab(void *arg UNUSED)
{
	enter_both(&gate_a, &gate_b);
}

static void enter_ba(void *arg UNUSED)
{
	enter_both(&gate_b, &gate_a);
}

TEST(planted, sleeping_ab_ba)
{
	struct thread *t;

	REQUIRE(thread_create(&t, "enters b, a", enter_ba, NULL) == 0);
	thread_start(t);
	enter_ab(NULL);
	thread_join(t);
}

TEST(planted, sleeping_ab_ba_correct)
{
	struct thread *t;

	REQUIRE(thread_create(&t, "enters a, b", enter_ab, NULL) == 0);
	thread_start(t);
	enter_ab(NULL);
	thread_join(t);
}
SIM_PLANTED(sleeping_ab_ba, sleeping_ab_ba_correct,
	.report = "hang: every CPU is idle and no timer is armed", .max_seeds = 50);

/* ---- The same with real locks: the checker sees it without any luck ---- */

static struct spinlock lock_a = SPINLOCK_INIT(RANK_TEST_SPIN, "planted a");
static struct irqlock lock_b = IRQLOCK_INIT(RANK_TEST_IRQ, "planted b");

TEST(planted, ranked_ab_ba)
{
	irqlock_lock(&lock_b);
	spinlock_lock(&lock_a); /* RANK_TEST_SPIN comes before RANK_TEST_IRQ */
	spinlock_unlock(&lock_a);
	irqlock_unlock(&lock_b);
}

TEST(planted, ranked_ab_ba_correct)
{
	spinlock_lock(&lock_a);
	irqlock_lock(&lock_b);
	irqlock_unlock(&lock_b);
	spinlock_unlock(&lock_a);
}
SIM_PLANTED(ranked_ab_ba, ranked_ab_ba_correct, .report = "planted a", .max_seeds = 1);

/* ---- A pointer that outlives its object ---- */

struct published {
	struct rcu_head rcu;
	unsigned value;
};
static struct published *latest; /* [a] */
static uint32_t readers_left;    /* [a] */

static void read_published(void *arg UNUSED)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct published *p;

		rcu_read_lock();
		p = rcu_load(latest);
		EXPECT_EQ(p->value, 42);
		rcu_read_unlock();
	}
	atomic_fetch_sub(&readers_left, 1u);
}

static void free_published(struct rcu_head *head)
{
	mem_free(container_of(head, struct published, rcu));
}

static void publish_new(bool is_correct)
{
	struct published *old = latest, *new = mem_alloc(sizeof(*new), SLAB_ZERO);

	REQUIRE(new);
	new->value = 42;
	rcu_publish(latest, new);
	if (!old)
		return;
	if (is_correct)
		rcu_call(&old->rcu, free_published);
	else
		mem_free(old);
}

static void publish_beside_readers(bool is_correct)
{
	struct thread *t[2];

	publish_new(is_correct);
	atomic_store_release(&readers_left, (uint32_t)ARRAY_LEN(t));
	for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
		REQUIRE(thread_create(&t[i], "reader", read_published, NULL) == 0);
		thread_start(t[i]);
	}
	while (atomic_load_acquire(&readers_left)) {
		publish_new(is_correct);
		sched_yield();
	}
	for (unsigned i = 0; i < ARRAY_LEN(t); i++)
		thread_join(t[i]);
}

TEST(planted, freed_too_early)
{
	publish_beside_readers(false);
}

TEST(planted, freed_too_early_correct)
{
	publish_beside_readers(true);
}
SIM_PLANTED(freed_too_early, freed_too_early_correct,
	.report = "AddressSanitizer: use-after-poison", .max_seeds = 50);

/* ---- A kill at one short moment of many leaves an object behind ---- */

static void make_short_calls(bool is_correct)
{
	void *object;

	for (unsigned i = 0; i < 20; i++)
		(void)DO(getpid, 0);
	object = is_correct ? NULL : mem_alloc(100, 0);
	(void)DO(getpid, 0); /* who is killed here comes back no more */
	mem_free(object);
	for (unsigned i = 0; i < 20; i++)
		(void)DO(getpid, 0);
}

static void keep_over_a_call(void)
{
	make_short_calls(false);
}

static void keep_nothing(void)
{
	make_short_calls(true);
}

TEST(planted, leak_when_killed)
{
	states_kill(keep_over_a_call);
}

TEST(planted, leak_when_killed_correct)
{
	states_kill(keep_nothing);
}
SIM_PLANTED(leak_when_killed, leak_when_killed_correct, .report = "leak after kill",
	.max_seeds = 40);

/* ---- The same in a helper, of which the first thread knows nothing ---- */

static void call_shortly(uintptr_t is_correct)
{
	make_short_calls(is_correct);
}

static void helper_keeps_over_a_call(void)
{
	join(child(call_shortly, false));
}

static void helper_keeps_nothing(void)
{
	join(child(call_shortly, true));
}

TEST(planted, leak_when_helper_killed)
{
	states_kill_helper(helper_keeps_over_a_call);
}

TEST(planted, leak_when_helper_killed_correct)
{
	states_kill_helper(helper_keeps_nothing);
}
SIM_PLANTED(leak_when_helper_killed, leak_when_helper_killed_correct, .report = "of thread 1",
	.max_seeds = 40);

/* ---- Nobody is told of a helper's end: its file stays open elsewhere ---- */

static void wait_for_byte(bool is_correct)
{
	uint64_t fd[2], pid;

	make_pipe(fd, 0);
	pid = child(write_byte, fd[1]);
	if (is_correct)
		(void)DO(close, fd[1]);
	EXPECT_WHOLE(DO(read, fd[0], sim_scratch("", 1), 1), 1);
	join(pid);
}

static void wait_with_the_end_open(void)
{
	wait_for_byte(false);
}

static void wait_with_the_end_closed(void)
{
	wait_for_byte(true);
}

TEST(planted, helper_dies_unnoticed)
{
	states_kill_helper(wait_with_the_end_open);
}

TEST(planted, helper_dies_unnoticed_correct)
{
	states_kill_helper(wait_with_the_end_closed);
}
SIM_PLANTED(helper_dies_unnoticed, helper_dies_unnoticed_correct,
	.report = "hang:", .max_seeds = 10);
