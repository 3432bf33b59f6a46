// SPDX-License-Identifier: MIT
/*
 * System calls on names: making, removing, linking and renaming; working directory and root.
 *
 * Spec    man 2 of each
 */
#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "mm/slab.h"
#include "proc/cred.h"
#include "sys/syscall.h"

#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/stat.h>

enum { UMASK_BITS = 0777 };

/* ---- One name ---- */

static int64_t mkdir_at(int dirfd, uptr name, uint32_t mode)
{
	struct pathname path;
	int64_t err = pathname_read(&path, name, false);

	if (err)
		return err;
	err = vfs_mkdir(dirfd, path.text, mode);
	pathname_free(&path);
	return err;
}

/* man 2 mkdir. Errors: EACCES, EEXIST, EFAULT, ELOOP, EMLINK, ENAMETOOLONG, ENOENT, ENOSPC, ENOTDIR, EPERM, EROFS. */
SYSCALL2(mkdir, uptr, name, uint32_t, mode)
{
	return mkdir_at(AT_FDCWD, name, mode);
}

SYSCALL3(mkdirat, int, dirfd, uptr, name, uint32_t, mode)
{
	return mkdir_at(dirfd, name, mode);
}

static int64_t mknod_at(int dirfd, uptr name, uint32_t mode, uint32_t dev)
{
	struct pathname path;
	int64_t err = pathname_read(&path, name, false);

	if (err)
		return err;
	err = vfs_mknod(dirfd, path.text, mode, dev);
	pathname_free(&path);
	return err;
}

/* man 2 mknod. Errors: those of mkdir, EINVAL. */
SYSCALL3(mknod, uptr, name, uint32_t, mode, uint32_t, dev)
{
	return mknod_at(AT_FDCWD, name, mode, dev);
}

SYSCALL4(mknodat, int, dirfd, uptr, name, uint32_t, mode, uint32_t, dev)
{
	return mknod_at(dirfd, name, mode, dev);
}

static int64_t remove_at(int dirfd, uptr name, bool is_dir)
{
	struct pathname path;
	int64_t err = pathname_read(&path, name, false);

	if (err)
		return err;
	err = is_dir ? vfs_rmdir(dirfd, path.text) : vfs_unlink(dirfd, path.text);
	pathname_free(&path);
	return err;
}

/* man 2 unlink. Errors: EACCES, EBUSY, EFAULT, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM, EROFS. */
SYSCALL1(unlink, uptr, name)
{
	return remove_at(AT_FDCWD, name, false);
}

/* man 2 rmdir. Errors: also EINVAL, ENOTEMPTY. */
SYSCALL1(rmdir, uptr, name)
{
	return remove_at(AT_FDCWD, name, true);
}

SYSCALL3(unlinkat, int, dirfd, uptr, name, int, flags)
{
	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	return remove_at(dirfd, name, flags & AT_REMOVEDIR);
}

/* ---- Two names ---- */

/* Both strings copied; 0 or an error with nothing held. */
static int read_two(
	struct pathname *a, uptr from_a, bool may_be_empty, struct pathname *b, uptr from_b)
{
	int err = pathname_read(a, from_a, may_be_empty);

	if (err)
		return err;
	err = pathname_read(b, from_b, false);
	if (err)
		pathname_free(a);
	return err;
}

static int64_t symlink_at(uptr target, int dirfd, uptr name)
{
	struct pathname to, path;
	int64_t err = read_two(&to, target, false, &path, name);

	if (err)
		return err;
	err = vfs_symlink(to.text, dirfd, path.text);
	pathname_free(&path);
	pathname_free(&to);
	return err;
}

/* man 2 symlink. Errors: those of mkdir. */
SYSCALL2(symlink, uptr, target, uptr, name)
{
	return symlink_at(target, AT_FDCWD, name);
}

SYSCALL3(symlinkat, uptr, target, int, dirfd, uptr, name)
{
	return symlink_at(target, dirfd, name);
}

static int64_t link_at(int old_dirfd, uptr old, int new_dirfd, uptr name, int flags)
{
	struct pathname from, to;
	int64_t err;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = read_two(&from, old, flags & AT_EMPTY_PATH, &to, name);
	if (err)
		return err;
	err = vfs_link(old_dirfd, from.text, new_dirfd, to.text, flags);
	pathname_free(&to);
	pathname_free(&from);
	return err;
}

