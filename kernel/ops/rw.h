// SPDX-License-Identifier: MIT
/*
 * Reading and writing open files, by either door.
 *
 * The fast way is one call of the file: rw_read and rw_write make an operation only when the
 * file answers that it would have to wait, and may.
 */
#pragma once

#include <linux/fcntl.h>

#include "fs/vfs/file.h"
#include "fs/vfs/notify.h"
#include "ops/op.h"
#include "uaccess/iter.h"

/*
 *   [d] whoever runs the operation
 */
struct rw_op {
	struct op op;
	struct file
		*file; /* [I] the caller's reference, or borrowed: it outlives the operation */
	struct iter *iter; /* [d] */
	int64_t *pos;      /* [d] */
	int64_t done;      /* [d] bytes written before the file was full */
	bool is_once;      /* [I] a write: ends with what there is room for */
};

void rw_read_prepare(struct rw_op *rw, struct file *f, struct iter *to, int64_t *pos);
void rw_write_prepare(
	struct rw_op *rw, struct file *f, struct iter *from, int64_t *pos, int64_t done);

/* The rest of a call whose file said -EAGAIN (or moved a part): waits unless O_NONBLOCK. */
int64_t rw_read_wait(struct file *f, struct iter *to, int64_t *pos, int64_t done);
int64_t rw_write_wait(struct file *f, struct iter *from, int64_t *pos, int64_t done);

/* One try that waits for nothing (RWF_NOWAIT); the caller has checked the file's mode. */
static inline int64_t rw_read_now(struct file *f, struct iter *to, int64_t *pos)
{
	int64_t n = f->ops->read(f, to, pos);

	if (n > 0)
		notify_file(f, IN_ACCESS);
	return n;
}

static inline int64_t rw_write_now(struct file *f, struct iter *from, int64_t *pos)
{
	int64_t n = f->ops->write(f, from, pos);

	if (n > 0)
		notify_file(f, IN_MODIFY);
	return n;
}

/* Whether it can be told RWF_NOWAIT. */
static inline bool rw_may_nowait(const struct file *f, bool is_write)
{
	return f->mode & (is_write ? FILE_NOWAIT : FILE_NOWAIT | FILE_READ_NOWAIT);
}

/* By the system-call door; the caller has checked the file's mode. */
static inline int64_t rw_read(struct file *f, struct iter *to, int64_t *pos)
{
	int64_t n = f->ops->read(f, to, pos);

	if (UNLIKELY(n == -EAGAIN))
		n = rw_read_wait(f, to, pos, 0);
	else if (UNLIKELY(to->goes_on))
		n = rw_read_wait(f, to, pos, n);
	if (n > 0)
		notify_file(f, IN_ACCESS);
	return n;
}

static inline int64_t rw_write(struct file *f, struct iter *from, int64_t *pos)
{
	int64_t n = f->ops->write(f, from, pos);

	if (UNLIKELY(n == -EAGAIN))
		n = rw_write_wait(f, from, pos, 0);
	/* what can wait takes everything, unless told not to */
	else if (UNLIKELY(n > 0 && from->left && f->ops->waitq))
		n = rw_write_wait(f, from, pos, n);
	if (n > 0)
		notify_file(f, IN_MODIFY);
	return n;
}
