// SPDX-License-Identifier: MIT
/*
 * io_uring: submitting, completing, chains, draining, timeouts, cancelling, and the plain operations.
 * What is registered is in ring_register.c and ring_buffers.c, sockets in ring_net.c, polls in ring_poll.c, more of timeouts in ring_timeout.c.
 */
#include "ring.h"

#include <poll.h>
#include <pthread.h>
#include <sys/uio.h>

/* ---- Setting up ---- */

TEST(ring, setup_rounds_up_and_refuses_nonsense)
{
	struct io_uring_params p = {0};

	CHECK_ERRNO(ring_setup(0, &p), EINVAL);
	CHECK_ERRNO(ring_setup(1 << 20, &p), EINVAL);
	p.flags = 1u << 30;
	CHECK_ERRNO(ring_setup(4, &p), EINVAL);
	p.flags = IORING_SETUP_CQSIZE;
	CHECK_ERRNO(ring_setup(4, &p), EINVAL);
	p = (struct io_uring_params){.flags = IORING_SETUP_CLAMP};
	CHECK_OK(close(ring_setup(1 << 20, &p)));
	CHECK_EQ(p.sq_entries, 32768u);
	CHECK_EQ(p.cq_entries, 65536u);
	p = (struct io_uring_params){0};
	CHECK_OK(close(ring_setup(5, &p)));
	CHECK_EQ(p.sq_entries, 8u);
	CHECK_EQ(p.cq_entries, 16u);
	CHECK_ERRNO(ring_setup(4, NULL), EFAULT);
}

TEST(ring, nop_completes_at_once)
{
	struct ring r;

	ring_open(&r, 8, 0);
	for (unsigned i = 0; i < 8; i++)
		(void)ring_sqe(&r, IORING_OP_NOP, 100 + i);
	CHECK_EQ(ring_submit(&r, 0), 8);
	CHECK_EQ(ring_ready(&r), 8u);
	for (unsigned i = 0; i < 8; i++)
		RING_EXPECT(&r, 100 + i, 0);
	ring_close(&r);
}

TEST(ring, wrong_entry_ends_the_submission)
{
	struct ring r;

	ring_open(&r, 8, 0);
	(void)ring_sqe(&r, IORING_OP_NOP, 1);
	(void)ring_sqe(&r, 250, 2);
	(void)ring_sqe(&r, IORING_OP_NOP, 3);
	CHECK_EQ(ring_submit(&r, 0), 2);
	RING_EXPECT_ALL(&r, 2, 0, -EINVAL);
	CHECK_EQ(ring_enter(r.fd, 1, 0, 0), 1);
	RING_EXPECT(&r, 3, 0);
	ring_close(&r);
}

TEST(ring, submit_all_goes_on_after_a_wrong_entry)
{
	struct ring r;

	ring_open(&r, 8, IORING_SETUP_SUBMIT_ALL);
	(void)ring_sqe(&r, 250, 2);
	(void)ring_sqe(&r, IORING_OP_NOP, 3);
	CHECK_EQ(ring_submit(&r, 0), 2);
	RING_EXPECT(&r, 2, -EINVAL);
	RING_EXPECT(&r, 3, 0);
	ring_close(&r);
}

TEST(ring, full_queue_loses_no_completion)
{
	struct ring r;

	ring_open(&r, 4, 0);
	for (unsigned i = 0; i < 40; i++) {
		(void)ring_sqe(&r, IORING_OP_NOP, i);
		CHECK_EQ(ring_submit(&r, 0), 1);
	}
	CHECK_EQ(ring_ready(&r), 8u);
	CHECK(ring_load(&r, r.p.sq_off.flags) & IORING_SQ_CQ_OVERFLOW);
	for (unsigned i = 0; i < 40; i++)
		RING_EXPECT(&r, i, 0);
	CHECK_OK(ring_enter(r.fd, 0, 0, IORING_ENTER_GETEVENTS));
	CHECK(!(ring_load(&r, r.p.sq_off.flags) & IORING_SQ_CQ_OVERFLOW));
	ring_close(&r);
}

/* ---- Reading and writing ---- */

static struct io_uring_sqe *put_rw(struct ring *r, unsigned op, int fd, const void *buf,
	unsigned len, uint64_t off, uint64_t data)
{
	struct io_uring_sqe *sqe = ring_next_rw(r, op, fd, buf, len, off);

	sqe->user_data = data;
	return sqe;
}

