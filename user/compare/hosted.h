// SPDX-License-Identifier: MIT
/*
 * What the programs of this folder share. They are hosted: libc and liburing take the place of user/lib.
 *
 * Messages are in user/lib's words, because the same tests read them.
 */
#pragma once

#include <errno.h>
#include <liburing.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Messages ---- */

__attribute__((format(printf, 1, 2))) static inline void complain(const char *fmt, ...)
{
	char line[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, line);
}

/* "ENOENT" for -ENOENT. */
static inline const char *error_text(int error)
{
	return strerrorname_np(-error);
}

/* A result that is no error, or the end of the program. */
static inline int must(int result, const char *what)
{
	if (result >= 0)
		return result;
	complain("%s: %s", what, error_text(result));
	exit(1);
}

/* The same for libc's functions: -1, and why in errno. */
static inline int must_libc(int result, const char *what)
{
	return must(result < 0 ? -errno : result, what);
}

/* ---- The ring ---- */

/* An entry, with nr - 1 others behind it: a chain is not torn by a queue that is full. */
static inline struct io_uring_sqe *next_entry(struct io_uring *ring, unsigned nr)
{
	while (io_uring_sq_space_left(ring) < nr)
		io_uring_submit(ring);
	return io_uring_get_sqe(ring);
}

static inline void wait_for_one(struct io_uring *ring)
{
	int err;

	if (ring->flags & IORING_SETUP_SQPOLL) {
		io_uring_submit(ring);
		while (!io_uring_cq_ready(ring))
			if (io_uring_cq_has_overflow(ring))
				io_uring_get_events(ring);
		return;
	}
	err = io_uring_submit_and_wait(ring, 1);
	if (err != -EINTR && err != -EAGAIN && err != -EBUSY)
		must(err, "io_uring_enter");
}

/* Submits, waits, and hands over all completions that are there: their mark, their result, their flags. */
static inline void deliver(
	struct io_uring *ring, void (*completed)(__u64 mark, int res, unsigned flags))
{
	struct io_uring_cqe *cqe;
	unsigned head;

	wait_for_one(ring);
	io_uring_for_each_cqe(ring, head, cqe)
	{
		__u64 mark = io_uring_cqe_get_data64(cqe);
		int res = cqe->res;
		unsigned flags = cqe->flags;

		io_uring_cq_advance(ring, 1);
		completed(mark, res, flags);
	}
}
