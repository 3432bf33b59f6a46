// SPDX-License-Identifier: MIT
/* RCU: readers never see freed memory, barriers wait, idle CPUs hold nobody up. */
#include "sync/rcu.h"

#include "lib/test.h"
#include "mm/slab.h"
#include "sched/sched.h"
#include "sync/test/team.h"

enum { READERS = 6, WRITERS = 2, ROUNDS = 400, ALIVE = 0x600d, FREED = 0xbad };

struct version {
	struct rcu_head rcu;
	uint32_t state; /* [a] ALIVE, or FREED once the grace period is over */
};

static struct {
	struct version *current; /* published */
	uint32_t is_over;        /* [a] */
	uint32_t nr_bad;         /* [a] */
	uint32_t nr_called;      /* [a] */
	unsigned long rounds;
} s;

static struct version *new_version(void)
{
	struct version *v = mem_alloc(sizeof(*v), SLAB_ZERO);

	assert(v);
	v->state = ALIVE;
	return v;
}

/* Marks before it frees, so that a reader that is still there sees the mark. */
static void free_version(struct rcu_head *head)
{
	struct version *v = container_of(head, struct version, rcu);

	atomic_store(&v->state, (uint32_t)FREED);
	atomic_add(&s.nr_called, 1u);
	mem_free(v);
}

static void reset(void)
{
	s = (__typeof__(s)){.rounds = test_rounds(ROUNDS)};
	rcu_publish(s.current, new_version());
}

static void read_until_over(void *arg UNUSED)
{
	while (!atomic_load(&s.is_over)) {
		struct version *v;

		rcu_read_lock();
		v = rcu_load(s.current);
		for (unsigned i = 0; i < 20; i++) {
			if (atomic_load(&v->state) != ALIVE)
				atomic_add(&s.nr_bad, 1u);
			arch_cpu_relax();
		}
		rcu_read_unlock();
	}
}

static void replace_by_callback(void *arg UNUSED)
{
	for (unsigned long i = 0; i < s.rounds; i++) {
		struct version *old = atomic_xchg(&s.current, new_version());

		rcu_call(&old->rcu, free_version);
		if (i % 16 == 0)
			sched_yield();
	}
}

static void replace_by_waiting(void *arg UNUSED)
{
	for (unsigned long i = 0; i < s.rounds / 8; i++) {
		struct version *old = atomic_xchg(&s.current, new_version());

		rcu_synchronize();
		free_version(&old->rcu);
	}
}

static void end(void)
{
	rcu_barrier();
	mem_free(s.current);
}

TEST(rcu, readers_never_see_what_callbacks_free)
{
	struct team readers, writers;

	reset();
	team_start(&readers, READERS, read_until_over, NULL);
	team_start(&writers, WRITERS, replace_by_callback, NULL);
	team_join(&writers);
	atomic_store(&s.is_over, 1u);
	team_join(&readers);
	rcu_barrier();
	EXPECT_EQ(s.nr_bad, 0);
	EXPECT_EQ(s.nr_called, WRITERS * s.rounds);
	end();
}

TEST(rcu, readers_never_see_what_is_freed_after_synchronize)
{
	struct team readers, writers;

	reset();
	team_start(&readers, READERS, read_until_over, NULL);
	team_start(&writers, WRITERS, replace_by_waiting, NULL);
	team_join(&writers);
	atomic_store(&s.is_over, 1u);
	team_join(&readers);
	EXPECT_EQ(s.nr_bad, 0);
	end();
}

TEST(rcu, barrier_waits_for_every_callback_queued_before)
{
	unsigned long rounds = test_rounds(50);

	reset();
	for (unsigned long i = 1; i <= rounds; i++) {
		rcu_call(&new_version()->rcu, free_version);
		rcu_barrier();
		EXPECT_EQ(atomic_load(&s.nr_called), i);
	}
	end();
}

/* A reader on this CPU keeps a callback off until it is done. */
TEST(rcu, a_reader_keeps_a_callback_away)
{
	uint64_t until;
	uint32_t early;

	reset();
	rcu_read_lock();
	rcu_call(&new_version()->rcu, free_version);
	until = clock_monotonic_ns() + 5 * NS_PER_MS;
	while (clock_monotonic_ns() < until)
		arch_cpu_relax();
	early = atomic_load(&s.nr_called);
	rcu_read_unlock();
	EXPECT_EQ(early, 0);
	rcu_barrier();
	EXPECT_EQ(s.nr_called, 1);
	end();
}

static void compute_until_over(void *arg UNUSED)
{
	while (!atomic_load(&s.is_over))
		arch_cpu_relax();
}

TEST(rcu, a_busy_cpu_that_never_switches_does_not_hold_up_a_grace_period)
{
	struct team team;

	reset();
	team_start(&team, 1, compute_until_over, NULL);
	rcu_synchronize();
	atomic_store(&s.is_over, 1u);
	team_join(&team);
	end();
}
