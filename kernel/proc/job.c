// SPDX-License-Identifier: MIT
/*
 * Stop and continue: the part of signals that job control is made of.
 *
 * A stop begins when a thread takes a stop signal whose action is the default (job_begin_stop).
 * Every thread of the process is prodded and stops on its way to user mode; the last one makes the
 * process PROC_STOPPED and tells the parent. SIGCONT acts when it is sent, not when it is
 * delivered: stop signals that are pending go, threads that stopped run, and the first of
 * them tells the parent. So does a stop signal with pending SIGCONTs.
 *
 *     running --job_begin_stop--> is_stopping --last thread--> PROC_STOPPED
 *        ^                             |                            |
 *        +----------- SIGCONT ---------+----------------------------+
 *
 * A thread counts once for each stop, which is why stops have a generation: a thread may sleep
 * through a SIGCONT and the stop after it.
 *
 * Locks   proc->lock [p]; proc_tree_lock before it for the parent and for orphaned groups
 * Spec    man 7 signal; POSIX.1-2017 2.4.3; man 3 exit about orphaned process groups
 */
#include "lib/list.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "proc/signal_priv.h"
#include "sched/sched.h"
#include "sync/waitq.h"

static void remove_everywhere(struct proc *p, uint64_t set)
{
	sigpending_remove(&p->signals.pending, set);
	list_for_each (u, &p->threads, struct uthread, proc_link)
		sigpending_remove(&u->pending, set);
}

static void go_on(struct proc *p)
{
	struct signals *s = &p->signals;

	if (p->flags & PROC_STOPPED)
		s->report = CLD_CONTINUED;
	else if (s->is_stopping)
		s->report = CLD_STOPPED; /* it did stop, in part: its parent is told so */
	else
		return;
	p->flags |= PROC_CONTINUED;
	p->flags &= ~(uint32_t)PROC_STOPPED;
	s->is_stopping = false;
	s->nr_stopping = 0;
	list_for_each (u, &p->threads, struct uthread, proc_link) {
		signal_prod(u->thread);
		(void)sched_wake(u->thread); /* false: it has not stopped */
	}
}

void job_prepare(struct proc *p, int sig)
{
	uint64_t bit = SIGBIT(sig);

	if (LIKELY(!(bit & (SIGNALS_STOPPING | SIGBIT(SIGCONT)))))
		return;
	if (sig != SIGCONT) {
		remove_everywhere(p, SIGBIT(SIGCONT));
		return;
	}
	remove_everywhere(p, SIGNALS_STOPPING);
	p->signals.is_stop_taken = false;
	go_on(p);
}

void job_report(struct proc *p, int why, int sig)
{
	irqlock_lock(&proc_tree_lock);
	signal_notify_parent(p, why, sig);
	irqlock_unlock(&proc_tree_lock);
}

/* A member of the stop less. Returns whether it was the last. */
static bool stop_one(struct proc *p)
{
	if (--p->signals.nr_stopping)
		return false;
	p->signals.is_stopping = false;
	p->flags |= PROC_STOPPED;
	p->flags &= ~(uint32_t)PROC_CONTINUED;
	return true;
}

bool job_thread_leaves(struct proc *p)
{
	return p->signals.is_stopping && stop_one(p);
}

static bool must_stay(const struct proc *p)
{
	return ((p->flags & PROC_STOPPED) || p->signals.is_stopping) && !thread_is_killed();
}

/* p->lock is held at entry and return, not between. */
static void sleep_stopped(struct proc *p) NOT_ANALYSED
{
	struct thread *t = arch_current();

	/* before the look at its flags in must_stay: pairs with thread_kill */
	atomic_store(&t->wait_flags, (uint32_t)WAIT_KILLABLE);
	sched_set_blocked();
	irqlock_unlock(&p->lock);
	if (thread_is_killed())
		sched_set_running();
	else
		sched_switch();
	irqlock_lock(&p->lock);
}

bool job_stop_if_asked(struct proc *p) NOT_ANALYSED
{
	struct signals *s = &p->signals;
	uint32_t counted = 0;
	bool has_counted = false, let_go = false;
	int why, sig;

	while (must_stay(p)) {
		let_go = true;
		if (s->is_stopping && !(has_counted && counted == s->stop_generation)) {
			has_counted = true;
			counted = s->stop_generation;
			sig = s->group_stop_signal;
			if (stop_one(p)) {
				irqlock_unlock(&p->lock);
				job_report(p, CLD_STOPPED, sig);
				irqlock_lock(&p->lock);
				continue;
			}
		}
		sleep_stopped(p);
	}
	if (LIKELY(!s->report))
		return let_go;
	why = s->report;
	s->report = 0;
	sig = why == CLD_CONTINUED ? SIGCONT : s->group_stop_signal;
	irqlock_unlock(&p->lock);
	job_report(p, why, sig);
	irqlock_lock(&p->lock);
	return true;
}

static bool is_group_orphaned(struct proc *p)
{
	struct pid *group;
	bool is_orphaned;

	irqlock_lock(&proc_tree_lock);
	group = p->group;
	pid_get(group);
	irqlock_unlock(&proc_tree_lock);
	is_orphaned = pgrp_is_orphaned(group);
	pid_put(group);
	return is_orphaned;
}

/* Terminal stops are ignored where no shell would continue the process. The lock is let go. */
static bool is_stop_void(struct proc *p, int sig) NOT_ANALYSED
{
	bool is_orphaned;

	if (sig == SIGSTOP)
		return false;
	irqlock_unlock(&p->lock);
	is_orphaned = is_group_orphaned(p);
	irqlock_lock(&p->lock);
	return is_orphaned || !p->signals.is_stop_taken; /* a SIGCONT came meanwhile */
}

void job_begin_stop(struct proc *p, int sig) NOT_ANALYSED
{
	struct signals *s = &p->signals;

	s->is_stop_taken = true;
	if (is_stop_void(p, sig) || s->is_stopping || (p->flags & PROC_STOPPED))
		return;
	if (p->flags & PROC_EXITING)
		return;
	s->is_stopping = true;
	s->stop_generation++;
	s->group_stop_signal = sig;
	s->report = 0;
	s->nr_stopping = 0;
	list_for_each (u, &p->threads, struct uthread, proc_link) {
		if (uthread_is_leaving(u))
			continue;
		s->nr_stopping++;
		signal_prod(u->thread);
	}
}
