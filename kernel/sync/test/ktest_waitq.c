// SPDX-License-Identifier: MIT
/* Wait queues: no lost wake-up, exclusive waiters, time, kills, waiters that are no threads. */
#include "sync/waitq.h"

#include "lib/atomic.h"
#include "lib/test.h"
#include "sync/test/team.h"

enum { THREADS = 6, ROUNDS = 2000 };

static struct {
	struct waitq q;
	uint32_t tokens;   /* [a] */
	uint32_t taken;    /* [a] */
	uint32_t nr_awake; /* [a] */
	uint32_t is_open;  /* [a] */
	unsigned long rounds;
	int err;
} s;

static void reset(void)
{
	waitq_init(&s.q);
	s.tokens = s.taken = s.nr_awake = s.is_open = 0;
	s.rounds = test_rounds(ROUNDS);
	s.err = 0;
}

static bool take_token(void)
{
	uint32_t n = atomic_load(&s.tokens);

	while (n)
		if (atomic_cmpxchg(&s.tokens, &n, n - 1))
			return true;
	return false;
}

/* ---- No wake-up is lost ---- */

static void take_many(void *arg UNUSED)
{
	for (unsigned long i = 0; i < s.rounds; i++) {
		int err = WAIT_EVENT_EXCLUSIVE(&s.q, WAIT_BOUNDED, WAIT_FOREVER, take_token());

		EXPECT_EQ(err, 0);
		atomic_add(&s.taken, 1u);
	}
}

static void give_many(void *arg UNUSED)
{
	for (unsigned long i = 0; i < s.rounds; i++) {
		atomic_add(&s.tokens, 1u);
		waitq_wake_one(&s.q, 0);
	}
}

TEST(waitq, every_token_wakes_a_taker)
{
	struct team takers, givers;

	reset();
	team_start(&takers, THREADS, take_many, NULL);
	team_start(&givers, THREADS, give_many, NULL);
	team_join(&givers);
	team_join(&takers);
	EXPECT_EQ(s.taken, THREADS * s.rounds);
	EXPECT_EQ(s.tokens, 0);
	EXPECT(!waitq_has_waiters(&s.q));
}

/*
 * Takers that give up by time race with single wake-ups. A wake-up that hits a taker which is
 * leaving must go on to another, or a token would lie there while somebody sleeps for it.
 */
static void take_with_deadline(void *arg UNUSED)
{
	for (unsigned long i = 0; i < s.rounds; i++) {
		uint64_t deadline = clock_monotonic_ns() + (i % 7) * NS_PER_US;

		if (WAIT_EVENT_EXCLUSIVE(&s.q, WAIT_BOUNDED, deadline, take_token()) == 0)
			atomic_add(&s.taken, 1u);
	}
}

TEST(waitq, a_wake_up_for_one_who_gives_up_goes_to_the_next)
{
	struct team patient, hasty, givers;
	unsigned long all;

	reset();
	s.rounds = test_rounds(ROUNDS / 4);
	all = THREADS * s.rounds;
	team_start(&patient, THREADS / 2, take_many, NULL);
	team_start(&hasty, THREADS / 2, take_with_deadline, NULL);
	team_start(&givers, THREADS, give_many, NULL);
	team_join(&givers);
	team_join(&hasty);
	team_join(&patient); /* would hang if a wake-up had been lost */
	EXPECT_EQ(s.taken + s.tokens, all);
}

/* ---- Who is woken ---- */

static void wait_open(void *arg)
{
	bool is_exclusive = arg != NULL;
	int err = WAIT_EVENT_(
		&s.q, WAIT_BOUNDED, WAIT_FOREVER, is_exclusive, atomic_load(&s.is_open));

	EXPECT_EQ(err, 0);
	atomic_add(&s.nr_awake, 1u);
}

TEST(waitq, wake_one_wakes_all_shared_and_one_exclusive_waiter)
{
	static int exclusive;
	struct team team = {0};

	reset();
	for (unsigned i = 0; i < THREADS; i++)
		await_blocked(team_add(&team, wait_open, i % 2 ? &exclusive : NULL));
	atomic_store(&s.is_open, 1u);
	waitq_wake_one(&s.q, 0);
	AWAIT(atomic_load(&s.nr_awake) == THREADS / 2 + 1);
	for (unsigned i = 0; i < 10; i++)
		nap();
	EXPECT_EQ(atomic_load(&s.nr_awake), THREADS / 2 + 1);
	waitq_wake_all(&s.q, 0);
	team_join(&team);
	EXPECT_EQ(s.nr_awake, THREADS);
}

struct counting_waiter {
	struct waiter waiter;
	unsigned nr_calls;
	uint64_t key;
	bool consumes;
};

static bool count_wake(struct waiter *w, uint64_t key)
{
	struct counting_waiter *c = container_of(w, struct counting_waiter, waiter);

	c->nr_calls++;
	c->key = key;
	return c->consumes;
}

