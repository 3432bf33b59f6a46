// SPDX-License-Identifier: MIT
/*
 * What the tests of entries that end at once have in common: ring_quick.c, ring_quick_chain.c.
 */
#pragma once

#include "ring.h"

#include <sys/socket.h>

static inline int file_with(const char *path, const char *text)
{
	int fd = CHECK_OK(open(path, O_RDWR | O_CREAT | O_TRUNC, 0600));

	CHECK_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

static inline struct io_uring_sqe *push_move(struct ring *r, unsigned opcode, int fd,
	const void *at, unsigned len, uint64_t pos, uint64_t user_data)
{
	return ring_push(r, (struct io_uring_sqe){.opcode = (uint8_t)opcode,
				    .fd = fd,
				    .addr = (uintptr_t)at,
				    .len = len,
				    .off = pos,
				    .user_data = user_data});
}

static inline void make_pair(int type, int s[2])
{
	CHECK_OK(socketpair(AF_UNIX, type, 0, s));
}

static inline struct io_uring_sqe *push_send(
	struct ring *r, int fd, const char *text, unsigned len, uint64_t user_data)
{
	return push_move(r, IORING_OP_SEND, fd, text, len, 0, user_data);
}
