// SPDX-License-Identifier: MIT
/*
 * Timeouts of the ring, alone and linked: when they end, what they count, how they are changed and follow the clock,
 * what their entries must not say; and the time that io_uring_enter waits.
 */
#include <poll.h>

#include "ring.h"

static struct __kernel_timespec ms(int n)
{
	return (struct __kernel_timespec){n / 1000, (long long)(n % 1000) * 1000000};
}

static struct __kernel_timespec late(void)
{
	return (struct __kernel_timespec){.tv_sec = 1000};
}

static struct __kernel_timespec soon(void)
{
	return (struct __kernel_timespec){.tv_nsec = 10000000};
}

/* So many seconds from now, by the time of day. */
static struct __kernel_timespec time_of_day(int seconds)
{
	struct timespec now;

	CHECK_OK(clock_gettime(CLOCK_REALTIME, &now));
	return (struct __kernel_timespec){now.tv_sec + seconds, now.tv_nsec};
}

static struct io_uring_sqe *put_timeout(
	struct ring *r, const struct __kernel_timespec *t, unsigned count, uint64_t user_data)
{
	return ring_push(r, (struct io_uring_sqe){.opcode = IORING_OP_TIMEOUT,
				    .addr = (uintptr_t)t,
				    .len = 1,
				    .off = count,
				    .user_data = user_data});
}

static struct io_uring_sqe *put_link_timeout(
	struct ring *r, const struct __kernel_timespec *t, uint64_t user_data)
{
	struct io_uring_sqe *sqe = put_timeout(r, t, 0, user_data);

	sqe->opcode = IORING_OP_LINK_TIMEOUT;
	return sqe;
}

/* Gives the timeout of this name another time. */
static struct io_uring_sqe *put_update(struct ring *r, uint64_t name,
	const struct __kernel_timespec *t, unsigned flags, uint64_t user_data)
{
	return ring_push(r, (struct io_uring_sqe){.opcode = IORING_OP_TIMEOUT_REMOVE,
				    .addr = name,
				    .addr2 = (uintptr_t)t,
				    .timeout_flags = IORING_TIMEOUT_UPDATE | flags,
				    .user_data = user_data});
}

static void submit_nops(struct ring *r, unsigned nr, uint64_t user_data)
{
	for (unsigned i = 0; i < nr; i++)
		(void)ring_sqe(r, IORING_OP_NOP, user_data);
	CHECK_EQ(ring_submit(r, nr), nr);
	for (unsigned i = 0; i < nr; i++)
		RING_EXPECT(r, user_data, 0);
}

/* ---- When they end ---- */

TEST(ring_timeout, ends_in_time)
{
	struct __kernel_timespec t = ms(30);
	struct ring r;

	ring_open(&r, 8, 0);
	(void)put_timeout(&r, &t, 0, 1);
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 1, -ETIME);
	ring_close(&r);
}

TEST(ring_timeout, ends_with_completions)
{
	struct __kernel_timespec t = ms(60000);
	struct ring r;

	ring_open(&r, 8, 0);
	(void)put_timeout(&r, &t, 2, 1);
	(void)ring_sqe(&r, IORING_OP_NOP, 2);
	(void)ring_sqe(&r, IORING_OP_NOP, 3);
	CHECK_EQ(ring_submit(&r, 3), 3);
	RING_EXPECT(&r, 2, 0);
	RING_EXPECT(&r, 3, 0);
	RING_EXPECT(&r, 1, 0);
	ring_close(&r);
}

/* More than there will be: the time ends it, although the count is a negative number, too. */
TEST(ring_timeout, with_the_largest_count)
{
	struct __kernel_timespec t = ms(30);
	struct ring r;

	ring_open(&r, 8, 0);
	(void)put_timeout(&r, &t, UINT32_MAX, 1);
	(void)ring_sqe(&r, IORING_OP_NOP, 2);
	CHECK_EQ(ring_submit(&r, 1), 2);
	RING_EXPECT(&r, 2, 0);
	RING_EXPECT(&r, 1, -ETIME);
	ring_close(&r);
}