TEST(ring, file_is_written_and_read_at_positions)
{
	char buf[16] = {0};
	struct ring r;
	int fd;

	CHECK_OK(fd = open("f", O_RDWR | O_CREAT, 0600));
	ring_open(&r, 8, 0);
	put_rw(&r, IORING_OP_WRITE, fd, "hello world", 11, 0, 1);
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 1, 11);
	put_rw(&r, IORING_OP_READ, fd, buf, 5, 6, 2);
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 2, 5);
	CHECK(memcmp(buf, "world", 5) == 0);
	put_rw(&r, IORING_OP_READ, fd, buf, 5, (uint64_t)-1, 3); /* the file's own position */
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 3, 5);
	CHECK(memcmp(buf, "hello", 5) == 0);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 5);
	ring_close(&r);
}

TEST(ring, vectors_are_copied_when_submitted)
{
	char a[4], b[4];
	struct iovec iov[2] = {{a, 4}, {b, 4}};
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	put_rw(&r, IORING_OP_READV, fd[0], iov, 2, 0, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	memset(iov, 0xff, sizeof(iov));
	CHECK_EQ(write(fd[1], "abcdefgh", 8), 8);
	RING_EXPECT(&r, 1, 8);
	CHECK(memcmp(a, "abcd", 4) == 0 && memcmp(b, "efgh", 4) == 0);
	ring_close(&r);
}

TEST(ring, read_of_a_pipe_waits_for_its_writer)
{
	char buf[8];
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	put_rw(&r, IORING_OP_READ, fd[0], buf, sizeof(buf), 0, 7);
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(ring_ready(&r), 0u);
	CHECK_EQ(write(fd[1], "abc", 3), 3);
	RING_EXPECT(&r, 7, 3);
	put_rw(&r, IORING_OP_READ, fd[0], buf, sizeof(buf), 0, 8);
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_OK(close(fd[1]));
	RING_EXPECT(&r, 8, 0);
	ring_close(&r);
}

TEST(ring, errors_are_results)
{
	struct ring r;
	int fd[2];

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	put_rw(&r, IORING_OP_READ, 99, NULL, 8, 0, 1);
	put_rw(&r, IORING_OP_READ, fd[1], NULL, 8, 0, 2);
	CHECK_EQ(ring_submit(&r, 2), 2);
	RING_EXPECT(&r, 1, -EBADF);
	RING_EXPECT(&r, 2, -EBADF);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	put_rw(&r, IORING_OP_READ, fd[0], (void *)16, 1, 0, 3);
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 3, -EFAULT);
	ring_close(&r);
}

static void *write_later(void *arg)
{
	wait_until_sleeping(getpid());
	CHECK_EQ(write(*(int *)arg, "z", 1), 1);
	return NULL;
}

