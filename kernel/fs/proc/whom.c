// SPDX-License-Identifier: MIT
/*
 * Whom a file of /proc/PID is about: from its struct pid to the process and a thread of it, as long as
 * they are there; and whether the reader may look into it.
 *
 * Spec    man 2 ptrace, "Ptrace access mode checking"
 */
#include <linux/capability.h>

#include "fs/proc/procfs_priv.h"
#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "proc/proc.h"

int proc_whom_get(const struct proc_node *n, struct proc_whom *w)
{
	struct uthread *u;

	*w = (struct proc_whom){0};
	irqlock_lock(&proc_tree_lock);
	if (n->is_task) {
		u = list_first(&n->pid->users[PID_THREAD], struct uthread, tid_link);
		if (u) {
			w->thread = u->thread;
			thread_get(w->thread);
			w->proc = u->proc;
		}
	} else {
		w->proc = list_first(&n->pid->users[PID_PROCESS], struct proc, pid_link);
	}
	if (w->proc)
		proc_get(w->proc);
	irqlock_unlock(&proc_tree_lock);
	if (!w->proc)
		return -ESRCH;
	if (!w->thread && proc_get_thread(w->proc, &w->thread))
		w->thread = NULL;
	return 0;
}

void proc_whom_put(struct proc_whom *w)
{
	if (w->thread)
		thread_put(w->thread);
	proc_put(w->proc);
}

bool proc_node_is_alive(const struct proc_node *n)
{
	bool is_alive;

	irqlock_lock(&proc_tree_lock);
	is_alive = !list_is_empty(&n->pid->users[n->is_task ? PID_THREAD : PID_PROCESS]);
	irqlock_unlock(&proc_tree_lock);
	return is_alive;
}

struct fdtable *proc_whom_files(const struct proc_whom *w)
{
	struct fdtable *files = NULL;

	irqlock_lock(&w->proc->lock);
	if (w->thread && w->thread->user->files) {
		files = w->thread->user->files;
		fdtable_get(files);
	}
	irqlock_unlock(&w->proc->lock);
	return files;
}

struct fs_context *proc_whom_fs(const struct proc_whom *w)
{
	struct fs_context *fs = NULL;

	irqlock_lock(&w->proc->lock);
	if (w->thread && w->thread->user->fs) {
		fs = w->thread->user->fs;
		fs_context_get(fs);
	}
	irqlock_unlock(&w->proc->lock);
	return fs;
}

/* Whether the current process is `it`, with all that it may do. */
static bool is_within_mine(const struct cred *it)
{
	const struct cred *me = cred_current();

	return me->fsuid == it->euid && me->fsuid == it->suid && me->fsuid == it->uid &&
	       me->fsgid == it->egid && me->fsgid == it->sgid && me->fsgid == it->gid &&
	       (it->cap_permitted & ~me->cap_permitted) == 0;
}

int proc_may_look(const struct proc_whom *w)
{
	const struct cred *it;
	bool may;

	if (w->proc == proc_current())
		return 0;
	if (w->thread) {
		rcu_read_lock();
		may = is_within_mine(rcu_load(w->thread->user->cred)) &&
		      (w->proc->flags & PROC_DUMPABLE);
		rcu_read_unlock();
	} else { /* a zombie has no memory to be kept from anybody */
		it = proc_get_cred(w->proc);
		may = is_within_mine(it);
		cred_put(it);
	}
	return may || capable(CAP_SYS_PTRACE) ? 0 : -EACCES;
}

int proc_node_vm(const struct proc_node *n, struct vmspace **vm)
{
	struct proc_whom w;
	int err = proc_whom_get(n, &w);

	if (err)
		return err;
	err = proc_may_look(&w);
	if (err == 0)
		*vm = proc_get_vm(w.proc);
	proc_whom_put(&w);
	return err;
}

const char *proc_whom_comm(const struct proc_whom *w)
{
	const struct thread *t = w->thread ? w->thread : w->proc->leader;

	return t && t->user ? t->user->comm : "?";
}
