// SPDX-License-Identifier: MIT
/*
 * Entries of a ring whose calls a supervisor answers (SECCOMP_RET_USER_NOTIF): it hears of them as of calls, and what
 * it says becomes of the request. Supervisor and program are one here: the call by its number is never made.
 */
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "ring.h"
#include "supervisor.h"

static void let_it_be_made(int listener)
{
	CHECK_OK(answer(listener, hear(listener).id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE));
}

static bool has_event(int fd, short event)
{
	struct pollfd p = {fd, event, 0};

	CHECK_OK(poll(&p, 1, 0));
	return p.revents & event;
}

static void expect_nothing(struct ring *r)
{
	struct ring_result got;

	CHECK_OK(ring_enter(r->fd, 0, 0, IORING_ENTER_GETEVENTS));
	CHECK(!ring_peek(r, &got));
}

static struct io_uring_sqe *put_open(struct ring *r, const char *name, int flags, uint64_t data)
{
	struct io_uring_sqe *sqe = ring_sqe(r, IORING_OP_OPENAT, data);

	sqe->fd = AT_FDCWD;
	sqe->addr = (uintptr_t)name;
	sqe->open_flags = (uint32_t)flags;
	sqe->len = 0600;
	return sqe;
}

TEST(ring_supervise, the_supervisor_says_what_an_entry_gives)
{
	static const char name[] = "no such file";
	struct seccomp_notif n;
	struct ring r;
	int l;

	NEWER(has_calls());
	ring_open(&r, 8, 0);
	CHECK_OK(l = add_listener(__NR_openat, 0));
	put_open(&r, name, O_RDONLY, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	expect_nothing(&r);
	n = hear(l);
	CHECK_EQ(n.pid, (unsigned)gettid());
	CHECK_EQ(n.data.nr, __NR_openat);
	CHECK_EQ(n.data.args[0], (uint64_t)(int64_t)AT_FDCWD);
	CHECK_EQ(n.data.args[1], (uintptr_t)name);
	CHECK_EQ(n.data.args[2], (unsigned)O_RDONLY);
	expect_nothing(&r);
	CHECK_OK(answer(l, n.id, 4711, 0, 0));
	RING_EXPECT(&r, 1, 4711);
	put_open(&r, name, O_RDONLY, 2);
	CHECK_EQ(ring_submit(&r, 0), 1);
	n = hear(l);
	CHECK_OK(answer(l, n.id, 0, -EDOM, 0));
	RING_EXPECT(&r, 2, -EDOM);
	put_open(&r, name, O_RDONLY, 3);
	CHECK_EQ(ring_submit(&r, 0), 1);
	let_it_be_made(l);
	RING_EXPECT(&r, 3, -ENOENT);
	ring_close(&r);
}

TEST(ring_supervise, entries_that_park_go_on_after_it)
{
	struct ring r;
	int l, fd[2];
	char c = 0;

	NEWER(has_calls());
	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	CHECK_OK(l = add_listener(__NR_read, 0));
	(void)ring_read_byte(&r, fd[0], &c, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	let_it_be_made(l);
	expect_nothing(&r);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	RING_EXPECT(&r, 1, 1);
	CHECK_EQ(c, 'x');
	(void)ring_read_byte(&r, 99, &c, 2); /* before the descriptor is looked at */
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_OK(answer(l, hear(l).id, 1, 0, 0));
	RING_EXPECT(&r, 2, 1);
	(void)ring_read_byte(&r, 99, &c, 3);
	CHECK_EQ(ring_submit(&r, 0), 1);
	let_it_be_made(l);
	RING_EXPECT(&r, 3, -EBADF);
	ring_close(&r);
}

TEST(ring_supervise, a_chain_asks_one_after_another)
{
	struct ring r;
	int l;

	NEWER(has_calls());
	ring_open(&r, 8, 0);
	CHECK_OK(l = add_listener(__NR_openat, 0));
	put_open(&r, "a", O_RDONLY, 1)->flags = IOSQE_IO_LINK;
	put_open(&r, "b", O_RDONLY, 2)->flags = IOSQE_IO_LINK;
	put_open(&r, "c", O_RDONLY, 3);
	CHECK_EQ(ring_submit(&r, 0), 3);
	CHECK_OK(answer(l, hear(l).id, 7, 0, 0));
	RING_EXPECT(&r, 1, 7);
	let_it_be_made(l); /* there is no such file: the third is never asked about */
	RING_EXPECT(&r, 2, -ENOENT);
	RING_EXPECT(&r, 3, -ECANCELED);
	CHECK(!has_event(l, POLLIN));

	ring_sqe(&r, IORING_OP_NOP, 4)->flags = IOSQE_IO_DRAIN;
	put_open(&r, "d", O_RDONLY, 5);
	ring_sqe(&r, IORING_OP_NOP, 6)->flags = IOSQE_IO_DRAIN;
	CHECK_EQ(ring_submit(&r, 1), 3);
	RING_EXPECT(&r, 4, 0);
	expect_nothing(&r); /* the last one waits for all before it */
	CHECK_OK(answer(l, hear(l).id, 8, 0, 0));
	RING_EXPECT(&r, 5, 8);
	RING_EXPECT(&r, 6, 0);
	ring_close(&r);
}

TEST(ring_supervise, descriptors_are_given_to_the_process)
{
	struct seccomp_notif_addfd a = {.flags = SECCOMP_ADDFD_FLAG_SEND};
	struct ring_result got;
	struct ring r;
	int l, fd[2];
	char c;

	NEWER(has_calls());
	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	CHECK_OK(l = add_listener(__NR_openat, 0));
	put_open(&r, "x", O_RDONLY, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	a.id = hear(l).id;
	a.srcfd = (unsigned)fd[0];
	CHECK_OK(ioctl(l, SECCOMP_IOCTL_NOTIF_ADDFD, &a));
	got = ring_take(&r);
	CHECK_EQ(write(fd[1], "y", 1), 1);
	CHECK_EQ(read(got.res, &c, 1), 1);
	CHECK_EQ(c, 'y');
	ring_close(&r);
}

static void put_cancel(struct ring *r, uint64_t what, uint64_t data)
{
	ring_sqe(r, IORING_OP_ASYNC_CANCEL, data)->addr = what;
}

TEST(ring_supervise, cancelling_is_as_a_signal)
{
	struct seccomp_notif n;
	struct ring r;
	int l;

	NEWER(has_calls());
	ring_open(&r, 8, 0);
	CHECK_OK(l = add_listener(__NR_openat, 0));
	put_open(&r, "x", O_RDONLY, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	n = hear(l);
	put_cancel(&r, 1, 2);
	CHECK_EQ(ring_submit(&r, 2), 1);
	for (int i = 0; i < 2; i++) {
		struct ring_result got = ring_take(&r);

		CHECK_EQ(got.res, got.user_data == 1 ? -ECANCELED : -EALREADY);
	}
	CHECK_ERRNO(answer(l, n.id, 7, 0, 0), ENOENT);

	put_open(&r, "x", O_RDONLY, 3)->flags = IOSQE_IO_LINK; /* in time */
	{
		struct __kernel_timespec ts = {0, 20000000};
		struct io_uring_sqe *sqe = ring_sqe(&r, IORING_OP_LINK_TIMEOUT, 4);

		sqe->addr = (uintptr_t)&ts;
		sqe->len = 1;
		CHECK_EQ(ring_submit(&r, 2), 2);
	}
	for (int i = 0; i < 2; i++) {
		struct ring_result got = ring_take(&r);

		CHECK(got.user_data == 3 ? got.res == -ECANCELED
					 : got.res == -ETIME || got.res == -EALREADY);
	}
	ring_close(&r);
}

/* Its file is the one that its number means meanwhile: it has none before the supervisor has answered. */
TEST(ring_supervise, cancelled_by_its_file)
{
	struct io_uring_sqe *sqe;
	struct ring r;
	int l, fd[2], other;
	char c;

	NEWER(has_calls());
	CHECK_OK(pipe(fd));
	ring_open(&r, 8, 0);
	CHECK_OK(ring_register(r.fd, IORING_REGISTER_FILES, fd, 2));
	CHECK_OK(l = add_listener(__NR_read, 0));
	(void)ring_read_byte(&r, fd[0], &c, 1);
	ring_read_byte(&r, 0, &c, 2)->flags = IOSQE_FIXED_FILE;
	(void)ring_read_byte(&r, 99, &c, 3);
	CHECK_EQ(ring_submit(&r, 0), 3);
	for (int i = 0; i < 3; i++)
		hear(l);
	CHECK_OK(other = dup(fd[1]));
	sqe = ring_sqe(&r, IORING_OP_ASYNC_CANCEL, 4);
	sqe->fd = other;
	sqe->cancel_flags = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ALL;
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 4, 0); /* nobody reads from the other end */
	CHECK_OK(dup2(fd[0], other));
	sqe = ring_sqe(&r, IORING_OP_ASYNC_CANCEL, 5);
	sqe->fd = other;
	sqe->cancel_flags = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ALL;
	CHECK_EQ(ring_submit(&r, 3), 1);
	for (int i = 0; i < 3; i++) {
		struct ring_result got = ring_take(&r);

		CHECK(got.user_data == 5 || (got.user_data < 3 && got.res == -ECANCELED));
	}
	expect_nothing(&r);
	ring_close(&r);
}

TEST(ring_supervise, who_was_heard_waits_for_the_answer)
{
	struct seccomp_notif n;
	struct ring r;
	int l;

	NEWER(has_calls());
	ring_open(&r, 8, 0);
	CHECK_OK(l = add_listener(__NR_openat, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV));
	put_open(&r, "x", O_RDONLY, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	n = hear(l);
	put_cancel(&r, 1, 2);
	CHECK_EQ(ring_submit(&r, 1), 1);
	RING_EXPECT(&r, 2, -EALREADY);
	sleep_ms(20);
	expect_nothing(&r);
	CHECK_OK(answer(l, n.id, 7, 0, 0));
	RING_EXPECT(&r, 1, 7);
	put_open(&r, "x", O_RDONLY, 3);
	CHECK_EQ(ring_submit(&r, 0), 1);
	hear(l);
	ring_close(&r); /* and the end of the process ends it */
}

TEST(ring_supervise, without_a_listener_there_is_no_such_call)
{
	struct ring r;
	int l;

	NEWER(has_calls());
	ring_open(&r, 8, 0);
	CHECK_OK(l = add_listener(__NR_openat, 0));
	put_open(&r, "x", O_RDONLY, 1);
	put_open(&r, "x", O_RDONLY, 2);
	CHECK_EQ(ring_submit(&r, 0), 2);
	hear(l);
	CHECK_OK(close(l)); /* one was heard, one not */
	for (int i = 0; i < 2; i++)
		CHECK_EQ(ring_take(&r).res, -ENOSYS);
	put_open(&r, "x", O_RDONLY, 3);
	CHECK_EQ(ring_submit(&r, 0), 1);
	RING_EXPECT(&r, 3, -ENOSYS);
	ring_close(&r);
}

TEST(ring_supervise, many_wait_at_once)
{
	enum { MANY = 300 }; /* more than a process has fibers */
	uint64_t seen = 0;
	struct ring r;
	int l;

	NEWER(has_calls());
	ring_open(&r, 512, 0);
	CHECK_OK(l = add_listener(__NR_openat, 0));
	for (int i = 0; i < MANY; i++)
		put_open(&r, "x", O_RDONLY, (uint64_t)i);
	CHECK_EQ(ring_submit(&r, 0), MANY);
	for (int i = 0; i < MANY; i++) {
		struct seccomp_notif n = hear(l);

		CHECK_OK(answer(l, n.id, i, 0, 0));
	}
	for (int i = 0; i < MANY; i++)
		seen += ring_take(&r).user_data;
	CHECK_EQ(seen, (uint64_t)MANY * (MANY - 1) / 2);
	for (int i = 0; i < MANY; i++)
		put_open(&r, "x", O_RDONLY, (uint64_t)i);
	CHECK_EQ(ring_submit(&r, 0), MANY);
	for (int i = 0; i < 10; i++)
		hear(l);
	ring_close(&r); /* all of them end with it */
}

TEST(ring_supervise, a_filter_may_say_zero)
{
	struct ring r;

	NEWER(has_calls());
	ring_open(&r, 8, 0);
	filter(__NR_openat, SECCOMP_RET_ERRNO | 0);
	put_open(&r, "x", O_RDONLY, 1)->flags = IOSQE_IO_LINK;
	ring_sqe(&r, IORING_OP_NOP, 2);
	CHECK_EQ(ring_submit(&r, 2), 2);
	RING_EXPECT(&r, 1, 0);
	RING_EXPECT(&r, 2, 0);
	ring_close(&r);
}

TEST(ring_supervise, by_a_submission_thread)
{
	struct seccomp_notif n;
	struct ring r;
	int l;

	NEWER(has_calls());
	CHECK_OK(l = add_listener(__NR_openat, 0));
	ring_open(&r, 8, IORING_SETUP_SQPOLL);
	put_open(&r, "x", O_RDONLY, 1);
	CHECK_OK(ring_enter(r.fd, 1, 0, IORING_ENTER_SQ_WAKEUP));
	n = hear(l);
	CHECK_OK(answer(l, n.id, 7, 0, 0));
	RING_EXPECT(&r, 1, 7);
	put_open(&r, "x", O_RDONLY, 2);
	CHECK_OK(ring_enter(r.fd, 1, 0, IORING_ENTER_SQ_WAKEUP));
	let_it_be_made(l);
	RING_EXPECT(&r, 2, -ENOENT);
	ring_close(&r);
}

/* What follows a call in a chain has the credentials of its own entry, not those of the call. */
TEST(ring_supervise, a_personality_ends_with_its_entry)
{
	struct sockaddr_un at = {AF_UNIX, "s"};
	struct __kernel_timespec ts = {0, 20000000};
	struct io_uring_sqe *sqe;
	int s, c, id;
	struct ring r;

	NEWER(has_calls());
	s = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
	c = CHECK_OK(socket(AF_UNIX, SOCK_STREAM, 0));
	CHECK_OK(bind(s, (void *)&at, sizeof(at)));
	CHECK_OK(listen(s, 1));
	CHECK_OK(chmod("s", 0600));
	ring_open(&r, 8, 0);
	CHECK_OK(seteuid(1000));
	id = CHECK_OK(ring_register(r.fd, IORING_REGISTER_PERSONALITY, NULL, 0));
	CHECK_OK(seteuid(0));
	sqe = ring_sqe(&r, TORUS_OP_SYSCALL, 1);
	sqe->fd = __NR_nanosleep;
	sqe->off = (uintptr_t)&ts;
	sqe->personality = (uint16_t)id;
	sqe->flags = IOSQE_IO_LINK;
	sqe = ring_sqe(&r, IORING_OP_CONNECT, 2);
	sqe->fd = c;
	sqe->addr = (uintptr_t)&at;
	sqe->off = sizeof(at);
	CHECK_EQ(ring_submit(&r, 2), 2);
	RING_EXPECT(&r, 1, 0);
	RING_EXPECT(&r, 2, 0);
	ring_close(&r);
}
