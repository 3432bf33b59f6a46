// SPDX-License-Identifier: MIT
/* eventfd(2), timerfd_create(2), signalfd(2): what happened, as files. */
#include "guest.h"

#include <linux/capability.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

static uint64_t get(int fd)
{
	uint64_t value = 0;

	CHECK_EQ(read(fd, &value, 8), 8);
	return value;
}

static int bits(int fd)
{
	struct pollfd p = {fd, POLLIN | POLLOUT, 0};

	CHECK(poll(&p, 1, 0) >= 0);
	return p.revents;
}

static void put(int fd, uint64_t value)
{
	CHECK_EQ(write(fd, &value, 8), 8);
}

TEST(events, eventfd_adds_and_resets)
{
	int fd = CHECK_OK(eventfd(3, 0));

	put(fd, 4);
	CHECK_EQ(get(fd), 7);
	CHECK_EQ(bits(fd), POLLOUT);
	put(fd, 1);
	CHECK_EQ(bits(fd), POLLIN | POLLOUT);
}

TEST(events, eventfd_semaphore)
{
	int fd = CHECK_OK(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK));
	uint64_t value;

	CHECK_EQ(get(fd), 1);
	CHECK_EQ(get(fd), 1);
	CHECK_ERRNO(read(fd, &value, 8), EAGAIN);
}

TEST(events, eventfd_limits)
{
	int fd = CHECK_OK(eventfd(0, EFD_NONBLOCK));
	uint64_t value = UINT64_MAX;
	char big[16];

	CHECK_ERRNO(write(fd, &value, 8), EINVAL);
	put(fd, UINT64_MAX - 1);
	CHECK_EQ(bits(fd), POLLIN);
	value = 1;
	CHECK_ERRNO(write(fd, &value, 8), EAGAIN);
	value = 0;
	CHECK_EQ(write(fd, &value, 8), 8);
	CHECK_ERRNO(read(fd, big, 7), EINVAL);
	CHECK_ERRNO(write(fd, big, 7), EINVAL);
	CHECK_EQ(read(fd, big, 16), 8);
}

TEST(events, eventfd_flags)
{
	CHECK_ERRNO(eventfd(0, 2), EINVAL);
	CHECK_EQ(fcntl(CHECK_OK(eventfd(0, EFD_CLOEXEC)), F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(CHECK_OK(eventfd(0, EFD_NONBLOCK)), F_GETFL), O_RDWR | O_NONBLOCK);
	CHECK_EQ(lseek(CHECK_OK(eventfd(0, 0)), 5, SEEK_SET), 0);
}

/* A number for each buffer, until one has more than a number. */
TEST(events, eventfd_takes_each_piece_of_a_vector)
{
	int fd = CHECK_OK(eventfd(0, EFD_NONBLOCK));
	uint64_t n[4] = {3, 4, 5, UINT64_MAX - 5};
	struct iovec two[] = {{&n[0], 8}, {&n[1], 8}}, long_first[] = {{&n[0], 16}, {&n[2], 8}},
		     short_last[] = {{&n[0], 8}, {&n[1], 4}},
		     halves[] = {{&n[0], 4}, {&n[1], 4}},
		     with_empty[] = {{&n[0], 0}, {&n[1], 8}}, full[] = {{&n[2], 8}, {&n[3], 8}},
		     bad_last[] = {{&n[0], 8}, {(void *)8, 8}};

	CHECK_EQ(writev(fd, two, 2), 16);
	CHECK_EQ(get(fd), 7);
	CHECK_EQ(writev(fd, long_first, 2), 8);
	CHECK_EQ(get(fd), 3);
	CHECK_EQ(writev(fd, short_last, 2), 8);
	CHECK_EQ(get(fd), 3);
	CHECK_ERRNO(writev(fd, halves, 2), EINVAL);
	CHECK_ERRNO(writev(fd, with_empty, 2), EINVAL);
	CHECK_EQ(writev(fd, full, 2), 8);
	CHECK_EQ(get(fd), 5);
	CHECK_EQ(writev(fd, bad_last, 2), 8);
	CHECK_EQ(get(fd), 3);
	put(fd, 6);
	CHECK_EQ(readv(fd, two, 2), 8);
	CHECK_EQ(n[0], 6);
	put(fd, 6);
	CHECK_EQ(readv(fd, halves, 2), 8);
}

static int rw_now(long nr, int fd, uint64_t *value)
{
	struct iovec iov = {value, 8};

	return (int)syscall(nr, fd, &iov, 1, -1L, -1L, RWF_NOWAIT);
}

/* eventfd(2) alone can be told not to wait, and only by who reads. */
TEST(events, eventfd_is_read_without_waiting)
{
	int fd = CHECK_OK(eventfd(0, 0)), timer = CHECK_OK(timerfd_create(CLOCK_MONOTONIC, 0));
	uint64_t value = 5;

	CHECK_ERRNO(rw_now(SYS_preadv2, fd, &value), EAGAIN);
	put(fd, 3);
	CHECK_EQ(rw_now(SYS_preadv2, fd, &value), 8);
	CHECK_EQ(value, 3);
	CHECK_ERRNO(rw_now(SYS_preadv2, fd, &value), EAGAIN);
	CHECK_ERRNO(rw_now(SYS_pwritev2, fd, &value), EOPNOTSUPP);
	CHECK_ERRNO(rw_now(SYS_preadv2, timer, &value), EOPNOTSUPP);
}

static void wait_until_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	CHECK_EQ(poll(&p, 1, -1), 1);
}

