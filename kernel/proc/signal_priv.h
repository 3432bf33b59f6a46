// SPDX-License-Identifier: MIT
/*
 * What the files that implement signals share: sets of signals by their default action, the
 * entries of a queue, and steps under proc->lock.
 */
#pragma once

#include <linux/signal.h>

#include "lib/base.h"
#include "proc/proc.h"
#include "proc/signal.h"

struct ptimer;

/* man 7 signal, "Standard signals". What is in none of them terminates. */
#define SIGNALS_STOPPING    (SIGBIT(SIGSTOP) | SIGBIT(SIGTSTP) | SIGBIT(SIGTTIN) | SIGBIT(SIGTTOU))
#define SIGNALS_IGNORED     (SIGBIT(SIGCONT) | SIGBIT(SIGCHLD) | SIGBIT(SIGWINCH) | SIGBIT(SIGURG))
#define SIGNALS_UNBLOCKABLE (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))
/* An instruction's own: delivered before all others. */
#define SIGNALS_SYNCHRONOUS                                                                    \
	(SIGBIT(SIGSEGV) | SIGBIT(SIGBUS) | SIGBIT(SIGILL) | SIGBIT(SIGTRAP) |                 \
		SIGBIT(SIGFPE) | SIGBIT(SIGSYS))

enum { SIG_REALTIME = 32 }; /* the first that queues: SIGRTMIN of the kernel */

#define HANDLER_DEFAULT 0ul /* SIG_DFL, SIG_IGN as numbers */
#define HANDLER_IGNORE  1ul

/*
 * One queued signal. A timer's lives as long as the timer and is on a queue or not.
 *
 *   [p] proc->lock
 */
struct sigqueue {
	struct list_node link; /* [p] */
	struct ptimer *timer;  /* [p] whose it is; NULL: free it when it is taken */
	struct user *user; /* [I] whose RLIMIT_SIGPENDING it counts against; NULL: no one's */
	uint64_t info[SIGINFO_USED / 8]; /* [p] the beginning of a siginfo_t */
};

/* The part of a siginfo_t that is used, and the rest, without a call. */
struct siginfo_words {
	uint64_t word[SIGINFO_USED / 8];
};
struct siginfo_rest {
	uint64_t word[(SI_MAX_SIZE - SIGINFO_USED) / 8];
};

static inline void siginfo_copy(void *to, const void *from)
{
	*(struct siginfo_words *)to = *(const struct siginfo_words *)from;
}

static inline void siginfo_clear(void *info)
{
	*(struct siginfo_words *)info = (struct siginfo_words){0};
}

static inline void siginfo_clear_rest(siginfo_t *info)
{
	*(struct siginfo_rest *)((char *)info + SIGINFO_USED) = (struct siginfo_rest){0};
}

/* Counts an entry against RLIMIT_SIGPENDING of p, whose user is given. False: there are as many. */
MUST_CHECK bool sigqueue_charge(struct sigqueue *q, struct user *user, const struct proc *p);
/* An entry that is on no queue and that no timer has. */
void sigqueue_free(struct sigqueue *q);

static inline siginfo_t *sigqueue_info(struct sigqueue *q)
{
	return (siginfo_t *)q->info; /* only SIGINFO_USED bytes of it exist */
}

static inline bool proc_is_init(const struct proc *p)
{
	return p->pid->nr == 1;
}

/* A thread that ends blocks even SIGKILL, which no other does. */
static inline bool uthread_is_leaving(const struct uthread *u)
{
	return u->sigmask & SIGBIT(SIGKILL);
}

static inline bool uthread_is_on_altstack(const struct uthread *u, vaddr_t sp)
{
	vaddr_t base = u->altstack.sp.addr;

	if (u->altstack.flags & (int)SS_AUTODISARM)
		return false;
	return sp > base && sp - base <= u->altstack.size;
}

/* ---- proc/signal.c; p->lock held ---- */

enum disposition { DISP_IGNORE, DISP_HANDLER, DISP_STOP, DISP_FATAL };
enum disposition signal_disposition(const struct proc *p, int sig);
/* Makes a thread look at its signals: flag, wake-up, interrupt. */
void signal_prod(struct thread *t);
/* To the process with p->lock held: from the kernel (info NULL), or with SI_USER. */
void signal_send_locked(struct proc *p, int sig, const siginfo_t *info);
/* Queues a timer's entry for p or t; false: it is ignored now. */
bool signal_send_timer(struct proc *p, struct thread *t, struct sigqueue *q);
/* Takes every signal of `set` off the queue. */
void sigpending_remove(struct sigpending *pending, uint64_t set);
/* Off the queue: an entry of `set`, synchronous ones first; the signal, or 0. *timer is set when
 * the entry was a timer's. */
int sigpending_take_ready(struct sigpending *pending, uint64_t set, siginfo_t *info);
static inline int sigpending_take(struct sigpending *pending, uint64_t set, siginfo_t *info)
{
	return pending->set & set ? sigpending_take_ready(pending, set, info) : 0;
}
/* Whether the current thread has something to look at: sets or clears THREAD_SIGNAL. */
void signal_recalculate(struct uthread *u);
void signal_default_locked(struct proc *p, int sig);
/* signal_permission, with proc_tree_lock. */
MUST_CHECK int signal_permission_locked(struct proc *p, int sig) MUST_HOLD(proc_tree_lock);
/* Lets others have what this thread, which now blocks `blocked`, might have been chosen for. */
void signal_retarget(struct proc *p, uint64_t blocked);

/* ---- proc/job.c; p->lock held ---- */

void job_prepare(struct proc *p, int sig); /* the effects of sending a stop signal or SIGCONT */
/* The current thread stops if its process does; returns whether the lock was let go meanwhile. */
bool job_stop_if_asked(struct proc *p) MUST_HOLD(p->lock);
/* Begins a stop by a signal taken off the queue. Lets the lock go meanwhile. */
void job_begin_stop(struct proc *p, int sig) MUST_HOLD(p->lock);
/* The current thread leaves; returns whether it was the last that had to stop. */
bool job_thread_leaves(struct proc *p);
/* Tells the parent that p has stopped or goes on. Nothing held. */
void job_report(struct proc *p, int why, int sig);

/* ---- proc/ptimer.c; p->lock held ---- */

/* The timer's signal was taken: fills the overrun count and starts the next interval. */
void ptimer_signal_taken(struct ptimer *t, siginfo_t *info);
