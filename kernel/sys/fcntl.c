// SPDX-License-Identifier: MIT
/*
 * fcntl. man 2 fcntl. Absent, as in a Linux configured without them: leases.
 */
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/resource.h>

#include "fs/tmpfs/tmpfs.h"
#include "fs/vfs/dnotify.h"
#include "fs/vfs/fdtable.h"
#include "fs/vfs/inode.h"
#include "ipc/pipe.h"
#include "proc/cred.h"
#include "proc/proc.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/syscall.h"

#define SETTABLE ((unsigned)(O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | FASYNC))

static int64_t duplicate(struct file *f, uint64_t min, bool close_on_exec)
{
	if (min >= proc_rlimit(RLIMIT_NOFILE) || min > INT32_MAX)
		return -EINVAL;
	return sys_dup_file(f, (int)min, close_on_exec);
}

static int64_t get_cloexec(int fd)
{
	bool on;
	int err = fd_get_cloexec(uthread_current()->files, fd, &on);

	return err ? err : on ? FD_CLOEXEC : 0;
}

static int64_t set_flags(struct file *f, int fd, unsigned flags)
{
	if (flags & ~f->flags & O_NOATIME && cred_current()->fsuid != f->inode->uid &&
		!capable(CAP_FOWNER))
		return -EPERM;
	return sys_set_file_flags(f, fd, SETTABLE, flags);
}

/* ---- The owner, to whom SIGIO goes ---- */

static int64_t set_owner(struct file *f, int type, int pid)
{
	const struct cred *c = cred_current();
	struct pid *p;
	int err;

	if (pid) {
		err = pid_find(pid, &p);
		if (err)
			return err;
		pid_put(p);
	}
	irqlock_lock(&f->flags_lock);
	f->owner_type = type;
	f->owner_pid = pid;
	f->owner_uid = c->uid;
	f->owner_euid = c->euid;
	irqlock_unlock(&f->flags_lock);
	return 0;
}

int64_t sys_set_file_owner(struct file *f, int who)
{
	if (who == INT32_MIN)
		return -EINVAL;
	return who < 0 ? set_owner(f, F_OWNER_PGRP, -who) : set_owner(f, F_OWNER_PID, who);
}

/* pid 0: nobody, or nobody any more; for F_OWNER_PID that also is a thread that is not its process' first. */
static struct f_owner_ex get_owner(struct file *f)
{
	static const uint8_t uses[] = {[F_OWNER_TID] = PID_THREAD,
		[F_OWNER_PID] = PID_PROCESS,
		[F_OWNER_PGRP] = PID_GROUP};
	struct f_owner_ex owner;

	irqlock_lock(&f->flags_lock);
	owner.type = f->owner_type;
	owner.pid = f->owner_pid;
	irqlock_unlock(&f->flags_lock);
	if (!pid_is_of(owner.pid, uses[owner.type]))
		owner.pid = 0;
	return owner;
}

/* A group's number is negative: the system call's result is never an error. */
int64_t sys_get_file_owner(struct file *f)
{
	struct f_owner_ex owner = get_owner(f);

	return owner.type == F_OWNER_PGRP ? -(int64_t)owner.pid : owner.pid;
}

static int64_t set_owner_ex(struct file *f, uptr arg)
{
	struct f_owner_ex owner;

	if (user_get(owner, arg))
		return -EFAULT;
	if (owner.type != F_OWNER_TID && owner.type != F_OWNER_PID &&
		owner.type != F_OWNER_PGRP)
		return -EINVAL;
	if (owner.pid < 0)
		return -ESRCH;
	return set_owner(f, owner.type, owner.pid);
}

static int64_t get_owner_ex(struct file *f, uptr arg)
{
	struct f_owner_ex owner = get_owner(f);

	return user_put(arg, owner);
}

static int64_t set_signal(struct file *f, uint64_t sig)
{
	if (sig > SIGNALS)
		return -EINVAL;
	irqlock_lock(&f->flags_lock);
	f->owner_sig = (int)sig;
	irqlock_unlock(&f->flags_lock);
	return 0;
}

/* Who asks first to be told is the owner. */
static int64_t set_notify(struct file *f, int fd, uint64_t events)
{
	if (S_ISDIR(f->inode->mode) && events & ~(uint64_t)DN_MULTISHOT &&
		!READ_ONCE(f->owner_pid))
		(void)set_owner(f, F_OWNER_PID, proc_current()->pid->nr);
	return dnotify_set(f, uthread_current()->files, fd, events);
}

/* ---- The call ---- */

/* What an O_PATH descriptor answers as well. */
static int64_t on_descriptor(struct file *f, int fd, unsigned cmd, uptr arg)
{
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return duplicate(f, arg.addr, cmd == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return get_cloexec(fd);
	case F_SETFD:
		return fd_set_cloexec(uthread_current()->files, fd, arg.addr & FD_CLOEXEC);
	case F_GETFL:
		return READ_ONCE(f->flags);
	}
	return -EBADF;
}

static int64_t on_file(struct file *f, int fd, unsigned cmd, uptr arg)
{
	switch (cmd) {
	case F_SETFL:
		return set_flags(f, fd, (unsigned)arg.addr);
	case F_SETOWN:
		return sys_set_file_owner(f, (int)arg.addr);
	case F_GETOWN:
		return sys_get_file_owner(f);
	case F_SETOWN_EX:
		return set_owner_ex(f, arg);
	case F_GETOWN_EX:
		return get_owner_ex(f, arg);
	case F_SETSIG:
		return set_signal(f, arg.addr);
	case F_GETSIG:
		return READ_ONCE(f->owner_sig);
	case F_NOTIFY:
		return set_notify(f, fd, arg.addr);
	case F_GETPIPE_SZ:
		return pipe_get_size(f);
	case F_SETPIPE_SZ:
		return pipe_set_size(f, arg.addr);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return sys_fcntl_lock(f, fd, cmd, arg);
	case F_ADD_SEALS:
		return arg.addr > UINT32_MAX ? -EINVAL : tmpfs_add_seals(f, (unsigned)arg.addr);
	case F_GET_SEALS:
		return tmpfs_get_seals(f);
	}
	return -EINVAL;
}

SYSCALL3(fcntl, int, fd, unsigned, cmd, uptr, arg)
{
	struct borrowed_file b = fd_borrow_path(fd);
	int64_t n;

	if (!b.file)
		return -EBADF;
	n = on_descriptor(b.file, fd, cmd, arg);
	if (n == -EBADF && !(b.file->mode & FILE_PATH))
		n = on_file(b.file, fd, cmd, arg);
	fd_release(b);
	return n;
}
