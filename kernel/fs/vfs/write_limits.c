// SPDX-License-Identifier: MIT
/*
 * Limits and side effects of writing to regular files. man 2 write, setrlimit, chmod.
 */
#include "fs/vfs/write_limits.h"

#include <linux/capability.h>
#include <linux/resource.h>

#include "abi/stat.h"
#include "fs/vfs/inode.h"
#include "proc/cred.h"
#include "proc/proc.h"

int file_limit_write(struct file *f UNUSED, int64_t pos, size_t len, size_t *cut)
{
	uint64_t limit = arch_current()->user ? proc_rlimit(RLIMIT_FSIZE) : UINT64_MAX;

	*cut = 0;
	if (UNLIKELY(limit != UINT64_MAX)) {
		if ((uint64_t)pos >= limit) {
			(void)!signal_send_thread(arch_current(), SIGXFSZ, NULL);
			return -EFBIG;
		}
		if (len > limit - (uint64_t)pos)
			*cut = len - (limit - (uint64_t)pos);
	}
	if (UNLIKELY(pos == INT64_MAX))
		return -EFBIG;
	if (UNLIKELY(len - *cut > (size_t)(INT64_MAX - pos)))
		*cut = len - (size_t)(INT64_MAX - pos);
	return 0;
}

static NOINLINE void drop_privileges(struct inode *i)
{
	uint32_t drop = i->mode & S_ISUID;

	/* without group execution the bit has meant mandatory locks, and stays */
	if ((i->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		drop |= S_ISGID;
	if (drop && !capable(CAP_FSETID))
		atomic_store_relaxed(&i->mode, i->mode & ~drop);
}

void file_written(struct file *f)
{
	struct inode *i = f->inode;

	if (UNLIKELY(i->mode & (S_ISUID | S_ISGID)))
		drop_privileges(i);
	inode_touch(i, IATTR_MTIME | IATTR_CTIME);
}
