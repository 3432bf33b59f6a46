// SPDX-License-Identifier: MIT
/*
 * Reading and writing as preadv2 and pwritev2 do, for calls that are made of them.
 */
#pragma once

#include <linux/fs.h>

#include "fs/vfs/file.h"
#include "lib/base.h"
#include "ops/rw.h"
#include "uaccess/uaccess.h"

enum { RWF_KNOWN = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND };

/* RWF_*: those of preadv2, and of files that can be told so. 0, -EOPNOTSUPP. */
static inline int rw_check_flags(const struct file *f, unsigned flags, bool is_write)
{
	if (flags & ~(unsigned)RWF_KNOWN || (flags & RWF_NOWAIT && !rw_may_nowait(f, is_write)))
		return -EOPNOTSUPP;
	return 0;
}

struct rw_call {
	uptr at;        /* a list of `nr` buffers; or one, of so many bytes */
	size_t nr;
	int64_t *pos;   /* NULL: the file's */
	unsigned flags; /* RWF_* */
	bool is_write;
	bool is_one_buffer;
};

/* Counted as a call of the current thread. */
int64_t rw_call(int fd, const struct rw_call *c);
