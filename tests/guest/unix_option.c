// SPDX-License-Identifier: MIT
/* unix(7), socket(7): options that need a right, and what /proc says of a socket. */
#include "unix.h"

#include <linux/capability.h>

static void keep_capability(int cap)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2] = {0};

	if (cap >= 0)
		d[cap / 32].effective = d[cap / 32].permitted = 1u << cap % 32;
	CHECK_OK(syscall(SYS_capset, &h, d));
}

static int try_option(int fd, int name, int value)
{
	return setsockopt(fd, SOL_SOCKET, name, &value, sizeof(value));
}

TEST(unix_option, mark_and_priority_need_a_right_to_the_network)
{
	int fd = sock(SOCK_STREAM);

	IN_CHILD({
		keep_capability(CAP_NET_RAW);
		CHECK_OK(try_option(fd, SO_MARK, 5));
		CHECK_OK(try_option(fd, SO_PRIORITY, 7));
		CHECK_ERRNO(try_option(fd, SO_SNDBUFFORCE, 5000), EPERM);
	});
	CHECK_EQ(get_option(fd, SO_MARK), 5);
	CHECK_EQ(get_option(fd, SO_PRIORITY), 7);
	IN_CHILD({
		keep_capability(CAP_NET_ADMIN);
		CHECK_OK(try_option(fd, SO_MARK, 6));
		CHECK_OK(try_option(fd, SO_PRIORITY, -1));
		CHECK_OK(try_option(fd, SO_SNDBUFFORCE, 5000));
	});
	IN_CHILD({
		keep_capability(-1);
		CHECK_ERRNO(try_option(fd, SO_MARK, 6), EPERM);
		CHECK_OK(try_option(fd, SO_PRIORITY, 6));
		CHECK_ERRNO(try_option(fd, SO_PRIORITY, 7), EPERM);
		CHECK_ERRNO(try_option(fd, SO_PRIORITY, -1), EPERM);
	});
}

/* How many descriptors wait in a socket; -1: its fdinfo does not say. */
static long long waiting_in(int fd)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return get_number(path, "scm_fds:");
}

TEST(unix_option, fdinfo_counts_descriptors_that_wait)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
	int fd[2], l = listener("l"), c[2];

	for (unsigned i = 0; i < 3; i++) {
		pair(fd, types[i]);
		CHECK_EQ(waiting_in(fd[1]), 0);
		send_fd(fd[0], 0);
		send_fd(fd[0], l);
		CHECK_EQ(send(fd[0], "x", 1, 0), 1);
		CHECK_EQ(waiting_in(fd[1]), 2);
		CHECK_EQ(waiting_in(fd[0]), 0);
		CHECK(recv_fd(fd[1], MSG_PEEK, NULL) > 0);
		CHECK_EQ(waiting_in(fd[1]), 2);
		CHECK(recv_fd(fd[1], 0, NULL) > 0);
		CHECK_EQ(waiting_in(fd[1]), 1);
		CHECK(recv_fd(fd[1], 0, NULL) > 0);
		CHECK_EQ(waiting_in(fd[1]), 0);
	}
	/* with a listener wait those of who was not accepted yet */
	CHECK_EQ(waiting_in(l), 0);
	for (int i = 0; i < 2; i++) {
		c[i] = sock(SOCK_STREAM);
		CHECK_OK(connect_to(c[i], "l"));
		send_fd(c[i], 0);
	}
	CHECK_EQ(waiting_in(l), 2);
	CHECK_OK(accept(l, NULL, NULL));
	CHECK_EQ(waiting_in(l), 1);
	CHECK_EQ(waiting_in(sock(SOCK_STREAM)), 0);
}
