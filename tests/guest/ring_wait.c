// SPDX-License-Identifier: MIT
/*
 * Waiting for events of an epoll set, for one of several futexes, and for a time of day, by the ring: as many
 * as there is memory for, without a thread each.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/epoll.h>

#include "ring.h"

enum { MANY = 400 }; /* more than there are workers */

/* ---- EPOLL_WAIT ---- */

static bool has_epoll_wait(void)
{
	return kernel_has_op(IORING_OP_EPOLL_WAIT);
}

static int make_set(int fd, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.u64 = 77};
	int set;

	CHECK_OK(set = epoll_create1(0));
	CHECK_OK(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e));
	return set;
}

static void put_epoll_wait(
	struct ring *r, int set, struct epoll_event *to, unsigned max, uint64_t user_data)
{
	(void)ring_push(r, (struct io_uring_sqe){.opcode = IORING_OP_EPOLL_WAIT,
				   .fd = set,
				   .addr = (uintptr_t)to,
				   .len = max,
				   .user_data = user_data});
}

TEST(ring_wait, epoll_waits_for_an_event)
{
	struct epoll_event got = {0};
	struct ring r;
	int fd[2], set;

	NEWER(has_epoll_wait());
	ring_open(&r, 8, 0);
	CHECK_OK(pipe(fd));
	set = make_set(fd[0], EPOLLIN);
	put_epoll_wait(&r, set, &got, 1, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(ring_ready(&r), 0);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	RING_EXPECT(&r, 1, 1);
	CHECK_EQ(got.events, EPOLLIN);
	CHECK_EQ(got.data.u64, 77);
	put_epoll_wait(&r, set, &got, 1, 2); /* it is still there */
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 2, 1);
}

static void *submit_only(void *ring)
{
	CHECK_EQ(ring_submit(ring, 0), 1);
	return (void *)(intptr_t)gettid();
}

static void *write_later(void *fd)
{
	wait_until_sleeping(getpid());
	CHECK_EQ(write(*(int *)fd, "x", 1), 1);
	return NULL;
}

/* Its thread has ended, so it does nothing with the event: whoever waits as well hears of it. */
TEST(ring_wait, epoll_event_is_not_lost_with_a_thread)
{
	struct epoll_event got = {0}, other;
	pthread_t t;
	struct ring r;
	int fd[2], set;
	int64_t start;
	void *tid;

	NEWER(has_epoll_wait());
	ring_open(&r, 8, 0);
	CHECK_OK(pipe(fd));
	set = make_set(fd[0], EPOLLIN);
	put_epoll_wait(&r, set, &other, 1, 1);
	CHECK_EQ(pthread_create(&t, NULL, submit_only, &r), 0);
	CHECK_EQ(pthread_join(t, &tid), 0);
	wait_until_gone((pid_t)(intptr_t)tid);
	sleep_ms(30);
	CHECK_EQ(pthread_create(&t, NULL, write_later, &fd[1]), 0);
	start = now_ms();
	CHECK_EQ(epoll_wait(set, &got, 1, 10000), 1);
	CHECK(now_ms() - start < 9000); /* not by its last look */
	CHECK_EQ(got.data.u64, 77);
	RING_EXPECT(&r, 1, -ECANCELED);
	CHECK_EQ(pthread_join(t, NULL), 0);
}

TEST(ring_wait, epoll_event_is_for_one_of_them)
{
	struct epoll_event got[2] = {{0}};
	struct ring_result result;
	struct ring r;
	int fd[2], set;

	NEWER(has_epoll_wait());
	ring_open(&r, 8, 0);
	CHECK_OK(pipe(fd));
	set = make_set(fd[0], EPOLLIN | EPOLLET);
	put_epoll_wait(&r, set, &got[0], 1, 0);
	put_epoll_wait(&r, set, &got[1], 1, 1);
	CHECK_EQ(ring_submit(&r, 0), 2);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	result = ring_take(&r);
	CHECK_EQ(result.res, 1);
	CHECK_EQ(got[result.user_data].events, EPOLLIN);
	usleep(20000);
	CHECK_EQ(ring_ready(&r), 0);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	RING_EXPECT(&r, 1 - result.user_data, 1);
}

TEST(ring_wait, epoll_refuses_what_epoll_wait_refuses)
{
	struct epoll_event got;
	struct ring r;
	int fd[2], set;

	NEWER(has_epoll_wait());
	ring_open(&r, 8, 0);
	CHECK_OK(pipe(fd));
	set = make_set(fd[0], EPOLLIN);
	put_epoll_wait(&r, fd[0], &got, 1, 1);
	CHECK_EQ(ring_run(&r).res, -EINVAL);
	put_epoll_wait(&r, set, &got, 0, 1);
	CHECK_EQ(ring_run(&r).res, -EINVAL);
	put_epoll_wait(&r, set, &got, UINT32_MAX, 1);
	CHECK_EQ(ring_run(&r).res, -EINVAL);
	put_epoll_wait(&r, set, (struct epoll_event *)-4096, 1, 1);
	CHECK_EQ(ring_run(&r).res, -EFAULT);
	put_epoll_wait(&r, 999, &got, 1, 1);
	CHECK_EQ(ring_run(&r).res, -EBADF);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	put_epoll_wait(&r, set, (struct epoll_event *)8, 1, 1);
	CHECK_EQ(ring_run(&r).res, -EFAULT);
}

