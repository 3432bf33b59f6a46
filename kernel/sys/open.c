// SPDX-License-Identifier: MIT
/*
 * System calls: open, creat, openat, openat2.
 *
 * open ignores flags that do not exist and a mode without a file to make; openat2 refuses both.
 *
 * Spec    man 2 open, openat2
 */
#include "sys/open.h"

#include "ops/open.h"
#include "proc/given.h"
#include "sys/syscall.h"

#include <linux/fcntl.h>
#include <linux/openat2.h>

enum { MODE_BITS = 07777, OPEN_HOW_FIRST_SIZE = 24 /* OPEN_HOW_SIZE_VER0: man 2 openat2 */ };

#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)
#define OPEN_FLAGS                                                                             \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC |  \
		O_DSYNC | FASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW |         \
		O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE)
#define PATH_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)
#define RESOLVE_FLAGS                                                                          \
	(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH |     \
		RESOLVE_IN_ROOT | RESOLVE_CACHED)

/* What both kinds of open refuse. */
static int check_flags(struct open_how_kernel *how)
{
	if (how->flags & O_SYNC & ~O_DSYNC)
		how->flags |= O_DSYNC;
	if (how->flags & TMPFILE_BIT) {
		if ((how->flags & (O_TMPFILE | O_CREAT)) != O_TMPFILE ||
			(how->flags & O_ACCMODE) == O_RDONLY)
			return -EINVAL;
	}
	return 0;
}

static int64_t open_loosely(int dirfd, uptr name, struct open_how_kernel how)
{
	int err;

	how.flags &= OPEN_FLAGS;
	if (how.flags & O_PATH)
		how.flags &= PATH_FLAGS;
	else
		how.flags |= O_LARGEFILE;
	how.mode &= how.flags & (O_CREAT | TMPFILE_BIT) ? MODE_BITS : 0;
	err = check_flags(&how);
	return err ? err : open_run(dirfd, name, &how);
}

int64_t openat_now(int dirfd, uptr name, unsigned flags)
{
	if (flags & (O_TRUNC | O_CREAT | TMPFILE_BIT))
		return -EAGAIN;
	return open_loosely(dirfd, name,
		(struct open_how_kernel){
			.flags = flags, .lookup = LOOKUP_CACHED, .may_not_wait = true});
}

/* man 2 open. Errors: those of openat. */
SYSCALL3(open, uptr, name, int, flags, uint32_t, mode)
{
	return open_loosely(AT_FDCWD, name,
		(struct open_how_kernel){.flags = (unsigned)flags, .mode = mode});
}

SYSCALL2(creat, uptr, name, uint32_t, mode)
{
	return open_loosely(AT_FDCWD, name,
		(struct open_how_kernel){.flags = O_CREAT | O_WRONLY | O_TRUNC, .mode = mode});
}

/*
 * Errors: EACCES, EBADF, EEXIST, EFAULT, EINTR, EINVAL, EISDIR, ELOOP, EMFILE, ENAMETOOLONG, ENFILE,
 * ENODEV, ENOENT, ENOMEM, ENOSPC, ENOTDIR, ENXIO, EOPNOTSUPP, EPERM, EROFS, ETXTBSY.
 */
SYSCALL4(openat, int, dirfd, uptr, name, int, flags, uint32_t, mode)
{
	return open_loosely(
		dirfd, name, (struct open_how_kernel){.flags = (unsigned)flags, .mode = mode});
}

static unsigned lookup_flags(uint64_t resolve)
{
	return (resolve & RESOLVE_NO_XDEV ? LOOKUP_NO_XDEV : 0) |
	       (resolve & RESOLVE_NO_MAGICLINKS ? LOOKUP_NO_MAGIC : 0) |
	       (resolve & RESOLVE_NO_SYMLINKS ? LOOKUP_NO_SYMLINKS | LOOKUP_NO_MAGIC : 0) |
	       (resolve & RESOLVE_BENEATH ? LOOKUP_BENEATH : 0) |
	       (resolve & RESOLVE_IN_ROOT ? LOOKUP_IN_ROOT : 0) |
	       (resolve & RESOLVE_CACHED ? LOOKUP_CACHED : 0);
}

static int check_how(const struct open_how *user)
{
	if (user->flags & ~(uint64_t)OPEN_FLAGS || user->resolve & ~(uint64_t)RESOLVE_FLAGS)
		return -EINVAL;
	if (user->resolve & RESOLVE_BENEATH && user->resolve & RESOLVE_IN_ROOT)
		return -EINVAL;
	if (user->flags & (O_CREAT | TMPFILE_BIT)) {
		if (user->mode & ~(uint64_t)MODE_BITS)
			return -EINVAL;
	} else if (user->mode) {
		return -EINVAL;
	}
	if (user->flags & O_PATH && user->flags & ~(uint64_t)PATH_FLAGS)
		return -EINVAL;
	if (user->resolve & RESOLVE_CACHED && user->flags & (O_TRUNC | O_CREAT | TMPFILE_BIT))
		return -EAGAIN;
	return 0;
}

/* man 2 openat2. Errors: also E2BIG, EAGAIN, EXDEV. */
SYSCALL4(openat2, int, dirfd, uptr, name, uptr, how_at, size_t, size)
{
	struct open_how user;
	struct open_how_kernel how;
	int err;

	if (size < OPEN_HOW_FIRST_SIZE)
		return -EINVAL;
	err = given_bytes(&user, how_at, sizeof(user))
		      ? 0
		      : user_read_struct(&user, sizeof(user), how_at, size);
	if (err)
		return err;
	/* O_LARGEFILE always, but not for O_PATH: Linux */
	if (!(user.flags & O_PATH))
		user.flags |= O_LARGEFILE;
	err = check_how(&user);
	if (err)
		return err;
	how = (struct open_how_kernel){
		.flags = (unsigned)user.flags,
		.mode = (uint32_t)user.mode,
		.lookup = lookup_flags(user.resolve),
	};
	err = check_flags(&how);
	return err ? err : open_run(dirfd, name, &how);
}
