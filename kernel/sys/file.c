// SPDX-License-Identifier: MIT
/*
 * Descriptors and what is done to an open file as a whole: close, dup, ioctl, truncation, space,
 * synchronising, advice. man 2 of each.
 */
#include <asm/ioctls.h>
#include <linux/close_range.h>
#include <linux/fadvise.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/memfd.h>
#include <linux/resource.h>
#include <linux/sockios.h>

#include "abi/stat.h"
#include "fs/tmpfs/tmpfs.h"
#include "fs/vfs/fdtable.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/notify.h"
#include "fs/vfs/write_limits.h"
#include "mm/slab.h"
#include "net/socket.h"
#include "proc/proc.h"
#include "sys/file.h"
#include "sys/syscall.h"

static struct fdtable *files(void)
{
	return uthread_current()->files;
}

/* ---- close, dup ---- */

SYSCALL1(close, int, fd)
{
	return fd_close(files(), fd);
}

SYSCALL3(close_range, unsigned, first, unsigned, last, unsigned, flags)
{
	int err;

	if (flags & ~(unsigned)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) || first > last)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE) {
		err = uthread_unshare_files(uthread_current());
		if (err)
			return err;
	}
	fdtable_close_range(files(), first, last, flags & CLOSE_RANGE_CLOEXEC);
	return 0;
}

int64_t sys_give_fd(struct file *f, bool close_on_exec)
{
	int fd, err = fd_reserve(files(), 0, proc_rlimit(RLIMIT_NOFILE), &fd);

	if (err) {
		file_put(f);
		return err;
	}
	fd_install(files(), fd, f, close_on_exec);
	return fd;
}

int64_t sys_dup_file(struct file *f, int min, bool close_on_exec)
{
	int fd, err;

	err = fd_reserve(files(), min, proc_rlimit(RLIMIT_NOFILE), &fd);
	if (err)
		return err;
	file_get(f);
	fd_install(files(), fd, f, close_on_exec);
	return fd;
}

SYSCALL1(dup, int, fd)
{
	struct borrowed_file b = fd_borrow_path(fd);
	int64_t n;

	if (!b.file)
		return -EBADF;
	n = sys_dup_file(b.file, 0, false);
	fd_release(b);
	return n;
}

static int64_t dup_to(int old_fd, int new_fd, bool close_on_exec)
{
	struct file *f;
	int err;

	if (new_fd < 0 || (uint64_t)new_fd >= proc_rlimit(RLIMIT_NOFILE))
		return -EBADF;
	err = fd_get_file(files(), old_fd, true, &f);
	if (err)
		return err;
	err = fd_replace(files(), new_fd, f, proc_rlimit(RLIMIT_NOFILE), close_on_exec);
	if (err) {
		file_put(f);
		return err;
	}
	return new_fd;
}

SYSCALL2(dup2, int, old_fd, int, new_fd)
{
	bool ignored;
	int err;

	if (old_fd == new_fd) {
		err = fd_get_cloexec(files(), old_fd, &ignored);
		return err ? err : new_fd;
	}
	return dup_to(old_fd, new_fd, false);
}

SYSCALL3(dup3, int, old_fd, int, new_fd, int, flags)
{
	if (flags & ~O_CLOEXEC || old_fd == new_fd)
		return -EINVAL;
	return dup_to(old_fd, new_fd, flags & O_CLOEXEC);
}

/* ---- ioctl: the requests that any file knows ---- */

int sys_set_file_flags(struct file *f, int fd, unsigned mask, unsigned value)
{
	unsigned flags;
	int err = 0;

	if (value & O_DIRECT & ~f->flags && !S_ISFIFO(f->inode->mode))
		return -EINVAL; /* nothing but a pipe knows it */
	flags = (f->flags & ~mask) | (value & mask);
	if (f->ops->set_flags)
		err = f->ops->set_flags(f, flags);
	if (!err && (flags ^ f->flags) & FASYNC)
		err = file_set_async(f, flags & FASYNC);
	if (err)
		return err;
	irqlock_lock(&f->flags_lock);
	f->flags = (f->flags & ~mask) | (value & mask);
	if (value & mask & FASYNC)
		f->owner_fd = fd;
	irqlock_unlock(&f->flags_lock);
	return 0;
}

static int64_t ioctl_flag(struct file *f, int fd, uptr arg, unsigned flag)
{
	int on;

	if (user_get(on, arg))
		return -EFAULT;
	return sys_set_file_flags(f, fd, flag, on ? flag : 0);
}

static int64_t put_int(uptr to, int value)
{
	return user_put(to, value);
}