/* Who waits for more than there will be is told of a time that has run out. */
TEST(ring_timeout, ends_a_wait_for_more)
{
	struct __kernel_timespec t = ms(30);
	struct ring r;

	ring_open(&r, 8, 0);
	(void)put_timeout(&r, &t, 0, 1);
	CHECK_EQ(ring_submit(&r, 4), 1);
	RING_EXPECT(&r, 1, -ETIME);
	(void)put_timeout(&r, &t, 0, 2);
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(ring_enter(r.fd, 0, 4, IORING_ENTER_GETEVENTS), 0);
	RING_EXPECT(&r, 2, -ETIME);
	ring_close(&r);
}

TEST(ring_timeout, that_may_run_out_breaks_no_chain)
{
	struct __kernel_timespec t = ms(30);
	struct io_uring_sqe *sqe;
	struct ring r;

	ring_open(&r, 8, 0);
	for (uint64_t i = 0; i < 2; i++) {
		sqe = put_timeout(&r, &t, 0, 1);
		sqe->flags = IOSQE_IO_LINK;
		sqe->timeout_flags = i ? 0 : IORING_TIMEOUT_ETIME_SUCCESS;
		(void)ring_sqe(&r, IORING_OP_NOP, 2);
		CHECK_EQ(ring_submit(&r, 2), 2);
		RING_EXPECT(&r, 1, -ETIME);
		RING_EXPECT(&r, 2, i ? -ECANCELED : 0);
	}
	ring_close(&r);
}

TEST(ring_timeout, is_removed_and_changed)
{
	struct __kernel_timespec t = ms(60000), sooner = ms(10);
	struct io_uring_sqe *sqe;
	struct ring r;

	ring_open(&r, 8, 0);
	(void)put_timeout(&r, &t, 0, 1);
	(void)put_timeout(&r, &t, 0, 2);
	ring_sqe(&r, IORING_OP_TIMEOUT_REMOVE, 3)->addr = 1;
	ring_sqe(&r, IORING_OP_TIMEOUT_REMOVE, 4)->addr = 77;
	sqe = ring_sqe(&r, IORING_OP_TIMEOUT_REMOVE, 5);
	sqe->addr = 2;
	sqe->addr2 = (uint64_t)(uintptr_t)&sooner;
	sqe->timeout_flags = IORING_TIMEOUT_UPDATE;
	CHECK_EQ(ring_submit(&r, 5), 5);
	RING_EXPECT_ALL(&r, 5, -ECANCELED, -ETIME, 0, -ENOENT, 0);
	ring_close(&r);
}

/* Of a ring whose thread has to ask for them. */
static void wait_for_news(struct ring *r)
{
	struct pollfd p = {.fd = r->fd, .events = POLLIN};

	CHECK_EQ(poll(&p, 1, -1), 1);
}

