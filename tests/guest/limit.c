// SPDX-License-Identifier: MIT
/*
 * What a user may have at most of what the kernel keeps for him: pipe pages, watches, signals, timers,
 * files in flight, open files, mounts, threads. Each limit is an errno to him who is at it, and to
 * nobody else.
 *
 * The limits are settings of the machine: a test sets one, does the rest in a child, and puts it
 * back whatever came of that.
 */
#include "guest.h"

#include <grp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { SOMEBODY = 1001, SOMEBODY_ELSE = 1002 };

static void set(const char *path, long value)
{
	char text[24];
	int fd = CHECK_OK(open(path, O_WRONLY));
	int len = snprintf(text, sizeof(text), "%ld", value);

	CHECK_EQ(write(fd, text, len), len);
	CHECK_OK(close(fd));
}

static long get(const char *path)
{
	char text[64];

	CHECK(get_file(path, text, sizeof(text)) > 0);
	return strtol(text, NULL, 10);
}

/* The rest of the test is a child's, with the setting changed. */
#define WITH(path, value, ...)                                                                 \
	do {                                                                                   \
		long was_ = get(path);                                                         \
		pid_t child_;                                                                  \
		int status_;                                                                   \
		set(path, value);                                                              \
		child_ = fork();                                                               \
		if (child_ == 0) {                                                             \
			__VA_ARGS__;                                                           \
			_exit(0);                                                              \
		}                                                                              \
		waitpid(child_, &status_, 0);                                                  \
		set(path, was_);                                                               \
		CHECK_EQ(status_, 0);                                                          \
	} while (0)

static void become(uid_t uid)
{
	CHECK_OK(setgroups(0, NULL));
	CHECK_OK(setresgid(uid, uid, uid));
	CHECK_OK(setresuid(uid, uid, uid));
}

static void limit_to(int what, rlim_t value)
{
	struct rlimit limit = {value, value};

	CHECK_OK(setrlimit(what, &limit));
}

/* ---- Pipes ---- */

static void fill_soft(void)
{
	int p[4][2];

	become(SOMEBODY);
	for (int i = 0; i < 4; i++) {
		CHECK_OK(pipe(p[i]));
		SHOW("pipe %d: %d", i, fcntl(p[i][0], F_GETPIPE_SZ));
	}
	CHECK_ERRNO(fcntl(p[3][0], F_SETPIPE_SZ, 65536), EPERM);
	CHECK_EQ(fcntl(p[3][0], F_SETPIPE_SZ, 4096), 4096); /* down it goes always */
	CHECK_EQ(fcntl(p[0][0], F_SETPIPE_SZ, 4096), 4096);
	CHECK_EQ(fcntl(p[1][0], F_SETPIPE_SZ, 4096), 4096);
	CHECK_EQ(fcntl(p[3][0], F_SETPIPE_SZ, 65536), 65536);
	close(p[3][0]);
	close(p[3][1]);
	CHECK_EQ(
		fcntl(p[0][0], F_SETPIPE_SZ, 65536), 65536); /* what was freed counts no more */
}

TEST(limit, pipes_beyond_the_soft_limit_are_small)
{
	WITH("/proc/sys/fs/pipe-user-pages-soft", 40, fill_soft());
}

static void fill_hard(void)
{
	int p[2], nr = 0;

	become(SOMEBODY);
	while (nr < 100 && pipe(p) == 0)
		nr++;
	SHOW("%d pipes, then %s", nr, errno_name(errno));
	CHECK_OK(mkfifo("fifo", 0600));
	CHECK_ERRNO(open("fifo", O_RDWR), ENOMEM);
	CHECK_ERRNO(fcntl(p[0], F_SETPIPE_SZ, 1 << 20), EPERM);
}

TEST(limit, no_pipe_beyond_the_hard_limit)
{
	CHECK_OK(chmod(".", 0777));
	WITH("/proc/sys/fs/pipe-user-pages-hard", 50, fill_hard());
}

static void many_pipes_as_root(void)
{
	int p[2];

	for (int i = 0; i < 10; i++)
		CHECK_OK(pipe(p));
	CHECK_EQ(fcntl(p[0], F_GETPIPE_SZ), 65536);
}

TEST(limit, root_has_as_many_pipes_as_he_likes)
{
	WITH("/proc/sys/fs/pipe-user-pages-hard", 50, many_pipes_as_root());
}

/* ---- inotify and epoll ---- */

static void fill_instances(void)
{
	become(SOMEBODY);
	for (int i = 0; i < 3; i++)
		CHECK_OK(inotify_init());
	CHECK_ERRNO(inotify_init(), EMFILE);
	CHECK_OK(close(3));
	CHECK_OK(inotify_init());
}

