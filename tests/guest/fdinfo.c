// SPDX-License-Identifier: MIT
/* proc(5), /proc/PID/fdinfo: what open files of a kind say of themselves. */
#include "guest.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

/* The line that begins so; "" for none. */
static const char *line_of(int fd, const char *begin)
{
	static char text[8192], *line, *end;
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	CHECK_OK(get_file(path, text, sizeof(text)));
	for (line = text; *line; line = end + 1) {
		CHECK(end = strchr(line, '\n'));
		*end = 0;
		if (!strncmp(line, begin, strlen(begin)))
			return line;
	}
	return "";
}

TEST(fdinfo, eventfd_tells_its_count)
{
	int fd = CHECK_OK(eventfd(0x12, 0));

	CHECK_STREQ(line_of(fd, "eventfd-count:"), "eventfd-count:               12");
}

TEST(fdinfo, timerfd_tells_its_setting)
{
	int fd = CHECK_OK(timerfd_create(CLOCK_MONOTONIC, 0));
	struct itimerspec its = {.it_value = {1, 0}, .it_interval = {70, 5}};

	CHECK_STREQ(line_of(fd, "clockid:"), "clockid: 1");
	CHECK_STREQ(line_of(fd, "ticks:"), "ticks: 0");
	CHECK_STREQ(line_of(fd, "it_value:"), "it_value: (0, 0)");
	CHECK_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL));
	CHECK_STREQ(line_of(fd, "settime flags:"), "settime flags: 01");
	CHECK_STREQ(line_of(fd, "it_interval:"), "it_interval: (70, 5)");
}

TEST(fdinfo, signalfd_tells_its_set)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_STREQ(line_of(CHECK_OK(signalfd(-1, &set, 0)), "sigmask:"),
		"sigmask:\t0000000000000200");
}

TEST(fdinfo, pidfd_tells_its_process)
{
	char want[40];
	pid_t pid = CHECK_OK(fork());
	int fd;

	if (!pid)
		_exit(0);
	CHECK_OK(fd = (int)syscall(SYS_pidfd_open, pid, 0));
	snprintf(want, sizeof(want), "Pid:\t%d", pid);
	CHECK_STREQ(line_of(fd, "Pid:"), want);
	EXPECT_CHILD(pid, 0);
	CHECK_STREQ(line_of(fd, "Pid:"), "Pid:\t-1");
}

TEST(fdinfo, a_set_tells_what_it_watches)
{
	int ep = CHECK_OK(epoll_create1(0)), fd[2];
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = 0xabc};
	char want[100];

	CHECK_OK(pipe(fd));
	CHECK_STREQ(line_of(ep, "tfd:"), "");
	CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &e));
	snprintf(want, sizeof(want), "tfd: %8d events: %8x data: %16x ", fd[0],
		EPOLLIN | EPOLLERR | EPOLLHUP, 0xabc);
	CHECK_EQ(strncmp(line_of(ep, "tfd:"), want, strlen(want)), 0);
}

TEST(fdinfo, inotify_tells_its_watches)
{
	int fd = CHECK_OK(inotify_init1(0));
	struct stat st;
	char want[100];

	put_file("f", "");
	CHECK_OK(stat("f", &st));
	CHECK_EQ(inotify_add_watch(fd, "f", IN_OPEN | IN_CLOSE_WRITE), 1);
	snprintf(want, sizeof(want), "inotify wd:1 ino:%lx ", (unsigned long)st.st_ino);
	CHECK_EQ(strncmp(line_of(fd, "inotify "), want, strlen(want)), 0);
	CHECK(strstr(line_of(fd, "inotify "), " mask:28 "));
}