/* Its time has come, or its last completion, although nobody has looked yet: it is too late for another. */
TEST(ring_timeout, that_has_run_out_is_not_changed)
{
	struct __kernel_timespec t[] = {ms(60000), ms(1)}, later = ms(90000);
	struct io_uring_sqe *sqe;
	struct ring r;

	ring_open(&r, 8, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
	for (unsigned i = 0; i < 4; i++) {
		bool is_by_time = i % 2, is_removed = i / 2;

		(void)put_timeout(&r, &t[is_by_time], 1, 1);
		if (!is_by_time)
			(void)ring_sqe(&r, IORING_OP_NOP, 2);
		CHECK_EQ(ring_submit(&r, 0), 2 - is_by_time);
		wait_for_news(&r);
		sqe = ring_sqe(&r, IORING_OP_TIMEOUT_REMOVE, 3);
		sqe->addr = 1;
		sqe->addr2 = is_removed ? 0 : (uint64_t)(uintptr_t)&later;
		sqe->timeout_flags = is_removed ? 0 : IORING_TIMEOUT_UPDATE;
		CHECK_EQ(ring_submit(&r, 0), 1);
		if (is_by_time)
			(void)ring_sqe(&r, IORING_OP_NOP, 2);
		CHECK_EQ(ring_submit(&r, 3), is_by_time);
		RING_EXPECT_ALL(&r, 3, is_by_time ? -ETIME : 0, 0, -ENOENT);
	}
	ring_close(&r);
}

/* ---- Linked ---- */

TEST(ring_timeout, linked_one_cancels_what_is_late)
{
	struct __kernel_timespec t = ms(20);
	struct ring r;
	int fd[2];
	char c;

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	ring_read_byte(&r, fd[0], &c, 1)->flags = IOSQE_IO_LINK;
	(void)put_link_timeout(&r, &t, 2);
	CHECK_EQ(ring_submit(&r, 2), 2);
	RING_EXPECT(&r, 1, -ECANCELED);
	RING_EXPECT(&r, 2, -ETIME);
	ring_close(&r);
}

TEST(ring_timeout, linked_one_goes_when_its_request_has_ended)
{
	struct __kernel_timespec t = ms(60000);
	struct ring r;
	int fd[2];
	char c;

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	ring_read_byte(&r, fd[0], &c, 1)->flags = IOSQE_IO_LINK;
	(void)put_link_timeout(&r, &t, 2);
	CHECK_EQ(ring_submit(&r, 0), 2);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	RING_EXPECT(&r, 1, 1);
	RING_EXPECT(&r, 2, -ECANCELED);
	ring_close(&r);
}

/* By its name it cannot be cancelled, and what it is for goes on; nobody else is taken for it then. */
TEST(ring_timeout, linked_one_has_no_name)
{
	struct __kernel_timespec t = ms(60000);
	struct io_uring_sqe *sqe;
	struct ring_result got;
	struct ring r;
	int fd[2], other[2];
	char c;

	CHECK_OK(pipe(fd));
	CHECK_OK(pipe(other));
	ring_open(&r, 16, 0);
	ring_read_byte(&r, fd[0], &c, 1)->flags = IOSQE_IO_LINK;
	(void)put_link_timeout(&r, &t, 2);
	CHECK_EQ(ring_submit(&r, 0), 2);
	ring_sqe(&r, IORING_OP_ASYNC_CANCEL, 3)->addr = 2;
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 3, -ENOENT);
	for (uint64_t i = 10; i < 14; i++) {
		sqe = ring_sqe(&r, IORING_OP_POLL_ADD, i);
		sqe->fd = other[0];
		sqe->poll32_events = 1; /* POLLIN */
	}
	CHECK_EQ(ring_submit(&r, 0), 4);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	got = ring_take(&r);
	if (got.user_data == 2) { /* which of the two comes first is nobody's promise */
		CHECK_EQ(got.res, -ECANCELED);
		RING_EXPECT(&r, 1, 1);
	} else {
		CHECK_EQ(got.res, 1);
		RING_EXPECT(&r, 2, -ECANCELED);
	}
	CHECK_EQ(ring_ready(&r), 0u);
	ring_close(&r);
}

TEST(ring_timeout, linked_one_that_skips_its_completion_has_none)
{
	struct __kernel_timespec sooner = ms(1), later = ms(100000);
	struct io_uring_sqe *sqe;
	struct ring_result got;
	struct ring r;
	int fd[2];
	char c;

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	for (int i = 0; i < 3; i++) {
		if (i == 0) /* ends at once, later, and late */
			sqe = ring_sqe(&r, IORING_OP_NOP, 1);
		else
			sqe = ring_next_rw(&r, IORING_OP_READ, fd[0], &c, 1, 0);
		sqe->flags = IOSQE_IO_LINK;
		put_link_timeout(&r, i == 1 ? &later : &sooner, 9)->flags =
			IOSQE_CQE_SKIP_SUCCESS;
		CHECK_EQ(ring_submit(&r, 0), 2);
		if (i == 1)
			CHECK_EQ(write(fd[1], "x", 1), 1);
		got = ring_take(&r);
		CHECK(got.user_data != 9);
		CHECK_EQ(got.res, i == 2 ? -ECANCELED : i);
		usleep(5000);
		CHECK_OK(ring_enter(r.fd, 0, 0, IORING_ENTER_GETEVENTS));
		CHECK_EQ(ring_ready(&r), 0u);
	}
	ring_close(&r);
}

/* ---- A time of day ---- */

static void move_clock(int seconds)
{
	struct timespec t;

	CHECK_OK(clock_gettime(CLOCK_REALTIME, &t));
	t.tv_sec += seconds;
	CHECK_OK(clock_settime(CLOCK_REALTIME, &t));
}

