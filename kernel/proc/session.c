// SPDX-License-Identifier: MIT
/*
 * Process groups and sessions: who moves where.
 *
 * Locks   proc_tree_lock [T]
 * Spec    man 2 setpgid, setsid; POSIX.1-2024 setpgid()
 */
#include "proc/session.h"

#include "proc/proc_priv.h"

/* 0: me; NULL: nobody. Tree locked. */
static struct proc *find_locked(int nr)
{
	struct pid *pid;

	if (!nr)
		return proc_current();
	pid = pid_lookup_locked(nr);
	return pid ? proc_of_pid_locked(pid) : NULL;
}

static int may_move(const struct proc *p, const struct proc *me)
{
	if (p != me && p->parent != me)
		return -ESRCH;
	if (p->session != me->session)
		return -EPERM;
	if (p != me && (READ_ONCE(p->flags) & PROC_EXECED))
		return -EACCES;
	return p->session == p->pid ? -EPERM : 0; /* a session's first process stays */
}

/* The group a process joins: its own, or one of its session. */
static int find_group(const struct proc *p, int nr, struct pid **out)
{
	const struct proc *member;
	struct pid *pid;

	if (nr == p->pid->nr) {
		*out = p->pid;
		return 0;
	}
	pid = pid_lookup_locked(nr);
	if (!pid)
		return -EPERM;
	member = list_first(&pid->users[PID_GROUP], struct proc, group_link);
	if (!member || member->session != p->session)
		return -EPERM;
	*out = pid;
	return 0;
}

static int set_group_locked(int nr, int group_nr)
{
	struct proc *me = proc_current(), *p = find_locked(nr);
	struct pid *group;
	int err;

	if (!p) /* a thread that is not its process's first: -EINVAL, as on Linux */
		return pid_lookup_locked(nr) &&
				       !list_is_empty(&pid_lookup_locked(nr)->users[PID_THREAD])
			       ? -EINVAL
			       : -ESRCH;
	err = may_move(p, me);
	if (err)
		return err;
	err = find_group(p, group_nr ? group_nr : p->pid->nr, &group);
	if (err || p->group == group)
		return err;
	proc_enter_group_locked(p, group);
	return 0;
}

int proc_set_group(int nr, int group_nr)
{
	int err;

	if (group_nr < 0)
		return -EINVAL;
	irqlock_lock(&proc_tree_lock);
	err = set_group_locked(nr, group_nr);
	irqlock_unlock(&proc_tree_lock);
	return err;
}

/* By any thread's id, as Linux does. */
static int number_of(int nr, bool of_session)
{
	struct proc *p = NULL;
	struct pid *pid = NULL;
	int result = -ESRCH;

	irqlock_lock(&proc_tree_lock);
	if (!nr)
		p = proc_current();
	else
		pid = pid_lookup_locked(nr);
	if (pid) {
		struct uthread *u =
			list_first(&pid->users[PID_THREAD], struct uthread, tid_link);

		p = u ? u->proc : proc_of_pid_locked(pid);
	}
	if (p)
		result = of_session ? p->session->nr : p->group->nr;
	irqlock_unlock(&proc_tree_lock);
	return result;
}

int proc_get_group(int nr)
{
	return number_of(nr, false);
}

int proc_get_session(int nr)
{
	return number_of(nr, true);
}

int proc_new_session(void)
{
	struct proc *me = proc_current();
	int result = -EPERM;

	irqlock_lock(&proc_tree_lock);
	/* not for who leads a session or a group, even one that it has left since */
	if (me->session != me->pid && list_is_empty(&me->pid->users[PID_GROUP])) {
		proc_enter_session_locked(me, me->pid);
		proc_enter_group_locked(me, me->pid);
		me->tty = NULL;
		result = me->pid->nr;
	}
	irqlock_unlock(&proc_tree_lock);
	return result;
}