static void fill_instances_of_two(void)
{
	pid_t other;
	int ready[2];
	char c;

	CHECK_OK(pipe(ready));
	other = CHECK_OK(fork());
	if (other == 0) {
		become(SOMEBODY_ELSE);
		for (int i = 0; i < 3; i++)
			CHECK_OK(inotify_init());
		CHECK_ERRNO(inotify_init(), EMFILE);
		CHECK_EQ(write(ready[1], "x", 1), 1);
		pause();
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	CHECK_OK(inotify_init()); /* root has some of his own */
	CHECK_OK(close(3));
	fill_instances();
	kill(other, SIGKILL);
}

TEST(limit, inotify_instances_are_counted_by_user)
{
	WITH("/proc/sys/fs/inotify/max_user_instances", 3, fill_instances_of_two());
}

static void fill_watches(void)
{
	int fd, other;

	for (int i = 0; i < 4; i++)
		CHECK_OK(mkdir((char[]){'a' + i, 0}, 0755));
	fd = CHECK_OK(inotify_init());
	CHECK_OK(inotify_add_watch(fd, "a", IN_CREATE)); /* root's own */
	become(SOMEBODY);
	fd = CHECK_OK(inotify_init());
	other = CHECK_OK(inotify_init());
	CHECK_EQ(inotify_add_watch(fd, "a", IN_CREATE), 1);
	CHECK_EQ(inotify_add_watch(fd, "b", IN_CREATE), 2);
	CHECK_EQ(inotify_add_watch(other, "c", IN_CREATE), 1);
	CHECK_ERRNO(inotify_add_watch(other, "d", IN_CREATE), ENOSPC);
	CHECK_EQ(inotify_add_watch(fd, "a", IN_DELETE), 1); /* which is there already */
	CHECK_OK(inotify_rm_watch(fd, 1));
	CHECK_EQ(inotify_add_watch(other, "d", IN_CREATE), 3); /* 2 was the one that failed */
	CHECK_OK(close(fd));
	CHECK_EQ(inotify_add_watch(other, "a", IN_CREATE), 4);
}

TEST(limit, inotify_watches_are_counted_by_user)
{
	WITH("/proc/sys/fs/inotify/max_user_watches", 3, fill_watches());
}

static void fill_epoll(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	int set, p[2];

	CHECK_OK(pipe(p));
	set = CHECK_OK(epoll_create1(0));
	CHECK_OK(epoll_ctl(set, EPOLL_CTL_ADD, p[0], &e)); /* root's own */
	become(SOMEBODY);
	set = CHECK_OK(epoll_create1(0));
	for (int i = 0; i < 3; i++)
		CHECK_OK(epoll_ctl(set, EPOLL_CTL_ADD, dup(p[0]), &e));
	CHECK_ERRNO(epoll_ctl(set, EPOLL_CTL_ADD, p[0], &e), ENOSPC);
	CHECK_OK(epoll_ctl(set, EPOLL_CTL_DEL, set + 1, NULL));
	CHECK_OK(epoll_ctl(set, EPOLL_CTL_ADD, p[0], &e));
	CHECK_ERRNO(epoll_ctl(set, EPOLL_CTL_ADD, p[0], &e), EEXIST);
	CHECK_OK(close(set));
	set = CHECK_OK(epoll_create1(0));
	CHECK_OK(epoll_ctl(set, EPOLL_CTL_ADD, p[0], &e));
}

TEST(limit, epoll_watches_are_counted_by_user)
{
	WITH("/proc/sys/fs/epoll/max_user_watches", 3, fill_epoll());
}

/* ---- Signals and timers ---- */

TEST(limit, timers_count_as_signals)
{
	timer_t timer;
	int nr = 0;

	become(SOMEBODY);
	limit_to(RLIMIT_SIGPENDING, 5);
	while (nr < 20 && timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0)
		nr++;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(nr, 5);
	CHECK_OK(timer_delete(timer));
	CHECK_OK(timer_create(CLOCK_MONOTONIC, NULL, &timer));
}

TEST(limit, signals_and_timers_share_the_limit)
{
	union sigval value = {0};
	sigset_t set;
	timer_t timer;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	become(SOMEBODY);
	limit_to(RLIMIT_SIGPENDING, 3);
	CHECK_OK(sigqueue(getpid(), SIGRTMIN + 1, value));
	CHECK_OK(timer_create(CLOCK_MONOTONIC, NULL, &timer));
	CHECK_OK(sigqueue(getpid(), SIGRTMIN + 1, value));
	CHECK_ERRNO(sigqueue(getpid(), SIGRTMIN + 1, value), EAGAIN);
	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, NULL, &timer), EAGAIN);
	CHECK_OK(kill(getpid(), SIGRTMIN + 1)); /* it says less, but it says it */
}

/* ---- Files in flight ---- */

static int send_file(int to, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {"x", 1};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(to, &msg, MSG_DONTWAIT);
}

TEST(limit, files_in_flight_are_limited_to_what_may_be_open)
{
	int s[2], p[2], nr = 0;
	char c;

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK_OK(pipe(p));
	become(SOMEBODY);
	limit_to(RLIMIT_NOFILE, 10);
	while (nr < 100 && send_file(s[0], p[0]) == 1)
		nr++;
	SHOW("%d in flight, then %s", nr, errno_name(errno));
	CHECK_EQ(read(s[1], &c, 1), 1); /* without room for it: closed */
	CHECK_EQ(send_file(s[0], p[0]), 1);
	CHECK_ERRNO(send_file(s[0], p[0]), ETOOMANYREFS);
}

