// SPDX-License-Identifier: MIT
/*
 * Calls that wait under another signal mask: ppoll, pselect, epoll_pwait, epoll_pwait2, io_pgetevents,
 * io_uring_enter. What was blocked and is pending runs its handler only where it ends the wait.
 */
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "ring.h"

static const uint64_t none;
static volatile sig_atomic_t count;
static int ready[2], silent[2]; /* pipes: with a byte, and without */

static void note(int sig)
{
	(void)sig;
	count++;
}

/* SIGUSR1 is blocked, and pending. */
static void make_pending(void)
{
	sigset_t set;

	CHECK(signal(SIGUSR1, note) != SIG_ERR);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	CHECK_OK(raise(SIGUSR1));
	CHECK_OK(pipe(ready));
	CHECK_OK(pipe(silent));
	CHECK_EQ(write(ready[1], "x", 1), 1);
}

/* The handler ran so often; if it did not, the signal waits on. The mask is the old one. */
static void expect_handled(int times)
{
	sigset_t set;

	CHECK_EQ(count, times);
	CHECK_OK(sigpending(&set));
	CHECK_EQ(sigismember(&set, SIGUSR1), !times);
	CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &set));
	CHECK(sigismember(&set, SIGUSR1));
}

static long do_ppoll(int fd, long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return syscall(SYS_ppoll, &p, 1, &t, &none, 8);
}

static long do_pselect(int fd, long ms)
{
	const uintptr_t mask[2] = {(uintptr_t)&none, 8};
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};
	fd_set in;
	long n;

	FD_ZERO(&in);
	FD_SET(fd, &in);
	n = syscall(SYS_pselect6, fd + 1, &in, NULL, NULL, &t, mask);
	CHECK(n == 0 || FD_ISSET(fd, &in)); /* an error leaves it alone */
	return n;
}

static int epoll_of(int fd)
{
	struct epoll_event e = {.events = EPOLLIN};
	int set;

	CHECK_OK(set = epoll_create1(0));
	CHECK_OK(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e));
	return set;
}

static long do_epoll_pwait(int fd, long ms)
{
	struct epoll_event e;

	return syscall(SYS_epoll_pwait, epoll_of(fd), &e, 1, ms, &none, 8);
}

static long do_epoll_pwait2(int fd, long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};
	struct epoll_event e;

	return syscall(SYS_epoll_pwait2, epoll_of(fd), &e, 1, &t, &none, 8);
}

typedef long (*wait_fn)(int fd, long ms);

static void expect_ready_is_all(wait_fn wait)
{
	make_pending();
	CHECK_EQ(wait(ready[0], 5000), 1);
	expect_handled(0);
	CHECK_EQ(wait(ready[0], 0), 1);
	expect_handled(0);
}

static void expect_interrupted(wait_fn wait, long ms)
{
	make_pending();
	CHECK_ERRNO(wait(silent[0], ms), EINTR);
	expect_handled(1);
}

TEST(mask, ppoll_of_what_is_ready_lets_no_signal_in)
{
	expect_ready_is_all(do_ppoll);
}

TEST(mask, pselect_of_what_is_ready_lets_no_signal_in)
{
	expect_ready_is_all(do_pselect);
}

TEST(mask, epoll_pwait_of_what_is_ready_lets_no_signal_in)
{
	expect_ready_is_all(do_epoll_pwait);
}

TEST(mask, epoll_pwait2_of_what_is_ready_lets_no_signal_in)
{
	expect_ready_is_all(do_epoll_pwait2);
}

TEST(mask, ppoll_that_waits_is_interrupted)
{
	expect_interrupted(do_ppoll, 5000);
}

TEST(mask, pselect_that_waits_is_interrupted)
{
	expect_interrupted(do_pselect, 5000);
}

TEST(mask, epoll_pwait_that_waits_is_interrupted)
{
	expect_interrupted(do_epoll_pwait, 5000);
}

TEST(mask, epoll_pwait2_that_waits_is_interrupted)
{
	expect_interrupted(do_epoll_pwait2, 5000);
}

TEST(mask, ppoll_for_no_time_is_interrupted)
{
	expect_interrupted(do_ppoll, 0);
}

TEST(mask, pselect_for_no_time_is_interrupted)
{
	expect_interrupted(do_pselect, 0);
}

TEST(mask, epoll_pwait_for_no_time_is_not)
{
	make_pending();
	CHECK_EQ(do_epoll_pwait(silent[0], 0), 0);
	CHECK_EQ(do_epoll_pwait2(silent[0], 0), 0);
	expect_handled(0);
}

/* ---- Native AIO ---- */

static long get_aio_events(aio_context_t ctx, long min, long ms)
{
	const uintptr_t mask[2] = {(uintptr_t)&none, 8};
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};
	struct io_event e;

	return syscall(SYS_io_pgetevents, ctx, min, 1, &e, &t, mask);
}

static aio_context_t aio_of(int fd)
{
	static struct iocb cb;
	struct iocb *one = &cb;
	aio_context_t ctx = 0;

	cb = (struct iocb){
		.aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = (uint32_t)fd, .aio_buf = POLLIN};
	CHECK_OK(syscall(SYS_io_setup, 4, &ctx));
	CHECK_EQ(syscall(SYS_io_submit, ctx, 1, &one), 1);
	return ctx;
}

TEST(mask, io_pgetevents_lets_the_signal_in_beside_an_event)
{
	make_pending();
	CHECK_EQ(get_aio_events(aio_of(ready[0]), 1, 5000), 1);
	expect_handled(1);
}

TEST(mask, io_pgetevents_that_waits_is_interrupted)
{
	make_pending();
	CHECK_ERRNO(get_aio_events(aio_of(silent[0]), 1, 5000), EINTR);
	expect_handled(1);
}

TEST(mask, io_pgetevents_for_no_time_is_interrupted)
{
	make_pending();
	CHECK_ERRNO(get_aio_events(aio_of(silent[0]), 1, 0), EINTR);
	expect_handled(1);
}

/* ---- Rings ---- */

static long enter(struct ring *r, unsigned wait, long ms)
{
	struct __kernel_timespec t = {ms / 1000, ms % 1000 * 1000000};
	struct io_uring_getevents_arg arg = {
		.sigmask = (uintptr_t)&none, .sigmask_sz = 8, .ts = (uintptr_t)&t};

	return syscall(__NR_io_uring_enter, r->fd, 0, wait,
		IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &arg, sizeof(arg));
}

TEST(mask, ring_with_completions_lets_no_signal_in)
{
	struct ring r;

	make_pending();
	ring_open(&r, 8, 0);
	(void)ring_sqe(&r, IORING_OP_NOP, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(enter(&r, 1, 5000), 0);
	expect_handled(0);
}

TEST(mask, ring_that_waits_is_interrupted)
{
	struct ring r;

	make_pending();
	ring_open(&r, 8, 0);
	CHECK_ERRNO(enter(&r, 1, 5000), EINTR);
	expect_handled(1);
}

TEST(mask, ring_with_too_few_completions_lets_the_signal_in)
{
	struct ring r;

	make_pending();
	ring_open(&r, 8, 0);
	(void)ring_sqe(&r, IORING_OP_NOP, 1);
	CHECK_EQ(ring_submit(&r, 0), 1);
	CHECK_EQ(enter(&r, 2, 5000), 0);
	expect_handled(1);
}
