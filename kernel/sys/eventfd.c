// SPDX-License-Identifier: MIT
/* eventfd(2), eventfd2(2). */
#include "ipc/eventfd.h"

#include <linux/fcntl.h>
#include <linux/resource.h>

#include "fs/vfs/fdtable.h"
#include "proc/proc.h"
#include "sys/file.h"
#include "sys/syscall.h"

enum { EFD_SEMAPHORE = 1 };

static int64_t eventfd_common(uint32_t count, unsigned flags)
{
	struct file *f;
	int err;

	if (flags & ~(unsigned)(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = eventfd_create(&f, count, flags);
	return err ? err : sys_give_fd(f, flags & O_CLOEXEC);
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
