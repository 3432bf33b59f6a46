// SPDX-License-Identifier: MIT
/*
 * The end of threads and processes.
 *
 *     proc_exit_group    says that the process ends, and how; kills the other threads
 *     proc_exit_thread   the end of one thread. The last one also gives back what the process has,
 *                        makes it a zombie, and tells the parent
 *     proc_reap_locked   the parent has waited (or does not care): the zombie goes
 *
 * A thread gives back what it has before it is taken off its process, so that whoever waits for it
 * (exec, the zombie's parent) finds everything released. `nr_live` tells who is the last one.
 *
 * The children of a process that ends go to the nearest ancestor that is a subreaper, or to process 1.
 * That can leave a group without anybody in its session who could continue it: an orphan, whose
 * stopped members are told (SIGHUP, SIGCONT).
 *
 * Locks   proc_tree_lock [T], proc->lock [p]
 * Spec    man 2 exit, exit_group, wait, prctl (PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG);
 *         POSIX.1-2024 _exit(), "Orphaned Process Group"
 */
#include <asm/signal.h>
#include <linux/poll.h>
#include <linux/wait.h>

#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "ipc/aio.h"
#include "ipc/futex.h"
#include "ipc/shm.h"
#include "mm/vmspace.h"
#include "proc/cpu_limit.h"
#include "proc/fiber.h"
#include "proc/kill.h"
#include "proc/proc_priv.h"
#include "proc/ptimer.h"
#include "proc/ring_work.h"
#include "proc/signal_priv.h"
#include "sched/sched.h"
#include "security/seccomp.h"

void (*proc_leave_session)(struct proc *p); /* [I] after start */

/* ---- Giving back ---- */

void uthread_leave_memory(struct uthread *u)
{
	static const uint32_t zero;
	uptr at = u->clear_child_tid;

	robust_list_exit();
	if (uptr_is_null(at))
		return;
	u->clear_child_tid = UPTR_NULL;
	if (refcount_read(&arch_current()->vm->refs) == 1 && u->proc->nr_live <= 1)
		return; /* nobody is left who could look at it */
	if (user_put(at, zero) == 0)
		futex_wake_user(at);
}

void proc_release_vfork_parent(struct uthread *u)
{
	if (LIKELY(!u->is_vfork))
		return;
	atomic_store_release(&u->is_vfork, false); /* pairs with wait_for_vfork */
	waitq_wake_handover(&u->proc->vfork_done, 0);
}

/* Counts this thread out. True for the last one; the process ends with it. */
static bool leave_living(struct uthread *u)
{
	struct proc *p = u->proc;
	bool is_last;

	irqlock_lock(&p->lock);
	if (!(p->flags & PROC_EXITING) && u->tid_nr == u->pid_nr)
		p->exit_status = u->exit_status;
	is_last = --p->nr_live == 0;
	if (is_last)
		p->flags |= PROC_EXITING;
	irqlock_unlock(&p->lock);
	return is_last;
}

/* What the process had. By its last thread. */
static void give_back_process(struct proc *p)
{
	struct vmspace *vm = p->vm;
	struct file *exe;

	ptimers_fini(p);
	cpu_limit_fini(p);
	irqlock_lock(&p->lock);
	p->vm = NULL;
	exe = p->exe;
	p->exe = NULL;
	if (vm) /* a spawn that came to nothing has none */
		p->times.max_resident_kib = MAX(p->times.max_resident_kib, proc_peak_kib(vm));
	irqlock_unlock(&p->lock);
	if (vm)
		vmspace_put(vm);
	if (exe)
		file_put(exe);
}

static void give_back_thread(struct uthread *u)
{
	struct fdtable *files = u->files;
	struct fs_context *fs = u->fs;

	/* readers of /proc hold proc->lock for a look */
	irqlock_lock(&u->proc->lock);
	u->files = NULL;
	u->fs = NULL;
	irqlock_unlock(&u->proc->lock);
	fdtable_put(files);
	fs_context_leave(fs);
}

/* ---- Orphans; tree locked ---- */

static bool is_zombie(const struct proc *p)
{
	return READ_ONCE(p->flags) & PROC_ZOMBIE;
}

/*
 * Nobody in the group, less `leaving`, has a parent in the session but outside the group.
 * POSIX.1-2024 3.249
 */
static bool group_is_orphaned(struct pid *group, const struct proc *leaving)
{
	list_for_each (p, &group->users[PID_GROUP], struct proc, group_link) {
		if (p == leaving || is_zombie(p) || p->parent->pid->nr == 1)
			continue;
		if (p->parent->group != group && p->parent->session == p->session)
			return false;
	}
	return true;
}

bool pgrp_is_orphaned(struct pid *group)
{
	bool is_orphaned;

	irqlock_lock(&proc_tree_lock);
	is_orphaned = group_is_orphaned(group, NULL);
	irqlock_unlock(&proc_tree_lock);
	return is_orphaned;
}