static int64_t ioctl_regular(struct file *f, unsigned cmd, uptr arg)
{
	switch (cmd) {
	case FIONREAD:
		return put_int(arg, (int)(atomic_load_relaxed(&f->inode->size) - f->pos));
	case FIBMAP:
		return -EPERM; /* Linux: asks for CAP_SYS_RAWIO, then for a block device */
	}
	return f->ops->ioctl ? f->ops->ioctl(f, cmd, arg.addr) : -ENOTTY;
}

/* man 7 socket: what fcntl does with F_SETOWN and F_GETOWN. Else the family's. */
static int64_t ioctl_socket(struct file *f, unsigned cmd, uptr arg)
{
	int who;

	switch (cmd) {
	case FIOSETOWN:
	case SIOCSPGRP:
		return user_get(who, arg) ? -EFAULT : sys_set_file_owner(f, who);
	case FIOGETOWN:
	case SIOCGPGRP:
		return put_int(arg, (int)sys_get_file_owner(f));
	}
	return f->ops->ioctl(f, cmd, arg.addr);
}

static int64_t ioctl_any(struct file *f, int fd, unsigned cmd, uptr arg)
{
	switch (cmd) {
	case FIOCLEX:
	case FIONCLEX:
		return fd_set_cloexec(files(), fd, cmd == FIOCLEX);
	case FIONBIO:
		return ioctl_flag(f, fd, arg, O_NONBLOCK);
	case FIOASYNC:
		return ioctl_flag(f, fd, arg, FASYNC);
	case FIOQSIZE: {
		int64_t size = atomic_load_relaxed(&f->inode->size);

		if (!S_ISREG(f->inode->mode) && !S_ISDIR(f->inode->mode) &&
			!S_ISLNK(f->inode->mode))
			return -ENOTTY;
		return user_put(arg, size);
	}
	case FIGETBSZ:
		return f->inode->super->block_size
			       ? put_int(arg, (int)f->inode->super->block_size)
			       : -EINVAL;
	}
	if (S_ISREG(f->inode->mode))
		return ioctl_regular(f, cmd, arg);
	if (socket_of(f))
		return ioctl_socket(f, cmd, arg);
	return f->ops->ioctl ? f->ops->ioctl(f, cmd, arg.addr) : -ENOTTY;
}

SYSCALL3(ioctl, int, fd, unsigned, cmd, uptr, arg)
{
	struct borrowed_file b = fd_borrow(fd);
	int64_t n;

	if (!b.file)
		return -EBADF;
	n = ioctl_any(b.file, fd, cmd, arg);
	fd_release(b);
	return n;
}

/* ---- Size and space ---- */

static int truncate_file(struct file *f, int64_t size)
{
	struct inode *i = f->inode;
	size_t cut = 0;
	int err;

	if (!S_ISREG(i->mode) || !(f->mode & FILE_WRITE) || !i->ops->setattr)
		return -EINVAL;
	mutex_lock(&i->lock);
	err = size > i->size ? file_limit_write(f, i->size, (size_t)(size - i->size), &cut) : 0;
	if (!err && cut)
		err = file_limit_write(f, size, 1, &cut); /* the same signal for a part */
	if (!err)
		err = inode_set_size_locked(i, size);
	mutex_unlock(&i->lock);
	if (!err)
		notify_file(f, IN_MODIFY);
	return err;
}

SYSCALL2(ftruncate, int, fd, int64_t, size)
{
	struct borrowed_file b;
	int err;

	if (size < 0)
		return -EINVAL;
	b = fd_borrow(fd);
	if (!b.file)
		return -EBADF;
	err = truncate_file(b.file, size);
	fd_release(b);
	return err;
}

/* Which flags go together. */
static int check_fallocate_mode(int mode)
{
	static const struct {
		int flag, beside; /* with it nothing but these */
	} alone[] = {
		{FALLOC_FL_COLLAPSE_RANGE, 0},
		{FALLOC_FL_INSERT_RANGE, 0},
		{FALLOC_FL_UNSHARE_RANGE, FALLOC_FL_KEEP_SIZE},
	};
	const int known = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE |
			  FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE |
			  FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE;

	if (mode & ~known)
		return -EOPNOTSUPP;
	if (mode & FALLOC_FL_PUNCH_HOLE &&
		(mode & FALLOC_FL_ZERO_RANGE || !(mode & FALLOC_FL_KEEP_SIZE)))
		return -EOPNOTSUPP;
	for (unsigned i = 0; i < ARRAY_LEN(alone); i++)
		if (mode & alone[i].flag && mode & ~(alone[i].flag | alone[i].beside))
			return -EINVAL;
	return 0;
}

