// SPDX-License-Identifier: MIT
/*
 * Rings with very many requests in flight. `ring.many=N` on the kernel's command line says how many; a million of
 * them must fit in half a gigabyte (guest.ring_million of the slow tests).
 */
#include <linux/futex.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "ring.h"

enum { BATCH = 1024, MANY = 6000, FOR_EVER_S = 100000, KINDS = 4 };
enum { LONG_S = 200 }; /* a million of them, one by one, on a busy host */

/* What all of them wait for. */
struct sources {
	int pipe[2], sockets[2], event;
	uint32_t word;
	char byte;
	struct __kernel_timespec late;
};

static void make_sources(struct sources *s)
{
	CHECK_OK(pipe(s->pipe));
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s->sockets));
	CHECK_OK(s->event = eventfd(0, 0));
	s->word = 0;
	s->late = (struct __kernel_timespec){.tv_sec = FOR_EVER_S};
}

static void drop_sources(struct sources *s)
{
	close(s->pipe[0]), close(s->pipe[1]);
	close(s->sockets[0]), close(s->sockets[1]);
	close(s->event);
}

/* One that waits: a read of a pipe, a recv, a timeout or a poll by turns. */
static void put_waiting(struct ring *r, struct sources *s, uint64_t nr)
{
	struct io_uring_sqe *sqe;

	switch (nr % KINDS) {
	case 0:
		sqe = ring_next_rw(r, IORING_OP_READ, s->pipe[0], &s->byte, 1, (uint64_t)-1);
		break;
	case 1:
		sqe = ring_next_rw(r, IORING_OP_RECV, s->sockets[0], &s->byte, 1, 0);
		break;
	case 2:
		sqe = ring_next(r, IORING_OP_TIMEOUT, -1);
		sqe->addr = (uintptr_t)&s->late;
		sqe->len = 1;
		break;
	default:
		sqe = ring_next(r, IORING_OP_POLL_ADD, s->event);
		sqe->poll32_events = 1; /* POLLIN */
		break;
	}
	sqe->user_data = nr;
}

static void park(struct ring *r, struct sources *s, uint64_t many)
{
	for (uint64_t nr = 0; nr < many;) {
		unsigned in_batch = 0;

		for (; in_batch < BATCH && nr < many; in_batch++)
			put_waiting(r, s, nr++);
		CHECK_EQ(ring_submit(r, 0), (int)in_batch);
	}
	CHECK_EQ(ring_ready(r), 0u);
}

static uint64_t many(void)
{
	return (uint64_t)word_of_cmdline("ring.many=", MANY);
}

static long long free_kib(void)
{
	return get_number("/proc/meminfo", "MemAvailable:");
}

TEST_WITHIN(ring_many, requests_that_wait_are_small, LONG_S)
{
	uint64_t nr = many();
	long long before, used;
	struct sources s;
	struct ring r;

	make_sources(&s);
	ring_open(&r, BATCH, 0);
	before = free_kib();
	park(&r, &s, nr);
	used = before - free_kib();
	printf("# %llu requests wait in %lld KiB\n", (unsigned long long)nr, used);
	/* on the whole 512 bytes each, when there are enough to be counted by pages */
	if (nr >= 100000)
		CHECK(used < (long long)(nr / 2));
	ring_close(&r);
	drop_sources(&s);
}

TEST_WITHIN(ring_many, all_are_cancelled_one_by_one, LONG_S)
{
	uint64_t nr = many();
	struct sources s;
	struct ring r;

	make_sources(&s);
	ring_open(&r, BATCH, 0);
	park(&r, &s, nr);
	/* from the middle on, so that it is nobody's first or last */
	for (uint64_t i = 0; i < nr; i++) {
		uint64_t victim = (i + nr / 2) % nr;
		struct io_uring_sqe *sqe = ring_next(&r, IORING_OP_ASYNC_CANCEL, -1);
		bool has_ended = false, has_cancelled = false;

		sqe->addr = victim;
		sqe->user_data = nr;
		CHECK_EQ(ring_submit(&r, 2), 1);
		while (!has_ended || !has_cancelled) {
			struct ring_result got = ring_take(&r);

			if (got.user_data == nr) {
				CHECK_EQ(got.res, 0);
				has_cancelled = true;
			} else {
				CHECK_EQ(got.user_data, victim);
				CHECK_EQ(got.res, -ECANCELED);
				has_ended = true;
			}
		}
	}
	ring_close(&r);
	drop_sources(&s);
}

