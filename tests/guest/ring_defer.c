// SPDX-License-Identifier: MIT
/*
 * IORING_SETUP_DEFER_TASKRUN: what was woken goes on when its thread enters, and not before. Who waits
 * elsewhere, for the ring's eventfd or for the ring's file, is told that there is something to enter for.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "ring.h"

static void open_deferring(struct ring *r)
{
	ring_open(r, 8, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
}

/* The same, and an eventfd of it. */
static int open_with_eventfd(struct ring *r, unsigned how)
{
	int event = CHECK_OK(eventfd(0, EFD_NONBLOCK));

	open_deferring(r);
	CHECK_EQ(ring_register(r->fd, how, &event, 1), 0);
	return event;
}

static void submit_poll(struct ring *r, int fd)
{
	ring_next(r, IORING_OP_POLL_ADD, fd)->poll32_events = POLLIN;
	CHECK_EQ(ring_submit(r, 0), 1);
}

static uint64_t count_of(int event)
{
	uint64_t n = 0;

	if (read(event, &n, sizeof(n)) < 0)
		CHECK_EQ(errno, EAGAIN);
	return n;
}

static void expect_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	CHECK_EQ(poll(&p, 1, -1), 1);
	CHECK_EQ(p.revents, POLLIN);
}

static void write_byte(int fd)
{
	CHECK_EQ(write(fd, "x", 1), 1);
}

static void *write_later(void *fd)
{
	wait_until_sleeping(getpid());
	write_byte(*(int *)fd);
	return NULL;
}

static void write_soon(int *fd)
{
	pthread_t t;

	CHECK_EQ(pthread_create(&t, NULL, write_later, fd), 0);
	CHECK_EQ(pthread_detach(t), 0);
}

static void enter(struct ring *r)
{
	CHECK_EQ(ring_enter(r->fd, 0, 0, IORING_ENTER_GETEVENTS), 0);
}

/* ---- Its eventfd ---- */

