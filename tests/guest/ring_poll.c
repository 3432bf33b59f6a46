// SPDX-License-Identifier: MIT
/*
 * Waiting for a file by the ring: what POLL_ADD tells of, once or each time; how it is changed.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "ring.h"

static struct io_uring_sqe *put_poll(
	struct ring *r, int fd, unsigned events, unsigned flags, uint64_t user_data)
{
	return ring_push(r, (struct io_uring_sqe){.opcode = IORING_OP_POLL_ADD,
				    .fd = fd,
				    .poll32_events = events,
				    .len = flags,
				    .user_data = user_data});
}

/* What a poll says that has not to wait. */
static int poll_now(struct ring *r, int fd, unsigned events)
{
	(void)put_poll(r, fd, events, 0, 0);
	return ring_run(r).res;
}

/* Changes the poll of this name: what the change says. */
static int update(struct ring *r, uint64_t name, unsigned events, unsigned flags)
{
	(void)ring_push(r, (struct io_uring_sqe){.opcode = IORING_OP_POLL_REMOVE,
				   .addr = name,
				   .poll32_events = events,
				   .len = IORING_POLL_UPDATE_EVENTS | flags});
	return ring_run(r).res;
}

static void write_byte(int fd)
{
	CHECK_EQ(write(fd, "x", 1), 1);
}

static void read_byte(int fd)
{
	char c;

	CHECK_EQ(read(fd, &c, 1), 1);
}

/* The next completion is of this poll, which goes on after it, or does not. */
static void expect_poll(struct ring *r, uint64_t user_data, int res, bool goes_on)
{
	struct ring_result got = ring_take(r);

	CHECK_EQ(got.user_data, user_data);
	CHECK_EQ(got.res, res);
	CHECK_EQ((got.flags & IORING_CQE_F_MORE) != 0, goes_on);
}

/* ---- What it tells of ---- */

TEST(ring_poll, completes_when_ready)
{
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	(void)put_poll(&r, fd[0], POLLIN, 0, 1);
	(void)put_poll(&r, fd[1], POLLOUT, 0, 2);
	CHECK_EQ(ring_submit(&r, 1), 2);
	RING_EXPECT(&r, 2, POLLOUT);
	CHECK_EQ(ring_ready(&r), 0u);
	write_byte(fd[1]);
	RING_EXPECT(&r, 1, POLLIN);
	ring_close(&r);
}

