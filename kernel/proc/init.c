// SPDX-License-Identifier: MIT
/*
 * Process 1: a kernel thread that becomes a process.
 *
 * It has everything but memory and registers of a program; exec gives it those.
 */
#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "ipc/ipc_ns.h"
#include "lib/string.h"
#include "proc/proc_priv.h"
#include "sched/sched.h"

enum { TIMER_SLACK_NS = 50000 }; /* man 2 prctl: PR_SET_TIMERSLACK, of process 1 */

static void enter_tree(struct uthread *u, struct proc *p, struct pid *pid)
{
	struct thread *t = arch_current();

	p->pid = pid;
	p->leader = t;
	p->parent = p; /* it has none: parent_nr is 0 */
	p->parent_thread = u;
	u->proc = p;
	u->ipc_ns = &ipc_ns_root;
	u->tid = pid;
	u->tid_nr = u->pid_nr = pid->nr;
	pid_attach_locked(pid, PID_PROCESS, &p->pid_link);
	pid_attach_locked(pid, PID_THREAD, &u->tid_link);
	proc_enter_group_locked(p, pid);
	proc_enter_session_locked(p, pid);
	list_add_tail(&p->threads, &u->proc_link);
	p->nr_threads = p->nr_live = 1;
	t->release = uthread_release;
	t->user = u;
}

/* Linux starts process 1 in session 0 and group 0, which nobody can name; ours are its own. */
static int make_parts(struct uthread *u, struct proc *p)
{
	int err = signals_init(p);

	if (err)
		return err;
	err = fdtable_create(&u->files);
	if (err)
		goto fini_signals;
	err = fs_context_copy(&fs_context_kernel, &u->fs);
	if (err)
		goto put_files;
	err = thread_fpu_create(arch_current(), false);
	if (err)
		goto put_fs;
	return 0;

put_fs:
	fs_context_leave(u->fs);
put_files:
	fdtable_put(u->files);
fini_signals:
	signals_fini(p);
	return err;
}

int proc_adopt_init(void)
{
	struct uthread *u;
	struct proc *p;
	struct pid *pid;
	int err = uthread_create(&u);

	if (err)
		return err;
	err = proc_create(&p);
	if (err)
		goto free_uthread;
	err = pid_create(&pid);
	if (err)
		goto discard_proc;
	rlimits_first(p->rlimits);
	p->flags = PROC_DUMPABLE;
	err = make_parts(u, p);
	if (err)
		goto put_pid;
	u->thread = arch_current();
	cred_set_own(u, &cred_root);
	u->timer_slack_ns = TIMER_SLACK_NS;
	(void)str_copy(u->comm, "init", sizeof(u->comm));
	proc_get(p); /* the tree's, and the thread's */

	irqlock_lock(&proc_tree_lock);
	err = pid_assign_at_locked(pid, 1);
	if (!err)
		enter_tree(u, p, pid);
	irqlock_unlock(&proc_tree_lock);
	if (err)
		panic("proc: process id 1 is taken (error %d)", err);
	atomic_add_relaxed(&user_root.count[USER_PROCESSES], 1);
	if (proc_wants_trace)
		u->call_work = proc_wants_trace(1) ? CALL_TRACED : 0;
	return 0;

put_pid:
	pid_put(pid);
discard_proc:
	proc_discard(p);
free_uthread:
	uthread_free(u);
	return err;
}
