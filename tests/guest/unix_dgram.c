// SPDX-License-Identifier: MIT
/* unix(7): datagrams between sockets with names: full queues, peers that change and peers that go. */
#include "unix.h"

#include <poll.h>
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

TEST(unix_dgram, queue_of_its_own_is_limited_by_its_buffer_alone)
{
	int a = named("a");

	for (int i = 0; i < 40; i++)
		CHECK_EQ(send_to(a, "a", "x", 1, MSG_DONTWAIT), 1);
}

/* Of two that are connected to each other one turns away. */
static void turn_away(int *a, int *b)
{
	*a = named("a");
	*b = named("b");
	named("c");
	CHECK_OK(connect_to(*a, "b"));
	CHECK_OK(connect_to(*b, "a"));
}

TEST(unix_dgram, reconnecting_with_messages_resets_the_peer)
{
	int a, b;

	turn_away(&a, &b);
	CHECK_EQ(send(b, "q", 1, 0), 1);
	CHECK_OK(connect_to(a, "c"));
	CHECK_ERRNO(send(b, "x", 1, MSG_DONTWAIT), ECONNRESET);
	CHECK_ERRNO(send(b, "x", 1, MSG_DONTWAIT), EPERM);
}

TEST(unix_dgram, reconnecting_without_messages_does_not)
{
	int a, b;

	turn_away(&a, &b);
	CHECK_OK(connect_to(a, "c"));
	CHECK_ERRNO(send(b, "x", 1, MSG_DONTWAIT), EPERM);
}

TEST(unix_dgram, reset_is_seen_by_who_waits_to_write)
{
	static char big[20000];
	struct pollfd p;
	int a, b, d = named("d");
	pid_t pid;

	turn_away(&a, &b);
	CHECK_EQ(send(b, "q", 1, 0), 1);
	for (int i = 0; i < 8; i++) /* b's room is taken by what waits elsewhere */
		CHECK_EQ(send_to(b, "d", big, sizeof(big), MSG_DONTWAIT), sizeof(big));
	p = (struct pollfd){b, POLLOUT, 0};
	CHECK_EQ(poll(&p, 1, 0), 0);
	pid = CHECK_OK(fork());
	if (!pid) {
		CHECK_EQ(poll(&p, 1, 5000), 1);
		CHECK_EQ(p.revents, POLLERR);
		_exit(0);
	}
	wait_until_sleeping(pid);
	CHECK_OK(connect_to(a, "c"));
	EXPECT_CHILD(pid, 0);
	close(d);
}

/* What a peer sent goes with it, once a send has found that it is no more. */
TEST(unix_dgram, refused_send_drops_what_the_peer_sent)
{
	char c;
	int fd[2];

	pair(fd, SOCK_DGRAM);
	CHECK_EQ(send(fd[1], "x", 1, 0), 1);
	close(fd[1]);
	CHECK_ERRNO(send(fd[0], "z", 1, 0), ECONNREFUSED);
	CHECK_ERRNO(recv(fd[0], &c, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_ERRNO(send(fd[0], "z", 1, 0), ENOTCONN);
}

TEST(unix_dgram, read_without_waiting_after_shutdown)
{
	int a = sock(SOCK_DGRAM | SOCK_NONBLOCK);
	char c;

	CHECK_OK(shutdown(a, SHUT_RD));
	CHECK_ERRNO(read(a, &c, 1), EAGAIN);
	CHECK_ERRNO(recv(a, &c, 1, 0), EAGAIN);
	CHECK_OK(fcntl(a, F_SETFL, 0));
	CHECK_EQ(read(a, &c, 1), 0);
	CHECK_ERRNO(recv(a, &c, 1, MSG_DONTWAIT), EAGAIN);
}

/* ---- Which error comes first ---- */

/* What is wrong with the message and with who sends it comes before whom it is for. */
TEST(unix_dgram, is_looked_at_before_its_address)
{
	static char big[400000];
	int a = sock(SOCK_DGRAM), b, c;

	CHECK_ERRNO(send_to(a, "absent", "x", 1, 0), ENOENT);
	CHECK_ERRNO(send_to(a, "absent", (void *)8, 1, 0), EFAULT);
	CHECK_ERRNO(send_to(a, "absent", big, sizeof(big), 0), EMSGSIZE);
	CHECK_ERRNO(sendto(a, big, sizeof(big), 0, (struct sockaddr *)&(short){AF_INET}, 2),
		EINVAL);
	CHECK_ERRNO(send(a, big, sizeof(big), 0), ENOTCONN);
	named("d");
	set_option(a, SO_SNDBUF, 4096);
	while (send_to(a, "d", big, 4000, MSG_DONTWAIT) > 0)
		;
	CHECK_ERRNO(send_to(a, "absent", "x", 1, MSG_DONTWAIT), EAGAIN);
	CHECK_OK(shutdown(a, SHUT_WR));
	CHECK_ERRNO(send_to(a, "absent", "x", 1, MSG_DONTWAIT), EPIPE);
	CHECK_ERRNO(send_to(a, "absent", big, sizeof(big), 0), EMSGSIZE);
	turn_away(&b, &c);
	CHECK_EQ(send(c, "q", 1, 0), 1);
	CHECK_OK(connect_to(b, "c"));
	CHECK_OK(shutdown(c, SHUT_WR));
	CHECK_ERRNO(send_to(c, "absent", big, sizeof(big), 0), EMSGSIZE);
	CHECK_ERRNO(send_to(c, "absent", "x", 1, 0), ECONNRESET);
	CHECK_ERRNO(send_to(c, "absent", "x", 1, 0), EPIPE);
}

TEST(unix_dgram, is_looked_at_before_its_peer)
{
	static char big[400000];
	int a = sock(SOCK_DGRAM), b = named("b"), fd[2];

	CHECK_OK(connect_to(a, "b"));
	while (send(a, "x", 1, MSG_DONTWAIT) > 0)
		;
	CHECK_ERRNO(send(a, "x", 1, MSG_DONTWAIT), EAGAIN);
	CHECK_ERRNO(send(a, (void *)8, 1, MSG_DONTWAIT), EFAULT);
	CHECK_ERRNO(send(a, (void *)8, 1, 0), EFAULT);
	CHECK_OK(shutdown(b, SHUT_RD));
	CHECK_ERRNO(send(a, (void *)8, 1, 0), EFAULT);
	CHECK_ERRNO(send(a, "x", 1, 0), EPIPE);
	pair(fd, SOCK_SEQPACKET);
	CHECK_OK(shutdown(fd[1], SHUT_RD));
	CHECK_ERRNO(send(fd[0], big, sizeof(big), 0), EMSGSIZE);
	CHECK_ERRNO(send(fd[0], "x", 1, 0), EPIPE);
	pair(fd, SOCK_DGRAM);
	CHECK_OK(close(fd[1]));
	CHECK_ERRNO(send(fd[0], (void *)8, 1, 0), EFAULT);
	CHECK_ERRNO(send(fd[0], big, sizeof(big), 0), EMSGSIZE);
	CHECK_ERRNO(send(fd[0], "x", 1, 0), ECONNREFUSED);
	CHECK_ERRNO(send(fd[0], big, sizeof(big), 0), ENOTCONN);
}