/* Each of them waits without a worker: another call finds one. */
static void expect_a_call_runs(struct ring *r)
{
	struct io_uring_sqe *sqe = ring_sqe(r, IORING_OP_OPENAT, MANY);
	struct ring_result result;

	sqe->fd = AT_FDCWD;
	sqe->addr = (uintptr_t) "/";
	sqe->flags = IOSQE_ASYNC;
	CHECK_EQ(ring_submit(r, 1), 1);
	result = ring_take(r);
	CHECK_EQ(result.user_data, MANY);
	CHECK_OK(result.res);
}

static void cancel_all(struct ring *r)
{
	struct io_uring_sqe *sqe = ring_sqe(r, IORING_OP_ASYNC_CANCEL, MANY);

	sqe->cancel_flags = IORING_ASYNC_CANCEL_ANY;
	CHECK_EQ(ring_submit(r, MANY + 1), 1);
	for (unsigned i = 0; i <= MANY; i++) {
		struct ring_result result = ring_take(r);

		CHECK_EQ(result.res, result.user_data == MANY ? MANY : -ECANCELED);
	}
}

TEST(ring_wait, epoll_many_wait)
{
	static struct epoll_event got[MANY];
	struct ring r;
	int fd[2], set;

	NEWER(has_epoll_wait());
	ring_open(&r, 512, 0);
	CHECK_OK(pipe(fd));
	set = make_set(fd[0], EPOLLIN);
	for (unsigned i = 0; i < MANY; i++)
		put_epoll_wait(&r, set, &got[i], 1, i);
	CHECK_EQ(ring_submit(&r, 0), MANY);
	expect_a_call_runs(&r);
	cancel_all(&r);
}

/* ---- FUTEX_WAITV ---- */

static bool has_futex_waitv(void)
{
	return kernel_has_op(IORING_OP_FUTEX_WAITV);
}

static struct futex_waitv one_of(uint32_t *word, uint32_t value)
{
	return (struct futex_waitv){
		.uaddr = (uintptr_t)word, .val = value, .flags = FUTEX_32 | FUTEX_PRIVATE_FLAG};
}

static void put_waitv(struct ring *r, struct futex_waitv *v, unsigned nr, uint64_t user_data)
{
	(void)ring_push(r, (struct io_uring_sqe){.opcode = IORING_OP_FUTEX_WAITV,
				   .addr = (uintptr_t)v,
				   .len = nr,
				   .user_data = user_data});
}

static void wake(uint32_t *word, int nr)
{
	CHECK_EQ(syscall(__NR_futex, word, FUTEX_WAKE_PRIVATE, 100, NULL, NULL, 0), nr);
}

/* What it was given is read at the submission. */
TEST(ring_wait, futexes_say_which_was_woken)
{
	uint32_t words[3] = {1, 2, 3};
	struct futex_waitv v[3] = {
		one_of(&words[0], 1), one_of(&words[1], 2), one_of(&words[2], 3)};
	struct ring r;

	NEWER(has_futex_waitv());
	ring_open(&r, 8, 0);
	put_waitv(&r, v, 3, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	memset(v, 0, sizeof(v));
	CHECK_EQ(ring_ready(&r), 0);
	wake(&words[1], 1);
	RING_EXPECT(&r, 1, 1);
	wake(&words[0], 0);
	wake(&words[2], 0);
}

TEST(ring_wait, futexes_that_have_changed)
{
	uint32_t words[2] = {1, 2};
	struct futex_waitv v[2] = {one_of(&words[0], 1), one_of(&words[1], 7)};
	struct ring r;

	NEWER(has_futex_waitv());
	ring_open(&r, 8, 0);
	put_waitv(&r, v, 2, 1);
	CHECK_EQ(ring_run(&r).res, -EAGAIN);
	put_waitv(&r, v, 0, 1);
	CHECK_EQ(ring_run(&r).res, -EINVAL);
	put_waitv(&r, v, FUTEX_WAITV_MAX + 1, 1);
	CHECK_EQ(ring_run(&r).res, -EINVAL);
	put_waitv(&r, (struct futex_waitv *)8, 1, 1);
	CHECK_EQ(ring_run(&r).res, -EFAULT);
	v[1].flags = 0;
	put_waitv(&r, v, 2, 1);
	CHECK_EQ(ring_run(&r).res, -EINVAL);
	v[1] = one_of((uint32_t *)8, 7);
	put_waitv(&r, v, 2, 1);
	CHECK_EQ(ring_run(&r).res, -EFAULT);
	wake(&words[0], 0); /* the first was taken off again */
}

TEST(ring_wait, futexes_many_wait)
{
	uint32_t words[2] = {1, 2};
	struct futex_waitv v[2] = {one_of(&words[0], 1), one_of(&words[1], 2)};
	struct ring r;

	NEWER(has_futex_waitv());
	ring_open(&r, 512, 0);
	for (unsigned i = 0; i < MANY; i++)
		put_waitv(&r, v, 2, i);
	CHECK_EQ(ring_submit(&r, 0), MANY);
	expect_a_call_runs(&r);
	cancel_all(&r);
	wake(&words[0], 0);
}
