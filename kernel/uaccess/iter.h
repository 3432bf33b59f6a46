// SPDX-License-Identifier: MIT
/*
 * The bytes of one read or write: user buffers (one or a vector) or kernel memory, with a
 * position. Files copy to and from an iter and do not know which it is.
 */
#pragma once

#include "lib/base.h"
#include "uaccess/uaccess.h"

enum { ITER_MAX_SEGMENTS = 1024 /* UIO_MAXIOV */ };
/* More is not moved by one call: Linux's MAX_RW_COUNT. */
#define ITER_MAX_BYTES 0x7ffff000ul

struct iter_segment {
	uintptr_t addr; /* user, or kernel when is_kernel */
	size_t len;
};

struct iter {
	bool is_kernel;
	bool is_borrowed; /* segments of many are somebody else's, who outlives the iter */
	bool is_retry; /* the file's own: the same call has tried before; false at first */
	bool goes_on;  /* of a read, the file's too: what it brought is less than one waits for */
	const struct iter_segment *segments; /* &one, or memory of its own */
	unsigned nr_segments;
	unsigned at;	 /* the segment we are in */
	size_t offset;	 /* in it */
	size_t left;	 /* bytes until the end of the last */
	struct iter_segment one;
};

/* One buffer. The user range is checked here; -EFAULT when it leaves the user half. Longer ones
 * than ITER_MAX_BYTES are cut. */
MUST_CHECK int iter_init_user(struct iter *it, uptr buf, size_t len);
void iter_init_kernel(struct iter *it, void *buf, size_t len);
/* struct iovec array. -EINVAL (too many, a length over SSIZE_MAX), -EFAULT, -ENOMEM. Cut as above. */
MUST_CHECK int iter_init_iovec(struct iter *it, uptr iov, size_t nr);
/*
 * Segments that were checked before, from `offset` in the first one on: len bytes. With is_borrowed they
 * are not freed by iter_fini; else they are of mem_alloc, or &it->one.
 */
void iter_init_segments(struct iter *it, const struct iter_segment *segments, unsigned nr,
	size_t offset, size_t len, bool is_kernel, bool is_borrowed);
void iter_fini(struct iter *it); /* only needed after iter_init_iovec */

/* Copies and advances; returns the bytes copied, short at a bad address (or the end). */
size_t iter_write(struct iter *it, const void *from, size_t len); /* into the buffers */
size_t iter_read(struct iter *it, void *to, size_t len);	  /* out of the buffers */
size_t iter_zero(struct iter *it, size_t len);
void iter_advance(struct iter *it, size_t len);
/* The bytes until the end of the segment we are in. */
static inline size_t iter_piece(const struct iter *it)
{
	return MIN(it->left, it->segments[it->at].len - it->offset);
}
/* Goes back by what was advanced since, for a retry. */
void iter_revert(struct iter *it, size_t len);
