// SPDX-License-Identifier: MIT
/*
 * System calls that ask about files: the stat family, statx, access, readlink, statfs.
 *
 * fstat is with the other calls on descriptors (sys/file.c); stat_write serves it as well.
 *
 * Spec    man 2 stat, statx, access, readlink, statfs
 */
#include "sys/stat.h"

#include "dev/char/chardev.h"
#include "fs/vfs/attr_query.h"
#include "fs/vfs/path.h"
#include "proc/cred.h"
#include "sys/syscall.h"

#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/mount.h>

enum {
	STAT_AT_FLAGS = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH,
	STATX_AT_FLAGS = STAT_AT_FLAGS | AT_STATX_SYNC_TYPE,
	ACCESS_AT_FLAGS = AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH,
	F_OK_MASK = 7, /* R_OK, W_OK, X_OK */
};

static unsigned lookup_flags(int at_flags)
{
	return (at_flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
	       (at_flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
}

/* ---- stat ---- */

int stat_write(uptr to, const struct kstat *k)
{
	struct stat st = {
		.st_dev = k->dev,
		.st_ino = k->ino,
		.st_nlink = k->nlink,
		.st_mode = k->mode,
		.st_uid = k->uid,
		.st_gid = k->gid,
		.st_rdev = k->rdev,
		.st_size = (long)k->size,
		.st_blksize = k->block_size,
		.st_blocks = (long)k->blocks,
		.st_atime = (unsigned long)k->atime.sec,
		.st_atime_nsec = k->atime.nsec,
		.st_mtime = (unsigned long)k->mtime.sec,
		.st_mtime_nsec = k->mtime.nsec,
		.st_ctime = (unsigned long)k->ctime.sec,
		.st_ctime_nsec = k->ctime.nsec,
	};

	return user_write(to, &st, sizeof(st));
}

static int get_attr(int dirfd, uptr name, int at_flags, struct kstat *k)
{
	struct pathname path;
	int err = pathname_read(&path, name, at_flags & AT_EMPTY_PATH);

	if (err)
		return err;
	err = path_get_attr(dirfd, path.text, lookup_flags(at_flags), k);
	pathname_free(&path);
	return err;
}

static int64_t stat_at(int dirfd, uptr name, int at_flags, uptr to)
{
	struct kstat k;
	int err = get_attr(dirfd, name, at_flags, &k);

	return err ? err : stat_write(to, &k);
}

/* man 2 stat. Errors: EACCES, EBADF, EFAULT, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR. */
SYSCALL2(stat, uptr, name, uptr, to)
{
	return stat_at(AT_FDCWD, name, 0, to);
}

SYSCALL2(lstat, uptr, name, uptr, to)
{
	return stat_at(AT_FDCWD, name, AT_SYMLINK_NOFOLLOW, to);
}

/* The same. Errors: EBADF, EFAULT. */
SYSCALL2(fstat, int, fd, uptr, to)
{
	struct borrowed_file b = fd_borrow_path(fd);
	struct kstat k;

	if (!b.file)
		return -EBADF;
	inode_get_attr(b.file->inode, &k);
	fd_release(b);
	return stat_write(to, &k);
}

/* The same. Errors: also EINVAL. */
SYSCALL4(newfstatat, int, dirfd, uptr, name, uptr, to, int, flags)
{
	if (flags & ~STATX_AT_FLAGS)
		return -EINVAL;
	return stat_at(dirfd, name, flags, to);
}

static struct statx_timestamp statx_time(const struct timespec64 *t)
{
	return (struct statx_timestamp){.tv_sec = t->sec, .tv_nsec = t->nsec};
}

static int statx_write(uptr to, const struct kstat *k, const struct mount_facts *m)
{
	struct statx sx = {
		.stx_mask = STATX_BASIC_STATS | STATX_MNT_ID,
		.stx_blksize = k->block_size,
		.stx_attributes = k->attributes,
		.stx_nlink = k->nlink,
		.stx_uid = k->uid,
		.stx_gid = k->gid,
		.stx_mode = (uint16_t)k->mode,
		.stx_ino = k->ino,
		.stx_size = k->size,
		.stx_blocks = k->blocks,
		.stx_attributes_mask = k->attributes_mask | STATX_ATTR_MOUNT_ROOT,
		.stx_atime = statx_time(&k->atime),
		.stx_ctime = statx_time(&k->ctime),
		.stx_mtime = statx_time(&k->mtime),
		.stx_rdev_major = dev_major(k->rdev),
		.stx_rdev_minor = dev_minor(k->rdev),
		.stx_dev_major = dev_major(k->dev),
		.stx_dev_minor = dev_minor(k->dev),
		.stx_mnt_id = m->id,
	};

	if (m->is_root)
		sx.stx_attributes |= STATX_ATTR_MOUNT_ROOT;
	if (k->has_btime) {
		sx.stx_mask |= STATX_BTIME;
		sx.stx_btime = statx_time(&k->btime);
	}
	return user_write(to, &sx, sizeof(sx));
}

/* `how`: more for the look-up, LOOKUP_CACHED. */
static int64_t statx_at(int dirfd, uptr name, int flags, unsigned mask, uptr to, unsigned how)
{
	struct mount_facts facts;
	struct path p;
	struct kstat k;
	int err;

	if (mask & STATX__RESERVED || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	if (flags & ~STATX_AT_FLAGS)
		return -EINVAL;
	err = path_lookup_user(dirfd, name, lookup_flags(flags) | how, &p);
	if (err)
		return err;
	inode_get_attr(p.dentry->inode, &k);
	facts = (struct mount_facts){.id = p.mnt->id, .is_root = p.dentry == p.mnt->root};
	path_put(&p);
	return statx_write(to, &k, &facts);
}

/* man 2 statx. The mask is advice: everything is always filled. Errors: those of newfstatat. */
SYSCALL5(statx, int, dirfd, uptr, name, int, flags, unsigned, mask, uptr, to)
{
	return statx_at(dirfd, name, flags, mask, to, 0);
}

int64_t statx_now(int dirfd, uptr name, int flags, unsigned mask, uptr to)
{
	return statx_at(dirfd, name, flags, mask, to, LOOKUP_CACHED);
}

/* ---- access ---- */

/*
 * access asks as the real user: capabilities count only for root, and none for others.
 * man 2 access, Linux.
 */
static const struct cred *real_user(struct cred *as)
{
	const struct cred *c = cred_current();
	uint64_t caps = c->uid == 0 ? c->cap_permitted : 0;

	if (c->uid == c->fsuid && c->gid == c->fsgid && caps == c->cap_effective)
		return c;
	*as = *c;
	as->fsuid = c->uid;
	as->fsgid = c->gid;
	as->cap_effective = caps;
	return as;
}

static int64_t access_at(int dirfd, uptr name, int mode, int flags)
{
	struct pathname path;
	struct path p;
	struct cred real;
	const struct cred *c;
	int err;

	if (mode & ~F_OK_MASK || flags & ~ACCESS_AT_FLAGS)
		return -EINVAL;
	err = pathname_read(&path, name, flags & AT_EMPTY_PATH);
	if (err)
		return err;
	c = flags & AT_EACCESS ? cred_current() : real_user(&real);
	err = path_lookup_as(c, dirfd, path.text, lookup_flags(flags), &p);
	pathname_free(&path);
	if (err)
		return err;
	err = path_may_access(c, &p, (unsigned)mode);
	path_put(&p);
	return err;
}

/* man 2 access. Errors: EACCES, EFAULT, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EROFS. */
SYSCALL2(access, uptr, name, int, mode)
{
	return access_at(AT_FDCWD, name, mode, 0);
}

SYSCALL3(faccessat, int, dirfd, uptr, name, int, mode)
{
	return access_at(dirfd, name, mode, 0);
}

SYSCALL4(faccessat2, int, dirfd, uptr, name, int, mode, int, flags)
{
	return access_at(dirfd, name, mode, flags);
}

/* ---- readlink ---- */

static int64_t readlink_at(int dirfd, uptr name, uptr to, int size)
{
	struct pathname path;
	struct path p;
	int64_t n;

	if (size <= 0)
		return -EINVAL;
	n = pathname_read(&path, name, true);
	if (n)
		return n;
	n = path_lookup(dirfd, path.text, LOOKUP_EMPTY, &p);
	if (!n) {
		n = path_read_link(&p, to, (size_t)size);
		/* man 2 readlink: an empty path names a descriptor that must be a link's */
		if (n == -EINVAL && !path.len)
			n = -ENOENT;
		path_put(&p);
	}
	pathname_free(&path);
	return n;
}

/* man 2 readlink. Errors: EACCES, EFAULT, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR. */
SYSCALL3(readlink, uptr, name, uptr, to, int, size)
{
	return readlink_at(AT_FDCWD, name, to, size);
}

SYSCALL4(readlinkat, int, dirfd, uptr, name, uptr, to, int, size)
{
	return readlink_at(dirfd, name, to, size);
}

/* ---- statfs ---- */

static int64_t statfs_of(const struct path *p, uptr to)
{
	struct kstatfs k;
	struct statfs st;
	int err = path_statfs(p, &k);

	if (err)
		return err;
	st = (struct statfs){
		.f_type = (long)k.type,
		.f_bsize = (long)k.block_size,
		.f_blocks = (long)k.blocks,
		.f_bfree = (long)k.free_blocks,
		.f_bavail = (long)k.available_blocks,
		.f_files = (long)k.files,
		.f_ffree = (long)k.free_files,
		.f_fsid = {.val = {(int)k.fsid, (int)(k.fsid >> 32)}},
		.f_namelen = (long)k.name_max,
		.f_frsize = (long)k.block_size,
		.f_flags = (long)path_statfs_flags(p),
	};
	return user_write(to, &st, sizeof(st));
}

/* man 2 statfs. Errors: EACCES, EFAULT, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR. */
SYSCALL2(statfs, uptr, name, uptr, to)
{
	struct path p;
	int64_t err = path_lookup_user(AT_FDCWD, name, LOOKUP_FOLLOW, &p);

	if (err)
		return err;
	err = statfs_of(&p, to);
	path_put(&p);
	return err;
}

/* man 2 fstatfs. Errors: EBADF, EFAULT. */
SYSCALL2(fstatfs, int, fd, uptr, to)
{
	struct borrowed_file b = fd_borrow_path(fd);
	struct path p;
	int64_t err;

	if (!b.file)
		return -EBADF;
	p = (struct path){b.file->mount, b.file->dentry};
	err = statfs_of(&p, to);
	fd_release(b);
	return err;
}
