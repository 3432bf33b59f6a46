// SPDX-License-Identifier: MIT
/*
 * What the tests of sockets on the ring share: a group of buffers, sockets, what is expected.
 */
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "ring.h"

enum { GROUP = 7, BUF_LEN = 64, NR_BUFS = 4 };

static inline void pair(int fd[2], int type)
{
	CHECK_OK(socketpair(AF_UNIX, type, 0, fd));
}

static inline struct io_uring_sqe *prep(
	struct ring *r, unsigned op, uint64_t data, int fd, void *buf, size_t len)
{
	struct io_uring_sqe *sqe = ring_sqe(r, op, data);

	sqe->fd = fd;
	sqe->addr = (uintptr_t)buf;
	sqe->len = (uint32_t)len;
	return sqe;
}

/* A receive from the group of buffers. */
static inline struct io_uring_sqe *prep_selected(
	struct ring *r, unsigned op, uint64_t data, int fd)
{
	struct io_uring_sqe *sqe = prep(r, op, data, fd, NULL, 0);

	sqe->flags = IOSQE_BUFFER_SELECT;
	sqe->buf_group = GROUP;
	return sqe;
}

/* NR_BUFS buffers of BUF_LEN bytes, numbered from 0. */
static inline void provide(struct ring *r, char *bufs, unsigned from, unsigned nr)
{
	struct io_uring_sqe *sqe = prep(
		r, IORING_OP_PROVIDE_BUFFERS, 999, (int)nr, bufs + from * BUF_LEN, BUF_LEN);

	sqe->off = from;
	sqe->buf_group = GROUP;
	CHECK_EQ(ring_submit(r, 1), 1);
	CHECK_EQ(ring_take(r).res >= 0, true);
}

/* The next completion, with its flags but for SOCK_NONEMPTY, which newer kernels tell of unix sockets. */
static inline void expect(struct ring *r, uint64_t data, int res, unsigned flags)
{
	struct ring_result got = ring_take(r);

	CHECK_EQ(got.user_data, data);
	CHECK_EQ(got.res, res);
	CHECK_EQ(got.flags & ~IORING_CQE_F_SOCK_NONEMPTY, flags);
}

/* The next completions, in whatever order: those of 1 ... nr, each with this result. */
static inline void expect_each(struct ring *r, unsigned nr, int res)
{
	uint64_t seen = 0;

	for (unsigned i = 0; i < nr; i++) {
		struct ring_result got = ring_take(r);

		CHECK_EQ(got.res, res);
		seen |= 1ull << got.user_data;
	}
	CHECK_EQ(seen, (2ull << nr) - 2);
}
#define BUFFER(n) (IORING_CQE_F_BUFFER | (unsigned)(n) << IORING_CQE_BUFFER_SHIFT)
#define MORE      IORING_CQE_F_MORE

static inline void cancel(struct ring *r, uint64_t target)
{
	struct io_uring_sqe *sqe = ring_sqe(r, IORING_OP_ASYNC_CANCEL, 555);
	bool done[2] = {0};

	sqe->addr = target;
	CHECK_EQ(ring_submit(r, 2), 1);
	for (int i = 0; i < 2; i++) {
		struct ring_result got = ring_take(r);

		CHECK(got.user_data == 555 || got.user_data == target);
		CHECK_EQ(got.res, got.user_data == 555 ? 0 : -ECANCELED);
		CHECK_EQ(got.flags, 0u);
		done[got.user_data == 555] = true;
	}
	CHECK(done[0] && done[1]);
}

static inline int listener(struct sockaddr_un *addr, const char *name, int backlog)
{
	int fd;

	*addr = (struct sockaddr_un){.sun_family = AF_UNIX};
	strcpy(addr->sun_path, name);
	CHECK_OK(fd = socket(AF_UNIX, SOCK_STREAM, 0));
	CHECK_OK(bind(fd, (struct sockaddr *)addr, sizeof(*addr)));
	CHECK_OK(listen(fd, backlog));
	return fd;
}

static inline int connected(const struct sockaddr_un *addr)
{
	int fd;

	CHECK_OK(fd = socket(AF_UNIX, SOCK_STREAM, 0));
	CHECK_OK(connect(fd, (const struct sockaddr *)addr, sizeof(*addr)));
	return fd;
}

/* As the call is in the middle of a test, the first completion tells whether there is such a thing. */
#define SKIP_IF(cond)                                                                          \
	do {                                                                                   \
		if (cond)                                                                      \
			SKIP("not in this kernel");                                            \
	} while (0)
