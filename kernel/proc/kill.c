// SPDX-License-Identifier: MIT
/*
 * kill(2) and its relatives.
 *
 * Spec    man 2 kill, tgkill, rt_sigqueueinfo
 */
#include "proc/kill.h"

#include <limits.h>

#include "proc/proc_priv.h"
#include "proc/siginfo.h"
#include "proc/signal.h"
#include "proc/signal_priv.h"

static bool is_signal_or_0(int sig)
{
	return sig >= 0 && sig <= SIGNALS;
}

void kill_info_of_sender(siginfo_t *info, int sig, int code)
{
	siginfo_clear(info);
	info->si_signo = sig;
	info->si_code = code;
	info->si_pid = uthread_current()->pid_nr;
	info->si_uid = cred_current()->uid;
}

static int send_checked(struct proc *p, int sig, const siginfo_t *info)
{
	int err = signal_permission(p, sig);

	return err ? err : signal_send_proc(p, sig, info);
}

/* ---- Many ---- */

/*
 * The tree is locked from the first to the last: a child that is being born appears before, and is one of them, or
 * finds its parent signalled (birth.c: appear). Nobody gets away by forking.
 */

struct kill_many {
	int sig;
	const siginfo_t *info;
	unsigned found, reached;
	int last_err;
};

static void kill_one_of(struct kill_many *k, struct proc *p) MUST_HOLD(proc_tree_lock)
{
	int err = signal_permission_locked(p, k->sig);

	if (!err)
		err = signal_send_proc(p, k->sig, k->info);
	k->found++;
	if (err)
		k->last_err = err;
	else
		k->reached++;
}

/* kill(-1): everybody but process 1 and the caller. */
static int kill_all_processes(struct kill_many *k)
{
	struct pid *pid;

	irqlock_lock(&proc_tree_lock);
	for (int nr = 1; (pid = pid_next_locked(&nr)) != NULL; nr++) {
		struct proc *p = proc_of_pid_locked(pid);

		if (p && !proc_is_init(p) && p != proc_current() && !(p->flags & PROC_ZOMBIE))
			kill_one_of(k, p);
	}
	irqlock_unlock(&proc_tree_lock);
	if (!k->found)
		return -ESRCH;
	/* EPERM of some is no error; other errors are */
	return k->last_err == -EPERM ? 0 : k->last_err;
}

static int kill_group(int pgrp, struct kill_many *k)
{
	struct pid *group;

	if (pid_find(pgrp, &group))
		return -ESRCH;
	irqlock_lock(&proc_tree_lock);
	list_for_each (p, &group->users[PID_GROUP], struct proc, group_link)
		kill_one_of(k, p);
	irqlock_unlock(&proc_tree_lock);
	pid_put(group);
	if (!k->found)
		return -ESRCH;
	return k->reached ? 0 : k->last_err;
}

static int my_group(void)
{
	int nr;

	irqlock_lock(&proc_tree_lock);
	nr = proc_current()->group->nr;
	irqlock_unlock(&proc_tree_lock);
	return nr;
}

/* ---- kill(2) ---- */

static int kill_process(int pid, int sig, const siginfo_t *info)
{
	struct proc *p;
	int err;

	if (pid == uthread_current()->pid_nr)
		return signal_send_proc(proc_current(), sig, info);
	err = proc_find_by_tid(pid, &p); /* Linux: any thread names its process */
	if (err)
		return err;
	err = send_checked(p, sig, info);
	proc_put(p);
	return err;
}

int kill_processes(int pid, int sig)
{
	siginfo_t info;
	struct kill_many k = {.sig = sig, .info = &info};

	if (!is_signal_or_0(sig)) {
		/* the target is looked for first */
		struct proc *p;
		int err = pid > 0 ? proc_find_by_tid(pid, &p) : 0;

		if (err)
			return err;
		if (pid > 0)
			proc_put(p);
		return pid == INT_MIN ? -ESRCH : -EINVAL;
	}
	kill_info_of_sender(&info, sig, SI_USER);
	if (pid > 0)
		return kill_process(pid, sig, &info);
	if (pid == INT_MIN)
		return -ESRCH;
	if (pid == -1)
		return kill_all_processes(&k);
	return kill_group(pid ? -pid : my_group(), &k);
}

/* ---- Threads ---- */

static int send_to_thread(int tgid, int tid, int sig, const siginfo_t *info)
{
	struct thread *t;
	int err = uthread_find(tid, &t);

	if (err)
		return err;
	if (tgid && t->user->proc->pid->nr != tgid)
		err = -ESRCH;
	if (!err && !is_signal_or_0(sig))
		err = -EINVAL;
	if (!err)
		err = signal_permission(t->user->proc, sig);
	if (!err)
		err = signal_send_thread(t, sig, info);
	thread_put(t);
	return err;
}

int kill_thread(int tgid, int tid, int sig)
{
	siginfo_t info;

	kill_info_of_sender(&info, sig, SI_TKILL);
	return send_to_thread(tgid, tid, sig, &info);
}

/* ---- sigqueue ---- */

int signal_check_info(const siginfo_t *info)
{
	/* the beginning of unknown layouts is all that is kept: the rest must say nothing */
	const char *rest = (const char *)info + SIGINFO_USED;

	if (siginfo_is_known(info->si_signo, info->si_code))
		return 0;
	for (unsigned i = 0; i < sizeof(*info) - SIGINFO_USED; i++) {
		if (rest[i])
			return -E2BIG;
	}
	return 0;
}

/* No thread may tell others that it is the kernel, or kill(2) and tgkill(2). */
static bool is_pretended(const siginfo_t *info, int id)
{
	return (info->si_code >= 0 || info->si_code == SI_TKILL) &&
	       uthread_current()->tid_nr != id;
}

int kill_thread_with_info(int tgid, int tid, int sig, const siginfo_t *info)
{
	return is_pretended(info, tid) ? -EPERM : send_to_thread(tgid, tid, sig, info);
}

int kill_with_info(int pid, int sig, const siginfo_t *info)
{
	if (is_pretended(info, pid))
		return -EPERM;
	if (!is_signal_or_0(sig)) {
		struct proc *p;
		int err = proc_find_by_tid(pid, &p);

		if (err)
			return err;
		proc_put(p);
		return -EINVAL;
	}
	return pid > 0 ? kill_process(pid, sig, info) : -ESRCH;
}
