// SPDX-License-Identifier: MIT
/* epoll(7): interest, level and edge, one-shot, exclusive, nesting, errors. */
#include "guest.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <poll.h>

static int ep, fds[2];
static struct epoll_event events[16];

static void make(uint32_t interest)
{
	struct epoll_event ev = {interest, {.u64 = 0x123456789abcdef0}};

	ep = CHECK_OK(epoll_create1(0));
	CHECK_OK(pipe2(fds, O_NONBLOCK));
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &ev));
}

static int now(void)
{
	return epoll_wait(ep, events, 16, 0);
}

TEST(epoll, create_flags)
{
	CHECK_EQ(fcntl(CHECK_OK(epoll_create1(EPOLL_CLOEXEC)), F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(epoll_create1(1), EINVAL);
	CHECK_ERRNO(syscall(SYS_epoll_create, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_epoll_create, -1), EINVAL);
	CHECK_OK(syscall(SYS_epoll_create, 1));
}

TEST(epoll, level_triggered)
{
	char c;

	make(EPOLLIN);
	CHECK_EQ(now(), 0);
	CHECK_EQ(write(fds[1], "xy", 2), 2);
	CHECK_EQ(now(), 1);
	CHECK_EQ(events[0].events, EPOLLIN);
	CHECK_EQ(events[0].data.u64, 0x123456789abcdef0);
	CHECK_EQ(now(), 1);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_EQ(now(), 1);
	CHECK_EQ(read(fds[0], &c, 1), 1);
	CHECK_EQ(now(), 0);
}

TEST(epoll, edge_triggered)
{
	make(EPOLLIN | EPOLLET);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(now(), 1);
	CHECK_EQ(now(), 0);
	CHECK_EQ(write(fds[1], "y", 1), 1); /* each write is an edge */
	CHECK_EQ(now(), 1);
	CHECK_EQ(now(), 0);
}

TEST(epoll, oneshot)
{
	struct epoll_event ev = {EPOLLIN | EPOLLONESHOT, {.u32 = 7}};

	make(EPOLLIN | EPOLLONESHOT);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(now(), 1);
	CHECK_EQ(now(), 0);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(now(), 0);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &ev));
	CHECK_EQ(now(), 1);
	CHECK_EQ(events[0].data.u32, 7);
}

TEST(epoll, hangup_and_error_come_unasked)
{
	struct epoll_event ev = {0, {0}};

	make(0);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fds[1], &ev));
	close(fds[1]);
	CHECK_EQ(now(), 1);
	CHECK_EQ(events[0].events, EPOLLHUP);
}

TEST(epoll, ready_when_added)
{
	struct epoll_event ev = {EPOLLOUT, {0}};

	make(EPOLLIN);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fds[1], &ev));
	CHECK_EQ(now(), 1);
	CHECK_EQ(events[0].events, EPOLLOUT);
}

TEST(epoll, ctl_errors)
{
	struct epoll_event ev = {EPOLLIN, {0}};
	int file = CHECK_OK(open("f", O_CREAT | O_RDWR, 0600));

	make(EPOLLIN);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &ev), EEXIST);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_MOD, fds[1], &ev), ENOENT);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_DEL, fds[1], &ev), ENOENT);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &ev), EINVAL);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, 99, &ev), EBADF);
	CHECK_ERRNO(epoll_ctl(99, EPOLL_CTL_ADD, fds[0], &ev), EBADF);
	CHECK_ERRNO(epoll_ctl(fds[0], EPOLL_CTL_ADD, fds[1], &ev), EINVAL);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, file, &ev), EPERM);
	CHECK_ERRNO(epoll_ctl(ep, 9, fds[0], &ev), EINVAL);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, fds[1], (void *)8), EFAULT);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_DEL, fds[0], NULL));
}

TEST(epoll, wait_errors)
{
	make(EPOLLIN);
	CHECK_ERRNO(epoll_wait(ep, events, 0, 0), EINVAL);
	CHECK_ERRNO(epoll_wait(ep, events, -1, 0), EINVAL);
	CHECK_ERRNO(epoll_wait(ep, events, INT_MAX, 0), EINVAL);
	CHECK_ERRNO(epoll_wait(99, events, 1, 0), EBADF);
	CHECK_ERRNO(epoll_wait(fds[0], events, 1, 0), EINVAL);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_ERRNO(epoll_wait(ep, (void *)8, 1, 0), EFAULT);
	CHECK_EQ(now(), 1); /* it is not lost */
}

