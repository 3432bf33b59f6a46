// SPDX-License-Identifier: MIT
/*
 * System calls that change a file's attributes: chmod, chown, the utime family, truncate.
 *
 * ftruncate is with the other calls on descriptors (sys/file.c).
 *
 * Spec    man 2 chmod, chown, utimensat, utime, truncate
 */
#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "sys/syscall.h"
#include "time/clock.h"

#include <linux/fcntl.h>
#include <linux/stat.h>
#include <linux/time.h>
#include <linux/time_types.h>
#include <linux/utime.h>

/* man 2 utimensat: tv_nsec may say "now" or "leave it" */
enum { UTIME_NOW_NS = 0x3fffffff, UTIME_OMIT_NS = 0x3ffffffe, US_PER_SECOND = 1000000 };

static int64_t set_at(int dirfd, uptr name, unsigned lookup, struct iattr *attr)
{
	struct path p;
	int64_t err = path_lookup_user(dirfd, name, lookup, &p);

	if (err)
		return err;
	err = vfs_setattr(&p, attr);
	path_put(&p);
	return err;
}

static int64_t set_fd(int fd, bool allows_path, struct iattr *attr)
{
	struct borrowed_file b = allows_path ? fd_borrow_path(fd) : fd_borrow(fd);
	struct path p;
	int64_t err;

	if (!b.file)
		return -EBADF;
	p = (struct path){b.file->mount, b.file->dentry};
	err = vfs_setattr(&p, attr);
	fd_release(b);
	return err;
}

/* ---- Mode ---- */

static struct iattr mode_attr(uint32_t mode)
{
	return (struct iattr){.valid = IATTR_MODE, .mode = mode};
}

/* man 2 chmod. Errors: EACCES, EFAULT, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM, EROFS. */
SYSCALL2(chmod, uptr, name, uint32_t, mode)
{
	struct iattr a = mode_attr(mode);

	return set_at(AT_FDCWD, name, LOOKUP_FOLLOW, &a);
}

SYSCALL3(fchmodat, int, dirfd, uptr, name, uint32_t, mode)
{
	struct iattr a = mode_attr(mode);

	return set_at(dirfd, name, LOOKUP_FOLLOW, &a);
}

/* Errors: also EBADF. */
SYSCALL2(fchmod, int, fd, uint32_t, mode)
{
	struct iattr a = mode_attr(mode);

	return set_fd(fd, false, &a);
}

/* ---- Owner ---- */

/* -1 leaves it; nothing asked still clears set-id bits and sets ctime, as on Linux. */
static struct iattr owner_attr(uint32_t uid, uint32_t gid)
{
	return (struct iattr){
		.valid = (uid != UINT32_MAX ? IATTR_UID : 0) |
			 (gid != UINT32_MAX ? IATTR_GID : 0) | IATTR_KILL_SUID,
		.uid = uid,
		.gid = gid,
	};
}

/* man 2 chown. Errors: those of chmod. */
SYSCALL3(chown, uptr, name, uint32_t, uid, uint32_t, gid)
{
	struct iattr a = owner_attr(uid, gid);

	return set_at(AT_FDCWD, name, LOOKUP_FOLLOW, &a);
}

SYSCALL3(lchown, uptr, name, uint32_t, uid, uint32_t, gid)
{
	struct iattr a = owner_attr(uid, gid);

	return set_at(AT_FDCWD, name, 0, &a);
}

SYSCALL3(fchown, int, fd, uint32_t, uid, uint32_t, gid)
{
	struct iattr a = owner_attr(uid, gid);

	return set_fd(fd, false, &a);
}

