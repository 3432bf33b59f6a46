// SPDX-License-Identifier: MIT
/* unix(7): datagrams between sockets with names: full queues. */
#include "unix.h"

#include <sys/sysinfo.h>

/* Datagram socket bound to path. */
static int named(const char *path)
{
	int fd = sock(SOCK_DGRAM);

	CHECK_OK(bind_to(fd, path));
	return fd;
}

/* Until there is no more room. */
static void fill(int fd, const char *path)
{
	while (send_to(fd, path, "x", 1, MSG_DONTWAIT) == 1) {
	}
	CHECK_EQ(errno, EAGAIN);
}

static long long free_kib(void)
{
	struct sysinfo si;

	CHECK_OK(sysinfo(&si));
	return (long long)si.freeram * si.mem_unit / 1024;
}

static void try_and_close(const char *path, unsigned times)
{
	while (times--) {
		int fd = sock(SOCK_DGRAM);

		CHECK_ERRNO(send_to(fd, path, "x", 1, MSG_DONTWAIT), EAGAIN);
		close(fd);
	}
}

/* Who found no room and is gone waits for none. */
TEST(unix_dgram, closed_senders_are_forgotten)
{
	long long before;

	named("r");
	fill(sock(SOCK_DGRAM), "r");
	try_and_close("r", 2000);
	before = free_kib();
	try_and_close("r", 20000);
	CHECK(before - free_kib() < 4096);
}

static pid_t send_in_child(int fd, const char *path)
{
	pid_t pid = CHECK_OK(fork());

	if (!pid) {
		CHECK_EQ(send_to(fd, path, "y", 1, 0), 1);
		_exit(0);
	}
	wait_until_sleeping(pid);
	return pid;
}

/* Two processes wait with one socket, for room at different ones. */
TEST(unix_dgram, each_waiting_sender_is_told_of_room)
{
	int a = named("a"), b = named("b"), s = sock(SOCK_DGRAM);
	pid_t to_a, to_b;
	char c;

	fill(s, "a");
	fill(s, "b");
	to_a = send_in_child(s, "a");
	to_b = send_in_child(s, "b");
	CHECK_EQ(recv(a, &c, 1, 0), 1);
	EXPECT_CHILD(to_a, 0);
	CHECK_EQ(recv(b, &c, 1, 0), 1);
	EXPECT_CHILD(to_b, 0);
}

TEST(unix_dgram, waiting_sender_is_told_that_the_other_is_gone)
{
	int a = named("a"), s = sock(SOCK_DGRAM);
	pid_t pid;

	fill(s, "a");
	CHECK_OK(connect_to(s, "a"));
	pid = CHECK_OK(fork());
	if (!pid) {
		close(a);
		CHECK_ERRNO(send(s, "x", 1, 0), ECONNREFUSED);
		_exit(0);
	}
	wait_until_sleeping(pid);
	close(a);
	EXPECT_CHILD(pid, 0);
}
