// SPDX-License-Identifier: MIT
/*
 * The fair class with a clock of its own: a machine of one CPU in a few lines.
 *
 * LINK and FLAGS are read by tools/host.mk.
 */
// LINK: sched/fair.c lib/rbtree.c lib/random.c
#include "sched/fair.h"

#include "lib/random.h"
#include "lib/test.h"

enum { MAX_ENTITIES = 64 };

struct sim_entity {
	struct fair_entity fair;
	uint64_t served_ns;
	bool is_on_queue;
};

/*
 * Runs q for `ns`: serves the running one until its request ends, or for `chunk` at most, and
 * chooses again, as sched_leave does.
 */
static void serve(struct fair_queue *q, uint64_t ns, uint64_t chunk)
{
	while (ns) {
		struct fair_entity *next = fair_pick(q);
		uint64_t slice;

		if (!next)
			return;
		if (next != q->running) {
			if (q->running)
				fair_put(q);
			fair_take(q, next);
		}
		slice = MIN(ns, chunk);
		slice = MIN(slice, fair_request_left(q));
		fair_charge(q, slice);
		container_of(q->running, struct sim_entity, fair)->served_ns += slice;
		fair_renew(q, false);
		fair_check(q);
		ns -= slice;
	}
}

static void join(struct fair_queue *q, struct sim_entity *e, int nice)
{
	if (!e->fair.weight)
		fair_set_weight(&e->fair, fair_weight_of_nice(nice));
	fair_place(q, &e->fair);
	e->is_on_queue = true;
}

TEST(fair, weight_falls_by_a_quarter_per_nice)
{
	/* 1024 * 1.25^-nice, rounded, by exact integers: 5^n / 4^n and back */
	for (int nice = NICE_MIN; nice <= NICE_MAX; nice++) {
		unsigned __int128 num = NICE_WEIGHT_ZERO, den = 1;

		for (int n = nice; n < 0; n++) {
			num *= 5;
			den *= 4;
		}
		for (int n = nice; n > 0; n--) {
			num *= 4;
			den *= 5;
		}
		EXPECT_EQ(fair_weight_of_nice(nice), (uint64_t)((2 * num + den) / (2 * den)));
	}
}

TEST(fair, equal_weights_get_equal_service)
{
	struct fair_queue q;
	struct sim_entity e[5] = {0};

	fair_init(&q);
	for (unsigned i = 0; i < ARRAY_LEN(e); i++)
		join(&q, &e[i], 0);
	serve(&q, 5 * 1000 * FAIR_REQUEST_NS, FAIR_REQUEST_NS);
	for (unsigned i = 0; i < ARRAY_LEN(e); i++)
		EXPECT_EQ(e[i].served_ns, 1000 * FAIR_REQUEST_NS);
}

TEST(fair, service_is_by_weight)
{
	static const int nices[] = {-5, 0, 5, 19};
	uint64_t total = 20000 * FAIR_REQUEST_NS, weights = 0;
	struct sim_entity e[ARRAY_LEN(nices)] = {0};
	struct fair_queue q;

	fair_init(&q);
	for (unsigned i = 0; i < ARRAY_LEN(e); i++) {
		join(&q, &e[i], nices[i]);
		weights += e[i].fair.weight;
	}
	serve(&q, total, FAIR_REQUEST_NS);
	for (unsigned i = 0; i < ARRAY_LEN(e); i++) {
		int64_t ideal = (int64_t)(total / weights * e[i].fair.weight);
		int64_t off = (int64_t)e[i].served_ns - ideal;

		EXPECT_LE(off, (int64_t)FAIR_REQUEST_NS);
		EXPECT_GE(off, -(int64_t)FAIR_REQUEST_NS);
	}
}

/* With a fixed population nobody is ever more than a request from the ideal machine. */
TEST(fair, service_lag_is_at_most_one_request)
{
	struct random rng;
	struct sim_entity e[MAX_ENTITIES] = {0};
	struct fair_queue q;
	uint64_t weights = 0, elapsed = 0;

	random_seed(&rng, 1);
	fair_init(&q);
	for (unsigned i = 0; i < MAX_ENTITIES; i++) {
		join(&q, &e[i], (int)random_below(&rng, 40) + NICE_MIN);
		weights += e[i].fair.weight;
	}
	for (unsigned step = 0; step < 20000; step++) {
		uint64_t ns = random_below(&rng, 2 * FAIR_REQUEST_NS) + 1;

		serve(&q, ns, FAIR_REQUEST_NS);
		elapsed += ns;
		for (unsigned i = 0; i < MAX_ENTITIES; i++) {
			int64_t ideal = (int64_t)((unsigned __int128)elapsed *
						  e[i].fair.weight / weights);
			int64_t off = (int64_t)e[i].served_ns - ideal;

			/* rounding of a virtual time costs less than 1 ns per request */
			if (off > (int64_t)(FAIR_REQUEST_NS + step) ||
				off < -(int64_t)(FAIR_REQUEST_NS + step)) {
				test_fail(__FILE__, __LINE__,
					"entity %u of weight %u is %lld ns off", i,
					e[i].fair.weight, (long long)off);
				return;
			}
		}
	}
}

