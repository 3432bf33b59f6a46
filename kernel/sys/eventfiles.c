// SPDX-License-Identifier: MIT
/*
 * System calls that make timers and signals readable: man 2 timerfd_create, signalfd.
 */
#include <linux/fcntl.h>
#include <linux/resource.h>
#include <linux/timerfd.h>

#include "fs/vfs/fdtable.h"
#include "fs/vfs/file.h"
#include "ipc/signalfd.h"
#include "ipc/timerfd.h"
#include "proc/proc.h"
#include "sys/file.h"
#include "sys/syscall.h"
#include "sys/timespec.h"

/* ---- timerfd ---- */

SYSCALL2(timerfd_create, int, clock, unsigned, flags)
{
	struct file *f;
	int err;

	if (flags & ~(unsigned)(TFD_CLOEXEC | TFD_NONBLOCK))
		return -EINVAL;
	err = timerfd_create(&f, clock, flags);
	return err ? err : sys_give_fd(f, flags & O_CLOEXEC);
}

SYSCALL4(timerfd_settime, int, fd, unsigned, flags, uptr, new, uptr, old)
{
	struct timer_setting s, was;
	struct file *f;
	int err = itimerspec_read(new, &s);

	if (err)
		return err;
	if (flags & ~(unsigned)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))
		return -EINVAL;
	err = fd_get_file(uthread_current()->files, fd, false, &f);
	if (err)
		return err;
	err = timerfd_set(f, flags, &s, &was);
	file_put(f);
	return err || uptr_is_null(old) ? err : itimerspec_write(old, &was);
}

SYSCALL2(timerfd_gettime, int, fd, uptr, out)
{
	struct timer_setting s;
	struct file *f;
	int err = fd_get_file(uthread_current()->files, fd, false, &f);

	if (err)
		return err;
	err = timerfd_get(f, &s);
	file_put(f);
	return err ? err : itimerspec_write(out, &s);
}

/* ---- signalfd ---- */

enum { SIGSET_SIZE = 8 };

static int64_t signalfd(int fd, uptr mask, size_t size, unsigned flags)
{
	struct file *f;
	uint64_t set;
	int err;

	if (size != SIGSET_SIZE)
		return -EINVAL;
	if (user_get(set, mask))
		return -EFAULT;
	if (flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	if (fd == -1) {
		err = signalfd_create(&f, set, flags);
		return err ? err : sys_give_fd(f, flags & O_CLOEXEC);
	}
	err = fd_get_file(uthread_current()->files, fd, false, &f);
	if (err)
		return err;
	err = signalfd_set(f, set);
	file_put(f);
	return err ? err : fd;
}

SYSCALL3(signalfd, int, fd, uptr, mask, size_t, size)
{
	return signalfd(fd, mask, size, 0);
}

SYSCALL4(signalfd4, int, fd, uptr, mask, size_t, size, unsigned, flags)
{
	return signalfd(fd, mask, size, flags);
}
