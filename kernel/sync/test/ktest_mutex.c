// SPDX-License-Identifier: MIT
/* Mutexes: one holder, hand-over to the best waiter, inheritance along chains, kills. */
#include "sync/mutex.h"

#include "lib/atomic.h"
#include "lib/test.h"
#include "sched/sched.h"
#include "sync/test/team.h"

enum { THREADS = 8, ROUNDS = 1000, HIGH = 50, HIGHER = 60 };

static const struct sched_params fifo_high = {.policy = SCHED_CLASS_FIFO, .priority = HIGH};
static const struct sched_params fifo_higher = {.policy = SCHED_CLASS_FIFO, .priority = HIGHER};

static struct {
	struct mutex m, m2;
	uint64_t counter;   /* plain on purpose: only the lock keeps it right */
	uint32_t is_open;   /* [a] holders go on */
	uint32_t nr_inside; /* [a] holders that are there */
	uint32_t order[TEAM_MAX];
	uint32_t nr_order; /* under m */
	unsigned long rounds;
	int err;
} s;

static void reset(void)
{
	mutex_init(&s.m, RANK_TEST_OUTER, "test outer");
	mutex_init(&s.m2, RANK_TEST_INNER, "test inner");
	s.counter = 0;
	s.is_open = s.nr_inside = s.nr_order = 0;
	s.rounds = test_rounds(ROUNDS);
	s.err = 0;
}

/* ---- Exclusion ---- */

static void add_locked(void *arg UNUSED)
{
	for (unsigned long i = 0; i < s.rounds; i++) {
		mutex_lock(&s.m);
		WRITE_ONCE(s.counter, READ_ONCE(s.counter) + 1);
		if (i % 16 == 0)
			sched_yield(); /* holders may be switched away */
		mutex_unlock(&s.m);
	}
}

TEST(mutex, one_holder_at_a_time)
{
	struct team team;

	reset();
	team_start(&team, THREADS, add_locked, NULL);
	team_join(&team);
	EXPECT_EQ(s.counter, THREADS * s.rounds);
	EXPECT_EQ(s.m.owner, 0);
}

TEST(mutex, an_attempt_on_a_held_mutex_fails)
{
	reset();
	REQUIRE(mutex_try_lock(&s.m));
	EXPECT(mutex_is_mine(&s.m));
	mutex_unlock(&s.m);
	EXPECT(!mutex_is_mine(&s.m));
}

/* ---- Inheritance ---- */

static void hold_until_open(void *arg)
{
	struct mutex *m = arg;

	mutex_lock(m);
	atomic_add(&s.nr_inside, 1u);
	AWAIT(atomic_load(&s.is_open));
	mutex_unlock(m);
	atomic_sub(&s.nr_inside, 1u);
}

static void hold_both_until_open(void *arg UNUSED)
{
	mutex_lock(&s.m);
	hold_until_open(&s.m2);
	mutex_unlock(&s.m);
}

static void lock_and_note(void *arg)
{
	mutex_lock(&s.m);
	s.order[s.nr_order++] = (uint32_t)(uintptr_t)arg;
	mutex_unlock(&s.m);
}

/* Starts a thread with these parameters, so that it waits as what it is from the first. */
static struct thread *add_with(
	struct team *team, const struct sched_params *p, void (*fn)(void *), void *arg)
{
	struct thread *t;

	assert(thread_create(&t, "test", fn, arg) == 0);
	assert(sched_set_params(t, p) == 0);
	team->threads[team->nr++] = t;
	thread_start(t);
	return t;
}

static struct sched_params params_of(struct thread *t)
{
	struct sched_params p;

	irqlock_lock(&t->lock);
	p = t->params;
	irqlock_unlock(&t->lock);
	return p;
}

static bool has_priority(struct thread *t, int priority)
{
	struct sched_params p = params_of(t);

	return p.policy == SCHED_CLASS_FIFO && p.priority == priority;
}

TEST(mutex, the_owner_inherits_from_its_best_waiter_and_gives_it_back)
{
	struct team team = {0};
	struct thread *owner;

	reset();
	owner = team_add(&team, hold_until_open, &s.m);
	AWAIT(atomic_load(&s.nr_inside) == 1);
	EXPECT_EQ(params_of(owner).policy, SCHED_CLASS_FAIR);
	await_blocked(add_with(&team, &fifo_high, lock_and_note, NULL));
	EXPECT(has_priority(owner, HIGH));
	await_blocked(add_with(&team, &fifo_higher, lock_and_note, NULL));
	EXPECT(has_priority(owner, HIGHER));
	thread_get(owner);
	atomic_store(&s.is_open, 1u);
	AWAIT(atomic_load(&s.nr_inside) == 0);
	EXPECT_EQ(params_of(owner).policy, SCHED_CLASS_FAIR);
	thread_put(owner);
	team_join(&team);
}

