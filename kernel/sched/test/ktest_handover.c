// SPDX-License-Identifier: MIT
/*
 * Hand-over: who runs next, and what it costs (bench/README.md has the command).
 */
#include "debug/log.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "sched/test/help.h"

struct pair {
	struct thread *thread[2];
	uint32_t turn;   /* [a] 0 or 1 */
	uint32_t rounds; /* of each */
	uint64_t took_ns;
	uint32_t finished; /* [a] */
};

struct player {
	struct pair *pair;
	uint32_t number;
};

static void wait_for_turn(struct pair *pair, uint32_t me)
{
	while (atomic_load(&pair->turn) != me) {
		sched_set_blocked();
		if (atomic_load(&pair->turn) == me) {
			sched_set_running();
			return;
		}
		sched_switch();
	}
}

static void play(void *arg)
{
	struct player *p = arg;
	struct pair *pair = p->pair;
	uint32_t me = p->number, other = !me;
	uint64_t start;

	wait_for_turn(pair, me);
	start = clock_monotonic_ns();
	for (uint32_t i = 0; i < pair->rounds; i++) {
		if (me == 1 && i + 1 == pair->rounds) { /* nobody will answer this one */
			atomic_store(&pair->turn, other);
			sched_wake(pair->thread[other]);
			break;
		}
		sched_set_blocked();
		atomic_store(&pair->turn, other);
		sched_switch_to(pair->thread[other]);
		wait_for_turn(pair, me);
	}
	if (me == 0)
		pair->took_ns = clock_monotonic_ns() - start;
	atomic_add(&pair->finished, 1);
}

/* Both on one CPU, `rounds` times there and back. */
static void play_pair(struct pair *pair, uint32_t rounds)
{
	struct player players[2] = {{pair, 0}, {pair, 1}};
	struct crew crew;

	*pair = (struct pair){.rounds = rounds};
	crew_init(&crew);
	for (unsigned i = 0; i < 2; i++)
		pair->thread[i] = crew_add(&crew, &ktest_fair_params, play, &players[i]);
	crew_join(&crew);
	crew_free(&crew);
	EXPECT_EQ(pair->finished, 2);
}

static uint64_t handovers_of(unsigned cpu)
{
	struct sched_stats stats;

	sched_get_stats(cpu, &stats);
	return stats.nr_handovers;
}

TEST(sched, hand_over_goes_there_and_back)
{
	uint32_t rounds = (uint32_t)MAX(test_rounds(20000), 100ul);
	unsigned cpu = cpu_count() - 1;
	uint64_t before = handovers_of(cpu);
	struct pair pair;

	play_pair(&pair, rounds);
	/* now and then an interrupt comes between and one goes the long way */
	EXPECT_GE(handovers_of(cpu) - before, rounds);
}

/* ---- Order: the one that is handed to runs before one that has waited longer ---- */

static unsigned order[3];
static uint32_t order_nr;
static struct thread *order_server, *order_bystander;

static void note(unsigned who)
{
	order[atomic_fetch_add(&order_nr, 1) % ARRAY_LEN(order)] = who;
}

static void order_serve(void *arg UNUSED)
{
	note(1);
}

static void order_stand_by(void *arg UNUSED)
{
	note(2);
}

static void order_ask(void *arg)
{
	bool is_two_steps = arg != NULL;
	uint64_t until = clock_monotonic_ns() + 50 * NS_PER_MS; /* we do block before it */

	note(0);
	thread_start(order_bystander);
	if (is_two_steps) {
		sched_wake_handover(order_server);
		EXPECT_EQ(sleep_until_ns(until), 0);
	} else {
		sched_set_blocked();
		sched_switch_to(order_server);
		sched_set_blocked(); /* the test wakes us */
		sched_set_running();
	}
}

