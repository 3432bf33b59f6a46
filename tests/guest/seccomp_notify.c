// SPDX-License-Identifier: MIT
/*
 * seccomp_unotify(2): calls that a supervisor answers. The test is the supervisor; targets are its children, which
 * install the filter, say which descriptor is the listener, and close it when the test has its own.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "guest.h"
#include "supervisor.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

static long seccomp(unsigned op, unsigned flags, void *args)
{
	return syscall(SYS_seccomp, op, flags, args);
}

/* ---- Targets ---- */

struct target {
	pid_t pid;
	int listener;
};

static struct target start_with(int nr, unsigned flags, void (*run)(void))
{
	int say[2], go[2], fd, pidfd;
	struct target t;
	char c = 'g';

	CHECK_OK(pipe(say));
	CHECK_OK(pipe(go));
	t.pid = CHECK_OK(fork());
	if (!t.pid) {
		fd = (int)CHECK_OK(add_listener(nr, flags));
		CHECK_EQ(write(say[1], &fd, sizeof(fd)), sizeof(fd));
		CHECK_EQ(read(go[0], &c, 1), 1);
		close(fd);
		close(say[0]);
		close(say[1]);
		close(go[0]);
		close(go[1]);
		run();
		_exit(0);
	}
	CHECK_EQ(read(say[0], &fd, sizeof(fd)), sizeof(fd));
	pidfd = (int)CHECK_OK(syscall(SYS_pidfd_open, t.pid, 0));
	t.listener = (int)CHECK_OK(syscall(SYS_pidfd_getfd, pidfd, fd, 0));
	CHECK_EQ(write(go[1], &c, 1), 1);
	close(pidfd);
	close(say[0]);
	close(say[1]);
	close(go[0]);
	close(go[1]);
	return t;
}

static struct target start(void (*run)(void))
{
	return start_with(SYS_getppid, 0, run);
}

static int is_valid(int listener, uint64_t id)
{
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id);
}

static int events_of(int listener)
{
	struct pollfd p = {listener, POLLIN | POLLOUT, 0};

	CHECK_OK(poll(&p, 1, 0));
	return p.revents;
}

static void wait_for_events(int listener, short events)
{
	struct pollfd p = {listener, events, 0};

	CHECK_EQ(poll(&p, 1, -1), 1);
}

static void ask_twice(void)
{
	errno = 0;
	if (syscall(SYS_getppid) != 4711)
		_exit(1);
	if (syscall(SYS_getppid) != -1 || errno != EDOM)
		_exit(2);
	if (syscall(SYS_getppid) != 77) /* a positive error is a value */
		_exit(3);
	_exit(getpid() == syscall(SYS_getppid) ? 4 : 42);
}

TEST(seccomp_notify, the_supervisor_says_what_a_call_gives)
{
	struct target t = start(ask_twice);
	struct seccomp_notif n = hear(t.listener), m;

	CHECK_EQ(n.pid, (unsigned)t.pid);
	CHECK_EQ(n.flags, 0);
	CHECK_EQ(n.data.nr, SYS_getppid);
	CHECK_EQ(n.data.arch, AUDIT_ARCH_X86_64);
	CHECK(n.data.instruction_pointer != 0);
	CHECK_OK(answer(t.listener, n.id, 4711, 0, 0));
	m = hear(t.listener);
	CHECK_EQ(m.id, n.id + 1);
	CHECK_OK(answer(t.listener, m.id, 3, -EDOM, 0));
	m = hear(t.listener);
	CHECK_OK(answer(t.listener, m.id, 3, 77, 0));
	m = hear(t.listener);
	CHECK_OK(answer(t.listener, m.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE));
	EXPECT_CHILD(t.pid, 42);
}

static void close_with_arguments(void)
{
	_exit(syscall(SYS_fchdir, 0x123456789abcdefl, 2, 3, 4, 5, 6) == 9 ? 42 : 1);
}

