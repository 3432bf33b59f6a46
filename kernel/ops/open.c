// SPDX-License-Identifier: MIT
/*
 * open(2): a descriptor is reserved, the file opened and installed. Only a FIFO's open is more than
 * that: it parks until its other end is open, and a signal ends it (and the open is undone).
 *
 * Spec    man 2 open; man 7 fifo
 */
#include "ops/open.h"

#include "fs/vfs/fdtable.h"
#include "fs/vfs/notify.h"
#include "fs/vfs/open.h"
#include "ipc/pipe.h"
#include "ops/op.h"
#include "proc/proc.h"

#include <linux/fcntl.h>
#include <linux/resource.h>
#include <linux/stat.h>

/* A FIFO that is attached to its pipe. */
struct fifo_open_op {
	struct op op;
	struct file *file; /* the caller's reference */
};

static int64_t fifo_open_issue(struct op *op)
{
	struct file *f = container_of(op, struct fifo_open_op, op)->file;

	for (;;) {
		if (pipe_fifo_has_peer(f))
			return 0;
		if (op_park(op, pipe_fifo_queue(f)))
			return OP_PARKED;
	}
}

/* The other end may have come with the signal. */
static int64_t fifo_open_interrupted(struct op *op)
{
	return pipe_fifo_leave(container_of(op, struct fifo_open_op, op)->file) ? -ERESTARTSYS
										: 0;
}

static const struct op_type fifo_open_type = {
	.name = "open FIFO", .issue = fifo_open_issue, .interrupted = fifo_open_interrupted};

static int64_t open_fifo(struct file *f)
{
	struct fifo_open_op o = {.file = f};
	int64_t err = pipe_fifo_open(f->inode, f);

	if (err)
		return err;
	file_opened(f);
	if (f->flags & O_NONBLOCK || (f->flags & O_ACCMODE) == O_RDWR)
		return 0;
	op_init(&o.op, &fifo_open_type);
	return op_run(&o.op);
}

static int64_t open_file(
	int dirfd, const char *name, const struct open_how_kernel *how, struct file **out)
{
	struct file *f;
	int64_t err = path_open_file(dirfd, name, how, &f);

	if (err)
		return err;
	if (UNLIKELY(S_ISFIFO(f->inode->mode) && !(how->flags & O_PATH))) {
		err = how->may_not_wait ? -EAGAIN : open_fifo(f);
		if (!err && f->flags & O_DIRECT)
			err = -EINVAL; /* only fcntl() and pipe2() give it, as on Linux */
		if (err) {
			file_put(f);
			return err;
		}
		notify_file(f, IN_OPEN);
	}
	*out = f;
	return 0;
}

int64_t open_run(int dirfd, uptr name, const struct open_how_kernel *how)
{
	struct fdtable *files = uthread_current()->files;
	struct pathname path;
	struct file *f;
	int64_t err;
	int fd;

	err = pathname_read(&path, name, false);
	if (err)
		return err;
	err = fd_reserve(files, 0, proc_rlimit(RLIMIT_NOFILE), &fd);
	if (!err) {
		err = open_file(dirfd, path.text, how, &f);
		if (err) {
			fd_unreserve(files, fd);
		} else {
			fd_install(files, fd, f, how->flags & O_CLOEXEC);
			err = fd;
		}
	}
	pathname_free(&path);
	return err;
}