static bool group_has_stopped(struct pid *group)
{
	list_for_each (p, &group->users[PID_GROUP], struct proc, group_link) {
		if (READ_ONCE(p->flags) & PROC_STOPPED)
			return true;
	}
	return false;
}

/* p's group loses `leaving` (p itself ends) or p's tie to `parent`: is it an orphan by that? */
static void check_orphaned_group(
	struct proc *p, const struct proc *leaving, struct proc *parent)
{
	struct pid *group = p->group;

	if (parent->group == group || parent->session != p->session)
		return;
	if (!group_has_stopped(group) || !group_is_orphaned(group, leaving))
		return;
	list_for_each (member, &group->users[PID_GROUP], struct proc, group_link) {
		signal_kernel_proc(member, SIGHUP);
		signal_kernel_proc(member, SIGCONT);
	}
}

/* ---- Children of who ends; tree locked ---- */

static struct proc *find_reaper(struct proc *p)
{
	struct proc *reaper = p->parent;

	while (reaper->pid->nr != 1 && (!(READ_ONCE(reaper->flags) & PROC_CHILD_SUBREAPER) ||
					       (READ_ONCE(reaper->flags) & PROC_EXITING)))
		reaper = reaper->parent;
	return reaper;
}

static bool wants_parent_death(struct proc *child)
{
	bool wants = false;

	irqlock_lock(&child->lock);
	list_for_each (u, &child->threads, struct uthread, proc_link)
		wants |= u->parent_death_signal != 0;
	irqlock_unlock(&child->lock);
	return wants;
}

/* PR_SET_PDEATHSIG of each of the child's threads: as if who ends had called kill(2). */
static void send_parent_death(struct proc *child) MUST_HOLD(proc_tree_lock)
{
	bool may, may_continue;
	siginfo_t info;

	if (LIKELY(!wants_parent_death(child)))
		return;
	may = signal_permission_locked(child, 0) == 0;
	may_continue = signal_permission_locked(child, SIGCONT) == 0;
	kill_info_of_sender(&info, 0, SI_USER);
	irqlock_lock(&child->lock);
	list_for_each (u, &child->threads, struct uthread, proc_link) {
		info.si_signo = u->parent_death_signal;
		if (info.si_signo && (info.si_signo == SIGCONT ? may_continue : may))
			signal_send_locked(child, info.si_signo, &info);
	}
	irqlock_unlock(&child->lock);
}

/* Of a zombie: tells its parent. True: the parent does not care, and the zombie goes at once. */
static bool notify_end(struct proc *p)
{
	int status = p->exit_status, why = CLD_EXITED, code = status >> 8 & 0xff;
	bool is_unwanted = p->exit_signal == SIGCHLD && signal_ignores_children(p->parent);

	if (READ_ONCE(p->flags) & PROC_UNBORN)
		return true;
	if (status & 0x7f) {
		why = status & 0x80 ? CLD_DUMPED : CLD_KILLED;
		code = status & 0x7f;
	}
	signal_notify_parent(p, why, code);
	return is_unwanted;
}

/* The thread ends: its children look to another thread, or to another process. */
static void pass_on_children(struct uthread *u, struct uthread *heir, struct list *unwanted)
	MUST_HOLD(proc_tree_lock)
{
	struct proc *from = u->proc, *to = heir->proc;

	list_for_each_safe (child, &from->children, struct proc, child_link) {
		if (to == from && child->parent_thread != u)
			continue;
		child->parent_thread = heir;
		send_parent_death(child);
		if (to == from)
			continue;
		list_remove(&child->child_link);
		list_add_tail(&to->children, &child->child_link);
		child->parent = to;
		WRITE_ONCE(child->parent_nr, to->pid->nr);
		child->exit_signal = SIGCHLD;
		if (is_zombie(child)) {
			if (notify_end(child)) {
				proc_reap_locked(child);
				list_add_tail(unwanted, &child->child_link);
			}
			continue;
		}
		check_orphaned_group(child, NULL, from);
	}
}

static struct uthread *some_thread(struct proc *p)
{
	struct uthread *u;

	irqlock_lock(&p->lock);
	u = list_first(&p->threads, struct uthread, proc_link);
	irqlock_unlock(&p->lock);
	return u;
}

/* ---- The zombie ---- */

void proc_reap_locked(struct proc *p)
{
	list_remove(&p->child_link);
	pid_detach_locked(p->group, &p->group_link);
	pid_detach_locked(p->session, &p->session_link);
	pid_detach_locked(p->pid, &p->pid_link);
	p->group = NULL;
	p->session = NULL;
	p->parent = NULL;
	cred_uncount_process(p->zombie_cred);
}