TEST(ring, completion_comes_while_the_owner_sleeps_elsewhere)
{
	int fd[2];
	pthread_t thread;
	struct pollfd p;
	struct ring r;
	char c;

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	put_rw(&r, IORING_OP_READ, fd[0], &c, 1, 0, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(pthread_create(&thread, NULL, write_later, &fd[1]), 0);
	p = (struct pollfd){.fd = r.fd, .events = POLLIN};
	CHECK_EQ(poll(&p, 1, 10000), 1); /* the completion makes the ring readable */
	CHECK_EQ(ring_ready(&r), 1u);
	CHECK_EQ(c, 'z');
	CHECK_EQ(pthread_join(thread, NULL), 0);
	ring_close(&r);
}

/* ---- Chains and draining ---- */

TEST(ring, chain_runs_in_order_and_breaks_at_an_error)
{
	struct io_uring_sqe *sqe;
	struct ring r;

	ring_open(&r, 8, 0);
	ring_sqe(&r, IORING_OP_NOP, 1)->flags = IOSQE_IO_LINK;
	sqe = ring_sqe(&r, IORING_OP_READ, 2);
	sqe->flags = IOSQE_IO_LINK;
	ring_sqe(&r, IORING_OP_NOP, 3)->flags = IOSQE_IO_LINK;
	(void)ring_sqe(&r, IORING_OP_NOP, 4);
	(void)ring_sqe(&r, IORING_OP_NOP, 5);
	CHECK_EQ(ring_submit(&r, 5), 5);
	RING_EXPECT_ALL(&r, 5, 0, -EBADF, -ECANCELED, -ECANCELED, 0);
	ring_close(&r);
}

TEST(ring, hard_link_goes_on_after_an_error)
{
	struct ring r;

	ring_open(&r, 8, 0);
	ring_sqe(&r, IORING_OP_READ, 1)->flags = IOSQE_IO_HARDLINK;
	(void)ring_sqe(&r, IORING_OP_NOP, 2);
	CHECK_EQ(ring_submit(&r, 2), 2);
	RING_EXPECT(&r, 1, -EBADF);
	RING_EXPECT(&r, 2, 0);
	ring_close(&r);
}

TEST(ring, wrong_entry_breaks_its_chain)
{
	struct ring r;

	ring_open(&r, 8, IORING_SETUP_SUBMIT_ALL);
	ring_sqe(&r, IORING_OP_NOP, 1)->flags = IOSQE_IO_LINK;
	ring_sqe(&r, 250, 2)->flags = IOSQE_IO_LINK;
	(void)ring_sqe(&r, IORING_OP_NOP, 3);
	CHECK_EQ(ring_submit(&r, 0), 3);
	RING_EXPECT_ALL(&r, 3, -ECANCELED, -EINVAL, -ECANCELED);
	ring_close(&r);
}

TEST(ring, chain_waits_for_its_head)
{
	struct ring r;
	int fd[2];
	char c;

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	put_rw(&r, IORING_OP_READ, fd[0], &c, 1, 0, 1)->flags = IOSQE_IO_LINK;
	(void)ring_sqe(&r, IORING_OP_NOP, 2);
	CHECK_EQ(ring_submit(&r, 0), 2);
	CHECK_EQ(ring_ready(&r), 0u);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	RING_EXPECT(&r, 1, 1);
	RING_EXPECT(&r, 2, 0);
	ring_close(&r);
}

TEST(ring, drain_waits_for_all_before_it)
{
	struct ring r;
	int fd[2];
	char c;

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	put_rw(&r, IORING_OP_READ, fd[0], &c, 1, 0, 1);
	ring_sqe(&r, IORING_OP_NOP, 2)->flags = IOSQE_IO_DRAIN;
	(void)ring_sqe(&r, IORING_OP_NOP, 3);
	CHECK_EQ(ring_submit(&r, 0), 3);
	CHECK_EQ(ring_ready(&r), 0u);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	RING_EXPECT(&r, 1, 1);
	RING_EXPECT_ALL(&r, 2, 0, 0, 0);
	ring_close(&r);
}

/*
 * A ring that two processes share. The child's read waits for the parent's to end, which happens in the
 * parent: it must fill the child's memory all the same.
 */
TEST(ring, request_acts_in_the_process_that_submitted_it)
{
	static char mine[8] = "parent";
	struct ring r;
	int first[2], second[2], child_done[2];
	pid_t pid;
	char c;

	CHECK_OK(pipe(first));
	CHECK_OK(pipe(second));
	CHECK_OK(pipe(child_done));
	ring_open(&r, 8, 0);
	ring_next_rw(&r, IORING_OP_READ, first[0], &c, 1, (uint64_t)-1)->user_data = 1;
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_OK(pid = fork());
	if (pid == 0) {
		struct io_uring_sqe *sqe;

		sqe = ring_next_rw(&r, IORING_OP_READ, second[0], mine, 8, (uint64_t)-1);
		sqe->user_data = 2;
		sqe->flags = IOSQE_IO_DRAIN;
		CHECK_EQ(ring_submit(&r, 0), 1);
		CHECK_EQ(write(second[1], "child's", 8), 8);
		CHECK_EQ(write(child_done[1], "x", 1), 1);
		while (ring_load(&r, r.p.cq_off.tail) < 2)
			sleep_ms(1);
		_exit(strcmp(mine, "child's") != 0);
	}
	CHECK_EQ(read(child_done[0], &c, 1), 1);
	CHECK_EQ(write(first[1], "x", 1), 1);
	RING_EXPECT(&r, 1, 1);
	RING_EXPECT(&r, 2, 8);
	EXPECT_CHILD(pid, 0);
	CHECK_EQ(strcmp(mine, "parent"), 0);
	ring_close(&r);
}

TEST(ring, skipped_success_is_not_told)
{
	struct ring r;

	ring_open(&r, 8, 0);
	ring_sqe(&r, IORING_OP_NOP, 1)->flags = IOSQE_CQE_SKIP_SUCCESS;
	ring_sqe(&r, IORING_OP_READ, 2)->flags = IOSQE_CQE_SKIP_SUCCESS;
	(void)ring_sqe(&r, IORING_OP_NOP, 3);
	CHECK_EQ(ring_submit(&r, 0), 3);
	RING_EXPECT(&r, 2, -EBADF);
	RING_EXPECT(&r, 3, 0);
	CHECK_EQ(ring_ready(&r), 0u);
	ring_close(&r);
}

/* A chain is taken to its end, also one with a wrong entry; another one that is wrong ends the submission. */
TEST(ring, wrong_entry_in_a_chain)
{
	struct io_uring_sqe *sqe;
	struct ring r;

	ring_open(&r, 8, 0);
	sqe = ring_sqe(&r, IORING_OP_NOP, 1);
	sqe->flags = IOSQE_IO_LINK;
	sqe->ioprio = 1;
	ring_sqe(&r, IORING_OP_NOP, 2)->flags = IOSQE_IO_LINK;
	(void)ring_sqe(&r, IORING_OP_NOP, 3);
	(void)ring_sqe(&r, IORING_OP_NOP, 4);
	CHECK_EQ(ring_submit(&r, 4), 4);
	for (int i = 0; i < 4; i++) { /* in any order */
		static const int expected[] = {0, -EINVAL, -ECANCELED, -ECANCELED, 0};
		struct ring_result got = ring_take(&r);

		CHECK(got.user_data >= 1 && got.user_data <= 4);
		CHECK_EQ(got.res, expected[got.user_data]);
	}
	ring_close(&r);
}

/* ---- Cancelling ---- */

TEST(ring, request_is_cancelled_by_its_name)
{
	struct ring r;
	int fd[2];
	char c;

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	put_rw(&r, IORING_OP_READ, fd[0], &c, 1, 0, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	ring_sqe(&r, IORING_OP_ASYNC_CANCEL, 2)->addr = 1;
	ring_sqe(&r, IORING_OP_ASYNC_CANCEL, 3)->addr = 99;
	CHECK_EQ(ring_submit(&r, 3), 2);
	RING_EXPECT_ALL(&r, 3, -ECANCELED, 0, -ENOENT);
	ring_close(&r);
}

/* What contradicts itself cancels nothing. */
TEST(ring, any_request_has_no_file_and_no_operation)
{
	static const unsigned keys[] = {IORING_ASYNC_CANCEL_OP, IORING_ASYNC_CANCEL_FD};
	struct io_uring_sqe *sqe;
	struct ring r;
	int fd[2];
	char c;

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	(void)ring_read_byte(&r, fd[0], &c, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	for (unsigned i = 0; i < 2; i++) {
		sqe = ring_next(&r, IORING_OP_ASYNC_CANCEL, fd[0]);
		sqe->len = IORING_OP_READ;
		sqe->cancel_flags = IORING_ASYNC_CANCEL_ANY | keys[i];
		CHECK_EQ(ring_run(&r).res, -EINVAL);
	}
	CHECK_EQ(ring_ready(&r), 0u);
	ring_close(&r);
}

TEST(ring, closing_the_ring_ends_what_is_in_flight)
{
	struct ring r;
	int fd[2];
	char c;

	CHECK_OK(pipe(fd));
	ring_open(&r, 64, 0);
	for (unsigned i = 0; i < 64; i++)
		put_rw(&r, IORING_OP_READ, fd[0], &c, 1, 0, i);
	CHECK_EQ(ring_submit(&r, 0), 64);
	CHECK_OK(close(fd[0]));
	ring_close(&r);
	/* the requests held the pipe's end: soon nobody reads it */
	signal(SIGPIPE, SIG_IGN);
	for (unsigned i = 0; i < 1000 && write(fd[1], "x", 1) == 1; i++)
		usleep(10000);
	CHECK_ERRNO(write(fd[1], "x", 1), EPIPE);
}

TEST(ring, process_ends_with_requests_in_flight)
{
	int fd[2], status;
	pid_t pid;

	CHECK_OK(pipe(fd));
	CHECK_OK(pid = fork());
	if (pid == 0) {
		struct ring r;
		char c;

		ring_open(&r, 64, 0);
		for (unsigned i = 0; i < 32; i++)
			put_rw(&r, IORING_OP_READ, fd[0], &c, 1, 0, i);
		for (unsigned i = 0; i < 32; i++) {
			struct io_uring_sqe *sqe = ring_sqe(&r, IORING_OP_POLL_ADD, 100 + i);

			sqe->fd = fd[0];
			sqe->poll32_events = POLLIN;
		}
		CHECK_EQ(ring_submit(&r, 0), 64);
		_exit(3);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 3 << 8);
}

/* ---- Calls ---- */

TEST(ring, files_are_made_and_removed)
{
	struct io_uring_sqe *sqe;
	struct ring r;
	struct stat st;
	int fd;

	ring_open(&r, 8, 0);
	sqe = ring_sqe(&r, IORING_OP_MKDIRAT, 1);
	sqe->fd = AT_FDCWD;
	sqe->addr = (uint64_t)(uintptr_t) "d";
	sqe->len = 0700;
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 1, 0);
	sqe = ring_sqe(&r, IORING_OP_OPENAT, 2);
	sqe->fd = AT_FDCWD;
	sqe->addr = (uint64_t)(uintptr_t) "d/f";
	sqe->len = 0600;
	sqe->open_flags = O_RDWR | O_CREAT;
	CHECK_EQ(ring_submit(&r, 1), 1);
	fd = ring_take(&r).res;
	CHECK(fd > r.fd);
	CHECK_OK(fstat(fd, &st));
	sqe = ring_sqe(&r, IORING_OP_FALLOCATE, 3);
	sqe->fd = fd;
	sqe->addr = 4096;
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 3, 0);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, 4096);
	ring_sqe(&r, IORING_OP_CLOSE, 4)->fd = fd;
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 4, 0);
	CHECK_ERRNO(fcntl(fd, F_GETFD), EBADF);
	sqe = ring_sqe(&r, IORING_OP_UNLINKAT, 5);
	sqe->fd = AT_FDCWD;
	sqe->addr = (uint64_t)(uintptr_t) "d/f";
	sqe->flags = IOSQE_IO_LINK;
	sqe = ring_sqe(&r, IORING_OP_UNLINKAT, 6);
	sqe->fd = AT_FDCWD;
	sqe->addr = (uint64_t)(uintptr_t) "d";
	sqe->unlink_flags = AT_REMOVEDIR;
	CHECK_EQ(ring_submit(&r, 2), 2);
	RING_EXPECT(&r, 5, 0);
	RING_EXPECT(&r, 6, 0);
	CHECK_ERRNO(stat("d", &st), ENOENT);
	ring_close(&r);
}