TEST(epoll, close_removes_interest)
{
	make(EPOLLIN);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	close(fds[0]);
	CHECK_EQ(now(), 0);
}

TEST(epoll, interest_belongs_to_the_open_file)
{
	int copy;

	make(EPOLLIN);
	copy = CHECK_OK(dup(fds[0]));
	CHECK_EQ(write(fds[1], "x", 1), 1);
	close(fds[0]);
	CHECK_EQ(now(), 1); /* as man 7 epoll warns */
	close(copy);
	CHECK_EQ(now(), 0);
}

TEST(epoll, dup_can_be_added_as_well)
{
	struct epoll_event ev = {EPOLLIN, {0}};

	make(EPOLLIN);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, CHECK_OK(dup(fds[0])), &ev));
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(now(), 2);
}

TEST(epoll, round_robin_when_the_array_is_small)
{
	struct epoll_event ev = {EPOLLIN, {0}};
	uint32_t seen = 0;

	ep = CHECK_OK(epoll_create1(0));
	for (int i = 0; i < 3; i++) {
		ev.data.u32 = i;
		CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, CHECK_OK(eventfd(1, 0)), &ev));
	}
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(epoll_wait(ep, events, 1, 0), 1);
		seen |= 1 << events[0].data.u32;
	}
	CHECK_EQ(seen, 7);
}

TEST(epoll, timeout)
{
	int64_t before = now_ms();

	make(EPOLLIN);
	CHECK_EQ(epoll_wait(ep, events, 1, 30), 0);
	CHECK(now_ms() - before >= 30);
}

TEST(epoll, waiter_is_woken)
{
	pid_t pid;

	make(EPOLLIN);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_EQ(epoll_wait(ep, events, 1, -1), 1);
		_exit(0);
	}
	wait_until_sleeping(pid);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	EXPECT_CHILD(pid, 0);
}

static void nothing(int sig)
{
}

TEST(epoll, signal_interrupts)
{
	struct sigaction act = {.sa_handler = nothing, .sa_flags = SA_RESTART};
	pid_t pid;

	make(EPOLLIN);
	CHECK_OK(sigaction(SIGUSR1, &act, NULL));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_ERRNO(epoll_wait(ep, events, 1, -1), EINTR);
		_exit(0);
	}
	wait_until_sleeping(pid);
	kill(pid, SIGUSR1);
	EXPECT_CHILD(pid, 0);
}

TEST(epoll, pwait_and_pwait2)
{
	struct timespec limit = {0, 1000000};
	sigset_t set;

	make(EPOLLIN);
	sigemptyset(&set);
	CHECK_EQ(epoll_pwait(ep, events, 1, 0, &set), 0);
	CHECK_EQ(syscall(SYS_epoll_pwait2, ep, events, 1, &limit, NULL, 8L), 0);
	limit.tv_nsec = -1;
	CHECK_ERRNO(syscall(SYS_epoll_pwait2, ep, events, 1, &limit, NULL, 8L), EINVAL);
	CHECK_ERRNO(syscall(SYS_epoll_pwait, ep, events, 1, 0, &set, 4L), EINVAL);
}

TEST(epoll, nested)
{
	struct epoll_event ev = {EPOLLIN, {.u32 = 5}};
	int outer;

	make(EPOLLIN);
	outer = CHECK_OK(epoll_create1(0));
	CHECK_OK(epoll_ctl(outer, EPOLL_CTL_ADD, ep, &ev));
	CHECK_EQ(epoll_wait(outer, events, 1, 0), 0);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(epoll_wait(outer, events, 1, 0), 1);
	CHECK_EQ(events[0].data.u32, 5);
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, outer, &ev), ELOOP);
}

TEST(epoll, nesting_is_limited)
{
	struct epoll_event ev = {EPOLLIN, {0}};
	int inner, outer = CHECK_OK(epoll_create1(0)), depth = 0;

	for (; depth < 10; depth++) {
		inner = outer;
		outer = CHECK_OK(epoll_create1(0));
		if (epoll_ctl(outer, EPOLL_CTL_ADD, inner, &ev) < 0)
			break;
	}
	CHECK_EQ(errno, ELOOP);
	CHECK_EQ(depth, 4);
}

