// SPDX-License-Identifier: MIT
/* poll(2), ppoll(2), select(2), pselect(2). Poll bits of a kind of file are in that file's area; epoll: epoll.c. */
#include "guest.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>

static volatile sig_atomic_t count;

static void note(int sig)
{
	count++;
}

TEST(poll, nothing_ready_times_out)
{
	int fd[2];
	struct pollfd p;
	int64_t before = now_ms();

	CHECK_OK(pipe(fd));
	p = (struct pollfd){fd[0], POLLIN, 77};
	CHECK_EQ(poll(&p, 1, 30), 0);
	CHECK_EQ(p.revents, 0);
	CHECK(now_ms() - before >= 30);
	CHECK_EQ(poll(NULL, 0, 0), 0);
}

TEST(poll, negative_descriptors_are_skipped)
{
	struct pollfd p = {-1, POLLIN, 77};

	CHECK_EQ(poll(&p, 1, 0), 0);
	CHECK_EQ(p.revents, 0);
}

TEST(poll, closed_descriptor_is_pollnval)
{
	struct pollfd p = {99, POLLIN, 0};

	CHECK_EQ(poll(&p, 1, -1), 1);
	CHECK_EQ(p.revents, POLLNVAL);
}

TEST(poll, regular_files_are_always_ready)
{
	struct pollfd p = {
		CHECK_OK(open("f", O_RDWR | O_CREAT, 0600)), POLLIN | POLLOUT | POLLPRI, 0};

	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN | POLLOUT);
	p.fd = CHECK_OK(open("/dev/null", O_RDWR));
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN | POLLOUT);
}

TEST(poll, woken_by_a_write)
{
	int fd[2];
	pid_t pid;

	CHECK_OK(pipe(fd));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		struct pollfd p[2] = {{fd[0], POLLIN, 0}, {-1, 0, 0}};

		CHECK_EQ(poll(p, 2, -1), 1);
		CHECK_EQ(p[0].revents, POLLIN);
		_exit(0);
	}
	wait_until_sleeping(pid);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	EXPECT_CHILD(pid, 0);
}

TEST(poll, signal_interrupts_even_with_sa_restart)
{
	struct sigaction act = {.sa_handler = note, .sa_flags = SA_RESTART};
	pid_t pid;

	CHECK_OK(sigaction(SIGUSR1, &act, NULL));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_ERRNO(poll(NULL, 0, -1), EINTR);
		CHECK_EQ(count, 1);
		_exit(0);
	}
	wait_until_sleeping(pid);
	kill(pid, SIGUSR1);
	EXPECT_CHILD(pid, 0);
}

TEST(poll, too_many_is_einval)
{
	struct rlimit limit = {64, 64};
	struct pollfd p[100];

	for (int i = 0; i < 100; i++)
		p[i] = (struct pollfd){-1, 0, 0};
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
	CHECK_EQ(poll(p, 64, 0), 0);
	CHECK_ERRNO(poll(p, 65, 0), EINVAL);
	CHECK_ERRNO(poll((void *)8, 1, 0), EFAULT);
}

TEST(poll, same_descriptor_twice)
{
	struct pollfd p[2];
	int fd[2];

	CHECK_OK(pipe(fd));
	p[0] = p[1] = (struct pollfd){fd[1], POLLOUT, 0};
	CHECK_EQ(poll(p, 2, 0), 2);
}

TEST(poll, ppoll_sets_the_mask_while_waiting)
{
	struct timespec limit = {5, 0};
	struct sigaction act = {.sa_handler = note};
	sigset_t set, none;

	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigaction(SIGUSR1, &act, NULL));
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	raise(SIGUSR1);
	CHECK_EQ(count, 0);
	CHECK_ERRNO(ppoll(NULL, 0, &limit, &none), EINTR);
	CHECK_EQ(count, 1);
	CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &none));
	CHECK(sigismember(&none, SIGUSR1));
}

