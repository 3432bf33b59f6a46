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
