// SPDX-License-Identifier: MIT
/*
 * Who gets how much of one CPU, and who goes first.
 */
#include "lib/atomic.h"
#include "sched/test/help.h"

static uint64_t end_ns; /* [a] */

static void spin_until_end(void *arg)
{
	uint64_t *rounds = arg; /* or NULL */

	while (clock_monotonic_ns() < READ_ONCE(end_ns)) {
		if (rounds)
			WRITE_ONCE(*rounds, *rounds + 1);
		arch_cpu_relax();
	}
}

static void set_end(uint64_t ns)
{
	WRITE_ONCE(end_ns, clock_monotonic_ns() + ns);
}

/*
 * The same, and keeps the longest time that was charged to it at once. Where the host takes the
 * virtual CPU away, that is the stall: whoever ran pays for it, and is even again only later.
 */
static void spin_and_watch(void *arg)
{
	uint64_t *longest = arg, before = READ_ONCE(arch_current()->cpu_ns);

	while (clock_monotonic_ns() < READ_ONCE(end_ns)) {
		uint64_t now = READ_ONCE(arch_current()->cpu_ns);

		*longest = MAX(*longest, now - before);
		before = now;
		arch_cpu_relax();
	}
}

/* Threads of different weight that all want everything get CPU time by weight. */
TEST(sched, cpu_time_is_shared_by_weight)
{
	static const int nices[] = {-5, 0, 5};
	struct sched_params p = {.policy = SCHED_CLASS_FAIR};
	uint64_t all = 0, weights = 0, longest[ARRAY_LEN(nices)] = {0}, stall = 0;
	const uint64_t two_requests = 2 * FAIR_REQUEST_NS;
	struct crew crew;

	crew_init(&crew);
	set_end(test_rounds(4000) * NS_PER_MS);
	for (unsigned i = 0; i < ARRAY_LEN(nices); i++) {
		p.nice = nices[i];
		weights += fair_weight_of_nice(nices[i]);
		EXPECT(crew_add(&crew, &p, spin_and_watch, &longest[i]));
	}
	crew_join(&crew);
	for (unsigned i = 0; i < crew.nr; i++) {
		all += crew.thread[i]->cpu_ns;
		if (longest[i] > two_requests)
			stall = MAX(stall, longest[i]);
	}
	for (unsigned i = 0; i < crew.nr; i++) {
		int64_t ideal = (int64_t)(all * fair_weight_of_nice(nices[i]) / weights);
		int64_t off = (int64_t)crew.thread[i]->cpu_ns - ideal;

		/* 2 %, or, in a short run, what a request at each end may cost; stalls aside */
		EXPECT_LE(off < 0 ? -off : off,
			MAX(ideal / 50, (int64_t)two_requests) + (int64_t)stall);
	}
	crew_free(&crew);
}

TEST(sched, nice_19_is_not_starved)
{
	struct sched_params p = {.policy = SCHED_CLASS_FAIR};
	struct thread *light;
	struct crew crew;

	crew_init(&crew);
	set_end(1000 * NS_PER_MS); /* its share of 1 s is 7 ms, more than two requests */
	EXPECT(crew_add(&crew, &p, spin_until_end, NULL));
	EXPECT(crew_add(&crew, &p, spin_until_end, NULL));
	p.nice = 19;
	light = crew_add(&crew, &p, spin_until_end, NULL);
	crew_join(&crew);
	if (light)
		EXPECT_GT(light->cpu_ns, FAIR_REQUEST_NS / 2);
	crew_free(&crew);
}

struct better {
	uint64_t *fair_rounds;
	uint64_t lost; /* rounds that the fair thread made while the better one wanted to run */
};

enum { TURNS = 5, MAX_TURNS = 200 };

/* Goes on until the fair thread had a chance: a host that stalls may eat up every sleep of five. */
static void run_over_fair(void *arg)
{
	struct better *b = arg;

	for (unsigned i = 0; i < TURNS || (i < MAX_TURNS && !READ_ONCE(*b->fair_rounds)); i++) {
		uint64_t before = READ_ONCE(*b->fair_rounds), until;

		until = clock_monotonic_ns() + 2 * FAIR_REQUEST_NS;
		while (clock_monotonic_ns() < until)
			arch_cpu_relax();
		b->lost += READ_ONCE(*b->fair_rounds) - before;
		EXPECT_EQ(sleep_ns(NS_PER_MS), 0);
	}
	set_end(0);
}

TEST(sched, fifo_runs_over_fair)
{
	struct sched_params fifo = {.policy = SCHED_CLASS_FIFO, .priority = 10};
	uint64_t rounds = 0;
	struct better b = {.fair_rounds = &rounds};
	struct crew crew;

	crew_init(&crew);
	set_end(100 * NS_PER_SEC); /* run_over_fair ends it */
	EXPECT(crew_add(&crew, &ktest_fair_params, spin_until_end, &rounds));
	EXPECT(crew_add(&crew, &fifo, run_over_fair, &b));
	crew_join(&crew);
	EXPECT_EQ(b.lost, 0);
	EXPECT_GT(rounds, 0); /* it ran while the better one slept */
	crew_free(&crew);
}

/* The order of arrival, and each to its end. */
static unsigned fifo_order[3];
static unsigned fifo_nr;