static int check_fallocate(const struct file *f, int mode, int64_t offset, int64_t len)
{
	int err;

	if (offset < 0 || len <= 0)
		return -EINVAL;
	err = check_fallocate_mode(mode);
	if (err)
		return err;
	if (!(f->mode & FILE_WRITE))
		return -EBADF;
	if (S_ISFIFO(f->inode->mode))
		return -ESPIPE;
	if (S_ISDIR(f->inode->mode))
		return -EISDIR;
	if (!S_ISREG(f->inode->mode) && !S_ISBLK(f->inode->mode))
		return -ENODEV;
	if (offset > INT64_MAX - len)
		return -EFBIG;
	return f->ops->fallocate ? 0 : -EOPNOTSUPP;
}

SYSCALL4(fallocate, int, fd, int, mode, int64_t, offset, int64_t, len)
{
	struct borrowed_file b = fd_borrow(fd);
	int err;

	if (!b.file)
		return -EBADF;
	err = check_fallocate(b.file, mode, offset, len);
	if (!err)
		err = b.file->ops->fallocate(b.file, mode, offset, len);
	if (!err)
		notify_file(b.file, IN_MODIFY);
	fd_release(b);
	return err;
}

/* ---- Synchronising and advice ---- */

static int64_t sync_file(int fd, bool data_only)
{
	struct borrowed_file b = fd_borrow(fd);
	int err;

	if (!b.file)
		return -EBADF;
	err = b.file->ops->fsync ? b.file->ops->fsync(b.file, data_only) : -EINVAL;
	fd_release(b);
	return err;
}

SYSCALL1(fsync, int, fd)
{
	return sync_file(fd, false);
}

SYSCALL1(fdatasync, int, fd)
{
	return sync_file(fd, true);
}

SYSCALL4(sync_file_range, int, fd, int64_t, offset, int64_t, nr, unsigned, flags)
{
	const unsigned known = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
			       SYNC_FILE_RANGE_WAIT_AFTER;
	struct borrowed_file b = fd_borrow(fd);
	int err = 0;

	if (!b.file)
		return -EBADF;
	if (flags & ~known || offset < 0 || nr < 0 || offset > INT64_MAX - nr)
		err = -EINVAL;
	else if (!S_ISREG(b.file->inode->mode) && !S_ISDIR(b.file->inode->mode) &&
		 !S_ISBLK(b.file->inode->mode) && !S_ISLNK(b.file->inode->mode))
		err = -ESPIPE;
	else if (flags && b.file->ops->fsync)
		err = b.file->ops->fsync(b.file, true);
	fd_release(b);
	return err;
}

/* Advice is about a disk's read-ahead; files in memory have nothing to do for it. */
SYSCALL4(fadvise64, int, fd, int64_t, offset UNUSED, int64_t, len, int, advice)
{
	struct borrowed_file b = fd_borrow(fd);
	int err = 0;

	if (!b.file)
		return -EBADF;
	if (S_ISFIFO(b.file->inode->mode))
		err = -ESPIPE;
	else if (len < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE)
		err = -EINVAL;
	fd_release(b);
	return err;
}

SYSCALL3(readahead, int, fd, int64_t, offset UNUSED, size_t, nr UNUSED)
{
	struct borrowed_file b = fd_borrow(fd);
	int err = 0;

	if (!b.file)
		return -EBADF;
	if (!(b.file->mode & FILE_READ))
		err = -EBADF;
	else if (!S_ISREG(b.file->inode->mode))
		err = -EINVAL;
	fd_release(b);
	return err;
}

/* ---- Files without a name ---- */

enum { MEMFD_NAME_MAX = 249 /* man 2 memfd_create */ };

static int64_t create_memfd(const char *name, unsigned flags)
{
	struct file *f;
	int fd, err;

	err = fd_reserve(files(), 0, proc_rlimit(RLIMIT_NOFILE), &fd);
	if (err)
		return err;
	err = tmpfs_open_memfd(name, flags, &f);
	if (err) {
		fd_unreserve(files(), fd);
		return err;
	}
	fd_install(files(), fd, f, flags & MFD_CLOEXEC);
	return fd;
}

SYSCALL2(memfd_create, uptr, user_name, unsigned, flags)
{
	int64_t len, n;
	char *name;

	/* MFD_HUGETLB: absent, as Linux without hugetlbfs */
	if (flags & ~(unsigned)(MFD_CLOEXEC | MFD_ALLOW_SEALING))
		return -EINVAL;
	name = mem_alloc(MEMFD_NAME_MAX + 1, 0);
	if (!name)
		return -ENOMEM;
	len = user_read_string(name, user_name, MEMFD_NAME_MAX + 1);
	if (len < 0)
		n = len == -ENAMETOOLONG ? -EINVAL : len;
	else
		n = create_memfd(name, flags);
	mem_free(name);
	return n;
}
