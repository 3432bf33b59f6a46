// SPDX-License-Identifier: MIT
/*
 * read, write and their families: man 2 read, write, pread, readv, lseek.
 *
 * The position is locked only while somebody else has a reference to the open file: with one, the
 * running call is the only user.
 */
#include "sys/rw.h"

#include <asm/unistd.h>

#include "fs/vfs/fdtable.h"
#include "fs/vfs/inode.h"
#include "ops/rw.h"
#include "sys/io_count.h"
#include "sys/syscall.h"

/* ---- The position ---- */

/* Whether pos_lock was taken. */
static inline bool lock_position(struct file *f) NOT_ANALYSED
{
	if ((f->mode & (FILE_SEEK | FILE_NO_LOCK_POS)) != FILE_SEEK ||
		LIKELY(refcount_read(&f->refs) == 1))
		return false;
	mutex_lock(&f->pos_lock);
	return true;
}

static inline void unlock_position(struct file *f, bool is_locked) NOT_ANALYSED
{
	if (UNLIKELY(is_locked))
		mutex_unlock(&f->pos_lock);
}

/* ---- What vfs_read and vfs_write check, in Linux's order ---- */

static inline int check_read(const struct file *f)
{
	if (UNLIKELY(!(f->mode & FILE_READ)))
		return -EBADF;
	return LIKELY(f->ops->read) ? 0 : -EINVAL;
}

static inline int check_write(const struct file *f)
{
	if (UNLIKELY(!(f->mode & FILE_WRITE)))
		return -EBADF;
	return LIKELY(f->ops->write) ? 0 : -EINVAL;
}

/* Linux: the end of what is asked for must be an offset too, whatever the file's size. */
static inline bool is_beyond(int64_t pos, const struct iter *it)
{
	return pos > INT64_MAX - (int64_t)it->left;
}

static inline int64_t read_at(struct file *f, struct iter *to, int64_t *pos)
{
	return UNLIKELY(is_beyond(*pos, to)) ? -EINVAL : count_read(rw_read(f, to, pos));
}

static inline int64_t write_at(struct file *f, struct iter *from, int64_t *pos)
{
	return UNLIKELY(is_beyond(*pos, from)) ? -EINVAL : count_write(rw_write(f, from, pos));
}

static inline int64_t read_here(struct file *f, struct iter *to)
{
	bool is_locked = lock_position(f);
	int64_t n = read_at(f, to, &f->pos);

	unlock_position(f, is_locked);
	return n;
}

static inline int64_t write_here(struct file *f, struct iter *from)
{
	bool is_locked = lock_position(f);
	int64_t n = write_at(f, from, &f->pos);

	unlock_position(f, is_locked);
	return n;
}

/* ---- One buffer ---- */

SYSCALL3(read, int, fd, uptr, buf, size_t, len)
{
	struct borrowed_file b = fd_borrow(fd);
	struct iter to;
	int64_t n;

	if (UNLIKELY(!b.file))
		return -EBADF;
	n = check_read(b.file);
	if (LIKELY(!n))
		n = iter_init_user(&to, buf, len);
	if (LIKELY(!n))
		n = read_here(b.file, &to);
	fd_release(b);
	return n;
}

SYSCALL3(write, int, fd, uptr, buf, size_t, len)
{
	struct borrowed_file b = fd_borrow(fd);
	struct iter from;
	int64_t n;

	if (UNLIKELY(!b.file))
		return -EBADF;
	n = check_write(b.file);
	if (LIKELY(!n))
		n = iter_init_user(&from, buf, len);
	if (LIKELY(!n))
		n = write_here(b.file, &from);
	fd_release(b);
	return n;
}

SYSCALL4(pread64, int, fd, uptr, buf, size_t, len, int64_t, pos)
{
	struct borrowed_file b;
	struct iter to;
	int64_t n;

	if (UNLIKELY(pos < 0))
		return -EINVAL;
	b = fd_borrow(fd);
	if (UNLIKELY(!b.file))
		return -EBADF;
	n = UNLIKELY(b.file->mode & FILE_STREAM) ? -ESPIPE : check_read(b.file);
	if (LIKELY(!n))
		n = iter_init_user(&to, buf, len);
	if (LIKELY(!n))
		n = read_at(b.file, &to, &pos);
	fd_release(b);
	return n;
}

SYSCALL4(pwrite64, int, fd, uptr, buf, size_t, len, int64_t, pos)
{
	struct borrowed_file b;
	struct iter from;
	int64_t n;

	if (UNLIKELY(pos < 0))
		return -EINVAL;
	b = fd_borrow(fd);
	if (UNLIKELY(!b.file))
		return -EBADF;
	n = UNLIKELY(b.file->mode & FILE_STREAM) ? -ESPIPE : check_write(b.file);
	if (LIKELY(!n))
		n = iter_init_user(&from, buf, len);
	if (LIKELY(!n))
		n = write_at(b.file, &from, &pos);
	fd_release(b);
	return n;
}

/* ---- Vectors ---- */