SYSCALL5(fchownat, int, dirfd, uptr, name, uint32_t, uid, uint32_t, gid, int, flags)
{
	struct iattr a = owner_attr(uid, gid);

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return set_at(dirfd, name,
		(flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
			(flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0),
		&a);
}

/* ---- Times ---- */

static struct timespec64 to_time(int64_t sec, int64_t nsec)
{
	return (struct timespec64){.sec = sec, .nsec = (uint32_t)nsec};
}

/* What one of the two means: now, this, or nothing. */
static unsigned time_bits(int64_t nsec, unsigned which, unsigned which_set)
{
	if (nsec == UTIME_OMIT_NS)
		return 0;
	return nsec == UTIME_NOW_NS ? which : which | which_set;
}

static int is_bad_nsec(int64_t nsec)
{
	return (nsec < 0 || nsec >= (int64_t)NS_PER_SEC) && nsec != UTIME_NOW_NS &&
	       nsec != UTIME_OMIT_NS;
}

/* 0, or an error; *is_nothing when both are to be left as they are. */
static int times_attr(struct iattr *a, uptr times, bool *is_nothing)
{
	struct __kernel_timespec t[2];
	int err;

	*a = (struct iattr){.valid = IATTR_ATIME | IATTR_MTIME};
	*is_nothing = false;
	if (uptr_is_null(times))
		return 0;
	err = user_read(t, times, sizeof(t));
	if (err)
		return err;
	*is_nothing = t[0].tv_nsec == UTIME_OMIT_NS && t[1].tv_nsec == UTIME_OMIT_NS;
	if (is_bad_nsec(t[0].tv_nsec) || is_bad_nsec(t[1].tv_nsec))
		return -EINVAL;
	a->atime = to_time(t[0].tv_sec, t[0].tv_nsec);
	a->mtime = to_time(t[1].tv_sec, t[1].tv_nsec);
	a->valid = time_bits(t[0].tv_nsec, IATTR_ATIME, IATTR_ATIME_SET) |
		   time_bits(t[1].tv_nsec, IATTR_MTIME, IATTR_MTIME_SET);
	/* one now and one left alone needs ownership, as explicit times do: man 2 utimensat */
	if (a->valid == IATTR_ATIME || a->valid == IATTR_MTIME) {
		a->atime = a->mtime = inode_now();
		a->valid |= a->valid == IATTR_ATIME ? IATTR_ATIME_SET : IATTR_MTIME_SET;
	}
	return 0;
}

/* man 2 utimensat. Errors: EACCES, EBADF, EFAULT, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM, EROFS, ESRCH. */
SYSCALL4(utimensat, int, dirfd, uptr, name, uptr, times, int, flags)
{
	struct iattr a;
	bool is_nothing;
	int err = times_attr(&a, times, &is_nothing);

	if (err || is_nothing)
		return err;
	if (uptr_is_null(name) && dirfd != AT_FDCWD) {
		if (flags)
			return -EINVAL;
		return set_fd(dirfd, false, &a);
	}
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return set_at(dirfd, name,
		(flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
			(flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0),
		&a);
}

/* A pair of struct timeval; NULL: the present time. */
static int timevals_attr(struct iattr *a, uptr times)
{
	struct __kernel_old_timeval t[2];
	int err;

	*a = (struct iattr){.valid = IATTR_ATIME | IATTR_MTIME};
	if (uptr_is_null(times))
		return 0;
	err = user_read(t, times, sizeof(t));
	if (err)
		return err;
	for (unsigned i = 0; i < 2; i++)
		if (t[i].tv_usec < 0 || t[i].tv_usec >= US_PER_SECOND)
			return -EINVAL;
	a->atime = to_time(t[0].tv_sec, t[0].tv_usec * (int64_t)NS_PER_US);
	a->mtime = to_time(t[1].tv_sec, t[1].tv_usec * (int64_t)NS_PER_US);
	a->valid |= IATTR_ATIME_SET | IATTR_MTIME_SET;
	return 0;
}

SYSCALL2(utimes, uptr, name, uptr, times)
{
	struct iattr a;
	int err = timevals_attr(&a, times);

	return err ? err : set_at(AT_FDCWD, name, LOOKUP_FOLLOW, &a);
}

SYSCALL3(futimesat, int, dirfd, uptr, name, uptr, times)
{
	struct iattr a;
	int err = timevals_attr(&a, times);

	if (err)
		return err;
	if (uptr_is_null(name) && dirfd != AT_FDCWD)
		return set_fd(dirfd, false, &a);
	return set_at(dirfd, name, LOOKUP_FOLLOW, &a);
}

SYSCALL2(utime, uptr, name, uptr, times)
{
	struct iattr a = {.valid = IATTR_ATIME | IATTR_MTIME};
	struct utimbuf t;
	int err;

	if (!uptr_is_null(times)) {
		err = user_get(t, times);
		if (err)
			return err;
		a.atime = to_time(t.actime, 0);
		a.mtime = to_time(t.modtime, 0);
		a.valid |= IATTR_ATIME_SET | IATTR_MTIME_SET;
	}
	return set_at(AT_FDCWD, name, LOOKUP_FOLLOW, &a);
}

/* ---- Size ---- */

/* man 2 truncate. Errors: EACCES, EFAULT, EFBIG, EINVAL, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EROFS, ETXTBSY. */
SYSCALL2(truncate, uptr, name, int64_t, size)
{
	struct path p;
	int64_t err;

	if (size < 0)
		return -EINVAL;
	err = path_lookup_user(AT_FDCWD, name, LOOKUP_FOLLOW, &p);
	if (err)
		return err;
	err = vfs_truncate(&p, size);
	path_put(&p);
	return err;
}
