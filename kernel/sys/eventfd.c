// SPDX-License-Identifier: MIT
/* eventfd(2), eventfd2(2). */
#include "ipc/eventfd.h"

#include <linux/fcntl.h>
#include <linux/resource.h>

#include "fs/vfs/fdtable.h"
#include "proc/proc.h"
#include "sys/syscall.h"

enum { EFD_SEMAPHORE = 1 };

static int64_t eventfd_common(uint32_t count, unsigned flags)
{
	struct fdtable *t = uthread_current()->files;
	struct file *f;
	int fd, err;

	if (flags & ~(unsigned)(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = eventfd_create(&f, count, flags);
	if (err)
		return err;
	err = fd_reserve(t, 0, proc_rlimit(RLIMIT_NOFILE), &fd);
	if (err) {
		file_put(f);
		return err;
	}
	fd_install(t, fd, f, flags & O_CLOEXEC);
	return fd;
}

SYSCALL1(eventfd, uint32_t, count)
{
	return eventfd_common(count, 0);
}

/* Errors: EINVAL, EMFILE, ENFILE, ENOMEM. */
SYSCALL2(eventfd2, uint32_t, count, unsigned, flags)
{
	return eventfd_common(count, flags);
}
