// SPDX-License-Identifier: MIT
/*
 * Walking the buffers of one read or write. Nearly all have one segment; its end is found
 * without a loop.
 */
#include "uaccess/iter.h"

#include "arch/arch.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/slab.h"

#include <linux/uio.h>

/* ---- Beginning and end ---- */

static void init_one(struct iter *it, bool is_kernel, uintptr_t addr, size_t len)
{
	it->is_kernel = is_kernel;
	it->is_borrowed = it->is_retry = it->goes_on = false;
	it->segments = &it->one;
	it->nr_segments = 1;
	it->at = 0;
	it->offset = 0;
	it->left = len;
	it->one = (struct iter_segment){addr, len};
}

int iter_init_user(struct iter *it, uptr buf, size_t len)
{
	if (UNLIKELY(len > ITER_MAX_BYTES)) {
		if ((int64_t)len < 0 || !user_range_ok(buf, len))
			return -EFAULT;
		len = ITER_MAX_BYTES;
	}
	if (UNLIKELY(!user_range_ok(buf, len)))
		return -EFAULT;
	init_one(it, false, buf.addr, len);
	return 0;
}

void iter_init_kernel(struct iter *it, void *buf, size_t len)
{
	init_one(it, true, (uintptr_t)buf, len);
}

/* The segments of a checked array, cut at ITER_MAX_BYTES. man 2 readv: EINVAL, EFAULT. */
static int fill_segments(
	struct iter *it, struct iter_segment *segments, const struct iovec *vec, size_t nr)
{
	size_t left = 0;

	for (size_t i = 0; i < nr; i++) {
		uintptr_t addr = (uintptr_t)vec[i].iov_base;
		size_t len = vec[i].iov_len;

		if ((int64_t)len < 0)
			return -EINVAL;
		if (!user_range_ok(UPTR(addr), len))
			return -EFAULT;
		len = MIN(len, ITER_MAX_BYTES - left);
		segments[i] = (struct iter_segment){addr, len};
		left += len;
	}
	it->left = left;
	return 0;
}

int iter_init_iovec(struct iter *it, uptr iov, size_t nr)
{
	enum { SMALL = 8 };
	struct iovec small[SMALL], *vec = small;
	struct iter_segment *segments = &it->one;
	int err = -ENOMEM;

	init_one(it, false, 0, 0);
	if (nr > ITER_MAX_SEGMENTS)
		return -EINVAL;
	if (nr == 0)
		return 0;
	if (nr > SMALL)
		vec = mem_alloc(nr * sizeof(*vec), 0);
	if (nr > 1)
		segments = mem_alloc(nr * sizeof(*segments), 0);
	if (vec && segments)
		err = user_read(vec, iov, nr * sizeof(*vec));
	if (!err)
		err = fill_segments(it, segments, vec, nr);
	if (vec != small)
		mem_free(vec);
	if (err) {
		if (segments != &it->one)
			mem_free(segments);
		return err;
	}
	it->segments = segments;
	it->nr_segments = (unsigned)nr;
	return 0;
}

void iter_init_segments(struct iter *it, const struct iter_segment *segments, unsigned nr,
	size_t offset, size_t len, bool is_kernel, bool is_borrowed)
{
	it->is_kernel = is_kernel;
	it->is_borrowed = is_borrowed;
	it->is_retry = it->goes_on = false;
	it->segments = segments;
	it->nr_segments = nr;
	it->at = 0;
	it->offset = offset;
	it->left = len;
}

void iter_fini(struct iter *it)
{
	if (it->segments != &it->one && !it->is_borrowed)
		mem_free((void *)(uintptr_t)it->segments);
	it->segments = &it->one;
}

/* ---- Copying ---- */

/* At the end of a segment the position is the next one's start; empty ones are passed over. */
static inline void step(struct iter *it, size_t len)
{
	it->offset += len;
	it->left -= len;
	while (UNLIKELY(
		it->offset == it->segments[it->at].len && it->at + 1 < it->nr_segments)) {
		it->at++;
		it->offset = 0;
	}
}

enum direction { INTO, OUT_OF, ZERO };

/* One segment's worth; how much of it was done. */
static inline size_t copy(
	const struct iter *it, uintptr_t at, void *buf, size_t len, enum direction direction)
{
	if (LIKELY(!it->is_kernel)) {
		if (direction == INTO)
			return arch_user_write(at, buf, len);
		if (direction == OUT_OF)
			return arch_user_read(buf, at, len);
		return arch_user_zero(at, len);
	}
	if (direction == INTO)
		memcpy((void *)at, buf, len);
	else if (direction == OUT_OF)
		memcpy(buf, (const void *)at, len);
	else
		memset((void *)at, 0, len);
	return len;
}

static ALWAYS_INLINE size_t walk(
	struct iter *it, char *buf, size_t len, enum direction direction)
{
	size_t done = 0;

	len = MIN(len, it->left);
	while (done < len) {
		const struct iter_segment *s = &it->segments[it->at];
		size_t n = MIN(len - done, s->len - it->offset);
		size_t did = copy(it, s->addr + it->offset, buf + done, n, direction);

		step(it, did);
		done += did;
		if (UNLIKELY(did < n))
			break;
	}
	return done;
}

size_t iter_write(struct iter *it, const void *from, size_t len)
{
	return walk(it, (char *)(uintptr_t)from, len, INTO);
}

size_t iter_read(struct iter *it, void *to, size_t len)
{
	return walk(it, to, len, OUT_OF);
}

size_t iter_zero(struct iter *it, size_t len)
{
	return walk(it, (char *)it, len, ZERO); /* the buffer is not looked at */
}

/* ---- Moving ---- */

void iter_advance(struct iter *it, size_t len)
{
	assert(len <= it->left);
	while (len) {
		size_t n = MIN(len, it->segments[it->at].len - it->offset);

		step(it, n);
		len -= n;
	}
}

void iter_revert(struct iter *it, size_t len)
{
	it->left += len;
	while (len > it->offset) {
		assert(it->at > 0);
		len -= it->offset;
		it->at--;
		it->offset = it->segments[it->at].len;
	}
	it->offset -= len;
}