TEST(waitq, a_callback_gets_the_key_and_says_whether_it_consumed)
{
	struct counting_waiter first = {.waiter = {.wake = count_wake, .is_exclusive = true}};
	struct counting_waiter second = first, shared = {.waiter = {.wake = count_wake}};

	reset();
	second.consumes = true;
	waitq_add(&s.q, &first.waiter);
	waitq_add(&s.q, &second.waiter);
	waitq_add(&s.q, &shared.waiter); /* goes before the exclusive ones */
	waitq_wake_one(&s.q, 7);
	EXPECT_EQ(shared.nr_calls, 1);
	EXPECT_EQ(first.nr_calls, 1); /* did not consume, so the next was asked */
	EXPECT_EQ(second.nr_calls, 1);
	EXPECT_EQ(second.key, 7);
	waitq_wake_nr(&s.q, 0, 8);
	EXPECT_EQ(shared.nr_calls, 2);
	EXPECT_EQ(first.nr_calls, 1);
	waitq_remove(&s.q, &first.waiter);
	waitq_remove(&s.q, &first.waiter); /* harmless when it is off */
	waitq_remove(&s.q, &second.waiter);
	waitq_remove(&s.q, &shared.waiter);
	EXPECT(!waitq_has_waiters(&s.q));
	EXPECT(!s.q.first_exclusive);
}

/* ---- How a wait ends ---- */

TEST(waitq, a_deadline_ends_a_wait_not_early)
{
	uint64_t start = clock_monotonic_ns();
	int err;

	reset();
	err = WAIT_EVENT(&s.q, WAIT_BOUNDED, start + 3 * NS_PER_MS, false);
	EXPECT_EQ(err, -ETIMEDOUT);
	EXPECT_GE(clock_monotonic_ns(), start + 3 * NS_PER_MS);
	EXPECT(!waitq_has_waiters(&s.q));
}

TEST(waitq, a_true_condition_beats_a_passed_deadline)
{
	int err;

	reset();
	err = WAIT_EVENT(&s.q, WAIT_BOUNDED, 0, true);
	EXPECT_EQ(err, 0);
	err = WAIT_EVENT(&s.q, WAIT_BOUNDED, 0, false);
	EXPECT_EQ(err, -ETIMEDOUT);
}

static void wait_killable(void *arg UNUSED)
{
	s.err = WAIT_EVENT(&s.q, WAIT_KILLABLE, WAIT_FOREVER, atomic_load(&s.is_open));
}

static void wait_bounded(void *arg UNUSED)
{
	s.err = WAIT_EVENT(&s.q, WAIT_BOUNDED, WAIT_FOREVER, atomic_load(&s.is_open));
}

TEST(waitq, a_kill_ends_a_killable_wait)
{
	struct team team = {0};
	struct thread *t;

	reset();
	t = team_add(&team, wait_killable, NULL);
	await_blocked(t);
	thread_kill(t);
	team_join(&team);
	EXPECT_EQ(s.err, -EINTR);
	EXPECT(!waitq_has_waiters(&s.q));
}

TEST(waitq, a_kill_before_the_wait_ends_it_too)
{
	struct team team = {0};
	unsigned long rounds = test_rounds(200);

	for (unsigned long i = 0; i < rounds; i++) {
		reset();
		thread_kill(team_add(&team, wait_killable, NULL)); /* at whatever point it is */
		team_join(&team);
		EXPECT_EQ(s.err, -EINTR);
	}
}

TEST(waitq, a_bounded_wait_ignores_a_kill)
{
	struct team team = {0};
	struct thread *t;

	reset();
	t = team_add(&team, wait_bounded, NULL);
	await_blocked(t);
	thread_kill(t);
	for (unsigned i = 0; i < 10; i++)
		nap();
	EXPECT_EQ(READ_ONCE(t->state), THREAD_BLOCKED);
	atomic_store(&s.is_open, 1u);
	waitq_wake_all(&s.q, 0);
	team_join(&team);
	EXPECT_EQ(s.err, 0);
}

/* ---- Hand-over ---- */

static void answer_pings(void *arg UNUSED)
{
	for (unsigned long i = 0; i < s.rounds; i++) {
		(void)WAIT_EVENT(&s.q, WAIT_BOUNDED, WAIT_FOREVER, atomic_load(&s.tokens) == 1);
		atomic_store(&s.tokens, 2u);
		waitq_wake_handover(&s.q, 0);
	}
}

TEST(waitq, ping_pong_by_handover_goes_in_turns)
{
	struct team team;

	reset();
	team_start(&team, 1, answer_pings, NULL);
	for (unsigned long i = 0; i < s.rounds; i++) {
		atomic_store(&s.tokens, 1u);
		waitq_wake_handover(&s.q, 0);
		(void)WAIT_EVENT(&s.q, WAIT_BOUNDED, WAIT_FOREVER, atomic_load(&s.tokens) == 2);
		EXPECT_EQ(atomic_load(&s.tokens), 2);
	}
	team_join(&team);
}