/* Named as its operation. */
static void put_time_of_day(struct ring *r, unsigned op, const struct __kernel_timespec *t)
{
	struct io_uring_sqe *sqe = put_timeout(r, t, 0, op);

	sqe->opcode = (uint8_t)op;
	sqe->timeout_flags = IORING_TIMEOUT_ABS | IORING_TIMEOUT_REALTIME;
}

TEST(ring_timeout, a_time_of_day_comes_sooner_when_the_clock_is_set)
{
	struct __kernel_timespec t = time_of_day(1000);
	struct ring r;

	ring_open(&r, 8, 0);
	put_time_of_day(&r, IORING_OP_TIMEOUT, &t);
	CHECK_EQ(ring_submit(&r, 0), 1);
	move_clock(500);
	sleep_ms(20);
	CHECK_EQ(ring_ready(&r), 0);
	move_clock(1000);
	RING_EXPECT(&r, IORING_OP_TIMEOUT, -ETIME);
	move_clock(-1500);
}

TEST(ring_timeout, a_time_of_day_comes_later_when_the_clock_is_set_back)
{
	struct __kernel_timespec t = time_of_day(3); /* enough to get to setting it back */
	struct ring r;

	ring_open(&r, 8, 0);
	put_time_of_day(&r, IORING_OP_TIMEOUT, &t);
	CHECK_EQ(ring_submit(&r, 0), 1);
	move_clock(-1000);
	sleep_ms(3200);
	CHECK_EQ(ring_ready(&r), 0);
	move_clock(1000);
	RING_EXPECT(&r, IORING_OP_TIMEOUT, -ETIME);
}

TEST(ring_timeout, a_linked_time_of_day_follows_the_clock)
{
	struct __kernel_timespec t = time_of_day(1000);
	struct ring r;
	int fd[2];
	char c;

	ring_open(&r, 8, 0);
	CHECK_OK(pipe(fd));
	ring_read_byte(&r, fd[0], &c, 1)->flags = IOSQE_IO_LINK;
	put_time_of_day(&r, IORING_OP_LINK_TIMEOUT, &t);
	CHECK_EQ(ring_submit(&r, 0), 2);
	move_clock(2000);
	for (int i = 0; i < 2; i++) {
		struct ring_result got = ring_take(&r);

		CHECK(got.user_data == 1 ? got.res == -ECANCELED || got.res == -EINTR
					 : got.res == -ETIME);
	}
	move_clock(-2000);
}

/* It is another kind of timeout from then on, and back again. */
TEST(ring_timeout, a_time_of_day_may_be_changed)
{
	struct __kernel_timespec t = time_of_day(1000), later = {.tv_sec = 1000};
	struct ring r;

	ring_open(&r, 8, 0);
	put_time_of_day(&r, IORING_OP_TIMEOUT, &t);
	CHECK_EQ(ring_submit(&r, 0), 1);
	for (int i = 0; i < 2; i++) {
		struct io_uring_sqe *sqe = ring_sqe(&r, IORING_OP_TIMEOUT_REMOVE, 5);

		sqe->addr = IORING_OP_TIMEOUT;
		sqe->addr2 = (uintptr_t)(i ? &t : &later);
		sqe->timeout_flags = IORING_TIMEOUT_UPDATE | (i ? IORING_TIMEOUT_ABS : 0u);
		CHECK_EQ(ring_submit(&r, 1), 1);
		RING_EXPECT(&r, 5, 0);
		move_clock(i ? 2000 : -2000);
		move_clock(i ? 0 : 2000);
		if (!i) {
			sleep_ms(20);
			CHECK_EQ(ring_ready(&r), 0u);
		}
	}
	RING_EXPECT(&r, IORING_OP_TIMEOUT, -ETIME);
	move_clock(-2000);
}

/* ---- What they count ---- */

TEST(ring_timeout, that_runs_out_counts_for_no_other)
{
	struct __kernel_timespec t = late(), s = soon();
	struct ring r;

	ring_open(&r, 8, 0);
	(void)put_timeout(&r, &t, 1, 1);
	(void)put_timeout(&r, &s, 0, 2);
	CHECK_EQ(ring_submit(&r, 1), 2);
	RING_EXPECT(&r, 2, -ETIME);
	CHECK_EQ(ring_ready(&r), 0u);
	submit_nops(&r, 1, 3);
	RING_EXPECT(&r, 1, 0);
	ring_close(&r);
}

