// SPDX-License-Identifier: MIT
/* splice, tee, vmsplice, sendfile, copy_file_range. */
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "fs/vfs/inode.h"
#include "ops/rw.h"
#include "ops/splice.h"
#include "sys/io_count.h"
#include "sys/splice.h"
#include "sys/syscall.h"

/* man 2 splice: SPLICE_F_MOVE, NONBLOCK, MORE, GIFT. The UAPI headers lack them. */
enum { SPLICE_NONBLOCK = 2, SPLICE_ALL = 15 };

/* The two files of a call. */
struct ends {
	struct borrowed_file in, out;
};

/* -EBADF: not open, or not for reading and writing. */
static int borrow_ends(struct ends *e, int in, int out)
{
	e->in = fd_borrow(in);
	if (!e->in.file)
		return -EBADF;
	e->out = fd_borrow(out);
	if (e->out.file && (e->in.file->mode & FILE_READ) && (e->out.file->mode & FILE_WRITE))
		return 0;
	if (e->out.file)
		fd_release(e->out);
	fd_release(e->in);
	return -EBADF;
}

static void release_ends(struct ends *e)
{
	fd_release(e->out);
	fd_release(e->in);
}

/* A position that the program gave: only where there are positions. */
static int check_position(const struct file *f, const int64_t *pos)
{
	if (!pos)
		return 0;
	if (splice_is_pipe(f))
		return -ESPIPE;
	if (!(f->mode & FILE_SEEK))
		return -EINVAL;
	return *pos < 0 ? -EINVAL : 0;
}

/* An offset that the program gave: only where there are positions. */
static int read_offset(const struct file *f, uptr at, int64_t *pos, int64_t **use)
{
	*use = NULL;
	if (uptr_is_null(at))
		return 0;
	if (splice_is_pipe(f))
		return -ESPIPE;
	if (!(f->mode & FILE_SEEK))
		return -EINVAL;
	if (user_get(*pos, at))
		return -EFAULT;
	if (*pos < 0)
		return -EINVAL;
	*use = pos;
	return 0;
}

static int write_offset(uptr at, int64_t pos)
{
	return uptr_is_null(at) ? 0 : user_put(at, pos);
}

/* ---- splice and tee ---- */

static int choose_move(const struct ends *e, struct splice_op *o, size_t len)
{
	struct file *in = e->in.file, *out = e->out.file;
	bool from_pipe = splice_is_pipe(in), to_pipe = splice_is_pipe(out);

	if (from_pipe && to_pipe) {
		if (in->private_data == out->private_data)
			return -EINVAL;
		splice_prepare(o, splice_pipe_to_pipe, in, out, len);
	} else if (from_pipe) {
		if (out->flags & O_APPEND)
			return -EINVAL;
		splice_prepare(o, splice_pipe_to_file, in, out, len);
	} else if (to_pipe) {
		splice_prepare(o, splice_file_to_pipe, in, out, len);
	} else {
		return -EINVAL;
	}
	return 0;
}

/* Positions that were given: only where there are some. */
static int check_positions(const struct ends *e, struct splice_op *o, int64_t *in, int64_t *out)
{
	int err = check_position(e->in.file, in);

	o->s.in_pos = in;
	o->s.out_pos = out;
	return err ? err : check_position(e->out.file, out);
}

int64_t splice_fds(int in, int64_t *in_pos, int out, int64_t *out_pos, size_t len, unsigned flags)
{
	struct splice_op o;
	struct ends e;
	int64_t n;

	if (len == 0)
		return 0;
	if (flags & ~(unsigned)SPLICE_ALL)
		return -EINVAL;
	n = borrow_ends(&e, in, out);
	if (n)
		return n;
	n = choose_move(&e, &o, len);
	if (!n)
		n = check_positions(&e, &o, in_pos, out_pos);
	if (!n) {
		o.may_wait_for_pipe = !(flags & SPLICE_NONBLOCK);
		n = op_run(&o.op);
	}
	release_ends(&e);
	return n;
}

/* Errors: EAGAIN, EBADF, EFAULT, EINVAL, ENOMEM, ESPIPE, EPIPE. */
SYSCALL6(splice, int, in, uptr, off_in, int, out, uptr, off_out, size_t, len, unsigned, flags)
{
	bool has_in = !uptr_is_null(off_in), has_out = !uptr_is_null(off_out);
	int64_t in_pos, out_pos, n;

	if (len == 0)
		return 0;
	if ((has_in && user_get(in_pos, off_in)) || (has_out && user_get(out_pos, off_out)))
		return -EFAULT;
	n = splice_fds(in, has_in ? &in_pos : NULL, out, has_out ? &out_pos : NULL, len, flags);
	if (n > 0 && ((has_in && user_put(off_in, in_pos)) || (has_out && user_put(off_out, out_pos))))
		return -EFAULT;
	return n;
}

SYSCALL4(tee, int, in, int, out, size_t, len, unsigned, flags)
{
	struct splice_op o;
	struct ends e;
	int64_t n;

	if (flags & ~(unsigned)SPLICE_ALL)
		return -EINVAL;
	if (len == 0)
		return 0;
	n = borrow_ends(&e, in, out);
	if (n)
		return n;
	if (!splice_is_pipe(e.in.file) || !splice_is_pipe(e.out.file) ||
		e.in.file->private_data == e.out.file->private_data) {
		n = -EINVAL;
	} else {
		splice_prepare(&o, splice_tee, e.in.file, e.out.file, len);
		o.may_wait_for_pipe = !(flags & SPLICE_NONBLOCK);
		n = op_run(&o.op);
	}
	release_ends(&e);
	return n;
}