/* Linux: these say POLLIN and POLLOUT, and not the same in other words. */
TEST(events, none_says_normal_data)
{
	const short normal = POLLRDNORM | POLLWRNORM | POLLRDBAND | POLLWRBAND;
	struct itimerspec soon = {.it_value = {0, 1}};
	sigset_t set;
	struct pollfd p[3] = {{.fd = CHECK_OK(eventfd(1, 0)), .events = normal},
		{.fd = CHECK_OK(timerfd_create(CLOCK_MONOTONIC, 0)), .events = normal},
		{.events = normal}};

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	p[2].fd = CHECK_OK(signalfd(-1, &set, 0));
	CHECK_OK(raise(SIGUSR1));
	CHECK_OK(timerfd_settime(p[1].fd, 0, &soon, NULL));
	wait_until_readable(p[1].fd);
	CHECK_EQ(poll(p, 3, 0), 0);
	CHECK_EQ(bits(p[0].fd), POLLIN | POLLOUT);
	CHECK_EQ(bits(p[1].fd), POLLIN);
	CHECK_EQ(bits(p[2].fd), POLLIN);
}

TEST(events, eventfd_blocks_and_wakes)
{
	int fd = CHECK_OK(eventfd(0, 0));
	pid_t pid = CHECK_OK(fork());

	if (pid == 0)
		_exit(get(fd));
	wait_until_sleeping(pid);
	put(fd, 9);
	EXPECT_CHILD(pid, 9);
}

TEST(events, eventfd_full_blocks_the_writer)
{
	int fd = CHECK_OK(eventfd(0, 0));
	pid_t pid;

	put(fd, UINT64_MAX - 1);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		put(fd, 5);
		_exit(0);
	}
	wait_until_sleeping(pid);
	CHECK_EQ(get(fd), UINT64_MAX - 1);
	EXPECT_CHILD(pid, 0);
	CHECK_EQ(get(fd), 5);
}

static int timer(int clock, int flags, long first_ms, long every_ms)
{
	int fd = CHECK_OK(timerfd_create(clock, flags));
	struct itimerspec its = {{every_ms / 1000, every_ms % 1000 * 1000000},
		{first_ms / 1000, first_ms % 1000 * 1000000}};

	CHECK_OK(timerfd_settime(fd, 0, &its, NULL));
	return fd;
}

TEST(events, timerfd_expires_once)
{
	int fd = timer(CLOCK_MONOTONIC, TFD_NONBLOCK, 100000, 0);
	struct itimerspec now, soon = {.it_value = {0, 20000000}};
	uint64_t value;

	CHECK_ERRNO(read(fd, &value, 8), EAGAIN);
	CHECK_EQ(bits(fd), 0);
	CHECK_OK(timerfd_settime(fd, 0, &soon, NULL));
	wait_until_readable(fd);
	CHECK_EQ(bits(fd), POLLIN);
	CHECK_EQ(get(fd), 1);
	CHECK_ERRNO(read(fd, &value, 8), EAGAIN);
	CHECK_OK(timerfd_gettime(fd, &now));
	CHECK_EQ(now.it_value.tv_sec, 0);
	CHECK_EQ(now.it_value.tv_nsec, 0);
}

