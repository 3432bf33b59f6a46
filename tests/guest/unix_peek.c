// SPDX-License-Identifier: MIT
/* unix(7), socket(7): MSG_PEEK and SO_PEEK_OFF. */
#include "unix.h"

TEST(unix_peek, offset_skips_an_empty_datagram)
{
	static char buf[4096];
	int fd[2];

	pair(fd, SOCK_DGRAM);
	set_option(fd[1], SO_PEEK_OFF, 1);
	CHECK_EQ(send(fd[0], "", 0, 0), 0);
	CHECK_ERRNO(recv(fd[1], buf, sizeof(buf), MSG_PEEK | MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(send(fd[0], "abc", 3, 0), 3);
	CHECK_EQ(recv(fd[1], buf, sizeof(buf), MSG_PEEK | MSG_DONTWAIT), 2);
	CHECK_MEM(buf, "bc", 2);
	set_option(fd[1], SO_PEEK_OFF, 0);
	CHECK_EQ(recv(fd[1], buf, sizeof(buf), MSG_PEEK | MSG_DONTWAIT), 0);
}

TEST(unix_peek, empty_datagram_stays_the_next_one)
{
	char buf[8];
	int fd[2];

	pair(fd, SOCK_DGRAM);
	CHECK_EQ(send(fd[0], "", 0, 0), 0);
	CHECK_EQ(send(fd[0], "abc", 3, 0), 3);
	CHECK_EQ(recv(fd[1], buf, 8, MSG_PEEK | MSG_DONTWAIT), 0);
	CHECK_EQ(recv(fd[1], buf, 8, MSG_PEEK | MSG_DONTWAIT), 0);
	CHECK_EQ(recv(fd[1], buf, 8, MSG_DONTWAIT), 0);
	CHECK_EQ(recv(fd[1], buf, 8, MSG_DONTWAIT), 3);
}

TEST(unix_peek, offset_goes_back_with_bytes_read)
{
	char buf[8];
	int fd[2];

	pair(fd, SOCK_STREAM);
	CHECK_EQ(write(fd[0], "aabbccddee", 10), 10);
	set_option(fd[1], SO_PEEK_OFF, 4);
	CHECK_EQ(recv(fd[1], buf, 2, MSG_PEEK), 2);
	CHECK_MEM(buf, "cc", 2);
	CHECK_EQ(get_option(fd[1], SO_PEEK_OFF), 6);
	CHECK_EQ(read(fd[1], buf, 2), 2);
	CHECK_MEM(buf, "aa", 2);
	CHECK_EQ(get_option(fd[1], SO_PEEK_OFF), 4);
	CHECK_EQ(recv(fd[1], buf, 2, MSG_PEEK), 2);
	CHECK_MEM(buf, "dd", 2);
	CHECK_EQ(read(fd[1], buf, 8), 8);
	CHECK_EQ(get_option(fd[1], SO_PEEK_OFF), 0);
}

TEST(unix_peek, offset_goes_back_with_messages_read)
{
	char buf[8];
	int fd[2];

	pair(fd, SOCK_DGRAM);
	CHECK_EQ(send(fd[0], "aaaa", 4, 0), 4);
	CHECK_EQ(send(fd[0], "bbbb", 4, 0), 4);
	set_option(fd[1], SO_PEEK_OFF, 6);
	CHECK_EQ(recv(fd[1], buf, 2, 0), 2); /* a message that was cut is gone all the same */
	CHECK_EQ(get_option(fd[1], SO_PEEK_OFF), 2);
	CHECK_EQ(recv(fd[1], buf, 1, MSG_PEEK | MSG_DONTWAIT), 1);
	CHECK_EQ(get_option(fd[1], SO_PEEK_OFF), 3);
	CHECK_EQ(recv(fd[1], buf, 8, 0), 4);
	CHECK_EQ(get_option(fd[1], SO_PEEK_OFF), 0);
}

TEST(unix_peek, offset_goes_on_by_what_was_copied)
{
	char buf[8];
	int fd[2];

	pair(fd, SOCK_DGRAM);
	set_option(fd[1], SO_PEEK_OFF, 0);
	CHECK_EQ(send(fd[0], "abcdef", 6, 0), 6);
	CHECK_EQ(recv(fd[1], buf, 2, MSG_PEEK | MSG_TRUNC), 6);
	CHECK_EQ(get_option(fd[1], SO_PEEK_OFF), 2);
	CHECK_EQ(recv(fd[1], buf, 8, MSG_PEEK | MSG_TRUNC), 4);
	CHECK_MEM(buf, "cdef", 4);
}