/* One try: with RWF_NOWAIT nothing waits. */
static int64_t read_flags(struct file *f, struct iter *to, int64_t *pos, unsigned flags)
{
	if (is_beyond(*pos, to))
		return -EINVAL;
	return flags & RWF_NOWAIT ? rw_read_now(f, to, pos) : rw_read(f, to, pos);
}

static int64_t write_flags(struct file *f, struct iter *from, int64_t *pos, unsigned flags)
{
	int64_t at = *pos, n;

	if (is_beyond(at, from))
		return -EINVAL;
	if (flags & RWF_APPEND && S_ISREG(f->inode->mode))
		at = FILE_POS_APPEND;
	n = flags & RWF_NOWAIT ? rw_write_now(f, from, &at) : rw_write(f, from, &at);
	if (n > 0)
		*pos = at;
	if (n > 0 && flags & (RWF_SYNC | RWF_DSYNC) && f->ops->fsync) {
		int err = f->ops->fsync(f, !(flags & RWF_SYNC));

		return err ? err : n;
	}
	return n;
}

static int init_iter(struct iter *it, const struct rw_call *c)
{
	return c->is_one_buffer ? iter_init_user(it, c->at, c->nr)
				: iter_init_iovec(it, c->at, c->nr);
}

static int64_t vector_moved(struct file *f, const struct rw_call *c)
{
	bool is_locked = false;
	int64_t *pos = c->pos, n;
	struct iter it;

	n = c->is_write ? check_write(f) : check_read(f);
	if (n)
		return n;
	n = init_iter(&it, c);
	if (n)
		return n;
	if (c->flags & RWF_NOWAIT && !rw_may_nowait(f, c->is_write)) {
		n = -EOPNOTSUPP;
		goto out;
	}
	if (!it.left)
		goto out;
	if (!pos) {
		is_locked = lock_position(f);
		pos = &f->pos;
	}
	n = c->is_write ? write_flags(f, &it, pos, c->flags)
			: read_flags(f, &it, pos, c->flags);
	unlock_position(f, is_locked);
out:
	iter_fini(&it);
	return n;
}

static int64_t vector_of_file(int fd, const struct rw_call *c)
{
	struct borrowed_file b = fd_borrow(fd);
	int64_t n;

	if (!b.file)
		return -EBADF;
	if (c->pos && b.file->mode & FILE_STREAM)
		n = -ESPIPE;
	else if (c->flags & ~(unsigned)RWF_KNOWN)
		n = -EOPNOTSUPP;
	else
		n = vector_moved(b.file, c);
	fd_release(b);
	return n;
}

/* Linux: all but a negative position counts, even a descriptor that is not open. */
int64_t rw_call(int fd, const struct rw_call *c)
{
	int64_t n;

	if (c->pos && *c->pos < 0)
		return -EINVAL;
	n = vector_of_file(fd, c);
	return c->is_write ? count_write(n) : count_read(n);
}

SYSCALL3(readv, int, fd, uptr, iov, unsigned long, nr)
{
	return rw_call(fd, &(struct rw_call){.at = iov, .nr = nr});
}

SYSCALL3(writev, int, fd, uptr, iov, unsigned long, nr)
{
	return rw_call(fd, &(struct rw_call){.at = iov, .nr = nr, .is_write = true});
}

SYSCALL4(preadv, int, fd, uptr, iov, unsigned long, nr, int64_t, pos)
{
	return rw_call(fd, &(struct rw_call){.at = iov, .nr = nr, .pos = &pos});
}

SYSCALL4(pwritev, int, fd, uptr, iov, unsigned long, nr, int64_t, pos)
{
	return rw_call(
		fd, &(struct rw_call){.at = iov, .nr = nr, .pos = &pos, .is_write = true});
}

/* The fifth argument is the upper half of pos where registers are 32 bits; -1: the file's own. */
SYSCALL6(preadv2, int, fd, uptr, iov, unsigned long, nr, int64_t, pos, unsigned long,
	high UNUSED, unsigned, flags)
{
	return rw_call(fd,
		&(struct rw_call){
			.at = iov, .nr = nr, .pos = pos == -1 ? NULL : &pos, .flags = flags});
}

SYSCALL6(pwritev2, int, fd, uptr, iov, unsigned long, nr, int64_t, pos, unsigned long,
	high UNUSED, unsigned, flags)
{
	return rw_call(fd, &(struct rw_call){.at = iov,
				   .nr = nr,
				   .pos = pos == -1 ? NULL : &pos,
				   .flags = flags,
				   .is_write = true});
}

SYSCALL3(lseek, int, fd, int64_t, offset, unsigned, whence)
{
	struct borrowed_file b = fd_borrow(fd);
	bool is_locked;
	int64_t n;

	if (!b.file)
		return -EBADF;
	if (whence > SEEK_HOLE) {
		n = -EINVAL;
	} else if (!b.file->ops->seek) {
		n = -ESPIPE;
	} else {
		is_locked = lock_position(b.file);
		n = b.file->ops->seek(b.file, offset, (int)whence);
		unlock_position(b.file, is_locked);
	}
	fd_release(b);
	return n;
}
