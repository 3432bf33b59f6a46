// SPDX-License-Identifier: MIT
/*
 * Requests of a thread that has ended: what waits goes on waiting. Woken it is cancelled, for there is
 * nobody left to do it; timeouts run out. What the process has left ends with it.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "ring.h"

enum { SOON_MS = 30, LATER_S = 3 };

/* ---- A thread that submits what is in the queue, and ends ---- */

static void *submit_only(void *arg)
{
	struct ring *r = arg;
	unsigned nr = r->to_submit;

	CHECK_EQ(ring_submit(r, 0), nr);
	return (void *)(intptr_t)gettid();
}

static void join_and_see_it_gone(pthread_t thread)
{
	void *tid;

	CHECK_EQ(pthread_join(thread, &tid), 0);
	wait_until_gone((pid_t)(intptr_t)tid);
}

static void submit_in_a_thread(struct ring *r)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, submit_only, r), 0);
	join_and_see_it_gone(thread);
	/* its end may cancel something a little later */
	CHECK_EQ(poll(NULL, 0, SOON_MS), 0);
}

static void put_poll(struct ring *r, int fd, uint64_t user_data)
{
	struct io_uring_sqe *sqe = ring_sqe(r, IORING_OP_POLL_ADD, user_data);

	sqe->fd = fd;
	sqe->poll32_events = POLLIN;
}

static void put_timeout(struct ring *r, struct __kernel_timespec *t, uint64_t user_data)
{
	struct io_uring_sqe *sqe = ring_sqe(r, IORING_OP_TIMEOUT, user_data);

	sqe->addr = (uintptr_t)t;
	sqe->len = 1;
}

static void put_cancel(struct ring *r, uint64_t whom, uint64_t user_data)
{
	ring_sqe(r, IORING_OP_ASYNC_CANCEL, user_data)->addr = whom;
}

/* ---- What becomes of them ---- */

TEST(ring_leave, poll_waits_on_and_is_cancelled_when_it_is_woken)
{
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	CHECK_OK(pipe(fd));
	put_poll(&r, fd[0], 1);
	submit_in_a_thread(&r);
	CHECK_EQ(ring_ready(&r), 0);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	RING_EXPECT(&r, 1, -ECANCELED);
}

TEST(ring_leave, woken_read_takes_nothing)
{
	struct ring r;
	int fd[2];
	char buf[2] = "";

	ring_open(&r, 8, 0);
	CHECK_OK(pipe(fd));
	(void)ring_read_byte(&r, fd[0], buf, 1);
	submit_in_a_thread(&r);
	CHECK_EQ(ring_ready(&r), 0);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	RING_EXPECT(&r, 1, -ECANCELED);
	CHECK_EQ(buf[0], 0);
	CHECK_EQ(read(fd[0], buf, 2), 1);
}

TEST(ring_leave, timeout_runs_out)
{
	struct __kernel_timespec t = {.tv_sec = LATER_S};
	struct ring r;

	ring_open(&r, 8, 0);
	put_timeout(&r, &t, 1);
	submit_in_a_thread(&r);
	CHECK_EQ(ring_ready(&r), 0);
	RING_EXPECT(&r, 1, -ETIME);
}

/* Its thread's credentials were others than the timeout's, and now there is no thread. */
TEST(ring_leave, timeout_with_credentials_runs_out)
{
	struct __kernel_timespec t = {.tv_sec = LATER_S};
	struct ring r;
	int id;

	ring_open(&r, 8, 0);
	id = CHECK_OK(ring_register(r.fd, IORING_REGISTER_PERSONALITY, NULL, 0));
	put_timeout(&r, &t, 1);
	((struct io_uring_sqe *)(void *)r.sqes)->personality = (uint16_t)id;
	submit_in_a_thread(&r);
	CHECK_EQ(ring_ready(&r), 0);
	RING_EXPECT(&r, 1, -ETIME);
}

TEST(ring_leave, others_cancel_them)
{
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	CHECK_OK(pipe(fd));
	put_poll(&r, fd[0], 1);
	put_poll(&r, fd[0], 2);
	submit_in_a_thread(&r);
	put_cancel(&r, 2, 3);
	CHECK_EQ(ring_submit(&r, 2), 1);
	for (unsigned i = 0; i < 2; i++) {
		struct ring_result result = ring_take(&r);

		CHECK_EQ(result.res, result.user_data == 3 ? 0 : -ECANCELED);
		CHECK(result.user_data != 1);
	}
	CHECK_EQ(ring_ready(&r), 0);
}