/* Whoever opens it works for this thread. */
TEST(ring, thread_itself_is_found_in_proc)
{
	struct io_uring_sqe *sqe;
	struct ring r;

	ring_open(&r, 8, 0);
	sqe = ring_next(&r, IORING_OP_OPENAT, AT_FDCWD);
	sqe->addr = (uintptr_t) "/proc/thread-self/status";
	CHECK(ring_run(&r).res >= 0);
	ring_close(&r);
}

TEST(ring, advice_on_memory_has_a_length_of_64_bits)
{
	char *memory = map_pages(2);
	struct io_uring_sqe *sqe;
	struct ring r;

	NEWER(kernel_has_op(IORING_OP_FTRUNCATE));
	ring_open(&r, 8, 0);
	memset(memory, 'x', 2 * PAGE);
	sqe = ring_next_rw(&r, IORING_OP_MADVISE, -1, memory, 0, 2 * PAGE);
	sqe->fadvise_advice = MADV_DONTNEED;
	CHECK_EQ(ring_run(&r).res, 0);
	CHECK_EQ(memory[0], 0);
	CHECK_EQ(memory[2 * PAGE - 1], 0);
	CHECK_ERRNO(madvise(memory, 1ull << 32, MADV_NORMAL),
		ENOMEM); /* so far nothing is mapped */
	sqe = ring_next_rw(&r, IORING_OP_MADVISE, -1, memory, 0, 1ull << 32);
	sqe->fadvise_advice = MADV_NORMAL;
	CHECK_EQ(ring_run(&r).res, -ENOMEM);
	ring_close(&r);
}