TEST_WITHIN(ring_many, all_are_cancelled_at_once, LONG_S)
{
	struct io_uring_sync_cancel_reg all = {.fd = -1,
		.flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL,
		.timeout = {-1, -1}};
	uint64_t nr = many(), sum = 0;
	struct sources s;
	struct ring r;

	make_sources(&s);
	ring_open(&r, BATCH, 0);
	park(&r, &s, nr);
	CHECK_OK(ring_register(r.fd, IORING_REGISTER_SYNC_CANCEL, &all, 1));
	for (uint64_t i = 0; i < nr; i++) {
		struct ring_result got = ring_take(&r);

		CHECK_EQ(got.res, -ECANCELED);
		sum += got.user_data;
	}
	CHECK_EQ(sum, nr * (nr - 1) / 2);
	CHECK_EQ(ring_ready(&r), 0u);
	ring_close(&r);
	drop_sources(&s);
}

static int64_t us_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ll + t.tv_nsec / 1000;
}

/* Microseconds from its end until it is waited for. */
static int64_t time_of_end(uint64_t nr, struct sources *s)
{
	int64_t began;
	pid_t pid;
	char c;
	int ready[2];

	CHECK_OK(pipe(ready));
	CHECK_OK(pid = fork());
	if (pid == 0) {
		struct ring r;

		ring_open(&r, BATCH, 0);
		park(&r, s, nr);
		CHECK_EQ(write(ready[1], "x", 1), 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	close(ready[0]), close(ready[1]);
	wait_until_sleeping(pid);
	began = us_now();
	CHECK_OK(kill(pid, SIGKILL));
	EXPECT_KILLED(pid, SIGKILL);
	return us_now() - began;
}

/* Of cancelling by one name what has been woken, and was not yet seen to. */
static int64_t time_of_cancelling(uint64_t nr, struct sources *s)
{
	uint64_t one = 1, left = nr;
	struct io_uring_sqe *sqe;
	int64_t us;
	struct ring r;

	ring_open(&r, BATCH, IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER);
	while (left) {
		unsigned batch = left < BATCH ? (unsigned)left : BATCH;

		for (unsigned i = 0; i < batch; i++) {
			sqe = ring_sqe(&r, IORING_OP_POLL_ADD, 1);
			sqe->fd = s->event;
			sqe->poll32_events = 1; /* POLLIN */
		}
		CHECK_EQ(ring_submit(&r, 0), (int)batch);
		left -= batch;
	}
	CHECK_EQ(write(s->event, &one, sizeof(one)), 8);
	sqe = ring_sqe(&r, IORING_OP_ASYNC_CANCEL, 2);
	sqe->addr = 1;
	sqe->cancel_flags = IORING_ASYNC_CANCEL_ALL;
	us = us_now();
	CHECK_EQ(ring_submit(&r, 0), 1);
	us = us_now() - us;
	RING_EXPECT(&r, 2, nr);
	CHECK_EQ(read(s->event, &one, sizeof(one)), 8);
	ring_close(&r);
	return us;
}

/* The shortest of several: a machine may be busy with something else, but is never too fast. */
static int64_t shortest(int64_t (*time_of)(uint64_t nr, struct sources *s), uint64_t nr,
	struct sources *s, int64_t enough)
{
	int64_t shortest = INT64_MAX;

	for (unsigned tries = 6; tries && shortest > enough; tries--) {
		int64_t us = time_of(nr, s);

		shortest = us < shortest ? us : shortest;
	}
	return shortest;
}

/*
 * No limit in seconds, for machines are slow, but the shape of the curve: TIMES as many take about TIMES as
 * long. If each request looked at all others it would be near TIMES squared, from some ten thousand on; between
 * the two is the limit.
 */
static void check_curve(int64_t (*time_of)(uint64_t nr, struct sources *s), const char *what)
{
	enum { TIMES = 8, LIMIT = 5 * TIMES, AT_LEAST = 24000 };
	uint64_t nr = many() < AT_LEAST ? AT_LEAST : many();
	struct sources s;
	int64_t few, all;

	make_sources(&s);
	few = shortest(time_of, nr / TIMES, &s, 0);
	all = shortest(time_of, nr, &s, LIMIT * few);
	printf("# %s with %llu in flight: %lld us, with %llu: %lld us\n", what,
		(unsigned long long)nr / TIMES, (long long)few, (unsigned long long)nr,
		(long long)all);
	CHECK(all <= LIMIT * few);
	drop_sources(&s);
}

TEST_WITHIN(ring_many, end_of_a_process_takes_time_by_their_number, 60)
{
	check_curve(time_of_end, "the end");
}

TEST_WITHIN(ring_many, cancelling_woken_ones_takes_time_by_their_number, 60)
{
	NEWER(has_calls()); /* Linux 6.1 goes through those that are cancelled for each one */
	check_curve(time_of_cancelling, "cancelling the woken");
}