TEST(ring_leave, chain_ends_with_the_first_that_is_woken)
{
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	CHECK_OK(pipe(fd));
	put_poll(&r, fd[0], 1);
	((struct io_uring_sqe *)(void *)r.sqes)->flags = IOSQE_IO_LINK;
	(void)ring_sqe(&r, IORING_OP_NOP, 2);
	submit_in_a_thread(&r);
	CHECK_EQ(ring_ready(&r), 0);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	RING_EXPECT(&r, 1, -ECANCELED);
	RING_EXPECT(&r, 2, -ECANCELED);
}

/* Whoever wakes one waiter counts on it: the wake-up is told. */
TEST(ring_leave, futex_says_that_it_was_woken)
{
	static uint32_t word = 7;
	struct io_uring_sqe *sqe;
	struct ring r;

	NEWER(kernel_has_op(IORING_OP_FUTEX_WAIT));
	ring_open(&r, 8, 0);
	sqe = ring_sqe(&r, IORING_OP_FUTEX_WAIT, 1);
	sqe->fd = FUTEX_32 | FUTEX_PRIVATE_FLAG;
	sqe->addr = (uintptr_t)&word;
	sqe->addr2 = 7;
	sqe->addr3 = FUTEX_BITSET_MATCH_ANY;
	submit_in_a_thread(&r);
	CHECK_EQ(ring_ready(&r), 0);
	CHECK_EQ(syscall(__NR_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
	RING_EXPECT(&r, 1, 0);
}

/* A call that sleeps on its behalf cannot be left alone. */
TEST(ring_leave, call_in_a_worker_ends_with_its_thread)
{
	struct ring_result result;
	struct io_uring_sqe *sqe;
	struct ring r;

	ring_open(&r, 8, 0);
	CHECK_OK(mkfifo("fifo", 0600));
	sqe = ring_sqe(&r, IORING_OP_OPENAT, 1);
	sqe->fd = AT_FDCWD;
	sqe->addr = (uintptr_t) "fifo";
	sqe->open_flags = O_RDONLY;
	sqe->flags = IOSQE_ASYNC;
	submit_in_a_thread(&r);
	result = ring_take(&r);
	CHECK(result.res == -EINTR || result.res == -ECANCELED);
	CHECK_OK(unlink("fifo"));
}

/* ---- Many threads, and all at once ---- */

enum { THREADS = 60 };

TEST(ring_leave, of_many_threads)
{
	struct ring r;
	int fd[2];

	ring_open(&r, 128, 0);
	CHECK_OK(pipe(fd));
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_t thread;

		put_poll(&r, fd[0], 1);
		CHECK_EQ(pthread_create(&thread, NULL, submit_only, &r), 0);
		join_and_see_it_gone(thread);
	}
	CHECK_EQ(poll(NULL, 0, SOON_MS), 0);
	CHECK_EQ(ring_ready(&r), 0);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	for (unsigned i = 0; i < THREADS; i++)
		RING_EXPECT(&r, 1, -ECANCELED);
}

/* Woken while their thread ends: with events or cancelled, but once. */
TEST(ring_leave, woken_as_the_thread_ends)
{
	struct ring r;
	int fd[2];

	ring_open(&r, 8, 0);
	CHECK_OK(pipe(fd));
	for (unsigned i = 0; i < 200; i++) {
		struct ring_result result;
		pthread_t thread;
		char c;

		put_poll(&r, fd[0], i);
		CHECK_EQ(pthread_create(&thread, NULL, submit_only, &r), 0);
		if (i % 2)
			CHECK_EQ(pthread_join(thread, NULL), 0);
		else
			CHECK_EQ(pthread_detach(thread), 0);
		CHECK_EQ(write(fd[1], "x", 1), 1);
		result = ring_take(&r);
		CHECK_EQ(result.user_data, i);
		CHECK(result.res == -ECANCELED || result.res & POLLIN);
		CHECK_EQ(read(fd[0], &c, 1), 1);
		CHECK_EQ(ring_ready(&r), 0);
	}
}

/* ---- The end of the ring, of the program, of the process ---- */

/* The other end of the socket tells when nothing refers to this one any more. */
static void wait_for_hangup(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	CHECK_EQ(poll(&p, 1, 20000), 1);
	CHECK(p.revents & POLLHUP);
}

static void leave_polls(struct ring *r, int fd, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++)
		put_poll(r, fd, i);
	submit_in_a_thread(r);
}

