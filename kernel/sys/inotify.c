// SPDX-License-Identifier: MIT
/*
 * System calls: inotify_init, inotify_init1, inotify_add_watch, inotify_rm_watch.
 *
 * Spec    man 2 of each; man 7 inotify
 */
#include "fs/vfs/inotify.h"

#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "proc/proc.h"
#include "sys/syscall.h"

#include <linux/fcntl.h>
#include <linux/inotify.h>
#include <linux/resource.h>

enum { MAY_READ_IT = 4 };

#define ALL_BITS                                                                               \
	(IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | IN_ONLYDIR |                \
		IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_ADD | IN_MASK_CREATE | IN_ISDIR |    \
		IN_ONESHOT)

static int64_t init(int flags)
{
	struct fdtable *files = uthread_current()->files;
	struct file *f;
	int fd, err;

	if (flags & ~(IN_CLOEXEC | IN_NONBLOCK))
		return -EINVAL;
	err = fd_reserve(files, 0, proc_rlimit(RLIMIT_NOFILE), &fd);
	if (err)
		return err;
	err = inotify_create((unsigned)flags & O_NONBLOCK, &f);
	if (err) {
		fd_unreserve(files, fd);
		return err;
	}
	fd_install(files, fd, f, flags & IN_CLOEXEC);
	return fd;
}

/* man 2 inotify_init. Errors: EINVAL, EMFILE, ENFILE, ENOMEM. */
SYSCALL0(inotify_init)
{
	return init(0);
}

SYSCALL1(inotify_init1, int, flags)
{
	return init(flags);
}

static int64_t add(struct file *f, uptr name, uint32_t mask)
{
	unsigned lookup = (mask & IN_DONT_FOLLOW ? 0 : LOOKUP_FOLLOW) |
			  (mask & IN_ONLYDIR ? LOOKUP_DIRECTORY : 0);
	struct path p;
	int64_t err;

	if (mask & IN_MASK_ADD && mask & IN_MASK_CREATE)
		return -EINVAL;
	if (!inotify_is_file(f))
		return -EINVAL;
	err = path_lookup_user(AT_FDCWD, name, lookup, &p);
	if (err)
		return err;
	err = inode_permission(p.dentry->inode, MAY_READ_IT);
	if (!err)
		err = inotify_add(f, p.dentry->inode, mask);
	path_put(&p);
	return err;
}

/* man 2 inotify_add_watch. Errors: EACCES, EBADF, EEXIST, EFAULT, EINVAL, ENAMETOOLONG, ENOENT, ENOMEM,
 * ENOSPC, ENOTDIR. */
SYSCALL3(inotify_add_watch, int, fd, uptr, name, uint32_t, mask)
{
	struct borrowed_file b;
	int64_t wd;

	if (mask & ~(uint32_t)ALL_BITS || !(mask & ALL_BITS))
		return -EINVAL;
	b = fd_borrow(fd);
	if (!b.file)
		return -EBADF;
	wd = add(b.file, name, mask);
	fd_release(b);
	return wd;
}

/* man 2 inotify_rm_watch. Errors: EBADF, EINVAL. */
SYSCALL2(inotify_rm_watch, int, fd, int, wd)
{
	struct borrowed_file b = fd_borrow(fd);
	int64_t err;

	if (!b.file)
		return -EBADF;
	err = inotify_remove(b.file, wd);
	fd_release(b);
	return err;
}