TEST(events, timerfd_counts_intervals)
{
	int fd = timer(CLOCK_MONOTONIC, 0, 10, 10);

	sleep_ms(65);
	CHECK(get(fd) >= 6);
	CHECK(get(fd) >= 1); /* waits for the next */
}

TEST(events, timerfd_read_waits)
{
	int64_t before = now_ms();

	CHECK_EQ(get(timer(CLOCK_REALTIME, 0, 30, 0)), 1);
	CHECK(now_ms() - before >= 29);
}

TEST(events, timerfd_absolute)
{
	int fd = CHECK_OK(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	struct itimerspec its = {{0, 0}, {0, 0}}, left;

	clock_gettime(CLOCK_MONOTONIC, &its.it_value);
	its.it_value.tv_sec -= 1;
	if (its.it_value.tv_sec < 0)
		its.it_value = (struct timespec){0, 1};
	CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL));
	wait_until_readable(fd);
	CHECK_EQ(get(fd), 1);
	its.it_value.tv_sec += 100;
	CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL));
	CHECK_OK(timerfd_gettime(fd, &left)); /* what is left, not when */
	CHECK(left.it_value.tv_sec <= 100 && left.it_value.tv_sec > 50);
}

TEST(events, timerfd_old_value_and_disarm)
{
	int fd = timer(CLOCK_MONOTONIC, TFD_NONBLOCK, 100000, 5000);
	struct itimerspec off = {{0, 0}, {0, 0}}, old;
	uint64_t value;

	CHECK_OK(timerfd_settime(fd, 0, &off, &old));
	CHECK_EQ(old.it_interval.tv_sec, 5);
	CHECK(old.it_value.tv_sec >= 90 && old.it_value.tv_sec <= 100);
	CHECK_ERRNO(read(fd, &value, 8), EAGAIN);
}

TEST(events, timerfd_errors)
{
	int fd = CHECK_OK(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
	struct itimerspec its = {{0, 0}, {0, 1000000000}};
	char c;

	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(timerfd_settime(fd, 0, &its, NULL), EINVAL);
	its.it_value.tv_nsec = -1;
	CHECK_ERRNO(timerfd_settime(fd, 0, &its, NULL), EINVAL);
	its.it_value.tv_nsec = 1;
	CHECK_ERRNO(timerfd_settime(fd, 16, &its, NULL), EINVAL);
	CHECK_ERRNO(timerfd_settime(0, 0, &its, NULL), EINVAL);
	CHECK_ERRNO(timerfd_settime(99, 0, &its, NULL), EBADF);
	CHECK_ERRNO(timerfd_create(99, 0), EINVAL);
	CHECK_ERRNO(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
	CHECK_ERRNO(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
	CHECK_ERRNO(read(fd, &c, 1), EINVAL);
	CHECK_ERRNO(write(fd, "12345678", 8), EINVAL);
}

static void drop_capability(int cap)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];

	CHECK_OK(syscall(SYS_capget, &h, d));
	d[cap / 32].effective &= ~(1u << cap % 32);
	CHECK_OK(syscall(SYS_capset, &h, d));
}

TEST(events, timerfd_of_an_alarm_clock_needs_the_right_each_time)
{
	int fd = CHECK_OK(timerfd_create(CLOCK_BOOTTIME_ALARM, TFD_NONBLOCK));
	struct itimerspec its = {.it_value = {100, 0}};

	CHECK_OK(timerfd_settime(fd, 0, &its, NULL));
	drop_capability(CAP_WAKE_ALARM);
	CHECK_ERRNO(timerfd_create(CLOCK_BOOTTIME_ALARM, 0), EPERM);
	CHECK_ERRNO(timerfd_settime(fd, 0, &its, NULL), EPERM);
	CHECK_OK(timerfd_gettime(fd, &its));
	CHECK(its.it_value.tv_sec > 90);
}

static int sigfd(int sig, int flags)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	return CHECK_OK(signalfd(-1, &set, flags));
}