TEST(fair, sleeping_keeps_the_lag)
{
	struct fair_queue q;
	struct sim_entity a = {0}, b = {0}, c = {0};
	int64_t owed;

	fair_init(&q);
	join(&q, &a, 0);
	join(&q, &b, 0);
	join(&q, &c, 0);
	serve(&q, 7 * FAIR_REQUEST_NS / 2, FAIR_REQUEST_NS);
	fair_leave(&q, &b.fair);
	owed = b.fair.lag;
	EXPECT_NE(owed, 0);
	serve(&q, 50 * FAIR_REQUEST_NS, FAIR_REQUEST_NS);
	fair_place(&q, &b.fair);
	/* after joining it is owed what it was owed when it left, up to rounding */
	EXPECT_LE(fair_average(&q) - b.fair.vruntime - owed, 4);
	EXPECT_GE(fair_average(&q) - b.fair.vruntime - owed, -4);
}

TEST(fair, joining_and_leaving_at_random_keeps_the_sums)
{
	struct random rng;
	struct sim_entity e[MAX_ENTITIES] = {0};
	struct fair_queue q;

	random_seed(&rng, 2);
	fair_init(&q);
	for (unsigned step = 0; step < 50000; step++) {
		unsigned i = (unsigned)random_below(&rng, MAX_ENTITIES);

		if (!e[i].is_on_queue) {
			join(&q, &e[i], (int)random_below(&rng, 40) + NICE_MIN);
		} else if (random_below(&rng, 4) == 0) {
			fair_leave(&q, &e[i].fair);
			e[i].is_on_queue = false;
			if (random_below(&rng, 4) == 0)
				fair_set_weight(&e[i].fair,
					fair_weight_of_nice(
						(int)random_below(&rng, 40) + NICE_MIN));
		}
		serve(&q, random_below(&rng, 3 * FAIR_REQUEST_NS),
			random_below(&rng, 1000000) + 1);
		fair_check(&q);
	}
}

TEST(fair, an_early_sleeper_is_not_starved_by_many)
{
	struct fair_queue q;
	struct sim_entity many[20] = {0}, light = {0};

	fair_init(&q);
	for (unsigned i = 0; i < ARRAY_LEN(many); i++)
		join(&q, &many[i], -20);
	join(&q, &light, 19);
	serve(&q, 3ull * 1000000000 * 60, FAIR_REQUEST_NS);
	/* its share of 180 s at 15 / (20 * 88818 + 15) is 1.5 ms: once at least in two shares
	 */
	EXPECT_GT(light.served_ns, 0);
}

TEST(fair, the_seat_goes_and_comes_back)
{
	struct fair_queue q;
	struct sim_entity client = {0}, server = {0}, other = {0};
	int64_t before, server_owed;

	fair_init(&q);
	join(&q, &server, 0);
	join(&q, &client, 0);
	join(&q, &other, 0);
	serve(&q, FAIR_REQUEST_NS / 2, FAIR_REQUEST_NS);
	fair_leave(&q, &server.fair);
	if (q.running != &client.fair) {
		if (q.running)
			fair_put(&q);
		fair_take(&q, &client.fair);
	}
	server_owed = server.fair.lag;
	before = client.fair.vruntime;
	fair_give_seat(&q, &server.fair);
	fair_charge(&q, 1000);
	fair_give_seat(&q, &client.fair);
	EXPECT_EQ(client.fair.vruntime, before + 1000);
	EXPECT_EQ(server.fair.lag, server_owed);
	fair_check(&q);
}

TEST(fair, virtual_time_may_wrap)
{
	struct fair_queue q;
	struct sim_entity e[3] = {0};

	fair_init(&q);
	q.base = INT64_MAX - 1000;
	for (unsigned i = 0; i < ARRAY_LEN(e); i++)
		join(&q, &e[i], 0);
	serve(&q, 300 * FAIR_REQUEST_NS, FAIR_REQUEST_NS);
	for (unsigned i = 0; i < ARRAY_LEN(e); i++)
		EXPECT_EQ(e[i].served_ns, 100 * FAIR_REQUEST_NS);
}

/* Nobody joins for most of a year, and the sums stay far from their limits. */
TEST(fair, a_queue_that_nobody_joins_counts_for_ever)
{
	enum { HOURS = 8000 };
	const uint64_t hour = 3600ull * 1000000000;
	struct fair_queue q;
	struct sim_entity e[2] = {0};

	fair_init(&q);
	join(&q, &e[0], 0);
	join(&q, &e[1], -20);
	for (unsigned i = 0; i < HOURS; i++) {
		struct fair_entity *next = i % 2 ? &e[0].fair : &e[1].fair;

		if (q.running)
			fair_put(&q);
		fair_take(&q, next);
		fair_charge(&q, i % 2 ? hour / 100 : hour * 88818 / 1024 / 100);
		fair_renew(&q, false);
		fair_check(&q);
		EXPECT_LE(fair_average(&q) - e[0].fair.vruntime, (int64_t)hour);
		EXPECT_GE(fair_average(&q) - e[0].fair.vruntime, -(int64_t)hour);
	}
}

TEST(fair, alone_for_years_then_in_company)
{
	struct fair_queue q;
	struct sim_entity a = {0}, b = {0};

	fair_init(&q);
	join(&q, &a, -20);
	fair_take(&q, &a.fair);
	for (unsigned year = 0; year < 100; year++)
		fair_charge(&q, 365ull * 24 * 3600 * 1000000000);
	join(&q, &b, 0);
	EXPECT_EQ(b.fair.vruntime, a.fair.vruntime);
	fair_leave(&q, &a.fair);
	EXPECT_EQ(a.fair.lag, 0);
	fair_check(&q);
}