/* man 2 link. Errors: those of mkdir, EXDEV. */
SYSCALL2(link, uptr, old, uptr, name)
{
	return link_at(AT_FDCWD, old, AT_FDCWD, name, 0);
}

SYSCALL5(linkat, int, old_dirfd, uptr, old, int, new_dirfd, uptr, name, int, flags)
{
	return link_at(old_dirfd, old, new_dirfd, name, flags);
}

static int64_t rename_at(int old_dirfd, uptr old, int new_dirfd, uptr name, unsigned flags)
{
	struct pathname from, to;
	int64_t err = read_two(&from, old, false, &to, name);

	if (err)
		return err;
	err = vfs_rename(old_dirfd, from.text, new_dirfd, to.text, flags);
	pathname_free(&to);
	pathname_free(&from);
	return err;
}

/* man 2 rename. Errors: EACCES, EBUSY, EEXIST, EFAULT, EINVAL, EISDIR, ELOOP, EMLINK, ENAMETOOLONG,
 * ENOENT, ENOSPC, ENOTDIR, ENOTEMPTY, EPERM, EROFS, EXDEV. */
SYSCALL2(rename, uptr, old, uptr, name)
{
	return rename_at(AT_FDCWD, old, AT_FDCWD, name, 0);
}

SYSCALL4(renameat, int, old_dirfd, uptr, old, int, new_dirfd, uptr, name)
{
	return rename_at(old_dirfd, old, new_dirfd, name, 0);
}

SYSCALL5(renameat2, int, old_dirfd, uptr, old, int, new_dirfd, uptr, name, unsigned, flags)
{
	return rename_at(old_dirfd, old, new_dirfd, name, flags);
}

/* ---- Where the process is ---- */

static int lookup_dir(uptr name, struct path *p)
{
	int err = path_lookup_user(AT_FDCWD, name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, p);

	if (err)
		return err;
	err = inode_permission(p->dentry->inode, S_IXOTH);
	if (err)
		path_put(p);
	return err;
}

/* man 2 chdir. Errors: EACCES, EFAULT, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR. */
SYSCALL1(chdir, uptr, name)
{
	struct path p;
	int64_t err = lookup_dir(name, &p);

	if (err)
		return err;
	fs_context_set_cwd(fs_context_current(), &p);
	path_put(&p);
	return 0;
}

/* man 2 fchdir. Errors: EACCES, EBADF, ENOTDIR. */
SYSCALL1(fchdir, int, fd)
{
	struct borrowed_file b = fd_borrow_path(fd);
	struct path p;
	int64_t err = 0;

	if (!b.file)
		return -EBADF;
	p = (struct path){b.file->mount, b.file->dentry};
	if (!S_ISDIR(p.dentry->inode->mode))
		err = -ENOTDIR;
	else
		err = inode_permission(p.dentry->inode, S_IXOTH);
	if (!err)
		fs_context_set_cwd(fs_context_current(), &p);
	fd_release(b);
	return err;
}

/* man 2 chroot. Errors: those of chdir, EPERM. */
SYSCALL1(chroot, uptr, name)
{
	struct path p;
	int64_t err = lookup_dir(name, &p);

	if (err)
		return err;
	if (!capable(CAP_SYS_CHROOT))
		err = -EPERM;
	else
		fs_context_set_root(fs_context_current(), &p);
	path_put(&p);
	return err;
}

/* man 2 getcwd: the length with the NUL. Errors: EFAULT, ENAMETOOLONG, ENOENT, ERANGE. */
SYSCALL2(getcwd, uptr, to, size_t, size)
{
	char *buf = mem_alloc(PATH_MAX, 0), *text;
	size_t len;
	int64_t err;

	if (!buf)
		return -ENOMEM;
	err = path_text_of_cwd(buf, PATH_MAX, &text);
	if (!err) {
		len = (size_t)(buf + PATH_MAX - text);
		if (len > size)
			err = -ERANGE;
		else
			err = user_write(to, text, len);
		if (!err)
			err = (int64_t)len;
	}
	mem_free(buf);
	return err;
}

/* man 2 umask. Never fails. */
SYSCALL1(umask, uint32_t, mask)
{
	return atomic_xchg(&fs_context_current()->umask, mask & UMASK_BITS);
}
