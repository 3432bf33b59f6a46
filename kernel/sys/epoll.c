// SPDX-License-Identifier: MIT
/* epoll_create, epoll_ctl, epoll_wait and their newer forms. */
#include "fs/vfs/epoll.h"

#include <linux/fcntl.h>
#include <linux/resource.h>

#include "fs/vfs/fdtable.h"
#include "ops/epoll.h"
#include "proc/given.h"
#include "proc/proc.h"
#include "sys/sigmask.h"
#include "sys/file.h"
#include "sys/syscall.h"
#include "sys/timeout.h"

static int64_t create(unsigned flags)
{
	struct file *f;
	int err;

	err = epoll_create(&f);
	return err ? err : sys_give_fd(f, flags & O_CLOEXEC);
}

SYSCALL1(epoll_create, int, size)
{
	return size <= 0 ? -EINVAL : create(0);
}

/* Errors: EINVAL, EMFILE, ENFILE, ENOMEM. */
SYSCALL1(epoll_create1, unsigned, flags)
{
	return flags & ~(unsigned)EPOLL_CLOEXEC ? -EINVAL : create(flags);
}

/* Errors: EFAULT, EBADF, EPERM, EINVAL, ELOOP, EEXIST, ENOENT, ENOMEM. */
SYSCALL4(epoll_ctl, int, epfd, int, op, int, fd, uptr, event)
{
	struct epoll_event e = {0};
	struct borrowed_file set, target;
	int err;

	if (op != EPOLL_CTL_DEL && given_read(&e, event, sizeof(e)))
		return -EFAULT;
	set = fd_borrow(epfd);
	if (!set.file)
		return -EBADF;
	target = fd_borrow(fd);
	err = target.file ? epoll_control(set.file, op, fd, target.file, &e) : -EBADF;
	if (target.file)
		fd_release(target);
	fd_release(set);
	return err;
}

static int64_t wait_common(int epfd, uptr events, int max, uint64_t timeout_ns)
{
	struct borrowed_file set;
	struct epoll_op e;
	int64_t n;

	n = epoll_check_room(events, (unsigned)max);
	if (UNLIKELY(n))
		return n;
	set = fd_borrow(epfd);
	if (UNLIKELY(!set.file))
		return -EBADF;
	if (UNLIKELY(!epoll_is_set(set.file))) {
		fd_release(set);
		return -EINVAL;
	}
	n = epoll_collect(set.file, events, (unsigned)max);
	if (n || timeout_ns == 0) {
		fd_release(set);
		return n;
	}
	epoll_op_prepare(&e, set, events, (unsigned)max, timeout_ns);
	return op_run(&e.op);
}

/* Errors: EINVAL, EFAULT, EBADF, EINTR. */
SYSCALL4(epoll_wait, int, epfd, uptr, events, int, max, int, timeout_ms)
{
	return wait_common(epfd, events, max, timeout_from_ms(timeout_ms));
}

static int64_t wait_masked(
	int epfd, uptr events, int max, uint64_t timeout_ns, uptr sigmask, size_t sigset_size)
{
	int64_t n = sigmask_use(sigmask, sigset_size);

	if (n)
		return n;
	n = wait_common(epfd, events, max, timeout_ns);
	sigmask_end(n == -EINTR);
	return n;
}

SYSCALL6(epoll_pwait, int, epfd, uptr, events, int, max, int, timeout_ms, uptr, sigmask, size_t,
	sigset_size)
{
	return wait_masked(
		epfd, events, max, timeout_from_ms(timeout_ms), sigmask, sigset_size);
}

SYSCALL6(epoll_pwait2, int, epfd, uptr, events, int, max, uptr, timeout, uptr, sigmask, size_t,
	sigset_size)
{
	uint64_t timeout_ns;
	int err = timeout_read(timeout, &timeout_ns);

	return err ? err : wait_masked(epfd, events, max, timeout_ns, sigmask, sigset_size);
}
