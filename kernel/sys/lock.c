// SPDX-License-Identifier: MIT
/*
 * flock, and fcntl's record locks. man 2 flock, fcntl.
 */
#include "sys/lock.h"

#include <linux/fcntl.h>
#include <linux/fs.h>

#include "fs/vfs/fdtable.h"
#include "fs/vfs/inode.h"
#include "ops/lock.h"
#include "proc/proc.h"
#include "sys/syscall.h"

static bool is_ofd(unsigned cmd)
{
	return cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
}

/* The bytes that l_whence, l_start and l_len name; Linux's order of checks. */
static int set_range(struct lock_request *r, const struct file *f, const struct flock *l)
{
	int64_t base;

	switch (l->l_whence) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = f->pos;
		break;
	case SEEK_END:
		base = atomic_load_relaxed(&f->inode->size);
		break;
	default:
		return -EINVAL;
	}
	if (l->l_start > INT64_MAX - base)
		return -EOVERFLOW;
	r->start = base + l->l_start;
	if (r->start < 0)
		return -EINVAL;
	r->end = INT64_MAX;
	if (l->l_len > 0) {
		if (l->l_len - 1 > INT64_MAX - r->start)
			return -EOVERFLOW;
		r->end = r->start + l->l_len - 1;
	} else if (l->l_len < 0) {
		if (r->start + l->l_len < 0)
			return -EINVAL;
		r->end = r->start - 1;
		r->start += l->l_len;
	}
	return 0;
}

static int make_request(
	struct lock_request *r, struct file *f, unsigned cmd, const struct flock *l)
{
	if (is_ofd(cmd) && l->l_pid)
		return -EINVAL;
	*r = (struct lock_request){.inode = f->inode,
		.kind = is_ofd(cmd) ? LOCK_OFD : LOCK_POSIX,
		.type = l->l_type,
		.owner = is_ofd(cmd) ? (const void *)f : uthread_current()->files,
		.pid = is_ofd(cmd) ? -1 : proc_current()->pid->nr};
	if (l->l_type != F_RDLCK && l->l_type != F_WRLCK && l->l_type != F_UNLCK)
		return -EINVAL;
	return set_range(r, f, l);
}

static int64_t get_lock(struct file *f, unsigned cmd, uptr arg, struct flock *l)
{
	struct lock_request r;
	int err;

	if (l->l_type != F_RDLCK && l->l_type != F_WRLCK)
		return -EINVAL;
	err = make_request(&r, f, cmd, l);
	if (err)
		return err;
	locks_test(&r);
	l->l_type = r.type;
	if (r.type != F_UNLCK) {
		l->l_whence = SEEK_SET;
		l->l_start = r.start;
		l->l_len = r.end == INT64_MAX ? 0 : r.end - r.start + 1;
		l->l_pid = r.pid;
	}
	return user_put(arg, *l);
}

/* Another thread may have closed the descriptor while we got the lock: nobody would free it then. */
static bool was_closed(const struct file *f, int fd)
{
	struct borrowed_file b = fd_borrow(fd);
	bool is_other = b.file != f;

	if (b.file)
		fd_release(b);
	return is_other;
}

static int64_t set_lock(struct file *f, int fd, unsigned cmd, const struct flock *l)
{
	struct lock_request r;
	int64_t n;

	n = make_request(&r, f, cmd, l);
	if (n)
		return n;
	if ((r.type == F_RDLCK && !(f->mode & FILE_READ)) ||
		(r.type == F_WRLCK && !(f->mode & FILE_WRITE)))
		return -EBADF;
	n = cmd == F_SETLKW || cmd == F_OFD_SETLKW ? lock_wait_for(&r) : locks_try(&r, NULL);
	if (!n && r.kind == LOCK_POSIX && r.type != F_UNLCK && was_closed(f, fd)) {
		r.type = F_UNLCK;
		(void)!locks_try(&r, NULL);
		n = -EBADF;
	}
	return n;
}

int64_t sys_fcntl_lock(struct file *f, int fd, unsigned cmd, uptr arg)
{
	struct flock l;

	if (user_get(l, arg))
		return -EFAULT;
	if (cmd == F_GETLK || cmd == F_OFD_GETLK)
		return get_lock(f, cmd, arg, &l);
	return set_lock(f, fd, cmd, &l);
}

static int64_t flock_file(struct file *f, int operation)
{
	struct lock_request r = {.inode = f->inode,
		.kind = LOCK_FLOCK,
		.end = INT64_MAX,
		.owner = f,
		.pid = proc_current()->pid->nr};

	switch (operation & ~LOCK_NB) {
	case LOCK_SH:
		r.type = F_RDLCK;
		break;
	case LOCK_EX:
		r.type = F_WRLCK;
		break;
	case LOCK_UN:
		r.type = F_UNLCK;
		break;
	default:
		return -EINVAL;
	}
	if (r.type != F_UNLCK && !(f->mode & (FILE_READ | FILE_WRITE)))
		return -EBADF;
	return operation & LOCK_NB ? locks_try(&r, NULL) : lock_wait_for(&r);
}

SYSCALL2(flock, int, fd, int, operation)
{
	struct borrowed_file b = fd_borrow(fd);
	int64_t n;

	if (!b.file)
		return -EBADF;
	n = flock_file(b.file, operation);
	fd_release(b);
	return n;
}
