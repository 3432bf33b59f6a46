// SPDX-License-Identifier: MIT
/*
 * System calls: mount, umount2, pivot_root, mount_setattr, sync, syncfs.
 *
 * Spec    man 2 of each
 */
#include "fs/vfs/fdtable.h"
#include "fs/vfs/mount_ops.h"
#include "fs/vfs/path.h"
#include "mm/slab.h"
#include "sys/syscall.h"

#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/mount.h>

enum { SETATTR_FIRST_SIZE = 32 /* MOUNT_ATTR_SIZE_VER0 */, MOUNT_DATA_SIZE = 4096 };

/* A string of the program's, or NULL; at most PATH_MAX with its NUL: -EINVAL beyond, as Linux. */
static int read_string(char **out, uptr from)
{
	int len;

	*out = NULL;
	if (uptr_is_null(from))
		return 0;
	*out = mem_alloc(PATH_MAX, 0);
	if (!*out)
		return -ENOMEM;
	len = user_read_string(*out, from, PATH_MAX);
	if (len >= 0)
		return 0;
	mem_free(*out);
	*out = NULL;
	return len == -ENAMETOOLONG ? -EINVAL : len;
}

/* Options: a page, or what of it can be read, ended by a NUL. */
static int read_options(char **out, uptr from)
{
	size_t got;

	*out = NULL;
	if (uptr_is_null(from))
		return 0;
	*out = mem_alloc(MOUNT_DATA_SIZE, SLAB_ZERO);
	if (!*out)
		return -ENOMEM;
	got = user_read_some(*out, from, MOUNT_DATA_SIZE - 1);
	if (got)
		return 0;
	mem_free(*out);
	*out = NULL;
	return -EFAULT;
}

/* man 2 mount. Errors: EACCES, EBUSY, EFAULT, EINVAL, ELOOP, ENAMETOOLONG, ENODEV, ENOENT, ENOMEM,
 * ENOTDIR, ENXIO, EPERM, EROFS. */
SYSCALL5(mount, uptr, source, uptr, target, uptr, type, unsigned long, flags, uptr, data)
{
	char *source_text = NULL, *type_text = NULL, *options = NULL;
	struct pathname path;
	int64_t err = read_string(&type_text, type);

	if (!err)
		err = read_string(&source_text, source);
	if (!err)
		err = read_options(&options, data);
	if (!err)
		err = pathname_read(&path, target, false);
	if (!err) {
		err = vfs_mount(source_text, path.text, type_text, flags, options);
		pathname_free(&path);
	}
	mem_free(options);
	mem_free(source_text);
	mem_free(type_text);
	return err;
}

/* man 2 umount. Errors: EAGAIN, EBUSY, EFAULT, EINVAL, ENAMETOOLONG, ENOENT, EPERM. */
SYSCALL2(umount2, uptr, target, int, flags)
{
	struct pathname path;
	int64_t err;

	if (flags & ~15)
		return -EINVAL;
	err = pathname_read(&path, target, false);
	if (err)
		return err;
	err = vfs_umount(path.text, flags);
	pathname_free(&path);
	return err;
}

/* man 2 pivot_root. Errors: EBUSY, EINVAL, ENOTDIR, EPERM. */
SYSCALL2(pivot_root, uptr, new_root, uptr, put_old)
{
	struct pathname new, old;
	int64_t err = pathname_read(&new, new_root, false);

	if (err)
		return err;
	err = pathname_read(&old, put_old, false);
	if (!err) {
		err = vfs_pivot_root(new.text, old.text);
		pathname_free(&old);
	}
	pathname_free(&new);
	return err;
}

/* ---- mount_setattr ---- */

#define ATTR_FLAGS                                                                             \
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |        \
		MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW)

static int check_attr(const struct mount_attr *a)
{
	uint64_t types = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;

	if (a->propagation & ~types || a->propagation & (a->propagation - 1))
		return -EINVAL;
	/* no mappings of ids here: as a filesystem that does not allow them */
	if ((a->attr_set | a->attr_clr) & ~(uint64_t)ATTR_FLAGS || a->userns_fd)
		return -EINVAL;
	/* the access time is one setting: to set it, all of it is cleared */
	if (a->attr_clr & MOUNT_ATTR__ATIME) {
		if ((a->attr_clr & MOUNT_ATTR__ATIME) != MOUNT_ATTR__ATIME)
			return -EINVAL;
		if ((a->attr_set & MOUNT_ATTR__ATIME) == MOUNT_ATTR__ATIME)
			return -EINVAL;
	} else if (a->attr_set & MOUNT_ATTR__ATIME) {
		return -EINVAL;
	}
	return 0;
}

/* man 2 mount_setattr. Errors: E2BIG, EBADF, EBUSY, EFAULT, EINVAL, ENOENT, EPERM. */
SYSCALL5(mount_setattr, int, dirfd, uptr, name, unsigned, flags, uptr, attr_at, size_t, size)
{
	struct mount_change c;
	struct mount_attr a;
	struct path p;
	int64_t err;

	if (flags & ~(unsigned)(AT_EMPTY_PATH | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW |
				AT_NO_AUTOMOUNT) ||
		size < SETATTR_FIRST_SIZE)
		return -EINVAL;
	err = user_read_struct(&a, sizeof(a), attr_at, size);
	if (err)
		return err;
	if (!a.attr_set && !a.attr_clr && !a.propagation)
		return 0;
	err = check_attr(&a);
	if (err)
		return err;
	c = (struct mount_change){
		.set = a.attr_set,
		.clear = a.attr_clr,
		.propagation = a.propagation,
		.is_recursive = flags & AT_RECURSIVE,
	};
	err = path_lookup_user(dirfd, name,
		(flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
			(flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0),
		&p);
	if (err)
		return err;
	err = vfs_mount_setattr(&p, &c);
	path_put(&p);
	return err;
}

/* ---- sync ---- */

/* man 2 sync. Every filesystem there is keeps its files in memory: nothing is behind. */
SYSCALL0(sync)
{
	return 0;
}

/* man 2 syncfs. Errors: EBADF. */
SYSCALL1(syncfs, int, fd)
{
	struct borrowed_file b = fd_borrow(fd);

	if (!b.file)
		return -EBADF;
	fd_release(b);
	return 0;
}