TEST(poll, ppoll_errors)
{
	struct timespec bad = {0, 1000000000}, neg = {-1, 0};

	CHECK_ERRNO(syscall(SYS_ppoll, NULL, 0L, &bad, NULL, 8L), EINVAL);
	CHECK_ERRNO(syscall(SYS_ppoll, NULL, 0L, &neg, NULL, 8L), EINVAL);
	CHECK_ERRNO(syscall(SYS_ppoll, NULL, 0L, NULL, &bad, 7L), EINVAL);
}

TEST(poll, ppoll_writes_the_rest_of_the_time)
{
	struct timespec limit = {10, 0};
	struct pollfd p = {CHECK_OK(open("/dev/null", O_RDWR)), POLLIN, 0};

	sleep_ms(1);
	CHECK_EQ(syscall(SYS_ppoll, &p, 1L, &limit, NULL, 8L), 1);
	CHECK(limit.tv_sec <= 10);
	limit = (struct timespec){0, 5000000};
	CHECK_EQ(syscall(SYS_ppoll, NULL, 0L, &limit, NULL, 8L), 0);
	CHECK_EQ(limit.tv_sec, 0);
	CHECK_EQ(limit.tv_nsec, 0);
}

TEST(poll, select_finds_each_kind)
{
	struct timeval zero = {0, 0};
	fd_set in, out;
	int fd[2];

	CHECK_OK(pipe(fd));
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(fd[0], &in);
	FD_SET(fd[1], &out);
	CHECK_EQ(select(fd[1] + 1, &in, &out, NULL, &zero), 1);
	CHECK(!FD_ISSET(fd[0], &in));
	CHECK(FD_ISSET(fd[1], &out));
	CHECK_EQ(write(fd[1], "x", 1), 1);
	FD_SET(fd[0], &in);
	CHECK_EQ(select(fd[1] + 1, &in, &out, NULL, &zero), 2);
}

TEST(poll, select_errors)
{
	struct timeval zero = {0, 0}, bad = {-1, 0};
	fd_set in;

	FD_ZERO(&in);
	FD_SET(50, &in);
	CHECK_ERRNO(select(51, &in, NULL, NULL, &zero), EBADF);
	CHECK_EQ(select(50, &in, NULL, NULL, &zero), 0);
	CHECK_ERRNO(syscall(SYS_select, -1, NULL, NULL, NULL, &zero), EINVAL);
	CHECK_ERRNO(syscall(SYS_select, 0, NULL, NULL, NULL, &bad), EINVAL);
	CHECK_ERRNO(syscall(SYS_select, 10, 8L, NULL, NULL, &zero), EFAULT);
}

TEST(poll, select_time_is_rounded_and_told)
{
	struct timeval limit = {0, 2500000};
	int64_t before = now_ms();

	limit.tv_usec = 20000;
	CHECK_EQ(syscall(SYS_select, 0, NULL, NULL, NULL, &limit), 0);
	CHECK(now_ms() - before >= 19);
	CHECK_EQ(limit.tv_sec, 0);
	CHECK_EQ(limit.tv_usec, 0);
}

TEST(poll, select_end_of_file_is_readable)
{
	struct timeval zero = {0, 0};
	fd_set in;
	int fd[2];

	CHECK_OK(pipe(fd));
	close(fd[1]);
	FD_ZERO(&in);
	FD_SET(fd[0], &in);
	CHECK_EQ(select(fd[0] + 1, &in, NULL, NULL, &zero), 1);
}

TEST(poll, pselect_mask)
{
	struct sigaction act = {.sa_handler = note};
	struct timespec limit = {5, 0};
	sigset_t set, none;

	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigaction(SIGUSR1, &act, NULL));
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	raise(SIGUSR1);
	CHECK_ERRNO(pselect(0, NULL, NULL, NULL, &limit, &none), EINTR);
	CHECK_EQ(count, 1);
}