/* Its thread looks later: then somebody has read it already. */
TEST(ring_poll, tells_what_woke_it)
{
	struct ring r;
	int fd[2];

	ring_open(&r, 8, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
	CHECK_OK(pipe(fd));
	(void)put_poll(&r, fd[0], POLLIN | POLLOUT | POLLPRI, 0, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	write_byte(fd[1]);
	read_byte(fd[0]);
	RING_EXPECT(&r, 1, POLLIN);
}

/* Unlike poll(2). */
TEST(ring_poll, end_of_what_is_sent_comes_unasked)
{
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	CHECK_OK(shutdown(fd[1], SHUT_WR));
	CHECK_EQ(poll_now(&r, fd[0], POLLIN), POLLIN | POLLRDHUP);
	CHECK_EQ(poll_now(&r, fd[0], POLLOUT), POLLOUT | POLLRDHUP);
	CHECK_EQ(poll_now(&r, fd[0], POLLPRI), POLLRDHUP);
	CHECK_EQ(poll_now(&r, fd[0], 0), POLLRDHUP);
	ring_close(&r);
}

TEST(ring_poll, end_of_what_is_sent_wakes_unasked)
{
	static const unsigned events[] = {POLLIN, POLLPRI, 0};

	for (unsigned i = 0; i < 3; i++) {
		struct ring r;
		int fd[2];

		ring_open(&r, 8, 0);
		CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
		(void)put_poll(&r, fd[0], events[i], 0, 1);
		CHECK_EQ(ring_submit(&r, 0), 1);
		CHECK_EQ(ring_ready(&r), 0u);
		CHECK_OK(shutdown(fd[1], SHUT_WR));
		RING_EXPECT(&r, 1, POLLRDHUP | (events[i] & POLLIN));
		ring_close(&r);
	}
}

TEST(ring_poll, file_that_never_changes)
{
	struct ring r;
	int fd;

	ring_open(&r, 8, 0);
	CHECK_OK(fd = open("f", O_RDWR | O_CREAT, 0600));
	CHECK_EQ(poll_now(&r, fd, POLLIN | POLLOUT | POLLPRI), POLLIN | POLLOUT);
	CHECK_EQ(poll_now(&r, fd, POLLPRI), -EINVAL); /* which will never be */
	CHECK_EQ(poll_now(&r, fd, 0), -EINVAL);
	(void)put_poll(&r, fd, POLLIN, IORING_POLL_ADD_MULTI, 1);
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect_poll(&r, 1, POLLIN, false);
	(void)put_poll(&r, fd, POLLPRI, IORING_POLL_ADD_MULTI, 2);
	CHECK_EQ(ring_submit(&r, 1), 1);
	expect_poll(&r, 2, -EINVAL, false);
	CHECK_EQ(ring_ready(&r), 0u);
	ring_close(&r);
}

/* ---- Each time ---- */

TEST(ring_poll, multishot_tells_each_time)
{
	struct io_uring_sqe *sqe;
	struct ring_result got;
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	(void)put_poll(&r, fd[0], POLLIN, IORING_POLL_ADD_MULTI, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	for (unsigned i = 0; i < 3; i++) {
		write_byte(fd[1]);
		expect_poll(&r, 1, POLLIN, true);
		read_byte(fd[0]);
	}
	sqe = ring_sqe(&r, IORING_OP_POLL_REMOVE, 2);
	sqe->addr = 1;
	CHECK_EQ(ring_submit(&r, 2), 1);
	for (unsigned i = 0; i < 2; i++) {
		got = ring_take(&r);
		CHECK_EQ(got.res, got.user_data == 1 ? -ECANCELED : 0);
		CHECK(!(got.flags & IORING_CQE_F_MORE));
	}
	ring_close(&r);
}

TEST(ring_poll, level_is_refused)
{
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	(void)put_poll(&r, fd[1], POLLOUT, IORING_POLL_ADD_LEVEL, 0);
	CHECK_EQ(ring_run(&r).res, -EINVAL);
	(void)put_poll(&r, fd[1], POLLOUT, IORING_POLL_ADD_LEVEL | IORING_POLL_ADD_MULTI, 0);
	CHECK_EQ(ring_run(&r).res, -EINVAL);
	CHECK_EQ(update(&r, 1, POLLIN, IORING_POLL_ADD_LEVEL), -EINVAL);
	ring_close(&r);
}

/* ---- Changing it ---- */

TEST(ring_poll, update_changes_the_events)
{
	struct ring r;
	int fd[2];

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	ring_open(&r, 8, 0);
	(void)put_poll(&r, fd[0], POLLPRI, 0, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(update(&r, 1, POLLIN | EPOLLEXCLUSIVE, 0), 0);
	CHECK_EQ(ring_ready(&r), 0u);
	write_byte(fd[1]);
	RING_EXPECT(&r, 1, POLLIN);
	ring_close(&r);
}

TEST(ring_poll, update_leaves_a_multishot_one)
{
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	(void)put_poll(&r, fd[0], POLLPRI, IORING_POLL_ADD_MULTI, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(update(&r, 1, POLLIN, 0), 0);
	for (unsigned i = 0; i < 2; i++) {
		write_byte(fd[1]);
		expect_poll(&r, 1, POLLIN, true);
		read_byte(fd[0]);
	}
	ring_close(&r);
}

/* Whatever the manual says. */
TEST(ring_poll, update_makes_none_multishot)
{
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	(void)put_poll(&r, fd[0], POLLPRI, 0, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(update(&r, 1, POLLIN, IORING_POLL_ADD_MULTI), 0);
	write_byte(fd[1]);
	expect_poll(&r, 1, POLLIN, false);
	CHECK_EQ(update(&r, 1, POLLIN, 0), -ENOENT);
	ring_close(&r);
}
