// SPDX-License-Identifier: MIT
/*
 * setns: joins the namespaces of a file of /proc/PID/ns, or of a process by its pidfd.
 *
 * Spec    man 2 setns; Linux 6.1 for the order of errors
 */
#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "proc/access.h"
#include "proc/pidfd.h"
#include "proc/proc.h"
#include "sys/syscall.h"

#include <linux/sched.h>

/* The process's namespace of mounts, with a reference. -ESRCH, -EPERM. */
static int mounts_of_process(struct pid *pid, struct mount_ns **out)
{
	struct fs_context *fs = NULL;
	struct proc *p;
	struct thread *t;
	int err = proc_get_by_pid(pid, &p);

	if (err)
		return err;
	err = proc_check_access(p);
	if (err == 0 && proc_get_thread(p, &t) == 0) {
		irqlock_lock(&p->lock);
		fs = t->user->fs;
		if (fs)
			fs_context_get(fs);
		irqlock_unlock(&p->lock);
		thread_put(t);
	}
	proc_put(p);
	if (!fs)
		return err ? err : -ESRCH;
	*out = fs_context_get_mounts(fs);
	fs_context_put(fs);
	return 0;
}

/* Namespaces of other kinds than mounts do not exist, so no file is one. */
static int mounts_of_file(const struct file *f, uint64_t kinds, struct mount_ns **out)
{
	struct mount_ns *ns = mount_ns_of_file(f);
	struct pid *pid;

	if (ns) {
		if (kinds && kinds != CLONE_NEWNS)
			return -EINVAL;
		mount_ns_get(ns);
		*out = ns;
		return 0;
	}
	if (pidfd_get_pid(f, &pid) || kinds != CLONE_NEWNS)
		return -EINVAL;
	return mounts_of_process(pid, out);
}

SYSCALL2(setns, int, fd, int, kinds)
{
	struct borrowed_file b = fd_borrow(fd);
	struct mount_ns *ns;
	int err;

	if (!b.file)
		return -EBADF;
	err = mounts_of_file(b.file, (unsigned)kinds, &ns);
	if (err == 0) {
		err = fs_context_enter_mounts(fs_context_current(), ns);
		mount_ns_put(ns);
	}
	fd_release(b);
	return err;
}