TEST(ring_defer, the_eventfd_tells_of_what_was_woken)
{
	struct ring r;
	int fd[2], event = open_with_eventfd(&r, IORING_REGISTER_EVENTFD);
	char c;

	CHECK_OK(pipe(fd));
	ring_read_byte(&r, fd[0], &c, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	write_soon(&fd[1]);
	expect_readable(event);
	CHECK_EQ(ring_ready(&r), 0);
	RING_EXPECT(&r, 1, 1);
}

/* Once for the first that was woken, and once for what entering has completed. */
TEST(ring_defer, the_eventfd_counts_the_news_and_the_completions)
{
	struct ring r;
	int fd[2][2], event = open_with_eventfd(&r, IORING_REGISTER_EVENTFD);

	for (unsigned i = 0; i < 2; i++) {
		CHECK_OK(pipe(fd[i]));
		submit_poll(&r, fd[i][0]);
	}
	for (unsigned i = 0; i < 2; i++)
		write_byte(fd[i][1]);
	expect_readable(event);
	CHECK_EQ(count_of(event), 1);
	sleep_ms(20);
	CHECK_EQ(count_of(event), 0);
	enter(&r);
	CHECK_EQ(ring_ready(&r), 2);
	CHECK_EQ(count_of(event), 1);
}

TEST(ring_defer, the_eventfd_of_who_waits_in_the_ring_counts_both)
{
	struct ring r;
	int fd[2], event = open_with_eventfd(&r, IORING_REGISTER_EVENTFD);

	CHECK_OK(pipe(fd));
	submit_poll(&r, fd[0]);
	write_soon(&fd[1]);
	CHECK_EQ(ring_enter(r.fd, 0, 1, IORING_ENTER_GETEVENTS), 0);
	sleep_ms(20);
	CHECK_EQ(count_of(event), 2);
}

TEST(ring_defer, an_eventfd_that_is_switched_off_tells_nothing)
{
	struct ring r;
	int fd[2], event = open_with_eventfd(&r, IORING_REGISTER_EVENTFD);

	CHECK_OK(pipe(fd));
	submit_poll(&r, fd[0]);
	*ring_word(&r, r.p.cq_off.flags) = IORING_CQ_EVENTFD_DISABLED;
	write_byte(fd[1]);
	expect_readable(r.fd);
	sleep_ms(20);
	CHECK_EQ(count_of(event), 0);
	enter(&r);
	CHECK_EQ(count_of(event), 0);
}

/* IORING_REGISTER_EVENTFD_ASYNC: the thread itself will do it. */
TEST(ring_defer, an_eventfd_for_what_others_do_tells_nothing)
{
	struct ring r;
	int fd[2], event = open_with_eventfd(&r, IORING_REGISTER_EVENTFD_ASYNC);

	CHECK_OK(pipe(fd));
	submit_poll(&r, fd[0]);
	write_byte(fd[1]);
	expect_readable(r.fd);
	sleep_ms(20);
	enter(&r);
	CHECK_EQ(ring_ready(&r), 1);
	CHECK_EQ(count_of(event), 0);
}

/* An eventfd that is gone, or another one, as the news are on their way. */
TEST(ring_defer, the_eventfd_may_go_at_any_time)
{
	struct ring r;
	int fd[2], event = open_with_eventfd(&r, IORING_REGISTER_EVENTFD);
	char c;

	CHECK_OK(pipe(fd));
	for (unsigned i = 0; i < 300; i++) {
		submit_poll(&r, fd[0]);
		write_byte(fd[1]);
		CHECK_EQ(ring_register(r.fd, IORING_UNREGISTER_EVENTFD, NULL, 0), 0);
		CHECK_OK(close(event));
		CHECK_OK(event = eventfd(0, EFD_NONBLOCK));
		CHECK_EQ(ring_register(r.fd, IORING_REGISTER_EVENTFD, &event, 1), 0);
		RING_EXPECT(&r, 0, POLLIN);
		CHECK_EQ(read(fd[0], &c, 1), 1);
	}
}

TEST(ring_defer, the_ring_may_go_at_any_time)
{
	int fd[2];
	char c;

	CHECK_OK(pipe(fd));
	for (unsigned i = 0; i < 100; i++) {
		struct ring r;
		int event = open_with_eventfd(&r, IORING_REGISTER_EVENTFD);

		submit_poll(&r, fd[0]);
		write_byte(fd[1]);
		ring_close(&r);
		CHECK_OK(close(event));
		CHECK_EQ(read(fd[0], &c, 1), 1);
	}
}

/* ---- Its file ---- */

TEST(ring_defer, who_polls_the_ring_hears_of_what_was_woken)
{
	struct ring r;
	int fd[2];

	open_deferring(&r);
	CHECK_OK(pipe(fd));
	submit_poll(&r, fd[0]);
	write_soon(&fd[1]);
	expect_readable(r.fd);
	CHECK_EQ(ring_ready(&r), 0);
	RING_EXPECT(&r, 0, POLLIN);
}

static int set_with(int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	int set = CHECK_OK(epoll_create1(0));

	CHECK_OK(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
	return set;
}

/* What it waits for is itself a set, which is told with its own queue locked. */
TEST(ring_defer, a_set_of_sets_with_the_ring_hears_each_time)
{
	struct epoll_event event;
	struct ring r;
	int fd[2], inner, outer;
	char c;

	open_deferring(&r);
	CHECK_OK(pipe(fd));
	inner = set_with(fd[0]);
	outer = set_with(r.fd);
	for (unsigned i = 0; i < 5; i++) {
		submit_poll(&r, inner);
		write_soon(&fd[1]);
		CHECK_EQ(epoll_wait(outer, &event, 1, -1), 1);
		RING_EXPECT(&r, 0, POLLIN);
		CHECK_EQ(read(fd[0], &c, 1), 1);
		CHECK_EQ(epoll_wait(inner, &event, 1, 0), 0);
	}
}

struct polled {
	struct ring *ring;
	int then; /* a pipe: it is written to when the ring was readable */
};

static void *poll_ring(void *arg)
{
	const struct polled *p = arg;

	expect_readable(p->ring->fd);
	write_byte(p->then);
	return NULL;
}

/* Its thread waits in another ring, and does not see to this one. */
TEST(ring_defer, another_thread_hears_while_its_own_waits_elsewhere)
{
	struct ring r, other;
	int fd[2], end[2];
	pthread_t t;

	open_deferring(&r);
	open_deferring(&other);
	CHECK_OK(pipe(fd));
	CHECK_OK(pipe(end));
	submit_poll(&r, fd[0]);
	submit_poll(&other, end[0]);
	CHECK_EQ(pthread_create(&t, NULL, poll_ring, &(struct polled){&r, end[1]}), 0);
	write_soon(&fd[1]);
	RING_EXPECT(&other, 0, POLLIN);
	CHECK_EQ(pthread_join(t, NULL), 0);
	RING_EXPECT(&r, 0, POLLIN);
}
