// SPDX-License-Identifier: MIT
/*
 * clone: a new thread of this process, or a new process (birth.c makes it); unshare.
 *
 * Spec    man 2 clone (clone3), man 2 fork, man 2 vfork, man 2 unshare
 */
#include <linux/capability.h>
#include <linux/sched.h>

#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "mm/vmspace.h"
#include "proc/birth.h"
#include "sched/sched.h"

static bool has(const struct clone_params *params, uint64_t flag)
{
	return params->flags & flag;
}

/* vfork: sleeps until the child has left our memory. Only being killed ends it earlier. */
static void wait_for_vfork(struct birth *b)
{
	(void)WAIT_EVENT(&b->proc->vfork_done, WAIT_KILLABLE, WAIT_FOREVER,
		!atomic_load_acquire(&b->user->is_vfork));
}

int64_t proc_clone(const struct clone_params *params)
{
	struct birth b = {.params = params, .parent = uthread_current()};
	int err, nr;

	err = birth_check_flags(params->flags, b.parent->proc);
	if (!err)
		err = birth_begin(&b);
	if (err)
		return err;
	nr = b.pid->nr;
	if (has(params, CLONE_THREAD))
		pid_put(b.pid); /* the table's is enough; a process has one of its own */
	if (has(params, CLONE_PARENT_SETTID) && user_put(params->parent_tid, nr))
		err = 0; /* a bad address is the program's: man 2 clone names no error */
	if (b.pidfd_file)
		fd_install(b.parent->files, b.pidfd, b.pidfd_file, true);
	birth_set_trace(&b);
	if (!has(params, CLONE_VFORK)) {
		thread_start(b.thread);
	} else {
		(void)sched_wake_handover(b.thread); /* we are about to wait for it */
		wait_for_vfork(&b);
	}
	thread_put(b.thread);
	return nr;
}

/* ---- unshare ---- */

static int unshare_fs(struct uthread *u)
{
	struct fs_context *fs, *old = u->fs;
	int err;

	if (!fs_context_is_shared(old))
		return 0;
	err = fs_context_copy(old, &fs);
	if (err)
		return err;
	irqlock_lock(&u->proc->lock);
	u->fs = fs;
	irqlock_unlock(&u->proc->lock);
	fs_context_leave(old);
	return 0;
}

int proc_unshare(uint64_t flags)
{
	struct uthread *u = uthread_current();
	int err = 0;

	if (flags &
		~(uint64_t)(CLONE_THREAD | CLONE_FS | CLONE_SIGHAND | CLONE_VM | CLONE_FILES |
			    CLONE_SYSVSEM | CLONE_NEWNS | CLONE_ABSENT_NAMESPACES))
		return -EINVAL;
	/* what threads share cannot be parted; alone it is not shared: man 2 unshare */
	if ((flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)) && u->proc->nr_threads > 1)
		return -EINVAL;
	if ((flags & CLONE_VM) && refcount_read(&u->proc->vm->refs) > 1)
		return -EINVAL;
	if ((flags & (CLONE_SIGHAND | CLONE_VM)) &&
		refcount_read(&u->proc->signals.actions->refs) > 1)
		return -EINVAL;
	if ((flags & (CLONE_NEWNS | CLONE_ABSENT_NAMESPACES) & ~CLONE_NEWUSER) &&
		!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & CLONE_ABSENT_NAMESPACES)
		return -EINVAL;
	if (flags & (CLONE_FS | CLONE_NEWNS))
		err = unshare_fs(u);
	if (!err && (flags & CLONE_FILES))
		err = uthread_unshare_files(u);
	if (!err && (flags & CLONE_NEWNS))
		err = fs_context_unshare_mounts(u->fs);
	return err;
}