TEST(mutex, inheritance_goes_along_a_chain_of_mutexes)
{
	struct team team = {0};
	struct thread *last, *middle;

	reset();
	last = team_add(&team, hold_until_open, &s.m2);
	AWAIT(atomic_load(&s.nr_inside) == 1);
	middle = team_add(&team, hold_both_until_open, NULL); /* has m, waits for m2 */
	await_blocked(middle);
	EXPECT_EQ(params_of(last).policy, SCHED_CLASS_FAIR);
	await_blocked(add_with(&team, &fifo_high, lock_and_note, NULL)); /* waits for m */
	EXPECT(has_priority(middle, HIGH));
	EXPECT(has_priority(last, HIGH));
	atomic_store(&s.is_open, 1u);
	team_join(&team);
	EXPECT_EQ(s.nr_order, 1);
}

TEST(mutex, a_waiter_whose_priority_rises_moves_forward_and_lifts_the_owner)
{
	struct team team = {0};
	struct thread *owner, *waiter;
	int err;

	reset();
	owner = team_add(&team, hold_until_open, &s.m);
	AWAIT(atomic_load(&s.nr_inside) == 1);
	await_blocked(add_with(&team, &fifo_high, lock_and_note, (void *)1));
	waiter = team_add(&team, lock_and_note, (void *)2);
	await_blocked(waiter);
	err = sched_set_params(waiter, &fifo_higher);
	EXPECT_EQ(err, 0);
	EXPECT(has_priority(owner, HIGHER));
	atomic_store(&s.is_open, 1u);
	team_join(&team);
	EXPECT_EQ(s.order[0], 2);
	EXPECT_EQ(s.order[1], 1);
}

TEST(mutex, release_hands_over_to_the_best_waiter_then_to_the_first)
{
	struct team team = {0};

	reset();
	team_add(&team, hold_until_open, &s.m);
	AWAIT(atomic_load(&s.nr_inside) == 1);
	for (uintptr_t i = 1; i <= 3; i++)
		await_blocked(team_add(&team, lock_and_note, (void *)i));
	await_blocked(add_with(&team, &fifo_high, lock_and_note, (void *)4));
	await_blocked(add_with(&team, &fifo_higher, lock_and_note, (void *)5));
	atomic_store(&s.is_open, 1u);
	team_join(&team);
	EXPECT_EQ(s.order[0], 5);
	EXPECT_EQ(s.order[1], 4);
	EXPECT_EQ(s.order[2], 1);
	EXPECT_EQ(s.order[3], 2);
	EXPECT_EQ(s.order[4], 3);
}

/* ---- Kills ---- */

static void lock_killable(void *arg UNUSED)
{
	int err = mutex_lock_killable(&s.m);

	s.err = err;
	if (!err)
		mutex_unlock(&s.m);
}

TEST(mutex, a_killed_waiter_leaves_and_takes_its_priority_back)
{
	struct team team = {0}, waiters = {0};
	struct thread *owner, *waiter;

	reset();
	owner = team_add(&team, hold_until_open, &s.m);
	AWAIT(atomic_load(&s.nr_inside) == 1);
	waiter = add_with(&waiters, &fifo_high, lock_killable, NULL);
	await_blocked(waiter);
	EXPECT(has_priority(owner, HIGH));
	thread_kill(waiter);
	team_join(&waiters);
	EXPECT_EQ(s.err, -EINTR);
	EXPECT_EQ(params_of(owner).policy, SCHED_CLASS_FAIR);
	atomic_store(&s.is_open, 1u);
	team_join(&team);
	EXPECT_EQ(s.m.owner, 0);
}

/* ---- Everything at once ---- */

static void lock_in_all_ways(void *arg)
{
	uintptr_t who = (uintptr_t)arg;

	for (unsigned long i = 0; i < s.rounds; i++) {
		if ((i + who) % 3 == 0) {
			if (mutex_lock_killable(&s.m))
				return;
		} else if ((i + who) % 3 == 1) {
			mutex_lock(&s.m);
		} else if (!mutex_try_lock(&s.m)) {
			continue;
		}
		WRITE_ONCE(s.counter, READ_ONCE(s.counter) + 1);
		if ((i + who) % 5 == 0) {
			mutex_lock(&s.m2);
			mutex_unlock(&s.m2);
		}
		atomic_add(&s.nr_order, 1u);
		mutex_unlock(&s.m);
	}
}

static void change_priorities(struct team *team)
{
	static const struct sched_params fair = {.policy = SCHED_CLASS_FAIR};

	for (unsigned long i = 0; i < s.rounds / 8; i++) {
		struct thread *t = team->threads[i % team->nr];

		assert(sched_set_params(t, i % 2 ? &fair : &fifo_high) == 0);
		if (i % 64 == 63)
			nap();
	}
	for (unsigned i = 0; i < team->nr; i++)
		assert(sched_set_params(team->threads[i], &fair) == 0);
}

TEST(mutex, chains_priorities_and_kills_at_once_end_with_everything_free)
{
	struct team team = {0};

	reset();
	s.rounds = test_rounds(ROUNDS);
	for (uintptr_t i = 0; i < THREADS; i++)
		team_add(&team, lock_in_all_ways, (void *)i);
	change_priorities(&team);
	thread_kill(team.threads[0]);
	thread_kill(team.threads[1]);
	team_join(&team);
	EXPECT_EQ(s.counter, s.nr_order);
	EXPECT_EQ(s.m.owner, 0);
	EXPECT_EQ(s.m2.owner, 0);
	EXPECT(rbtree_is_empty(&s.m.waiters));
}