TEST(ring, nop_looks_for_its_buffer)
{
	struct iovec memory = {map_pages(1), PAGE};
	struct ring r;

	NEWER(kernel_has_op(IORING_OP_READV_FIXED));
	ring_open(&r, 8, 0);
	for (unsigned i = 0; i < 3; i++) {
		struct io_uring_sqe *sqe = ring_next(&r, IORING_OP_NOP, -1);

		if (i == 1)
			CHECK_OK(ring_register(r.fd, IORING_REGISTER_BUFFERS, &memory, 1));
		sqe->rw_flags = IORING_NOP_FIXED_BUFFER;
		sqe->buf_index = i / 2;
		CHECK_EQ(ring_run(&r).res, i == 1 ? 0 : -EFAULT);
	}
	ring_close(&r);
}

TEST(ring, names_in_a_chain_are_those_submitted)
{
	struct io_uring_sqe *sqe;
	char name[8] = "one";
	struct ring r;
	struct stat st;
	int fd[2];
	char c;

	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	put_rw(&r, IORING_OP_READ, fd[0], &c, 1, 0, 1)->flags = IOSQE_IO_LINK;
	sqe = ring_sqe(&r, IORING_OP_MKDIRAT, 2);
	sqe->fd = AT_FDCWD;
	sqe->addr = (uint64_t)(uintptr_t)name;
	sqe->len = 0700;
	CHECK_EQ(ring_submit(&r, 0), 2);
	strcpy(name, "two");
	CHECK_EQ(write(fd[1], "x", 1), 1);
	RING_EXPECT(&r, 1, 1);
	RING_EXPECT(&r, 2, 0);
	CHECK_OK(stat("one", &st));
	CHECK_ERRNO(stat("two", &st), ENOENT);
	ring_close(&r);
}

