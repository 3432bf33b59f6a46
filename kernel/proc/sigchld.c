// SPDX-License-Identifier: MIT
/*
 * What a parent is told of a child by a signal, and what it decided about that: SIG_IGN, SA_NOCLDWAIT,
 * SA_NOCLDSTOP. The wait itself is wait.c.
 *
 * Locks   proc->lock [p] of the parent
 * Spec    man 2 sigaction, man 2 wait
 */
#include <linux/signal.h>

#include "proc/proc.h"
#include "proc/signal.h"
#include "proc/signal_priv.h"

enum { USER_HZ = 100 }; /* man 2 sigaction: si_utime and si_stime are in sysconf(_SC_CLK_TCK) */
static const uint64_t NS_PER_TICK = 1000000000ull / USER_HZ;

static uint32_t uid_of(struct proc *p)
{
	const struct cred *c = proc_get_cred(p);
	uint32_t uid = c->uid;

	cred_put(c);
	return uid;
}

/* What a parent decided about SIGCHLD; zeros: nothing. */
static struct ksigaction chld_action(struct proc *parent)
{
	const struct sigactions *a;
	struct ksigaction action = {0};

	irqlock_lock(&parent->lock);
	a = parent->signals.actions;
	if (a->custom & SIGBIT(SIGCHLD))
		action = a->action[SIGCHLD - 1];
	irqlock_unlock(&parent->lock);
	return action;
}

/* A parent that ignores SIGCHLD gets none, even if it blocks it. */
static bool wants_sigchld(struct proc *parent, bool is_end)
{
	struct ksigaction action = chld_action(parent);

	return action.handler != HANDLER_IGNORE && (is_end || !(action.flags & SA_NOCLDSTOP));
}

bool signal_ignores_children(struct proc *p)
{
	struct ksigaction action = chld_action(p);

	return action.handler == HANDLER_IGNORE || (action.flags & SA_NOCLDWAIT);
}

void signal_notify_parent(struct proc *child, int why, int status)
{
	struct proc *parent = child->parent;
	bool is_end = why == CLD_EXITED || why == CLD_KILLED || why == CLD_DUMPED;
	int sig = is_end ? child->exit_signal : SIGCHLD;
	siginfo_t info;

	if (!parent)
		return;
	siginfo_clear(&info);
	info.si_signo = sig;
	info.si_code = why;
	info._sifields._sigchld._pid = child->pid->nr;
	info._sifields._sigchld._uid = uid_of(child);
	info._sifields._sigchld._status = status;
	info._sifields._sigchld._utime = (long)(child->times.user_ns / NS_PER_TICK);
	info._sifields._sigchld._stime = (long)(child->times.system_ns / NS_PER_TICK);
	/* clone takes any number as the signal of the end: one that is none is not sent */
	if (sig && sig <= SIGNALS && (sig != SIGCHLD || wants_sigchld(parent, is_end)))
		(void)!signal_send_proc(
			parent, sig, &info); /* SIGCHLD and the like do not queue */
	waitq_wake_all(&parent->child_exit, 0);
}
