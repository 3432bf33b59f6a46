// SPDX-License-Identifier: MIT
/* pipe(2), pipe2(2). */
#include "ipc/pipe.h"

#include <linux/fcntl.h>
#include <linux/resource.h>
#include <linux/watch_queue.h>

#include "fs/vfs/fdtable.h"
#include "proc/proc.h"
#include "sys/syscall.h"

static int64_t pipe_common(uptr fds, unsigned flags)
{
	struct fdtable *t = uthread_current()->files;
	uint64_t limit = proc_rlimit(RLIMIT_NOFILE);
	struct file *f[2];
	int fd[2], err;

	if (flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK | O_DIRECT | O_NOTIFICATION_PIPE))
		return -EINVAL;
	if (flags & O_NOTIFICATION_PIPE)
		return -ENOPKG; /* Linux without CONFIG_WATCH_QUEUE */
	err = pipe_create(f, flags);
	if (err)
		return err;
	err = fd_reserve(t, 0, limit, &fd[0]);
	if (err)
		goto put_files;
	err = fd_reserve(t, 0, limit, &fd[1]);
	if (err)
		goto unreserve_0;
	err = user_put(fds, fd);
	if (err)
		goto unreserve_1;
	fd_install(t, fd[0], f[0], flags & O_CLOEXEC);
	fd_install(t, fd[1], f[1], flags & O_CLOEXEC);
	return 0;

unreserve_1:
	fd_unreserve(t, fd[1]);
unreserve_0:
	fd_unreserve(t, fd[0]);
put_files:
	file_put(f[0]);
	file_put(f[1]);
	return err;
}

SYSCALL1(pipe, uptr, fds)
{
	return pipe_common(fds, 0);
}

/* Errors: EINVAL, EFAULT, EMFILE, ENFILE, ENOPKG. */
SYSCALL2(pipe2, uptr, fds, unsigned, flags)
{
	return pipe_common(fds, flags);
}