/* Asks once. True if the bystander came last. */
static bool ask_once(bool is_two_steps)
{
	struct sched_params p = ktest_fair_params;
	struct crew crew;

	order_nr = 0;
	crew_init(&crew);
	if (thread_create(&order_server, "server", order_serve, NULL) ||
		thread_create(&order_bystander, "bystander", order_stand_by, NULL))
		panic("test: no memory for three threads");
	ktest_pin(order_server, crew.cpu);
	ktest_pin(order_bystander, crew.cpu);
	if (is_two_steps)
		EXPECT(crew_add(&crew, &p, order_ask, &crew));
	else
		EXPECT(crew_add(&crew, &p, order_ask, NULL));
	(void)thread_join(order_server);
	(void)thread_join(order_bystander);
	if (!is_two_steps)
		sched_wake(crew.thread[0]);
	crew_join(&crew);
	crew_free(&crew);
	EXPECT_EQ(order_nr, 3);
	EXPECT_EQ(order[0], 0);
	return order[1] == 1 && order[2] == 2;
}

/*
 * On an emulator whose host stops it for milliseconds the asker's slice may end before it
 * blocks, and then the server queues behind the bystander, as it should. So once in a while is
 * enough.
 */
static void test_order(bool is_two_steps)
{
	enum { ATTEMPTS = 20 };

	for (unsigned i = 0; i < ATTEMPTS; i++)
		if (ask_once(is_two_steps))
			return;
	EXPECT(!"the hand-over ever comes before the bystander");
}

TEST(sched, hand_over_in_one_step_overtakes_the_queue)
{
	test_order(false);
}

TEST(sched, hand_over_in_two_steps_overtakes_the_queue)
{
	test_order(true);
}

/* ---- Who does not wait for the answer holds up nobody ---- */

static uint32_t answered; /* [a] */

static void answer(void *arg UNUSED)
{
	atomic_store(&answered, 1);
}

static void ask_and_go_on(void *arg)
{
	uint64_t limit = clock_monotonic_ns() + 200 * NS_PER_MS;

	sched_wake_handover(arg);
	while (!atomic_load(&answered) && clock_monotonic_ns() < limit)
		arch_cpu_relax();
	EXPECT_EQ(atomic_load(&answered), 1); /* on another CPU */
}

TEST(sched, a_fifo_thread_is_not_kept_for_a_hand_over)
{
	struct sched_params fifo = {.policy = SCHED_CLASS_FIFO, .priority = 50};
	struct thread *server, *asker;

	if (cpu_count() < 2) {
		test_skip("needs two CPUs");
		return;
	}
	answered = 0;
	REQUIRE(thread_create(&server, "server", answer, NULL) == 0);
	REQUIRE(thread_create(&asker, "asker", ask_and_go_on, server) == 0);
	EXPECT_EQ(sched_set_params(server, &fifo), 0);
	EXPECT_EQ(sched_set_params(asker, &fifo), 0);
	thread_start(asker);
	(void)thread_join(asker);
	(void)thread_join(server);
}

/* ---- Cost ---- */

static void report(const char *what, uint64_t ns, uint32_t nr)
{
	/* under -icount shift=0 a nanosecond is an instruction */
	log_info("bench: %s %llu insn (or ns without -icount)", what,
		(unsigned long long)(ns / nr));
}

TEST(bench, handover)
{
	uint32_t rounds = (uint32_t)test_rounds(20000);
	struct pair pair;

	play_pair(&pair, rounds);
	report("handover", pair.took_ns, 2 * rounds);
}

static uint32_t yields;

static void yield_often(void *arg UNUSED)
{
	for (uint32_t i = 0; i < yields; i++)
		sched_yield();
}

TEST(bench, yield)
{
	uint64_t start;
	struct crew crew;

	yields = (uint32_t)test_rounds(20000);
	crew_init(&crew);
	for (unsigned i = 0; i < 2; i++)
		EXPECT(crew_add(&crew, &ktest_fair_params, yield_often, NULL));
	start = clock_monotonic_ns();
	crew_join(&crew);
	report("yield", clock_monotonic_ns() - start, 2 * yields);
	crew_free(&crew);
}
