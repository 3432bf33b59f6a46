// SPDX-License-Identifier: MIT
/*
 * Reads and writes by a ring: what they wait for, where they end, and what their ends do to a chain.
 */
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "ring.h"

enum { PIPE_HOLDS = 65536 };

static char memory[1 << 20];

static void expect_nothing(struct ring *r)
{
	struct ring_result got;

	sleep_ms(10);
	CHECK_OK(ring_enter(r->fd, 0, 0, IORING_ENTER_GETEVENTS));
	CHECK(!ring_peek(r, &got));
}

/* ---- O_NONBLOCK ---- */

/* A read of 8 bytes waits, and ends when they come. */
static void reads_later(struct ring *r, int from, int to, unsigned opcode, unsigned flags)
{
	static struct iovec vec = {memory, 8};
	const uint64_t one = 1;

	if (opcode == IORING_OP_READV)
		ring_next_rw(r, opcode, from, &vec, 1, 0)->flags = (unsigned char)flags;
	else
		ring_next_rw(r, opcode, from, memory, 8, 0)->flags = (unsigned char)flags;
	CHECK_EQ(ring_submit(r, 0), 1);
	expect_nothing(r);
	CHECK_EQ(write(to, &one, 8), 8);
	CHECK_EQ(ring_take(r).res, 8);
}

TEST(ring_rw, a_read_waits_although_the_file_does_not_block)
{
	int event, pipe[2], socket[2];
	struct ring r;

	ring_open(&r, 8, 0);
	CHECK_OK(event = eventfd(0, EFD_NONBLOCK));
	CHECK_OK(pipe2(pipe, O_NONBLOCK));
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, socket));
	reads_later(&r, event, event, IORING_OP_READ, 0);
	reads_later(&r, pipe[0], pipe[1], IORING_OP_READ, 0);
	reads_later(&r, pipe[0], pipe[1], IORING_OP_READ, IOSQE_ASYNC);
	reads_later(&r, pipe[0], pipe[1], IORING_OP_READV, 0);
	reads_later(&r, socket[0], socket[1], IORING_OP_READ, 0);
	ring_close(&r);
}