TEST(ring_timeout, that_has_counted_counts_for_no_other)
{
	struct __kernel_timespec t = late();
	struct ring r;

	ring_open(&r, 8, 0);
	(void)put_timeout(&r, &t, 1, 1);
	(void)put_timeout(&r, &t, 2, 2);
	CHECK_EQ(ring_submit(&r, 0), 2);
	submit_nops(&r, 1, 3);
	RING_EXPECT(&r, 1, 0);
	CHECK_EQ(ring_ready(&r), 0u);
	submit_nops(&r, 1, 3);
	RING_EXPECT(&r, 2, 0);
	ring_close(&r);
}

TEST(ring_timeout, that_is_removed_counts_for_others)
{
	struct __kernel_timespec t = late();
	struct ring r;

	ring_open(&r, 8, 0);
	(void)put_timeout(&r, &t, 2, 1);
	(void)put_timeout(&r, &t, 0, 2);
	CHECK_EQ(ring_submit(&r, 0), 2);
	ring_sqe(&r, IORING_OP_TIMEOUT_REMOVE, 3)->addr = 2;
	CHECK_EQ(ring_submit(&r, 3), 1);
	RING_EXPECT_ALL(&r, 3, 0, -ECANCELED, 0);
	ring_close(&r);
}

TEST(ring_timeout, that_is_wrong_counts_for_others)
{
	struct __kernel_timespec t = late();
	struct ring r;

	ring_open(&r, 8, 0);
	(void)put_timeout(&r, &t, 1, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	put_timeout(&r, &t, 0, 2)->len = 2;
	CHECK_EQ(ring_submit(&r, 2), 1);
	RING_EXPECT_ALL(&r, 2, 0, -EINVAL);
	ring_close(&r);
}

/* In time or late. */
TEST(ring_timeout, linked_one_counts_for_others)
{
	struct __kernel_timespec t = late(), s = soon();
	struct ring r;
	int fd[2];
	char c;

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	(void)put_timeout(&r, &t, 2, 1);
	ring_sqe(&r, IORING_OP_NOP, 2)->flags = IOSQE_IO_LINK;
	(void)put_link_timeout(&r, &t, 3);
	CHECK_EQ(ring_submit(&r, 3), 3);
	RING_EXPECT_ALL(&r, 3, 0, 0, -ECANCELED);
	(void)put_timeout(&r, &t, 2, 1);
	ring_read_byte(&r, fd[0], &c, 2)->flags = IOSQE_IO_LINK;
	(void)put_link_timeout(&r, &s, 3);
	CHECK_EQ(ring_submit(&r, 3), 3);
	RING_EXPECT_ALL(&r, 3, 0, -ECANCELED, -ETIME);
	ring_close(&r);
}

/* ---- Changing them ---- */

TEST(ring_timeout, update_keeps_the_clock)
{
	static const unsigned begun_with[] = {
		IORING_TIMEOUT_REALTIME | IORING_TIMEOUT_ABS, IORING_TIMEOUT_REALTIME};
	struct __kernel_timespec t = time_of_day(1000), now = time_of_day(0);
	struct ring r;

	ring_open(&r, 8, 0);
	for (unsigned i = 0; i < 2; i++) {
		put_timeout(&r, &t, 0, 1)->timeout_flags = begun_with[i];
		CHECK_EQ(ring_submit(&r, 0), 1);
		(void)put_update(&r, 1, &now, IORING_TIMEOUT_ABS, 2);
		CHECK_EQ(ring_submit(&r, 2), 1);
		RING_EXPECT_ALL(&r, 2, -ETIME, 0);
	}
	ring_close(&r);
}

/* The manual lists it; Linux 6.1 refuses. */
TEST(ring_timeout, update_names_another_clock)
{
	struct __kernel_timespec t = late(), now = time_of_day(0);
	struct ring_result got;
	struct ring r;

	ring_open(&r, 8, 0);
	(void)put_timeout(&r, &t, 0, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	(void)put_update(&r, 1, &now, IORING_TIMEOUT_ABS | IORING_TIMEOUT_REALTIME, 2);
	CHECK_EQ(ring_submit(&r, 1), 1);
	got = ring_take(&r);
	CHECK_EQ(got.user_data, 2);
	NEWER(got.res != -EINVAL);
	CHECK_EQ(got.res, 0);
	RING_EXPECT(&r, 1, -ETIME);
	ring_close(&r);
}

TEST(ring_timeout, update_ends_the_counting)
{
	struct __kernel_timespec t = late();
	struct ring r;

	ring_open(&r, 8, 0);
	(void)put_timeout(&r, &t, 2, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	(void)put_update(&r, 1, &t, 0, 2);
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 2, 0);
	submit_nops(&r, 4, 3);
	CHECK_EQ(ring_ready(&r), 0u);
	ring_sqe(&r, IORING_OP_TIMEOUT_REMOVE, 2)->addr = 1;
	CHECK_EQ(ring_submit(&r, 2), 1);
	RING_EXPECT_ALL(&r, 2, -ECANCELED, 0);
	ring_close(&r);
}

/* The manual lists it; Linux 6.1 refuses. */
TEST(ring_timeout, update_makes_running_out_a_success)
{
	struct __kernel_timespec t = late(), s = soon();
	struct ring_result got;
	struct ring r;

	ring_open(&r, 8, 0);
	put_timeout(&r, &t, 0, 1)->flags = IOSQE_IO_LINK;
	(void)ring_sqe(&r, IORING_OP_NOP, 2);
	CHECK_EQ(ring_submit(&r, 0), 2);
	(void)put_update(&r, 1, &s, IORING_TIMEOUT_ETIME_SUCCESS, 3);
	CHECK_EQ(ring_submit(&r, 1), 1);
	got = ring_take(&r);
	CHECK_EQ(got.user_data, 3);
	NEWER(got.res != -EINVAL);
	CHECK_EQ(got.res, 0);
	RING_EXPECT(&r, 1, -ETIME);
	RING_EXPECT(&r, 2, 0);
	ring_close(&r);
}

/* ---- What is wrong ---- */

TEST(ring_timeout, fields_without_a_meaning)
{
	static const uint8_t opcodes[] = {
		IORING_OP_TIMEOUT, IORING_OP_TIMEOUT_REMOVE, IORING_OP_LINK_TIMEOUT};
	struct __kernel_timespec t = soon();
	struct ring r;

	ring_open(&r, 8, 0);
	for (unsigned i = 0; i < 9; i++) {
		bool is_link = opcodes[i / 3] == IORING_OP_LINK_TIMEOUT;
		struct io_uring_sqe *sqe;

		if (is_link)
			ring_sqe(&r, IORING_OP_NOP, 2)->flags = IOSQE_IO_LINK;
		sqe = put_timeout(&r, &t, 0, 1);
		sqe->opcode = opcodes[i / 3];
		sqe->len = sqe->opcode != IORING_OP_TIMEOUT_REMOVE;
		if (i % 3 == 0)
			sqe->addr3 = 5;
		else if (i % 3 == 1)
			sqe->__pad2[0] = 5;
		else
			sqe->splice_fd_in = 5;
		CHECK_EQ(ring_submit(&r, 1 + is_link), 1 + is_link);
		RING_EXPECT_ALL(&r, 1 + is_link, -EINVAL, -ECANCELED);
	}
	ring_close(&r);
}

/* ---- How long io_uring_enter waits ---- */

/* Any numbers: they are added, and what has passed is over at once. */
TEST(ring_timeout, enter_adds_seconds_and_nanoseconds)
{
	static const struct {
		struct __kernel_timespec t;
		int at_least_ms;
	} waits[] = {{{-1, 0}, 0}, {{0, -1}, 0}, {{INT64_MIN, 0}, 0}, {{1, -900000000}, 100},
		{{-1, 1100000000}, 100}, {{0, 1200000000}, 1200}};
	struct ring r;

	ring_open(&r, 8, 0);
	for (unsigned i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		struct io_uring_getevents_arg arg = {.ts = (uintptr_t)&waits[i].t};
		int64_t begin = now_ms();

		CHECK_ERRNO(syscall(__NR_io_uring_enter, r.fd, 0, 1,
				    IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &arg,
				    sizeof(arg)),
			ETIME);
		CHECK(now_ms() - begin >= waits[i].at_least_ms);
	}
	ring_close(&r);
}
