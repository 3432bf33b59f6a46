// SPDX-License-Identifier: MIT
/*
 * Timeouts of the ring: what they count, how they are changed, what their entries must not say (the rest is in ring.c);
 * and the time that io_uring_enter waits.
 */
#include "ring.h"

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
