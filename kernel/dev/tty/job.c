// SPDX-License-Identifier: MIT
/*
 * Who owns a terminal: it belongs to one session, and one process group of that session is in
 * front. Background processes that read it, or change it, are sent SIGTTIN or SIGTTOU.
 *
 * A session leader without a terminal gets one by opening it (without O_NOCTTY) or by TIOCSCTTY; it
 * loses it by TIOCNOTTY, when the line hangs up, or with its own end, and then SIGHUP tells its group
 * in front, or itself. Each process of the session refers to the terminal by proc->tty, without a
 * reference: setsid and TIOCNOTTY clear it, clone copies it, and who ends the session clears all.
 *
 * Locks   tty->lock for session and foreground; inside it the tree lock for proc->tty
 * Spec    POSIX.1-2017 11.1; man 7 credentials, man 2 ioctl_tty
 */
#include <asm/ioctls.h>
#include <linux/capability.h>
#include <linux/fcntl.h>

#include "arch/arch.h"
#include "dev/tty/tty.h"
#include "fs/vfs/file.h"
#include "lib/assert.h"
#include "proc/cred.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "uaccess/uaccess.h"

/* ---- Signals to those in front ---- */

void tty_signal_foreground(struct tty *tty, int sig)
{
	if (tty->foreground)
		signal_send_group(tty->foreground->nr, sig, NULL);
}

/* Whether the current thread would not be told: it blocks the signal or its process ignores it. */
static bool is_deaf_to(int sig)
{
	struct uthread *u = uthread_current();
	bool is_ignored;

	irqlock_lock(&u->proc->lock);
	is_ignored = u->proc->signals.actions->ignored & SIGBIT(sig);
	irqlock_unlock(&u->proc->lock);
	return is_ignored || (u->sigmask & SIGBIT(sig));
}

int tty_check_job(struct tty *tty, int sig)
{
	struct proc *p = proc_current();
	struct pid *group = NULL;
	int err = 0;

	if (READ_ONCE(p->tty) != tty)
		return 0;
	irqlock_lock(&tty->lock);
	irqlock_lock(&proc_tree_lock);
	if (tty->foreground && tty->foreground != p->group) {
		group = p->group;
		pid_get(group);
	}
	irqlock_unlock(&proc_tree_lock);
	irqlock_unlock(&tty->lock);
	if (!group)
		return 0;
	if (is_deaf_to(sig)) {
		err = sig == SIGTTIN ? -EIO : 0;
	} else if (pgrp_is_orphaned(group)) {
		err = -EIO;
	} else {
		signal_send_group(group->nr, sig, NULL);
		err = -ERESTARTSYS;
	}
	pid_put(group);
	return err;
}

/* ---- Gaining and losing a terminal ---- */

static void set_pid(struct pid **slot, struct pid *to)
{
	struct pid *old = *slot;

	if (to)
		pid_get(to);
	*slot = to;
	if (old)
		pid_put(old);
}

static bool is_leader(const struct proc *p)
{
	return p->session == p->pid;
}

/* The terminal becomes that of p, a session leader that has none. Both locks held. */
static void own(struct tty *tty, struct proc *p)
{
	set_pid(&tty->session, p->session);
	set_pid(&tty->foreground, p->group);
	tty_get(tty);
	WRITE_ONCE(p->tty, tty);
}

/* Nobody of the session has it any more. Both locks held; the caller has a reference. */
static void disown(struct tty *tty)
{
	bool is_last;

	if (!tty->session)
		return;
	list_for_each (p, &tty->session->users[PID_SESSION], struct proc, session_link)
		if (p->tty == tty)
			WRITE_ONCE(p->tty, NULL);
	set_pid(&tty->session, NULL);
	set_pid(&tty->foreground, NULL);
	is_last = refcount_put(&tty->refs);
	assert(!is_last);
}

void tty_may_become_controlling(struct tty *tty, struct file *f)
{
	struct proc *p = proc_current();

	if ((f->flags & O_NOCTTY) || !(f->mode & FILE_READ))
		return;
	irqlock_lock(&tty->lock);
	irqlock_lock(&proc_tree_lock);
	if (is_leader(p) && !p->tty && !tty->session)
		own(tty, p);
	irqlock_unlock(&proc_tree_lock);
	irqlock_unlock(&tty->lock);
}

/* TIOCSCTTY; with force, root takes it from another session. */
static int64_t take_terminal(struct tty *tty, bool force)
{
	struct proc *p = proc_current();
	int err = 0;

	irqlock_lock(&tty->lock);
	irqlock_lock(&proc_tree_lock);
	if (is_leader(p) && p->tty == tty && tty->session == p->session) {
		/* has it already */
	} else if (!is_leader(p) || p->tty) {
		err = -EPERM;
	} else if (tty->session && !(force && capable(CAP_SYS_ADMIN))) {
		err = -EPERM;
	} else {
		disown(tty);
		own(tty, p);
	}
	irqlock_unlock(&proc_tree_lock);
	irqlock_unlock(&tty->lock);
	return err;
}

static void end_session(struct tty *tty)
{
	irqlock_lock(&tty->lock);
	irqlock_lock(&proc_tree_lock);
	disown(tty);
	irqlock_unlock(&proc_tree_lock);
	irqlock_unlock(&tty->lock);
}