TEST(events, signalfd_reads_signals)
{
	int fd = sigfd(SIGUSR1, SFD_NONBLOCK);
	struct signalfd_siginfo si;

	CHECK_ERRNO(read(fd, &si, sizeof(si)), EAGAIN);
	CHECK_EQ(bits(fd), 0);
	kill(getpid(), SIGUSR1);
	CHECK_EQ(bits(fd), POLLIN);
	CHECK_EQ(read(fd, &si, sizeof(si)), 128);
	CHECK_EQ(si.ssi_signo, SIGUSR1);
	CHECK_EQ(si.ssi_code, SI_USER);
	CHECK_EQ(si.ssi_pid, getpid());
	CHECK_EQ(si.ssi_uid, 0);
	CHECK_ERRNO(read(fd, &si, sizeof(si)), EAGAIN);
}

TEST(events, signalfd_reads_several)
{
	int fd = sigfd(SIGRTMIN, SFD_NONBLOCK);
	struct signalfd_siginfo si[3];

	for (int i = 0; i < 2; i++)
		sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 50 + i});
	CHECK_EQ(read(fd, si, sizeof(si)), 256);
	CHECK_EQ(si[0].ssi_int, 50);
	CHECK_EQ(si[1].ssi_int, 51);
	CHECK_EQ(si[1].ssi_code, SI_QUEUE);
	CHECK_ERRNO(read(fd, si, 127), EINVAL);
}

TEST(events, signalfd_of_a_child)
{
	int fd = sigfd(SIGCHLD, 0);
	struct signalfd_siginfo si;
	pid_t pid = CHECK_OK(fork());

	if (pid == 0)
		_exit(77);
	CHECK_EQ(read(fd, &si, sizeof(si)), sizeof(si));
	CHECK_EQ(si.ssi_code, CLD_EXITED);
	CHECK_EQ(si.ssi_pid, pid);
	CHECK_EQ(si.ssi_status, 77);
	EXPECT_CHILD(pid, 77);
}

static volatile int nr_sigio;

static void count_sigio(int sig)
{
	nr_sigio++;
}

/* Nor does a signal that comes make another. */
TEST(events, signalfd_knows_no_o_async)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	fd = (int)CHECK_OK(signalfd(-1, &set, 0));
	CHECK(signal(SIGIO, count_sigio) != SIG_ERR);
	CHECK_OK(fcntl(fd, F_SETOWN, getpid()));
	CHECK_OK(fcntl(fd, F_SETFL, O_ASYNC));
	CHECK_OK(kill(getpid(), SIGUSR1));
	sleep_ms(50);
	CHECK_EQ(nr_sigio, 0);
}

TEST(events, signalfd_mask_can_change)
{
	int fd = sigfd(SIGUSR1, SFD_NONBLOCK);
	sigset_t set;
	struct signalfd_siginfo si;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	CHECK_EQ(signalfd(fd, &set, 0), fd);
	kill(getpid(), SIGUSR1);
	CHECK_ERRNO(read(fd, &si, sizeof(si)), EAGAIN);
	kill(getpid(), SIGUSR2);
	CHECK_EQ(read(fd, &si, sizeof(si)), sizeof(si));
	CHECK_EQ(si.ssi_signo, SIGUSR2);
}

TEST(events, signalfd_errors)
{
	sigset_t set;

	sigemptyset(&set);
	CHECK_ERRNO(signalfd(99, &set, 0), EBADF);
	CHECK_ERRNO(signalfd(0, &set, 0), EINVAL);
	CHECK_ERRNO(signalfd(-1, &set, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_signalfd4, -1, &set, 4L, 0), EINVAL);
	CHECK_ERRNO(write(CHECK_OK(signalfd(-1, &set, 0)), "x", 1), EINVAL);
}

TEST(events, signalfd_read_blocks)
{
	int fd = sigfd(SIGUSR1, 0);
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		struct signalfd_siginfo si;

		CHECK_EQ(read(fd, &si, sizeof(si)),
			sizeof(si)); /* its own signals, though inherited */
		_exit(si.ssi_signo);
	}
	wait_until_sleeping(pid);
	kill(pid, SIGUSR1);
	EXPECT_CHILD(pid, SIGUSR1);
}