TEST(ring_leave, closed_ring_lets_go_of_them)
{
	struct ring r;
	int fd[2];

	ring_open(&r, 32, 0);
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	leave_polls(&r, fd[0], 20);
	CHECK_OK(close(fd[0]));
	ring_close(&r);
	wait_for_hangup(fd[1]);
}

static void *own_deferred_ring(void *arg)
{
	const int *fd = arg;
	struct ring r;

	ring_open(&r, 32, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
	put_poll(&r, *fd, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	return (void *)(intptr_t)r.fd;
}

/* Nobody may enter it any more; closing it ends all. */
TEST(ring_leave, ring_whose_only_issuer_has_ended)
{
	void *ring_fd;
	pthread_t t;
	int fd[2];

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	CHECK_EQ(pthread_create(&t, NULL, own_deferred_ring, &fd[0]), 0);
	CHECK_EQ(pthread_join(t, &ring_fd), 0);
	CHECK_EQ(poll(NULL, 0, SOON_MS), 0);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	CHECK_EQ(ring_enter((int)(intptr_t)ring_fd, 0, 1, IORING_ENTER_GETEVENTS), -1);
	CHECK_EQ(errno, EEXIST);
	CHECK_OK(close((int)(intptr_t)ring_fd));
	CHECK_OK(close(fd[0]));
	wait_for_hangup(fd[1]);
}

static void leave_in_a_child(int mine, int others, bool deferred)
{
	struct ring r;

	CHECK_OK(close(others));
	if (deferred) {
		pthread_t t;

		CHECK_EQ(pthread_create(&t, NULL, own_deferred_ring, &mine), 0);
		CHECK_EQ(pthread_join(t, NULL), 0);
	} else {
		ring_open(&r, 32, 0);
		leave_polls(&r, mine, 20);
	}
}

static void ends_with_its_process(bool deferred)
{
	int fd[2], status;
	pid_t pid;

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	CHECK_OK(pid = fork());
	if (!pid) {
		leave_in_a_child(fd[0], fd[1], deferred);
		_exit(3);
	}
	CHECK_OK(close(fd[0]));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 3 << 8);
	wait_for_hangup(fd[1]);
}

TEST(ring_leave, end_with_their_process)
{
	ends_with_its_process(false);
}

TEST(ring_leave, deferred_ones_end_with_their_process)
{
	ends_with_its_process(true);
}

static void *own_ring(void *fd)
{
	struct ring r;

	ring_open(&r, 4, 0);
	put_poll(&r, *(int *)fd, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	return NULL;
}

static void leave_many_rings(int fd, int64_t *ended_ms)
{
	for (unsigned i = 0; i < 2 * THREADS; i++) {
		pthread_t t;

		CHECK_EQ(pthread_create(&t, NULL, own_ring, &fd), 0);
		CHECK_EQ(pthread_join(t, NULL), 0);
	}
	sleep_ms(SOON_MS);
	*ended_ms = now_ms();
	_exit(0);
}

/* All at once, and not one after the other. */
TEST(ring_leave, many_rings_end_with_their_process)
{
	int64_t *ended_ms =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd[2], tries = 0;

	CHECK(ended_ms != MAP_FAILED);
	CHECK_OK(pipe(fd));
	do { /* the machine may have been slow */
		pid_t pid = CHECK_OK(fork());

		if (!pid)
			leave_many_rings(fd[0], ended_ms);
		EXPECT_CHILD(pid, 0);
	} while (now_ms() - *ended_ms >= 1000 && ++tries < 5);
	CHECK(tries < 5);
}

/* A killed process: its threads end in any order. */
TEST(ring_leave, end_with_a_killed_process)
{
	int fd[2], status;
	pid_t pid;

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	CHECK_OK(pid = fork());
	if (!pid) {
		leave_in_a_child(fd[0], fd[1], false);
		CHECK_OK(raise(SIGKILL));
	}
	CHECK_OK(close(fd[0]));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, SIGKILL);
	wait_for_hangup(fd[1]);
}

TEST(ring_leave, end_when_another_program_comes)
{
	int fd[2], status;
	pid_t pid;

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd));
	CHECK_OK(pid = fork());
	if (!pid) {
		leave_in_a_child(fd[0], fd[1], false);
		CHECK_OK(execl("/proc/self/exe", "test", "--helper", "two", "words", NULL));
	}
	CHECK_OK(close(fd[0]));
	wait_for_hangup(fd[1]);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 2 << 8); /* guest_helper */
}
