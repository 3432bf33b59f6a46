// SPDX-License-Identifier: MIT
/*
 * Looking for a child that ended, stopped or went on.
 *
 * Locks   proc_tree_lock: children, zombies; the child's lock for stops.
 * Spec    man 2 wait4, waitid; Linux: __WNOTHREAD, __WCLONE, __WALL
 */
#include "proc/wait.h"

#include <linux/wait.h>

#include "proc/proc_priv.h"

/* man 2 wait: the words that WIFSTOPPED and WIFCONTINUED look for */
#define STATUS_STOPPED(sig) ((sig) << 8 | 0x7f)
#define STATUS_CONTINUED    0xffff

static bool is_eligible(const struct wait_what *what, const struct proc *child)
{
	bool is_clone = child->exit_signal != SIGCHLD;

	if (READ_ONCE(child->flags) & PROC_UNBORN)
		return false;
	if ((READ_ONCE(child->flags) & PROC_ZOMBIE) && !(what->options & WEXITED))
		return false; /* it neither stops nor goes on any more */
	if ((what->options & __WNOTHREAD) && child->parent_thread != uthread_current())
		return false;
	if (what->type == WAIT_FOR_GROUP && child->group->nr != what->nr)
		return false;
	return (what->options & __WALL) || is_clone == !!(what->options & __WCLONE);
}

static void fill_end(struct proc *child, struct wait_news *out)
{
	int status = child->exit_status;

	out->status = status;
	if (status & 0x7f) {
		out->why = status & 0x80 ? CLD_DUMPED : CLD_KILLED;
		out->code = status & 0x7f;
	} else {
		out->why = CLD_EXITED;
		out->code = status >> 8 & 0xff;
	}
	out->times = child->times;
	proc_times_add(&out->times, &child->child_times);
}

/* Stops and continuations. True: there was one. */
static bool take_job_news(
	const struct wait_what *what, struct proc *child, struct wait_news *out)
{
	bool keeps = what->options & WNOWAIT, has_news = false;
	int sig;

	irqlock_lock(&child->lock);
	sig = child->signals.group_stop_signal;
	if ((what->options & WUNTRACED) && (child->flags & PROC_STOPPED) && sig) {
		out->why = CLD_STOPPED;
		out->code = sig;
		out->status = STATUS_STOPPED(sig);
		if (!keeps)
			child->signals.group_stop_signal = 0;
		has_news = true;
	} else if ((what->options & WCONTINUED) && (child->flags & PROC_CONTINUED)) {
		out->why = CLD_CONTINUED;
		out->code = SIGCONT;
		out->status = STATUS_CONTINUED;
		if (!keeps)
			child->flags &= ~(uint32_t)PROC_CONTINUED;
		has_news = true;
	}
	irqlock_unlock(&child->lock);
	return has_news;
}

enum look { LOOK_NOTHING, LOOK_NEWS, LOOK_REAPED };

/* One child. Tree locked. */
static enum look look_at(
	const struct wait_what *what, struct proc *child, struct wait_news *out)
{
	out->pid = child->pid->nr;
	if (!(child->flags & PROC_ZOMBIE))
		return take_job_news(what, child, out) ? LOOK_NEWS : LOOK_NOTHING;
	fill_end(child, out);
	if (what->options & WNOWAIT)
		return LOOK_NEWS;
	proc_reap_locked(child);
	return LOOK_REAPED;
}

/* The only child that it can be, or NULL. Tree locked. */
static struct proc *single_child(const struct wait_what *what)
{
	struct pid *pid = what->pid;
	struct proc *p = NULL;

	if (what->type == WAIT_FOR_PID)
		pid = pid_lookup_locked(what->nr);
	if (pid)
		p = proc_of_pid_locked(pid);
	return p && p->parent == proc_current() && p != proc_current() ? p : NULL;
}

static enum look look_at_all(const struct wait_what *what, struct wait_news *out,
	struct proc **found, bool *has_children)
{
	list_for_each (child, &proc_current()->children, struct proc, child_link) {
		enum look look;

		if (!is_eligible(what, child))
			continue;
		*has_children = true;
		look = look_at(what, child, out);
		if (look != LOOK_NOTHING) {
			*found = child;
			return look;
		}
	}
	return LOOK_NOTHING;
}

int proc_wait_try(const struct wait_what *what, struct wait_news *out)
{
	enum look look = LOOK_NOTHING;
	struct proc *child = NULL;
	bool has_children = false;
	const struct cred *c;

	irqlock_lock(&proc_tree_lock);
	if (what->type == WAIT_FOR_PID || what->type == WAIT_FOR_PIDFD) {
		child = single_child(what);
		if (child && is_eligible(what, child)) {
			has_children = true;
			look = look_at(what, child, out);
		}
	} else {
		look = look_at_all(what, out, &child, &has_children);
	}
	if (look == LOOK_NEWS)
		proc_get(child);
	irqlock_unlock(&proc_tree_lock);
	if (look == LOOK_NOTHING)
		return has_children ? 0 : -ECHILD;

	if (look == LOOK_REAPED) {
		struct proc *me = proc_current();

		irqlock_lock(&me->lock);
		proc_times_add(&me->child_times, &out->times);
		irqlock_unlock(&me->lock);
	} else if (out->why != CLD_EXITED && out->why != CLD_KILLED && out->why != CLD_DUMPED) {
		proc_get_times(child, &out->times);
	}
	c = proc_get_cred(child);
	out->uid = (int)c->uid;
	cred_put(c);
	proc_put(child);
	return 1;
}