/* A socket whose queue has a socket whose queue has a socket ... goes with its last descriptor. */
TEST_WITHIN(limit, sockets_in_sockets_in_sockets, 60)
{
	int s[2], before = -1;

	for (int depth = 0; depth < 1000; depth++) {
		CHECK_OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
		if (before >= 0) {
			CHECK_EQ(send_file(s[0], before), 1);
			CHECK_OK(close(before));
		}
		CHECK_OK(close(s[0]));
		before = s[1];
	}
	CHECK_OK(close(before));
}

/* ---- Files, mounts, threads ---- */

static void open_as_somebody(void)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		become(SOMEBODY);
		CHECK_ERRNO(open("/", O_RDONLY), ENFILE);
		CHECK_ERRNO(pipe((int[2]){0}), ENFILE);
		CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM, 0), ENFILE);
		CHECK_ERRNO(epoll_create1(0), ENFILE);
		CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){0}), ENFILE);
		_exit(0);
	}
	EXPECT_CHILD(pid, 0);
	CHECK_OK(open("/", O_RDONLY)); /* what is left is root's */
}

TEST(limit, file_max_leaves_some_to_root)
{
	for (int i = 0; i < 300; i++) /* Linux counts roughly: a few are none */
		CHECK_OK(open("/", O_RDONLY));
	WITH("/proc/sys/fs/file-max", 1, open_as_somebody());
}

static void descriptors_run_out(void)
{
	int fd = -1, fds[2], n = 0;

	limit_to(RLIMIT_NOFILE, 40);
	while ((fd = dup(0)) >= 0)
		n = fd;
	CHECK_EQ(errno, EMFILE);
	CHECK_EQ(n, 39);
	CHECK_ERRNO(open("/", O_RDONLY), EMFILE);
	CHECK_ERRNO(pipe(fds), EMFILE);
	CHECK_OK(close(39));
	CHECK_ERRNO(pipe(fds), EMFILE); /* two are needed, and nothing leaks */
	CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), EMFILE);
	CHECK_EQ(dup(0), 39);
	CHECK_ERRNO(fcntl(0, F_DUPFD, 40), EINVAL);
	CHECK_ERRNO(dup2(0, 40), EBADF);
}

TEST(limit, descriptors_run_out)
{
	IN_CHILD(descriptors_run_out());
}

static void fill_mounts(void)
{
	int nr = 0;

	CHECK_OK(unshare(CLONE_NEWNS));
	while (nr < 50 && mount("x", ".", "tmpfs", 0, NULL) == 0)
		nr++;
	CHECK_EQ(errno, ENOSPC);
	CHECK(nr > 0 && nr < 50);
	CHECK_ERRNO(mount("/", "/proc", NULL, MS_BIND, NULL), ENOSPC);
	CHECK_OK(umount2("/tmp/limit.mounts_are_limited", MNT_DETACH));
	CHECK_OK(mount("x", "/mnt", "tmpfs", 0, NULL));
	CHECK_ERRNO(mount("x", "/mnt", "tmpfs", 0, NULL), ENOSPC);
}

TEST(limit, mounts_are_limited)
{
	char text[4096], *at = text;
	int nr = 0;

	CHECK(get_file("/proc/self/mounts", text, sizeof(text)) > 0);
	while ((at = strchr(at, '\n'))) {
		at++;
		nr++;
	}
	WITH("/proc/sys/fs/mount-max", nr + 7, fill_mounts());
}

static long count_threads(void)
{
	char text[100], *slash;

	CHECK(get_file("/proc/loadavg", text, sizeof(text)) > 0);
	slash = strchr(text, '/');
	CHECK(slash);
	return strtol(slash + 1, NULL, 10);
}

static void fork_until_full(void)
{
	pid_t pid, children[64];
	int nr = 0;

	while (nr < 64 && (pid = fork()) >= 0) {
		if (pid == 0) {
			pause();
			_exit(0);
		}
		children[nr++] = pid;
	}
	CHECK_EQ(errno, EAGAIN);
	CHECK(nr < 64);
	while (nr-- > 0) {
		kill(children[nr], SIGKILL);
		CHECK_EQ(waitpid(children[nr], NULL, 0), children[nr]);
	}
	/* who has ended and was waited for may be counted for a moment still */
	for (int tries = 0; (pid = fork()) < 0 && errno == EAGAIN && tries < 10000; tries++)
		usleep(1000);
	CHECK_OK(pid);
	if (pid == 0)
		_exit(0);
	EXPECT_CHILD(pid, 0);
}

TEST(limit, threads_max_holds_for_root_too)
{
	WITH("/proc/sys/kernel/threads-max", count_threads() + 20, fork_until_full());
}