TEST(ring_rw, a_timer_that_does_not_block_is_waited_for)
{
	const struct itimerspec soon = {.it_value = {.tv_nsec = 30000000}};
	uint64_t times = 0;
	struct ring r;
	int fd;

	ring_open(&r, 8, 0);
	CHECK_OK(fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	CHECK_OK(timerfd_settime(fd, 0, &soon, NULL));
	ring_next_rw(&r, IORING_OP_READ, fd, &times, 8, 0);
	CHECK_EQ(ring_run(&r).res, 8);
	CHECK(times > 0);
	ring_close(&r);
}

TEST(ring_rw, a_full_pipe_that_does_not_block_is_waited_for_once)
{
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	CHECK_OK(pipe2(fd, O_NONBLOCK));
	CHECK_EQ(write(fd[1], memory, PIPE_HOLDS), PIPE_HOLDS);
	ring_next_rw(&r, IORING_OP_WRITE, fd[1], memory, 1, 0);
	CHECK_EQ(ring_submit(&r, 0), 1);
	expect_nothing(&r);
	CHECK_EQ(read(fd[0], memory, PIPE_HOLDS), PIPE_HOLDS);
	CHECK_EQ(ring_take(&r).res, 1);
	CHECK_EQ(read(fd[0], memory, 1), 1);
	ring_next_rw(&r, IORING_OP_WRITE, fd[1], memory, 2 * PIPE_HOLDS, 0);
	CHECK_EQ(ring_run(&r).res, PIPE_HOLDS);
	ring_close(&r);
}

/* ---- Where they end ---- */

TEST(ring_rw, a_write_to_a_pipe_waits_for_all_of_it)
{
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	CHECK_OK(pipe(fd));
	ring_next_rw(&r, IORING_OP_WRITE, fd[1], memory, 2 * PIPE_HOLDS, 0);
	CHECK_EQ(ring_submit(&r, 0), 1);
	expect_nothing(&r);
	for (int got = 0; got < 2 * PIPE_HOLDS;)
		got += (int)CHECK_OK(read(fd[0], memory, PIPE_HOLDS));
	CHECK_EQ(ring_take(&r).res, 2 * PIPE_HOLDS);
	ring_close(&r);
}

/* As a send: one thread may write and then read the other end. */
TEST(ring_rw, a_write_to_a_socket_ends_with_what_fits)
{
	struct ring_result got;
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	ring_next_rw(&r, IORING_OP_WRITE, fd[0], memory, sizeof(memory), 0)->flags =
		IOSQE_IO_LINK;
	(void)ring_sqe(&r, IORING_OP_NOP, 2);
	CHECK_EQ(ring_submit(&r, 2), 2);
	got = ring_take(&r);
	CHECK(got.res > 0 && got.res < (int)sizeof(memory));
	RING_EXPECT(&r, 2, -ECANCELED);
	ring_close(&r);
}

/* ---- What moves less than it was asked for breaks its chain ---- */

static void breaks_its_chain(struct ring *r, struct io_uring_sqe *sqe, int res)
{
	sqe->flags |= IOSQE_IO_LINK;
	sqe->user_data = 1;
	(void)ring_sqe(r, IORING_OP_NOP, 2);
	CHECK_EQ(ring_submit(r, 2), 2);
	RING_EXPECT_ALL(r, 2, res, -ECANCELED);
}

TEST(ring_rw, a_short_splice_or_tee_breaks_its_chain)
{
	struct io_uring_sqe *sqe;
	int from[2], to[2];
	struct ring r;

	ring_open(&r, 8, 0);
	CHECK_OK(pipe(from));
	CHECK_OK(pipe(to));
	CHECK_EQ(write(from[1], "hello", 5), 5);
	sqe = ring_next_rw(&r, IORING_OP_TEE, to[1], NULL, 50, 0);
	sqe->splice_fd_in = from[0];
	breaks_its_chain(&r, sqe, 5);
	sqe = ring_next_rw(&r, IORING_OP_SPLICE, to[1], (void *)-1, 50, (uint64_t)-1);
	sqe->splice_fd_in = from[0];
	breaks_its_chain(&r, sqe, 5);
	ring_close(&r);
}

TEST(ring_rw, a_short_read_into_a_chosen_buffer_breaks_its_chain)
{
	struct io_uring_sqe *sqe;
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	CHECK_OK(pipe(fd));
	ring_next_rw(&r, IORING_OP_PROVIDE_BUFFERS, 2, memory, 10, 0)->buf_group = 3;
	CHECK_EQ(ring_run(&r).res, 0);
	CHECK_EQ(write(fd[1], "hello", 5), 5);
	sqe = ring_next_rw(&r, IORING_OP_READ, fd[0], NULL, 50, 0);
	sqe->flags = IOSQE_BUFFER_SELECT;
	sqe->buf_group = 3;
	breaks_its_chain(&r, sqe, 5);
	CHECK_EQ(write(fd[1], "0123456789abc", 13), 13);
	sqe = ring_next_rw(
		&r, IORING_OP_READ, fd[0], NULL, 50, 0); /* a whole buffer is no less */
	sqe->flags = IOSQE_BUFFER_SELECT | IOSQE_IO_LINK;
	sqe->buf_group = 3;
	sqe->user_data = 1;
	(void)ring_sqe(&r, IORING_OP_NOP, 2);
	CHECK_EQ(ring_submit(&r, 2), 2);
	RING_EXPECT_ALL(&r, 2, 10, 0);
	ring_close(&r);
}

TEST(ring_rw, a_datagram_that_is_cut_breaks_its_chain)
{
	struct io_uring_sqe *sqe;
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd));
	CHECK_EQ(write(fd[1], "0123456789", 10), 10);
	sqe = ring_next_rw(&r, IORING_OP_RECV, fd[0], memory, 4, 0);
	sqe->msg_flags = MSG_WAITALL;
	breaks_its_chain(&r, sqe, 4);
	ring_close(&r);
}
