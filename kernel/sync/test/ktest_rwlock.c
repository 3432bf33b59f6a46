// SPDX-License-Identifier: MIT
/* Rwlocks: readers together, writers alone, first come first served. */
#include "lib/atomic.h"
#include "lib/test.h"
#include "sched/sched.h"
#include "sync/mutex.h"
#include "sync/test/team.h"

enum { READERS = 5, WRITERS = 3, ROUNDS = 1000 };

static struct {
	struct rwlock l;
	uint64_t a, b;                   /* equal whenever no writer is inside */
	uint32_t nr_readers, nr_writers; /* [a] inside */
	uint32_t max_readers;            /* [a] seen at once */
	uint32_t is_open;                /* [a] */
	uint32_t nr_broken;              /* [a] */
	uint32_t order[TEAM_MAX];
	uint32_t nr_order; /* [a] */
	unsigned long rounds;
} s;

static void reset(void)
{
	s = (__typeof__(s)){.rounds = test_rounds(ROUNDS)};
	rwlock_init(&s.l, RANK_TEST_OUTER, "test rwlock");
}

static void read_many(void *arg UNUSED)
{
	for (unsigned long i = 0; i < s.rounds; i++) {
		rwlock_read_lock(&s.l);
		if (READ_ONCE(s.a) != READ_ONCE(s.b))
			atomic_add(&s.nr_broken, 1u);
		rwlock_read_unlock(&s.l);
	}
}

static void write_many(void *arg UNUSED) NOT_ANALYSED /* downgrades */
{
	for (unsigned long i = 0; i < s.rounds; i++) {
		rwlock_write_lock(&s.l);
		WRITE_ONCE(s.a, s.a + 1);
		if (i % 32 == 0)
			sched_yield();
		WRITE_ONCE(s.b, s.b + 1);
		if (i % 2) {
			rwlock_write_unlock(&s.l);
		} else {
			rwlock_downgrade(&s.l);
			if (READ_ONCE(s.a) != READ_ONCE(s.b))
				atomic_add(&s.nr_broken, 1u);
			rwlock_read_unlock(&s.l);
		}
	}
}

TEST(rwlock, readers_never_see_a_writer_at_work)
{
	struct team readers, writers;

	reset();
	team_start(&readers, READERS, read_many, NULL);
	team_start(&writers, WRITERS, write_many, NULL);
	team_join(&readers);
	team_join(&writers);
	EXPECT_EQ(s.nr_broken, 0);
	EXPECT_EQ(s.a, WRITERS * s.rounds);
	EXPECT_EQ(s.b, WRITERS * s.rounds);
	EXPECT_EQ(s.l.state, 0);
}

static void note(void *arg)
{
	s.order[atomic_fetch_add(&s.nr_order, 1u)] = (uint32_t)(uintptr_t)arg;
}

static void read_until_open(void *arg)
{
	rwlock_read_lock(&s.l);
	note(arg);
	atomic_add(&s.nr_readers, 1u);
	AWAIT(atomic_load(&s.is_open));
	rwlock_read_unlock(&s.l);
}

static void write_once(void *arg)
{
	rwlock_write_lock(&s.l);
	note(arg);
	rwlock_write_unlock(&s.l);
}

TEST(rwlock, readers_share)
{
	struct team team;

	reset();
	team_start(&team, READERS, read_until_open, NULL);
	AWAIT(atomic_load(&s.nr_readers) == READERS); /* would hang if one kept another out */
	EXPECT_EQ(s.l.state, READERS);
	atomic_store(&s.is_open, 1u);
	team_join(&team);
}

TEST(rwlock, a_waiting_writer_goes_before_later_readers)
{
	struct team team = {0};

	reset();
	team_add(&team, read_until_open, (void *)1);
	AWAIT(atomic_load(&s.nr_readers) == 1);
	await_blocked(team_add(&team, write_once, (void *)2));
	await_blocked(team_add(&team, read_until_open, (void *)3));
	await_blocked(team_add(&team, write_once, (void *)4));
	EXPECT_EQ(s.nr_order, 1);
	atomic_store(&s.is_open, 1u);
	team_join(&team);
	for (unsigned i = 0; i < 4; i++)
		EXPECT_EQ(s.order[i], i + 1);
}

TEST(rwlock, a_stream_of_readers_does_not_starve_a_writer)
{
	struct team readers, writer;

	reset();
	s.rounds = test_rounds(ROUNDS);
	team_start(&readers, READERS, read_many, NULL);
	team_start(&writer, 1, write_once, NULL);
	team_join(&writer);
	team_join(&readers);
	EXPECT_EQ(s.nr_order, 1);
}