TEST(seccomp_notify, all_arguments_are_told)
{
	struct target t = start_with(SYS_fchdir, 0, close_with_arguments);
	struct seccomp_notif n = hear(t.listener);

	CHECK_EQ(n.data.args[0], 0x123456789abcdeful);
	for (unsigned i = 1; i < 6; i++)
		CHECK_EQ(n.data.args[i], i + 1);
	CHECK_OK(answer(t.listener, n.id, 9, 0, 0));
	EXPECT_CHILD(t.pid, 42);
}

/* ---- How a listener is made ---- */

TEST(seccomp_notify, flags_and_sizes)
{
	struct seccomp_notif_sizes sizes;
	unsigned action = SECCOMP_RET_USER_NOTIF;
	char link[64] = {0}, path[40];
	struct rlimit none = {0, 4096}, some;
	int fd;

	CHECK_OK(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action));
	CHECK_ERRNO(seccomp(SECCOMP_GET_NOTIF_SIZES, 1, &sizes), EINVAL);
	CHECK_ERRNO(seccomp(SECCOMP_GET_NOTIF_SIZES, 0, NULL), EFAULT);
	CHECK_OK(seccomp(SECCOMP_GET_NOTIF_SIZES, 0, &sizes));
	CHECK_EQ(sizes.seccomp_notif, 80);
	CHECK_EQ(sizes.seccomp_notif_resp, 24);
	CHECK_EQ(sizes.seccomp_data, 64);

	CHECK_ERRNO(add_listener(SYS_getppid, SECCOMP_FILTER_FLAG_TSYNC), EINVAL);
	CHECK_ERRNO(filter_with(SYS_getppid, SECCOMP_RET_ALLOW,
			    SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV),
		EINVAL);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, NULL),
		EFAULT);
	CHECK_OK(getrlimit(RLIMIT_NOFILE, &some));
	none.rlim_max = some.rlim_max;
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &none));
	CHECK_ERRNO(add_listener(SYS_getppid, 0), EMFILE);
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &some));

	fd = (int)CHECK_OK(add_listener(SYS_getppid, 0));
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_OK(readlink(path, link, sizeof(link) - 1));
	CHECK_STREQ(link, "anon_inode:seccomp notify");
	CHECK_ERRNO(add_listener(SYS_getpgrp, 0), EBUSY);
	CHECK_OK(filter_with(SYS_getpgrp, SECCOMP_RET_ERRNO, 0));
	CHECK_ERRNO(add_listener(SYS_getpgrp, 0), EBUSY);
	IN_CHILD(CHECK_ERRNO(add_listener(SYS_getpgrp, 0), EBUSY));
	CHECK_OK(close(fd));
	fd = (int)CHECK_OK(add_listener(SYS_getpgrp, 0)); /* that one is over */
	CHECK_ERRNO(syscall(SYS_getppid), ENOSYS);
	CHECK_OK(close(fd));
	CHECK_OK(add_listener(
		SYS_getpgrp, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH |
				     SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV |
				     SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW));
}

TEST(seccomp_notify, without_a_listener_there_is_no_such_call)
{
	CHECK_OK(filter_with(SYS_getppid, SECCOMP_RET_USER_NOTIF, 0));
	CHECK_ERRNO(syscall(SYS_getppid), ENOSYS);
}

TEST(seccomp_notify, order_of_answers)
{
	int fd = (int)CHECK_OK(add_listener(SYS_getppid, 0));

	CHECK_OK(filter_with(SYS_getppid, SECCOMP_RET_TRACE, 0));        /* weaker */
	CHECK_OK(filter_with(SYS_getppid, SECCOMP_RET_ERRNO | EDOM, 0)); /* stronger */
	CHECK_ERRNO(syscall(SYS_getppid), EDOM);
	CHECK_EQ(events_of(fd), 0);
	/* of two alike the newest, which has no listener */
	CHECK_OK(filter_with(SYS_getpgid, SECCOMP_RET_USER_NOTIF, 0));
	CHECK_ERRNO(syscall(SYS_getpgid, 0), ENOSYS);
}