/* A set counts the sets that are in it, not those that were. */
TEST(epoll, nesting_ends_with_the_interest)
{
	struct epoll_event ev = {EPOLLIN, {.u32 = 7}};
	int sets[5], waker[2];

	for (int i = 0; i < 5; i++)
		sets[i] = CHECK_OK(epoll_create1(0));
	for (int i = 0; i < 4; i++)
		CHECK_OK(epoll_ctl(sets[i + 1], EPOLL_CTL_ADD, sets[i], &ev));
	CHECK_ERRNO(epoll_ctl(sets[0], EPOLL_CTL_ADD, sets[4], &ev), ELOOP);
	for (int i = 0; i < 4; i++)
		CHECK_OK(epoll_ctl(sets[i + 1], EPOLL_CTL_DEL, sets[i], NULL));
	/* the other way round, again and again */
	for (int round = 0; round < 20; round++) {
		int first = round % 5;

		for (int i = 0; i < 4; i++)
			CHECK_OK(epoll_ctl(sets[(first + i) % 5], EPOLL_CTL_ADD,
				sets[(first + i + 1) % 5], &ev));
		CHECK_ERRNO(epoll_ctl(sets[(first + 4) % 5], EPOLL_CTL_ADD, sets[first], &ev),
			ELOOP);
		CHECK_OK(pipe(waker));
		CHECK_OK(epoll_ctl(sets[(first + 4) % 5], EPOLL_CTL_ADD, waker[0], &ev));
		CHECK_EQ(write(waker[1], "x", 1), 1);
		CHECK_EQ(epoll_wait(sets[first], events, 1, 0), 1);
		CHECK_EQ(events[0].data.u32, 7);
		close(waker[0]);
		close(waker[1]);
		for (int i = 0; i < 4; i++)
			CHECK_OK(epoll_ctl(sets[(first + i) % 5], EPOLL_CTL_DEL,
				sets[(first + i + 1) % 5], NULL));
	}
}

/* The length of the whole chain counts, wherever it is joined. */
TEST(epoll, nesting_is_limited_where_two_chains_meet)
{
	struct epoll_event ev = {EPOLLIN, {0}};
	int a[3], b[3];

	for (int i = 0; i < 3; i++) {
		a[i] = CHECK_OK(epoll_create1(0));
		b[i] = CHECK_OK(epoll_create1(0));
	}
	CHECK_OK(epoll_ctl(a[0], EPOLL_CTL_ADD, a[1], &ev));
	CHECK_OK(epoll_ctl(a[1], EPOLL_CTL_ADD, a[2], &ev));
	CHECK_OK(epoll_ctl(b[0], EPOLL_CTL_ADD, b[1], &ev));
	CHECK_OK(epoll_ctl(b[1], EPOLL_CTL_ADD, b[2], &ev));
	CHECK_OK(epoll_ctl(a[2], EPOLL_CTL_ADD, b[1], &ev));
	CHECK_ERRNO(epoll_ctl(a[2], EPOLL_CTL_ADD, b[0], &ev), ELOOP);
	CHECK_OK(epoll_ctl(a[1], EPOLL_CTL_ADD, b[0], &ev));
}

TEST(epoll, nested_waiter_is_woken)
{
	struct epoll_event ev = {EPOLLIN, {0}};
	int outer;
	pid_t pid;

	make(EPOLLIN);
	outer = CHECK_OK(epoll_create1(0));
	CHECK_OK(epoll_ctl(outer, EPOLL_CTL_ADD, ep, &ev));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_EQ(epoll_wait(outer, events, 1, -1), 1);
		_exit(0);
	}
	wait_until_sleeping(pid);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	EXPECT_CHILD(pid, 0);
}

TEST(epoll, can_be_polled)
{
	struct pollfd p;

	make(EPOLLIN);
	p = (struct pollfd){ep, POLLIN, 0};
	CHECK_EQ(poll(&p, 1, 0), 0);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN);
}

TEST(epoll, exclusive_rules)
{
	struct epoll_event ev = {EPOLLIN | EPOLLEXCLUSIVE, {0}};

	make(EPOLLIN);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_DEL, fds[0], NULL));
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &ev));
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &ev), EINVAL);
	ev.events = EPOLLIN;
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &ev), EINVAL);
	ev.events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT;
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, fds[1], &ev), EINVAL);
	ev.events = EPOLLIN | EPOLLEXCLUSIVE;
	CHECK_ERRNO(epoll_ctl(ep, EPOLL_CTL_ADD, CHECK_OK(epoll_create1(0)), &ev), EINVAL);
}

