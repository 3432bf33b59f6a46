// SPDX-License-Identifier: MIT
/*
 * Many CPUs: where threads run, and that no wake-up is lost between them.
 */
#include "lib/atomic.h"
#include "lib/random.h"
#include "sched/test/help.h"

/* ---- Affinity ---- */

struct wanderer {
	uint32_t allowed; /* [a] the only CPU it may be on; MAX_CPUS: any */
	uint32_t at;      /* [a] where it was last */
	uint32_t rounds;  /* [a] */
	uint32_t wrong;   /* [a] rounds that it spent elsewhere */
	uint32_t stop;    /* [a] */
	bool sleeps;
};

static void wander(void *arg)
{
	struct wanderer *w = arg;

	while (!atomic_load(&w->stop)) {
		uint32_t allowed = atomic_load(&w->allowed);
		unsigned cpu = ktest_this_cpu();

		if (allowed != MAX_CPUS && cpu != allowed &&
			atomic_load(&w->allowed) == allowed)
			atomic_add(&w->wrong, 1);
		atomic_store(&w->at, cpu);
		atomic_add(&w->rounds, 1);
		if (w->sleeps)
			EXPECT_EQ(sleep_ns(10 * NS_PER_US), 0);
		arch_cpu_relax();
	}
}

/* A running thread leaves its CPU when that takes the interrupt. */
static void wait_for_arrival(struct wanderer *w, unsigned cpu)
{
	uint64_t limit = clock_monotonic_ns() + 10 * NS_PER_SEC;

	while (atomic_load(&w->at) != cpu && clock_monotonic_ns() < limit)
		EXPECT_EQ(sleep_ns(50 * NS_PER_US), 0);
	EXPECT_EQ(atomic_load(&w->at), cpu);
}

/* It makes some rounds with nothing changing. */
static void let_it_run(struct wanderer *w)
{
	uint32_t from = atomic_load(&w->rounds);

	while (atomic_load(&w->rounds) - from < 3)
		EXPECT_EQ(sleep_ns(50 * NS_PER_US), 0);
}

static void test_wandering(bool sleeps)
{
	struct wanderer w = {.allowed = MAX_CPUS, .sleeps = sleeps};
	struct thread *t;

	if (cpu_count() < 2) {
		test_skip("needs two CPUs");
		return;
	}
	REQUIRE(thread_create(&t, "wanderer", wander, &w) == 0);
	thread_start(t);
	for (unsigned long i = 0; i < test_rounds(2000); i++) {
		unsigned cpu = (unsigned)i % cpu_count();

		atomic_store(&w.allowed, MAX_CPUS);
		ktest_pin(t, cpu);
		wait_for_arrival(&w, cpu);
		atomic_store(&w.allowed, cpu);
		let_it_run(&w);
	}
	atomic_store(&w.allowed, MAX_CPUS);
	atomic_store(&w.stop, 1);
	(void)thread_join(t);
	EXPECT_EQ(w.wrong, 0);
}

TEST(sched, affinity_moves_a_running_thread)
{
	test_wandering(false);
}

TEST(sched, affinity_moves_a_sleeping_thread)
{
	test_wandering(true);
}

TEST(sched, affinity_moves_the_caller_before_it_returns)
{
	for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
		ktest_pin(arch_current(), cpu);
		EXPECT_EQ(ktest_this_cpu(), cpu);
	}
	ktest_unpin(arch_current());
}

TEST(sched, affinity_without_an_online_cpu_is_refused)
{
	struct cpumask none = {0}, absent = cpumask_of(MAX_CPUS - 1);

	EXPECT_EQ(sched_set_affinity(arch_current(), &none), -EINVAL);
	EXPECT_EQ(sched_set_affinity(arch_current(), &absent), -EINVAL);
}

/* ---- Balance ---- */

static uint32_t hogs_seen[MAX_CPUS]; /* [a] */
static uint32_t hogs_arrived;        /* [a] */

static void hog(void *arg)
{
	uint32_t nr = (uint32_t)(uintptr_t)arg;
	uint64_t limit = clock_monotonic_ns() + 10 * NS_PER_SEC;

	/* all of them at the same time, so every CPU must take one */
	atomic_add(&hogs_arrived, 1);
	while (atomic_load(&hogs_arrived) < nr && clock_monotonic_ns() < limit)
		arch_cpu_relax();
	atomic_add(&hogs_seen[ktest_this_cpu()], 1);
}