/* TIOCNOTTY: the leader takes the terminal from all, and the group in front is told. */
static int64_t leave_terminal(struct tty *tty)
{
	struct proc *p = proc_current();

	if (READ_ONCE(p->tty) != tty)
		return -ENOTTY;
	if (is_leader(p)) {
		irqlock_lock(&tty->lock);
		tty_signal_foreground(tty, SIGHUP);
		tty_signal_foreground(tty, SIGCONT);
		irqlock_unlock(&tty->lock);
		end_session(tty);
		return 0;
	}
	irqlock_lock(&proc_tree_lock);
	WRITE_ONCE(p->tty, NULL);
	irqlock_unlock(&proc_tree_lock);
	return 0;
}

struct tty *tty_of_current(void)
{
	struct proc *p = proc_current();
	struct tty *tty;

	irqlock_lock(&proc_tree_lock);
	tty = p->tty;
	if (tty)
		tty_get(tty);
	irqlock_unlock(&proc_tree_lock);
	return tty;
}

/*
 * Linux: the group in front gets SIGHUP. A line hangs up for whoever has it open; a pty does not: it
 * is its master's (tests/guest: pty_jobs.leader_exit_hangs_up, console.*).
 */
void tty_session_leader_exits(struct proc *p)
{
	struct tty *tty;

	irqlock_lock(&proc_tree_lock);
	tty = p->tty;
	if (tty)
		tty_get(tty);
	irqlock_unlock(&proc_tree_lock);
	if (!tty)
		return;
	irqlock_lock(&tty->lock);
	tty_signal_foreground(tty, SIGHUP);
	irqlock_unlock(&tty->lock);
	end_session(tty);
	if (tty->driver->is_line)
		tty_hang_up(tty);
	tty_put(tty);
}

static void tell_leader(const struct pid *session)
{
	struct proc *p;

	irqlock_lock(&proc_tree_lock);
	p = list_first(&session->users[PID_PROCESS], struct proc, pid_link);
	if (p) {
		signal_kernel_proc(p, SIGHUP);
		signal_kernel_proc(p, SIGCONT);
	}
	irqlock_unlock(&proc_tree_lock);
}

/* The line is gone: the leader is told; it tells its groups, or ends, and that tells the one in front. */
void tty_hang_up_session(struct tty *tty)
{
	irqlock_lock(&tty->lock);
	if (tty->session)
		tell_leader(tty->session);
	irqlock_unlock(&tty->lock);
	end_session(tty);
}

/* ---- ioctl ---- */

static int64_t get_foreground(struct tty *tty, uptr arg, bool is_master)
{
	int nr;

	if (!is_master && READ_ONCE(proc_current()->tty) != tty)
		return -ENOTTY;
	irqlock_lock(&tty->lock);
	nr = tty->foreground ? tty->foreground->nr : 0;
	irqlock_unlock(&tty->lock);
	return user_put(arg, nr);
}

static int64_t get_session(struct tty *tty, uptr arg, bool is_master)
{
	int nr;

	if (!is_master && READ_ONCE(proc_current()->tty) != tty)
		return -ENOTTY;
	irqlock_lock(&tty->lock);
	nr = tty->session ? tty->session->nr : -ENOTTY;
	irqlock_unlock(&tty->lock);
	return nr < 0 ? nr : user_put(arg, nr);
}

/* Whether a process of the group is in the session. Tree lock held. */
static bool group_is_in(const struct pid *group, const struct pid *session)
{
	const struct proc *p = list_first(&group->users[PID_GROUP], struct proc, group_link);

	return p && p->session == session;
}

static int64_t set_foreground(struct tty *tty, uptr arg)
{
	struct proc *p = proc_current();
	struct pid *group;
	int nr, err = tty_check_job(tty, SIGTTOU);

	if (err)
		return err == -EIO ? -ENOTTY : err;
	if (READ_ONCE(p->tty) != tty)
		return -ENOTTY;
	if (user_get(nr, arg))
		return -EFAULT;
	if (nr < 0)
		return -EINVAL;
	err = pid_find(nr, &group);
	if (err)
		return err;
	irqlock_lock(&tty->lock);
	irqlock_lock(&proc_tree_lock);
	if (tty->session != p->session)
		err = -ENOTTY;
	else if (list_is_empty(&group->users[PID_GROUP]))
		err = -ESRCH;
	else if (!group_is_in(group, p->session))
		err = -EPERM;
	else
		set_pid(&tty->foreground, group);
	irqlock_unlock(&proc_tree_lock);
	irqlock_unlock(&tty->lock);
	pid_put(group);
	return err;
}

int64_t tty_job_ioctl(
	struct tty *tty, struct file *f UNUSED, unsigned cmd, uintptr_t arg, bool is_master)
{
	switch (cmd) {
	case TIOCSCTTY:
		return take_terminal(tty, arg == 1);
	case TIOCNOTTY:
		return leave_terminal(tty);
	case TIOCGPGRP:
		return get_foreground(tty, UPTR(arg), is_master);
	case TIOCSPGRP:
		return set_foreground(tty, UPTR(arg));
	case TIOCGSID:
		return get_session(tty, UPTR(arg), is_master);
	case TIOCVHANGUP:
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		tty_hang_up_session(tty);
		tty_hang_up(tty);
		return 0;
	default:
		return -TTY_ENOIOCTLCMD;
	}
}