/* The last thread is off its process. True: nobody waits for it. Tree locked. */
static bool become_zombie(struct uthread *u, struct list *unwanted) MUST_HOLD(proc_tree_lock)
{
	struct proc *p = u->proc;

	if (p->pid->nr == 1)
		panic("process 1 ended: %s %d", p->exit_status & 0x7f ? "signal" : "status",
			p->exit_status & 0x7f ? p->exit_status & 0x7f : p->exit_status >> 8);
	if (!list_is_empty(&p->children))
		pass_on_children(u, some_thread(find_reaper(p)), unwanted);
	check_orphaned_group(p, p, p->parent);
	irqlock_lock(&p->lock);
	p->flags |= PROC_ZOMBIE;
	p->flags &= ~(uint32_t)(PROC_STOPPED | PROC_CONTINUED);
	irqlock_unlock(&p->lock);
	if (waitq_has_waiters(&p->pid->exited))
		waitq_wake_all(&p->pid->exited, POLLIN | POLLRDNORM);
	if (!notify_end(p))
		return false;
	proc_reap_locked(p);
	return true;
}

/* Off the process and the table. */
static void leave_process(struct uthread *u, bool is_last)
{
	struct list unwanted = LIST_INIT(unwanted);
	struct proc *p = u->proc;
	bool is_reaped = false;

	irqlock_lock(&proc_tree_lock);
	irqlock_lock(&p->lock);
	uthread_add_times(u->thread, &p->times);
	list_remove(&u->proc_link);
	p->nr_threads--;
	if (is_last) {
		cred_get(u->cred);
		p->zombie_cred = u->cred;
	}
	if (p->leader == u->thread) {
		struct uthread *other = list_first(&p->threads, struct uthread, proc_link);

		p->leader = other ? other->thread : NULL;
	}
	irqlock_unlock(&p->lock);
	pid_detach_locked(u->tid, &u->tid_link);
	if (is_last) {
		is_reaped = become_zombie(u, &unwanted);
	} else {
		cred_uncount_process(u->cred);
		if (!list_is_empty(&p->children))
			pass_on_children(u, some_thread(p), &unwanted);
		waitq_wake_all(&p->threads_gone, 0);
	}
	irqlock_unlock(&proc_tree_lock);

	for (;;) {
		struct proc *gone = list_pop_head(&unwanted, struct proc, child_link);

		if (!gone)
			break;
		proc_put(gone);
	}
	if (is_reaped)
		proc_put(p);
}

/* ---- The calls ---- */

static NORETURN void end_thread(int wait_status)
{
	struct uthread *u = uthread_current();
	struct proc *p = u->proc;
	bool is_last;

	u->exit_status = wait_status;
	if (u->ring_task)
		ring_hooks->leave(u);
	seccomp_leave(u);
	signals_thread_exit();
	uthread_leave_memory(u);
	vmspace_use(NULL); /* before the last one may free it */
	is_last = leave_living(u);
	if (is_last) {
		fibers_end(p);
		aio_end(p);
	}
	proc_release_vfork_parent(u);
	give_back_thread(u);
	if (is_last) {
		if (proc_leave_session && p->session == p->pid)
			proc_leave_session(p);
		give_back_process(p);
	}
	shm_leave(u); /* after the last detach */
	leave_process(u, is_last);
	if (is_last) /* until now a child that ends asks whether we ignore it; u holds p */
		signals_fini(p);
	thread_exit(0);
}

void proc_exit_thread(int code)
{
	end_thread((code & 0xff) << 8);
}

void proc_end_thread_by(int sig)
{
	end_thread(sig);
}

void proc_exit_group(int wait_status)
{
	struct uthread *me = uthread_current();
	struct proc *p = me->proc;

	irqlock_lock(&p->lock);
	if (!(p->flags & PROC_EXITING)) {
		p->flags |= PROC_EXITING;
		p->exit_status = wait_status;
		list_for_each (u, &p->threads, struct uthread, proc_link) {
			if (u != me)
				thread_kill(u->thread);
		}
	}
	irqlock_unlock(&p->lock);
	proc_exit_thread(0);
}

int proc_end_other_threads(void)
{
	struct uthread *me = uthread_current();
	struct proc *p = me->proc;
	int err = 0;

	irqlock_lock(&p->lock);
	if ((p->flags & PROC_EXITING) || p->exec_thread || thread_is_killed()) {
		err = -EAGAIN;
	} else if (p->nr_threads > 1) {
		p->exec_thread = me->thread;
		list_for_each (u, &p->threads, struct uthread, proc_link) {
			if (u != me)
				thread_kill(u->thread);
		}
	}
	irqlock_unlock(&p->lock);
	if (err || !p->exec_thread)
		return err;
	err = WAIT_EVENT(
		&p->threads_gone, WAIT_KILLABLE, WAIT_FOREVER, READ_ONCE(p->nr_threads) == 1);
	p->exec_thread = NULL;
	return err;
}