TEST(seccomp_notify, the_file_has_nothing_else)
{
	struct seccomp_notif n = {0};
	int fd = (int)CHECK_OK(add_listener(SYS_getppid, 0));
	char c;

	CHECK_ERRNO(read(fd, &c, 1), EINVAL);
	CHECK_ERRNO(write(fd, &c, 1), EINVAL);
	CHECK_ERRNO(lseek(fd, 0, SEEK_SET), ESPIPE);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK_EQ(errno, ENODEV);
	CHECK_ERRNO(ioctl(fd, 0x5401, &n), EINVAL);
	CHECK_ERRNO(ioctl(fd, SECCOMP_IOR(0, struct seccomp_notif), &n), EINVAL);
	CHECK_ERRNO(ioctl(fd, SECCOMP_IOWR(77, struct seccomp_notif), &n), EINVAL);
	CHECK_EQ(events_of(fd), 0);
}

/* ---- Errors ---- */

static void ask_once(void)
{
	_exit(syscall(SYS_getppid) == 5 ? 42 : 1);
}

TEST(seccomp_notify, receiving_checks_its_memory)
{
	struct target t = start(ask_once);
	struct seccomp_notif *n, first = {0};
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(page != MAP_FAILED);
	first.pid = 1;
	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_RECV, &first), EINVAL);
	first = (struct seccomp_notif){.data.args[5] = 1};
	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_RECV, &first), EINVAL);
	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_RECV, NULL), EFAULT);
	n = (void *)page; /* it can be read, and not be written */
	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_RECV, n), EFAULT);
	CHECK_EQ(events_of(t.listener), POLLIN);
	first = hear(t.listener);
	CHECK_OK(answer(t.listener, first.id, 5, 0, 0));
	EXPECT_CHILD(t.pid, 42);
}

TEST(seccomp_notify, sending_checks_the_answer)
{
	struct target t = start(ask_once);
	struct seccomp_notif n = hear(t.listener);
	struct seccomp_notif_addfd a = {.id = n.id + 1};

	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_SEND, NULL), EFAULT);
	CHECK_ERRNO(answer(t.listener, n.id, 0, 0, 2), EINVAL);
	CHECK_ERRNO(answer(t.listener, n.id, 1, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE), EINVAL);
	CHECK_ERRNO(answer(t.listener, n.id, 0, 1, SECCOMP_USER_NOTIF_FLAG_CONTINUE), EINVAL);
	CHECK_ERRNO(answer(t.listener, n.id + 1, 0, 0, 0), ENOENT);
	CHECK_ERRNO(answer(t.listener, n.id - 1, 0, 0, 0), ENOENT);
	CHECK_ERRNO(is_valid(t.listener, n.id + 1), ENOENT);
	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a), ENOENT);
	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_ID_VALID, NULL), EFAULT);
	CHECK_OK(is_valid(t.listener, n.id));
	CHECK_OK(ioctl(t.listener, SECCOMP_IOR(2, __u64), &n.id)); /* the wrong direction */
	CHECK_OK(answer(t.listener, n.id, 5, 0, 0));
	EXPECT_CHILD(t.pid, 42);
	CHECK_ERRNO(is_valid(t.listener, n.id), ENOENT);
	CHECK_ERRNO(answer(t.listener, n.id, 5, 0, 0), ENOENT);
}

static void ask_much(void)
{
	if (syscall(SYS_getppid) != 5 || syscall(SYS_getppid) != 5)
		_exit(1);
	_exit(42);
}

TEST(seccomp_notify, only_what_was_heard_is_answered)
{
	struct target t = start(ask_much);
	struct seccomp_notif n = hear(t.listener);
	struct seccomp_notif_addfd a = {.id = n.id + 1};

	CHECK_OK(answer(t.listener, n.id, 5, 0, 0));
	wait_for_events(t.listener, POLLIN);
	CHECK_ERRNO(answer(t.listener, n.id + 1, 5, 0, 0), EINPROGRESS);
	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a), EINPROGRESS);
	CHECK_ERRNO(is_valid(t.listener, n.id + 1), ENOENT);
	n = hear(t.listener);
	CHECK_OK(answer(t.listener, n.id, 5, 0, 0));
	EXPECT_CHILD(t.pid, 42);
}

/* ---- Poll ---- */