static void note_order(void *arg)
{
	uint64_t until = clock_monotonic_ns() + 4 * FAIR_REQUEST_NS;

	while (clock_monotonic_ns() < until)
		arch_cpu_relax();
	fifo_order[fifo_nr++] = (unsigned)(uintptr_t)arg;
}

TEST(sched, fifo_runs_in_order_of_priority_then_arrival)
{
	struct sched_params p = {.policy = SCHED_CLASS_FIFO};
	static const int priorities[] = {10, 10, 11};
	struct crew crew;

	fifo_nr = 0;
	crew_init(&crew);
	for (unsigned i = 0; i < ARRAY_LEN(priorities); i++) {
		p.priority = priorities[i];
		EXPECT(crew_add(&crew, &p, note_order, (void *)(uintptr_t)i));
	}
	crew_join(&crew);
	EXPECT_EQ(fifo_nr, 3);
	EXPECT_EQ(fifo_order[0], 2);
	EXPECT_EQ(fifo_order[1], 0);
	EXPECT_EQ(fifo_order[2], 1);
	crew_free(&crew);
}

TEST(sched, rr_takes_turns)
{
	struct sched_params rr = {.policy = SCHED_CLASS_RR, .priority = 10};
	uint64_t turn_ns = 100 * NS_PER_MS; /* man 2 sched_rr_get_interval */
	struct crew crew;

	crew_init(&crew);
	set_end(6 * turn_ns);
	EXPECT(crew_add(&crew, &rr, spin_until_end, NULL));
	EXPECT(crew_add(&crew, &rr, spin_until_end, NULL));
	crew_join(&crew);
	for (unsigned i = 0; i < crew.nr; i++) {
		EXPECT_GE(crew.thread[i]->cpu_ns, 2 * turn_ns - turn_ns / 2);
		EXPECT_GE(crew.thread[i]->nr_switches, 2);
		EXPECT_LE(crew.thread[i]->nr_switches, 10); /* turns, not slices */
	}
	crew_free(&crew);
}

static void count_once(void *arg)
{
	atomic_add((uint32_t *)arg, 1);
}

/* The idle class runs when nobody else wants the CPU, and only then. */
TEST(sched, idle_class_waits_for_everybody)
{
	struct sched_params idle = {.policy = SCHED_CLASS_IDLE};
	uint64_t rounds = 0, at_end;
	uint32_t ran = 0;
	struct crew crew;

	crew_init(&crew);
	set_end(20 * NS_PER_MS);
	EXPECT(crew_add(&crew, &idle, count_once, &ran));
	EXPECT(crew_add(&crew, &ktest_fair_params, spin_until_end, &rounds));
	EXPECT_EQ(ran, 0);
	crew_join(&crew);
	at_end = clock_monotonic_ns();
	EXPECT_EQ(ran, 1);
	EXPECT_GE(at_end, end_ns);
	crew_free(&crew);
}

TEST(sched, parameters_out_of_range_are_refused)
{
	struct sched_params p = {.policy = SCHED_CLASS_FIFO, .priority = 0};

	EXPECT_EQ(sched_set_params(arch_current(), &p), -EINVAL);
	p.priority = 100;
	EXPECT_EQ(sched_set_params(arch_current(), &p), -EINVAL);
	p = (struct sched_params){.policy = SCHED_CLASS_FAIR, .nice = 20};
	EXPECT_EQ(sched_set_params(arch_current(), &p), -EINVAL);
	p.nice = -21;
	EXPECT_EQ(sched_set_params(arch_current(), &p), -EINVAL);
}

/* Changing class, nice and back while the thread waits on a queue, runs and sleeps. */
static uint32_t shape_stop; /* [a] */

static void shape_shifter(void *arg UNUSED)
{
	while (!atomic_load(&shape_stop)) {
		sched_yield();
		EXPECT_EQ(sleep_ns(20 * NS_PER_US), 0);
	}
}

TEST(sched, parameters_change_in_every_state)
{
	static const struct sched_params shapes[] = {
		{.policy = SCHED_CLASS_FAIR, .nice = -20},
		{.policy = SCHED_CLASS_RR, .priority = 1},
		{.policy = SCHED_CLASS_FAIR, .nice = 19},
		{.policy = SCHED_CLASS_IDLE},
		{.policy = SCHED_CLASS_FIFO, .priority = 98},
	};
	struct sched_params best = {.policy = SCHED_CLASS_FIFO, .priority = 99};
	struct thread *t[4];

	shape_stop = 0;
	EXPECT_EQ(sched_set_params(arch_current(), &best), 0); /* they may not keep us away */
	for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
		REQUIRE(thread_create(&t[i], "shape", shape_shifter, NULL) == 0);
		thread_start(t[i]);
	}
	for (unsigned long i = 0; i < test_rounds(20000); i++)
		EXPECT_EQ(sched_set_params(t[i % ARRAY_LEN(t)], &shapes[i % ARRAY_LEN(shapes)]),
			0);
	for (unsigned i = 0; i < ARRAY_LEN(t); i++)
		EXPECT_EQ(sched_set_params(t[i], &ktest_fair_params), 0);
	atomic_store(&shape_stop, 1);
	for (unsigned i = 0; i < ARRAY_LEN(t); i++)
		(void)thread_join(t[i]);
	EXPECT_EQ(sched_set_params(arch_current(), &ktest_fair_params), 0);
}
