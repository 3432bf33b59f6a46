// SPDX-License-Identifier: MIT
/*
 * Timers and sleeping: the order, never early, and stopping at the same moment as firing.
 */
#include "lib/atomic.h"
#include "lib/random.h"
#include "lib/test.h"
#include "sched/sched.h"
#include "sync/preempt.h"
#include "time/clock.h"
#include "time/timer.h"

enum { MANY = 100 };
#define GENEROUS_NS (5 * NS_PER_SEC) /* how late a busy emulator may be */

static struct watched {
	struct timer timer;
	uint64_t wanted_ns;
	uint32_t fired; /* [a] */
	uint32_t early; /* [a] */
} watched[MANY];
static uint32_t nr_fired;   /* [a] */
static uint64_t last_ns;    /* of the timers of one CPU */
static uint32_t disordered; /* [a] */

static void note_fired(struct timer *t)
{
	struct watched *w = container_of(t, struct watched, timer);

	if (clock_monotonic_ns() < w->wanted_ns)
		atomic_add(&w->early, 1);
	if (w->wanted_ns < last_ns)
		atomic_add(&disordered, 1);
	last_ns = w->wanted_ns;
	atomic_add(&w->fired, 1);
	atomic_add(&nr_fired, 1);
}

static void wait_for_fired(uint32_t nr)
{
	uint64_t limit = clock_monotonic_ns() + GENEROUS_NS;

	while (atomic_load(&nr_fired) < nr && clock_monotonic_ns() < limit)
		EXPECT_EQ(sleep_ns(100 * NS_PER_US), 0);
	EXPECT_EQ(atomic_load(&nr_fired), nr);
}

TEST(timer, fire_in_order_and_never_early)
{
	struct random rng;
	uint64_t now;

	random_seed(&rng, 3);
	nr_fired = disordered = 0;
	last_ns = 0;
	preempt_disable();                           /* all of them on one CPU */
	now = clock_monotonic_ns() + 50 * NS_PER_MS; /* after all have been started */
	for (unsigned i = 0; i < MANY; i++) {
		watched[i] =
			(struct watched){.wanted_ns = now + random_below(&rng, 3 * NS_PER_MS)};
		timer_init(&watched[i].timer, note_fired);
		timer_start(&watched[i].timer, watched[i].wanted_ns);
	}
	preempt_enable();
	wait_for_fired(MANY);
	EXPECT_EQ(disordered, 0);
	for (unsigned i = 0; i < MANY; i++) {
		EXPECT_EQ(watched[i].fired, 1);
		EXPECT_EQ(watched[i].early, 0);
	}
}

TEST(timer, stopped_ones_do_not_fire)
{
	unsigned stopped = 0;

	nr_fired = 0;
	for (unsigned i = 0; i < MANY; i++) {
		watched[i] =
			(struct watched){.wanted_ns = clock_monotonic_ns() + 2 * NS_PER_MS};
		timer_init(&watched[i].timer, note_fired);
		timer_start(&watched[i].timer, watched[i].wanted_ns);
	}
	for (unsigned i = 0; i < MANY; i += 2)
		stopped += timer_stop(&watched[i].timer);
	EXPECT(!timer_stop(&watched[0].timer) || stopped < MANY / 2);
	wait_for_fired(MANY - stopped);
}

TEST(timer, starting_again_moves_it)
{
	struct watched *w = &watched[0];
	uint64_t now = clock_monotonic_ns();

	nr_fired = 0;
	*w = (struct watched){.wanted_ns = now + 2 * NS_PER_MS};
	timer_init(&w->timer, note_fired);
	timer_start(&w->timer, now + 500 * NS_PER_MS);
	timer_start(&w->timer, w->wanted_ns);
	wait_for_fired(1);
	EXPECT_EQ(w->early, 0);
	EXPECT(!timer_stop_sync(&w->timer));
	EXPECT_EQ(w->fired, 1);
}

static void repeat(struct timer *t)
{
	struct watched *w = container_of(t, struct watched, timer);

	if (atomic_fetch_add(&w->fired, 1) < 9)
		timer_start(t, clock_monotonic_ns() + 50 * NS_PER_US);
	else
		atomic_add(&nr_fired, 1);
}

TEST(timer, may_start_itself_again)
{
	nr_fired = 0;
	watched[0] = (struct watched){0};
	timer_init(&watched[0].timer, repeat);
	timer_start(&watched[0].timer, clock_monotonic_ns());
	wait_for_fired(1);
	EXPECT_EQ(watched[0].fired, 10);
}

/* ---- Races: some CPUs start, others stop, all fire ---- */

enum { RACERS = 4, RACE_TIMERS = 8 };