/* Waits for some room or bytes, whether or not the pipe has O_NONBLOCK: only the call's own flag says no. */
static int64_t vmsplice_wait(struct file *pipe, struct iter *it)
{
	struct rw_op rw;

	if (pipe->mode & FILE_WRITE) {
		rw_write_prepare(&rw, pipe, it, NULL, 0);
		rw.is_once = true;
	} else {
		rw_read_prepare(&rw, pipe, it, NULL);
	}
	return op_run(&rw.op);
}

/*
 * From or to a program's memory. The bytes are copied: what the program does with its memory afterwards
 * does not show in the pipe, which is what SPLICE_F_GIFT asks it not to do.
 */
SYSCALL4(vmsplice, int, fd, uptr, iov, size_t, nr, unsigned, flags)
{
	struct borrowed_file b;
	struct iter it;
	int64_t n;

	if (flags & ~(unsigned)SPLICE_ALL)
		return -EINVAL;
	b = fd_borrow(fd);
	if (!b.file)
		return -EBADF;
	n = splice_is_pipe(b.file) ? iter_init_iovec(&it, iov, nr) : -EBADF;
	if (n)
		goto release;
	if (!it.left)
		n = 0;
	else if (b.file->mode & FILE_WRITE)
		n = b.file->ops->write(b.file, &it, NULL);
	else
		n = b.file->ops->read(b.file, &it, NULL);
	if (n == -EAGAIN && !(flags & SPLICE_NONBLOCK))
		n = vmsplice_wait(b.file, &it);
	iter_fini(&it);
release:
	fd_release(b);
	return n;
}

/* ---- sendfile and copy_file_range ---- */

/* man 2 sendfile: the input must be one that can be mapped, unless the output is a pipe. */
SYSCALL4(sendfile, int, out, int, in, uptr, offset, size_t, count)
{
	int64_t pos, n;
	struct splice_op o;
	struct ends e;

	n = borrow_ends(&e, in, out);
	if (n)
		return n;
	if (splice_is_pipe(e.out.file))
		splice_prepare(&o, splice_file_to_pipe, e.in.file, e.out.file, count);
	else
		splice_prepare(&o, splice_file_to_file, e.in.file, e.out.file, count);
	n = read_offset(e.in.file, offset, &pos, &o.s.in_pos);
	if (!n && splice_is_pipe(e.in.file))
		n = -EINVAL;
	if (!n && !splice_is_pipe(e.out.file) &&
		(!S_ISREG(e.in.file->inode->mode) || (e.out.file->flags & O_APPEND) ||
			!e.out.file->ops->write))
		n = -EINVAL;
	if (!n && count) {
		o.goes_on = true;
		n = count_write(count_read(op_run(&o.op)));
		if (n >= 0 && o.s.in_pos && write_offset(offset, pos))
			n = -EFAULT;
	}
	release_ends(&e);
	return n;
}

/* man 2 copy_file_range: what kinds of files, and how they are open. */
static int check_copy(const struct file *in, const struct file *out)
{
	if (S_ISDIR(in->inode->mode) || S_ISDIR(out->inode->mode))
		return -EISDIR;
	if (!S_ISREG(in->inode->mode) || !S_ISREG(out->inode->mode))
		return -EINVAL;
	if (!(in->mode & FILE_READ) || !(out->mode & FILE_WRITE) || (out->flags & O_APPEND))
		return -EBADF;
	return in->inode->super != out->inode->super ? -EXDEV : 0;
}

static int64_t copy_range(struct ends *e, uptr off_in, uptr off_out, size_t len)
{
	struct file *in = e->in.file, *out = e->out.file;
	int64_t in_pos, out_pos, n;
	struct splice_op o;
	int err = check_copy(in, out);

	splice_prepare(&o, splice_file_to_file, in, out, len);
	if (!err)
		err = read_offset(in, off_in, &in_pos, &o.s.in_pos);
	if (!err)
		err = read_offset(out, off_out, &out_pos, &o.s.out_pos);
	if (err)
		return err;
	if (in->inode == out->inode) {
		int64_t a = o.s.in_pos ? in_pos : in->pos, b = o.s.out_pos ? out_pos : out->pos;

		if (a < b + (int64_t)o.s.left && b < a + (int64_t)o.s.left)
			return -EINVAL; /* overlapping */
	}
	if (len == 0)
		return 0;
	o.goes_on = true;
	n = count_write(count_read(op_run(&o.op)));
	if (n > 0 && ((o.s.in_pos && write_offset(off_in, in_pos)) ||
			     (o.s.out_pos && write_offset(off_out, out_pos))))
		return -EFAULT;
	return n;
}

SYSCALL6(copy_file_range, int, in, uptr, off_in, int, out, uptr, off_out, size_t, len, unsigned,
	flags)
{
	struct ends e;
	int64_t n;

	e.in = fd_borrow(in);
	if (!e.in.file)
		return -EBADF;
	e.out = fd_borrow(out);
	if (!e.out.file) {
		fd_release(e.in);
		return -EBADF;
	}
	n = flags ? -EINVAL : copy_range(&e, off_in, off_out, len);
	release_ends(&e);
	return n;
}