TEST(seccomp_notify, poll_tells_of_calls_and_of_the_end)
{
	struct target t = start(ask_much);
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT}, got;
	int ep = CHECK_OK(epoll_create1(0));
	struct seccomp_notif n;

	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, t.listener, &e));
	wait_for_events(t.listener, POLLIN);
	CHECK_EQ(events_of(t.listener), POLLIN);
	CHECK_EQ(epoll_wait(ep, &got, 1, -1), 1);
	CHECK_EQ(got.events, (unsigned)EPOLLIN);
	n = hear(t.listener);
	CHECK_EQ(events_of(t.listener), POLLOUT);
	CHECK_EQ(epoll_wait(ep, &got, 1, -1), 1);
	CHECK_EQ(got.events, (unsigned)EPOLLOUT);
	CHECK_OK(answer(t.listener, n.id, 5, 0, 0));
	CHECK_EQ(events_of(t.listener) & POLLOUT, 0);
	n = hear(t.listener);
	CHECK_OK(answer(t.listener, n.id, 5, 0, 0));
	EXPECT_CHILD(t.pid, 42);
	wait_for_events(t.listener, 0);
	CHECK_EQ(events_of(t.listener), POLLHUP);
	CHECK_EQ(epoll_wait(ep, &got, 1, -1), 1);
	CHECK_EQ(got.events, (unsigned)EPOLLHUP);
}

static void fork_and_end(void)
{
	pid_t pid = fork();

	if (!pid) {
		sleep_ms(50);
		_exit(syscall(SYS_getppid) == 5 ? 42 : 1);
	}
	_exit(7);
}

TEST(seccomp_notify, a_child_has_its_parents_supervisor)
{
	struct seccomp_notif n;
	struct target t;

	CHECK_OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	t = start(fork_and_end);
	EXPECT_CHILD(t.pid, 7);
	CHECK_EQ(events_of(t.listener) & POLLHUP, 0);
	n = hear(t.listener);
	CHECK(n.pid != (unsigned)t.pid);
	CHECK_OK(answer(t.listener, n.id, 5, 0, 0));
	EXPECT_CHILD((pid_t)n.pid, 42);
	CHECK_EQ(events_of(t.listener), POLLHUP);
}

static void add_another_and_ask(void)
{
	if (filter_with(SYS_getpgrp, SECCOMP_RET_ERRNO | EDOM, 0))
		_exit(1);
	if (syscall(SYS_getppid) != 5)
		_exit(2);
	_exit(syscall(SYS_getpgrp) == -1 && errno == EDOM ? 42 : 3);
}

TEST(seccomp_notify, newer_filters_keep_the_listener)
{
	struct target t = start(add_another_and_ask);
	struct seccomp_notif n = hear(t.listener);

	CHECK_EQ(events_of(t.listener), POLLOUT);
	CHECK_OK(answer(t.listener, n.id, 5, 0, 0));
	EXPECT_CHILD(t.pid, 42);
	CHECK_EQ(events_of(t.listener), POLLHUP);
}

/* ---- Signals ---- */

static volatile int nr_signals;

static void on_signal(int sig)
{
	nr_signals++;
}

static void handle_and_ask(int flags)
{
	struct sigaction act = {.sa_handler = on_signal, .sa_flags = flags};
	long n;

	CHECK_OK(sigaction(SIGUSR1, &act, NULL));
	n = syscall(SYS_getppid);
	_exit(n == 5 && nr_signals == 1 ? 42 : n == -1 && errno == EINTR ? 43 : 1);
}

static void ask_with_handler(void)
{
	handle_and_ask(0);
}

static void ask_with_restart(void)
{
	handle_and_ask(SA_RESTART);
}

TEST(seccomp_notify, a_signal_ends_the_wait)
{
	struct target t = start(ask_with_handler);
	struct seccomp_notif n = {0};

	/* before anybody has heard */
	wait_for_events(t.listener, POLLIN);
	CHECK_OK(kill(t.pid, SIGUSR1));
	EXPECT_CHILD(t.pid, 43);
	CHECK_EQ(events_of(t.listener), POLLHUP);
	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_RECV, &n), ENOENT);

	/* after that */
	t = start(ask_with_handler);
	n = hear(t.listener);
	CHECK_OK(kill(t.pid, SIGUSR1));
	EXPECT_CHILD(t.pid, 43);
	CHECK_ERRNO(is_valid(t.listener, n.id), ENOENT);
	CHECK_ERRNO(answer(t.listener, n.id, 5, 0, 0), ENOENT);
}