TEST(ring, open_into_a_slot_makes_no_descriptor)
{
	int none[4] = {-1, -1, -1, -1}, next;
	struct io_uring_sqe *sqe;
	struct ring r;
	char c;

	CHECK_OK(close(open("f", O_RDWR | O_CREAT, 0600)));
	ring_open(&r, 8, 0);
	CHECK_OK(ring_register(r.fd, IORING_REGISTER_FILES, none, 4));
	CHECK_OK(next = dup(0));
	CHECK_OK(close(next));
	sqe = ring_sqe(&r, IORING_OP_OPENAT, 1);
	sqe->fd = AT_FDCWD;
	sqe->addr = (uint64_t)(uintptr_t) "f";
	sqe->open_flags = O_RDWR;
	sqe->file_index = 3;
	sqe->flags = IOSQE_IO_LINK;
	put_rw(&r, IORING_OP_WRITE, 2, "abc", 3, 0, 2)->flags =
		IOSQE_FIXED_FILE | IOSQE_IO_LINK;
	sqe = ring_sqe(&r, IORING_OP_CLOSE, 3);
	sqe->fd = 0;
	sqe->file_index = 3;
	CHECK_EQ(ring_submit(&r, 3), 3);
	RING_EXPECT_ALL(&r, 3, 0, 3, 0);
	CHECK_EQ(dup(0), next);
	CHECK_OK(next = open("f", O_RDONLY));
	CHECK_EQ(read(next, &c, 1), 1);
	CHECK_EQ(c, 'a');
	ring_close(&r);
}

TEST(ring, splice_between_pipes_waits)
{
	struct io_uring_sqe *sqe;
	int from[2], to[2];
	struct ring r;
	char buf[8];

	CHECK_OK(pipe(from));
	CHECK_OK(pipe(to));
	ring_open(&r, 8, 0);
	sqe = ring_sqe(&r, IORING_OP_SPLICE, 1);
	sqe->fd = to[1];
	sqe->splice_fd_in = from[0];
	sqe->off = sqe->splice_off_in = (uint64_t)-1;
	sqe->len = 8;
	CHECK_EQ(ring_submit(&r, 0), 1);
	(void)ring_sqe(&r, IORING_OP_NOP, 2); /* the ring is not held up */
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 2, 0);
	CHECK_EQ(write(from[1], "abc", 3), 3);
	RING_EXPECT(&r, 1, 3);
	CHECK_EQ(read(to[0], buf, 8), 3);
	ring_close(&r);
}

TEST(ring, message_reaches_another_ring)
{
	struct io_uring_sqe *sqe;
	struct ring a, b;

	ring_open(&a, 8, 0);
	ring_open(&b, 8, 0);
	sqe = ring_sqe(&a, IORING_OP_MSG_RING, 1);
	sqe->fd = b.fd;
	sqe->off = 0x1234;
	sqe->len = 42;
	CHECK_EQ(ring_submit(&a, 1), 1);
	RING_EXPECT(&a, 1, 0);
	RING_EXPECT(&b, 0x1234, 42);
	ring_close(&a);
	ring_close(&b);
}