static struct raced {
	struct timer timer;
	uint32_t running; /* [a] */
	uint32_t twice;   /* [a] its callback ran twice at once */
} raced[RACE_TIMERS];
static uint32_t late_callbacks; /* [a] ran after a stop_sync that nobody followed by a start */
static uint32_t race_is_over;   /* [a] */

static void race_fn(struct timer *t)
{
	struct raced *r = container_of(t, struct raced, timer);

	if (atomic_fetch_add(&r->running, 1) != 0)
		atomic_add(&r->twice, 1);
	if (atomic_load(&race_is_over))
		atomic_add(&late_callbacks, 1);
	atomic_sub(&r->running, 1);
}

/* Timers number i and i + RACERS are its own to start; anybody may stop any. */
static void race(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;
	struct random rng;

	random_seed(&rng, me);
	for (unsigned long i = 0; i < test_rounds(25000); i++) {
		struct raced *own = &raced[me + RACERS * random_below(&rng, 2)];
		struct raced *any = &raced[random_below(&rng, RACE_TIMERS)];

		switch (random_below(&rng, 4)) {
		case 0:
			(void)timer_stop(&any->timer);
			break;
		case 1:
			(void)timer_stop_sync(&own->timer);
			break;
		default:
			timer_start(&own->timer,
				clock_monotonic_ns() + random_below(&rng, 30 * NS_PER_US));
			break;
		}
		if (random_one_in(&rng, 50))
			sched_yield();
	}
}

TEST(timer, starts_and_stops_race_with_firing)
{
	struct thread *t[RACERS];

	late_callbacks = race_is_over = 0;
	for (unsigned i = 0; i < RACE_TIMERS; i++) {
		raced[i] = (struct raced){0};
		timer_init(&raced[i].timer, race_fn);
	}
	for (unsigned i = 0; i < RACERS; i++) {
		REQUIRE(thread_create(&t[i], "racer", race, (void *)(uintptr_t)i) == 0);
		thread_start(t[i]);
	}
	for (unsigned i = 0; i < RACERS; i++)
		(void)thread_join(t[i]);
	for (unsigned i = 0; i < RACE_TIMERS; i++)
		(void)timer_stop_sync(&raced[i].timer);
	atomic_store(&race_is_over, 1);
	EXPECT_EQ(sleep_ns(200 * NS_PER_US), 0);
	EXPECT_EQ(late_callbacks, 0);
	for (unsigned i = 0; i < RACE_TIMERS; i++) {
		EXPECT_EQ(raced[i].twice, 0);
		EXPECT_EQ(raced[i].timer.state, TIMER_IDLE);
	}
}

/* ---- Clock and sleep ---- */

TEST(clock, never_goes_back)
{
	uint64_t last = 0;

	for (unsigned long i = 0; i < test_rounds(100000); i++) {
		uint64_t now = clock_monotonic_ns();

		EXPECT_GE(now, last);
		last = now;
	}
}

TEST(clock, counter_at_is_never_early)
{
	struct random rng;

	random_seed(&rng, 4);
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t ns = clock_monotonic_ns() + random_below(&rng, 1ull << (i % 36));

		EXPECT_GE(clock_counter_to_ns(clock_counter_at(ns)), ns);
	}
}

TEST(clock, real_time_follows_what_it_is_set_to)
{
	int64_t before = clock_realtime_ns(), now;

	clock_set_realtime_ns(1234567890 * (int64_t)NS_PER_SEC);
	now = clock_realtime_ns();
	EXPECT_GE(now, 1234567890 * (int64_t)NS_PER_SEC);
	EXPECT_LT(now, 1234567890 * (int64_t)NS_PER_SEC + (int64_t)GENEROUS_NS);
	clock_set_realtime_ns(before);
}

TEST(clock, spinning_lasts_as_long_as_asked)
{
	uint64_t start = clock_monotonic_ns();

	clock_spin_ns(50 * NS_PER_US);
	EXPECT_GE(clock_monotonic_ns() - start, 50 * NS_PER_US);
}

TEST(sleep, is_never_early_and_not_for_ever)
{
	struct random rng;

	random_seed(&rng, 5);
	for (unsigned i = 0; i < 50; i++) {
		uint64_t ns = random_below(&rng, NS_PER_MS);
		uint64_t until = clock_monotonic_ns() + ns;

		EXPECT_EQ(sleep_until_ns(until), 0);
		EXPECT_GE(clock_monotonic_ns(), until);
		EXPECT_LT(clock_monotonic_ns(), until + GENEROUS_NS);
	}
	EXPECT_EQ(sleep_ns(0), 0);
}