TEST(seccomp_notify, a_restarted_call_is_told_of_again)
{
	struct target t = start(ask_with_restart);
	struct seccomp_notif n = hear(t.listener), m;

	CHECK_OK(kill(t.pid, SIGUSR1));
	m = hear(t.listener);
	CHECK_EQ(m.id, n.id + 1);
	CHECK_ERRNO(is_valid(t.listener, n.id), ENOENT);
	CHECK_OK(answer(t.listener, m.id, 5, 0, 0));
	EXPECT_CHILD(t.pid, 42);
}

TEST(seccomp_notify, who_was_heard_may_wait_for_a_kill_only)
{
	struct target t = start_with(
		SYS_getppid, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, ask_with_handler);
	struct seccomp_notif n;

	wait_for_events(t.listener, POLLIN);
	CHECK_OK(kill(t.pid, SIGUSR1)); /* not heard yet */
	EXPECT_CHILD(t.pid, 43);
	close(t.listener);

	t = start_with(SYS_getppid, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, ask_with_handler);
	n = hear(t.listener);
	sleep_ms(20);
	CHECK_OK(kill(t.pid, SIGUSR1));
	sleep_ms(20);
	CHECK_OK(is_valid(t.listener, n.id));
	CHECK_OK(answer(t.listener, n.id, 5, 0, 0));
	EXPECT_CHILD(t.pid, 42);
	close(t.listener);

	t = start_with(SYS_getppid, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, ask_with_handler);
	n = hear(t.listener);
	CHECK_OK(kill(t.pid, SIGKILL));
	EXPECT_KILLED(t.pid, SIGKILL);
	CHECK_ERRNO(answer(t.listener, n.id, 5, 0, 0), ENOENT);
}

TEST(seccomp_notify, who_is_killed_is_gone)
{
	struct target t = start(ask_once);
	struct seccomp_notif n = {0};

	wait_for_events(t.listener, POLLIN);
	CHECK_OK(kill(t.pid, SIGKILL));
	EXPECT_KILLED(t.pid, SIGKILL);
	CHECK_EQ(events_of(t.listener), POLLHUP);
	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_RECV, &n), ENOENT);
	close(t.listener);

	t = start(ask_once);
	n = hear(t.listener);
	CHECK_OK(kill(t.pid, SIGKILL));
	EXPECT_KILLED(t.pid, SIGKILL);
	CHECK_ERRNO(answer(t.listener, n.id, 5, 0, 0), ENOENT);
	CHECK_ERRNO(is_valid(t.listener, n.id), ENOENT);
}

static void ask_for_ever(void)
{
	for (;;) {
		if (syscall(SYS_getppid) == -1 && errno == ENOSYS)
			_exit(42);
	}
}

TEST(seccomp_notify, without_its_file_there_are_no_answers)
{
	struct target t = start(ask_for_ever);

	wait_for_events(t.listener, POLLIN); /* not heard */
	CHECK_OK(close(t.listener));
	EXPECT_CHILD(t.pid, 42);
	t = start(ask_for_ever);
	hear(t.listener);
	CHECK_OK(close(t.listener));
	EXPECT_CHILD(t.pid, 42);
	t = start_with(SYS_getppid, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, ask_for_ever);
	hear(t.listener);
	CHECK_OK(close(t.listener));
	EXPECT_CHILD(t.pid, 42);
}

TEST(seccomp_notify, receiving_is_interrupted)
{
	struct sigaction act = {.sa_handler = on_signal};
	struct seccomp_notif n = {0};
	pid_t pid, me = getpid();

	CHECK_OK(sigaction(SIGALRM, &act, NULL));
	CHECK_OK(add_listener(SYS_getpgrp, 0));
	pid = CHECK_OK(fork());
	if (!pid) {
		for (;;) {
			sleep_ms(20);
			kill(me, SIGALRM);
		}
	}
	CHECK_ERRNO(ioctl(3, SECCOMP_IOCTL_NOTIF_RECV, &n), EINTR);
	CHECK_OK(kill(pid, SIGKILL));
	EXPECT_KILLED(pid, SIGKILL);
}