TEST(epoll, mod_to_ready_interest_reports_at_once)
{
	struct epoll_event ev = {EPOLLIN | EPOLLOUT | EPOLLET, {0}};
	int fd;

	ep = CHECK_OK(epoll_create1(0));
	fd = CHECK_OK(eventfd(0, 0));
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
	CHECK_EQ(now(), 1);
	CHECK_EQ(events[0].events, EPOLLOUT);
	CHECK_EQ(now(), 0);
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &ev));
	CHECK_EQ(now(), 1);
}

TEST(epoll, read_and_seek_fail)
{
	char c;

	make(EPOLLIN);
	CHECK_ERRNO(read(ep, &c, 1), EINVAL);
	CHECK_ERRNO(write(ep, &c, 1), EINVAL);
	CHECK_EQ(lseek(ep, 5, SEEK_SET), 0);
}

TEST(epoll, thousand_descriptors)
{
	struct epoll_event ev = {EPOLLIN, {0}};
	int fd[900];

	ep = CHECK_OK(epoll_create1(0));
	for (int i = 0; i < 900; i++) {
		fd[i] = CHECK_OK(eventfd(0, 0));
		ev.data.u32 = i;
		CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd[i], &ev));
	}
	CHECK_EQ(now(), 0);
	for (int i = 0; i < 900; i += 100)
		CHECK_OK(eventfd_write(fd[i], 1));
	CHECK_EQ(now(), 9);
	for (int i = 0; i < 9; i++)
		CHECK_EQ(events[i].data.u32, i * 100); /* in the order in which they came */
}

/* Each event of a file wakes every set above it, on every way up: those ways multiply. */
TEST(epoll, ways_up_are_limited)
{
	struct epoll_event ev = {EPOLLIN, {0}};
	int inner, p[2], nr = 0;

	CHECK_OK(pipe(p));
	inner = CHECK_OK(epoll_create1(0));
	CHECK_OK(epoll_ctl(inner, EPOLL_CTL_ADD, p[0], &ev));
	while (nr < 800 &&
		epoll_ctl(CHECK_OK(epoll_create1(0)), EPOLL_CTL_ADD, inner, &ev) == 0)
		nr++;
	SHOW("%d sets of a set, then %s", nr, errno_name(errno));
}

TEST(epoll, ways_up_are_limited_where_a_file_comes_later)
{
	struct epoll_event ev = {EPOLLIN, {0}};
	int inner, p[2], nr = 0;

	CHECK_OK(pipe(p));
	inner = CHECK_OK(epoll_create1(0));
	while (nr < 600 &&
		epoll_ctl(CHECK_OK(epoll_create1(0)), EPOLL_CTL_ADD, inner, &ev) == 0)
		nr++;
	SHOW("%d sets of an empty set", nr);
	CHECK_ERRNO(epoll_ctl(inner, EPOLL_CTL_ADD, p[0], &ev), EINVAL);
	CHECK_ERRNO(epoll_ctl(inner, EPOLL_CTL_DEL, p[0], NULL), ENOENT);
}

TEST(epoll, ways_up_are_limited_by_their_length)
{
	struct epoll_event ev = {EPOLLIN, {0}};
	int p[2], middle[4][12], nr = 0, top;

	CHECK_OK(pipe(p));
	for (int level = 0; level < 4; level++) {
		for (int i = 0; i < 12; i++) {
			middle[level][i] = CHECK_OK(epoll_create1(0));
			if (!level)
				CHECK_OK(epoll_ctl(middle[0][i], EPOLL_CTL_ADD, p[0], &ev));
		}
	}
	for (int level = 1; level < 4; level++) {
		for (nr = 0; nr < 144; nr++) {
			if (epoll_ctl(middle[level][nr / 12], EPOLL_CTL_ADD,
				    middle[level - 1][nr % 12], &ev) < 0)
				break;
		}
		SHOW("level %d: %d edges%s", level, nr, nr < 144 ? ", then EINVAL" : "");
		if (nr < 144)
			CHECK_EQ(errno, EINVAL);
	}
	top = CHECK_OK(epoll_create1(0));
	SHOW("top: %d", epoll_ctl(top, EPOLL_CTL_ADD, middle[3][0], &ev));
}