TEST(sched, as_many_hogs_as_cpus_all_run_at_once)
{
	static struct thread *t[MAX_CPUS];
	unsigned nr = cpu_count();
	struct sched_params fifo = {.policy = SCHED_CLASS_FIFO, .priority = 50};

	hogs_arrived = 0;
	/* the test thread starts them all from one CPU; FIFO hogs would never share one */
	for (unsigned i = 0; i < nr; i++) {
		REQUIRE(thread_create(&t[i], "hog", hog, (void *)(uintptr_t)nr) == 0);
		EXPECT_EQ(sched_set_params(t[i], &fifo), 0);
	}
	for (unsigned i = 0; i < nr; i++)
		thread_start(t[i]);
	for (unsigned i = 0; i < nr; i++)
		(void)thread_join(t[i]);
	EXPECT_EQ(hogs_arrived, nr);
}

/* ---- No wake-up is lost ---- */

enum { PASSERS = 12, TOKENS = 5 };

static struct passer {
	struct thread *thread;
	uint32_t tokens; /* [a] */
} passers[PASSERS];
static uint32_t passes_left;  /* [a] */
static uint32_t passing_ends; /* [a] */

static bool take_token(struct passer *me)
{
	uint32_t n = atomic_load(&me->tokens);

	while (n)
		if (atomic_cmpxchg(&me->tokens, &n, n - 1))
			return true;
	return false;
}

static void pass_tokens(void *arg)
{
	struct passer *me = arg;
	struct random rng;

	random_seed(&rng, (uint64_t)(me - passers));
	while (!atomic_load(&passing_ends)) {
		unsigned to = (unsigned)random_below(&rng, PASSERS);

		sched_set_blocked();
		if (!take_token(me) && !atomic_load(&passing_ends)) {
			sched_switch();
			continue;
		}
		sched_set_running();
		if (atomic_fetch_sub(&passes_left, 1) == 1) {
			atomic_store(&passing_ends, 1);
			for (unsigned i = 0; i < PASSERS; i++)
				sched_wake(passers[i].thread);
			break;
		}
		atomic_add(&passers[to].tokens, 1);
		if (random_one_in(&rng, 3))
			sched_wake_handover(passers[to].thread);
		else
			sched_wake(passers[to].thread);
	}
}

TEST(sched, no_wake_up_is_lost)
{
	passes_left = (uint32_t)MAX(test_rounds(200000), 500ul);
	passing_ends = 0;
	for (unsigned i = 0; i < PASSERS; i++) {
		passers[i].tokens = i < TOKENS;
		REQUIRE(thread_create(&passers[i].thread, "passer", pass_tokens, &passers[i]) ==
			0);
		thread_get(passers[i].thread); /* the others wake it even after its end */
	}
	for (unsigned i = 0; i < PASSERS; i++)
		thread_start(passers[i].thread);
	for (unsigned i = 0; i < PASSERS; i++)
		(void)thread_join(passers[i].thread);
	for (unsigned i = 0; i < PASSERS; i++)
		thread_put(passers[i].thread);
	EXPECT_EQ(passing_ends, 1);
}

/* ---- Better threads leave nobody waiting while a CPU is idle ---- */

struct displaced {
	uint64_t rounds;     /* of the fair one */
	uint32_t stop;       /* [a] */
	bool went_on;        /* it made some while the better one had its CPU */
	struct thread *fair; /* starts on the better one's CPU and may then go anywhere */
};

static void count_rounds(void *arg)
{
	struct displaced *d = arg;

	while (!atomic_load(&d->stop)) {
		WRITE_ONCE(d->rounds, d->rounds + 1);
		arch_cpu_relax();
	}
}

static void displace(void *arg)
{
	struct displaced *d = arg;
	uint64_t before, limit;

	ktest_unpin(d->fair); /* it has this CPU next; we have it now */
	EXPECT_EQ(sleep_ns(20 * NS_PER_MS), 0);
	before = READ_ONCE(d->rounds);
	limit = clock_monotonic_ns() + 200 * NS_PER_MS;
	while (!d->went_on && clock_monotonic_ns() < limit) {
		d->went_on = READ_ONCE(d->rounds) != before;
		arch_cpu_relax();
	}
	atomic_store(&d->stop, 1);
}

TEST(sched, a_displaced_thread_goes_to_an_idle_cpu)
{
	struct sched_params fifo = {.policy = SCHED_CLASS_FIFO, .priority = 50};
	struct displaced d = {0};
	struct crew crew;

	if (cpu_count() < 2) {
		test_skip("needs two CPUs");
		return;
	}
	crew_init(&crew);
	d.fair = crew_add(&crew, &ktest_fair_params, count_rounds, &d);
	REQUIRE(d.fair);
	EXPECT(crew_add(&crew, &fifo, displace, &d));
	crew_join(&crew);
	EXPECT(d.went_on);
	crew_free(&crew);
}