static bool has_flags(void)
{
	struct target t = start(ask_once);
	struct seccomp_notif n = hear(t.listener);
	bool is_newer = ioctl(t.listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, 1) == 0;

	CHECK_OK(answer(t.listener, n.id, 5, 0, 0));
	EXPECT_CHILD(t.pid, 42);
	close(t.listener);
	return is_newer;
}

TEST(seccomp_notify, newer_linux)
{
	struct target t;
	struct seccomp_notif n = {0};

	NEWER(has_flags());
	t = start(ask_much);
	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, 2), EINVAL);
	CHECK_OK(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, 1));
	n = hear(t.listener);
	CHECK_OK(answer(t.listener, n.id, 5, 0, 0));
	CHECK_OK(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, 0));
	n = hear(t.listener);
	CHECK_OK(answer(t.listener, n.id, 5, 0, 0));
	n = (struct seccomp_notif){0};
	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_RECV, &n), ENOENT);
	EXPECT_CHILD(t.pid, 42);
}

/* ---- Descriptors ---- */

static void read_what_is_given(void)
{
	char c = 0;
	int fd;

	close(0);
	if (syscall(SYS_getppid) != 5 || read(100, &c, 1) != 1 || c != 'a')
		_exit(1);
	fd = (int)syscall(SYS_getppid);
	if (fd != 0 || read(fd, &c, 1) != 1 || c != 'b')
		_exit(2);
	if (fcntl(fd, F_GETFD) != FD_CLOEXEC || fcntl(100, F_GETFD) != 0)
		_exit(3);
	if (syscall(SYS_getppid) != 100 || read(100, &c, 1) != 1 || c != 'c')
		_exit(4);
	_exit(fcntl(100, F_GETFD) == FD_CLOEXEC ? 42 : 5);
}

TEST(seccomp_notify, descriptors_are_given)
{
	struct target t = start(read_what_is_given);
	struct seccomp_notif n = hear(t.listener);
	struct seccomp_notif_addfd a = {.id = n.id};
	int fd[2];

	CHECK_OK(pipe(fd));
	CHECK_EQ(write(fd[1], "abc", 3), 3);
	a.srcfd = (unsigned)fd[0];
	a.newfd = 100;
	a.flags = SECCOMP_ADDFD_FLAG_SETFD;
	CHECK_EQ(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a), 100);
	CHECK_OK(answer(t.listener, n.id, 5, 0, 0));

	n = hear(t.listener);
	a = (struct seccomp_notif_addfd){
		.id = n.id, .srcfd = (unsigned)fd[0], .newfd_flags = O_CLOEXEC};
	CHECK_EQ(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a), 0);
	CHECK_OK(is_valid(t.listener, n.id));
	CHECK_OK(answer(t.listener, n.id, 0, 0, 0));

	n = hear(t.listener);
	a.id = n.id;
	a.newfd = 100;
	a.flags = SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND;
	CHECK_EQ(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a), 100);
	EXPECT_CHILD(t.pid, 42);
	CHECK_ERRNO(is_valid(t.listener, n.id), ENOENT);
}

static void ask_with_small_limit(void)
{
	struct rlimit few = {4, 4};

	CHECK_OK(syscall(SYS_close_range, 3, ~0u, 0));
	CHECK_OK(setrlimit(RLIMIT_NOFILE, &few));
	CHECK_EQ(open("/", O_RDONLY), 3);
	_exit(syscall(SYS_getppid) == 0 ? 42 : 1);
}

TEST(seccomp_notify, giving_has_limits)
{
	struct target t = start(ask_with_small_limit);
	struct seccomp_notif n = hear(t.listener);
	struct {
		struct seccomp_notif_addfd a;
		uint64_t more;
	} big = {.a = {.id = n.id}};
	struct seccomp_notif_addfd a = {.id = n.id};
	const unsigned larger = (unsigned)SECCOMP_IOW(3, big),
		       smaller = (unsigned)SECCOMP_IOW(3, uint64_t);

	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_ADDFD, NULL), EFAULT);
	CHECK_ERRNO(ioctl(t.listener, smaller, &a), EINVAL);
	a.newfd_flags = O_NONBLOCK;
	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a), EINVAL);
	a.newfd_flags = 0;
	a.flags = 4;
	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a), EINVAL);
	a.flags = 0;
	a.newfd = 7;
	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a), EINVAL);
	a.newfd = 0;
	a.srcfd = 99;
	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a), EBADF);
	a.srcfd = 1;
	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a), EMFILE);
	a.flags = SECCOMP_ADDFD_FLAG_SEND;
	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a), EMFILE);
	CHECK_OK(is_valid(t.listener, n.id)); /* not answered */
	a.flags |= SECCOMP_ADDFD_FLAG_SETFD;
	a.newfd = 4;
	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a), EBADF);
	a.newfd = 0xffffffff;
	CHECK_ERRNO(ioctl(t.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a), EBADF);
	big.more = 1;
	CHECK_ERRNO(ioctl(t.listener, larger, &big), E2BIG);
	big.more = 0;
	big.a.srcfd = 1;
	big.a.newfd = 3;
	big.a.flags = SECCOMP_ADDFD_FLAG_SETFD;
	CHECK_EQ(ioctl(t.listener, larger, &big), 3);
	CHECK_OK(answer(t.listener, n.id, 0, 0, 0));
	EXPECT_CHILD(t.pid, 42);
}

/* ---- Threads ---- */

static void *ask_in_thread(void *arg)
{
	for (int i = 0; i < 50; i++) {
		if (syscall(SYS_getppid) != gettid())
			_exit(1);
	}
	return NULL;
}

static void ask_in_threads(void)
{
	pthread_t thread[4];

	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, ask_in_thread, NULL), 0);
	for (unsigned i = 0; i < 4; i++)
		CHECK_EQ(pthread_join(thread[i], NULL), 0);
	_exit(42);
}

static void *supervise(void *arg)
{
	int listener = *(int *)arg;

	for (;;) {
		struct seccomp_notif n = {0};

		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n)) {
			CHECK_EQ(errno, ENOENT);
			continue;
		}
		if (answer(listener, n.id, (int)n.pid, 0, 0))
			CHECK_EQ(errno, ENOENT);
	}
}

TEST(seccomp_notify, several_of_both_sides)
{
	struct target t = start(ask_in_threads);
	pthread_t thread[3];

	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, supervise, &t.listener), 0);
	EXPECT_CHILD(t.pid, 42);
	wait_for_events(t.listener, 0);
}

static void fork_for_ever(void)
{
	for (;;) {
		pid_t pid = fork();

		if (!pid)
			_exit(syscall(SYS_getppid) == getpid() ? 42 : 1);
		if (pid > 0) {
			sched_yield();
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
	}
}

/* Who is answered is killed meanwhile, at any moment, and gets descriptors. */
TEST_WITHIN(seccomp_notify, targets_are_killed_at_any_moment, 60)
{
	struct target t[3];
	unsigned nr_heard = 0;

	for (unsigned i = 0; i < 3; i++)
		t[i] = start(fork_for_ever);
	for (unsigned round = 0; round < 300; round++) {
		int l = t[round % 3].listener;
		struct seccomp_notif_addfd a = {.srcfd = 1};
		struct seccomp_notif n = {0};

		if (ioctl(l, SECCOMP_IOCTL_NOTIF_RECV, &n)) {
			CHECK_EQ(errno, ENOENT);
			continue;
		}
		nr_heard++;
		a.id = n.id;
		a.flags = round & 1 ? SECCOMP_ADDFD_FLAG_SEND : 0;
		if (ioctl(l, SECCOMP_IOCTL_NOTIF_ADDFD, &a) < 0)
			CHECK(errno == ENOENT || errno == ESRCH);
		if (answer(l, n.id, (int)n.pid, 0, 0))
			CHECK(errno == ENOENT || errno == EINPROGRESS);
	}
	CHECK(nr_heard > 0);
	for (unsigned i = 0; i < 3; i++) {
		kill(t[i].pid, SIGKILL);
		EXPECT_KILLED(t[i].pid, SIGKILL);
	}
}
