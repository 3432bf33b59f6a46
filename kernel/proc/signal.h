// SPDX-License-Identifier: MIT
/*
 * Signals: what is pending, what is done about it, and delivery.
 *
 * A signal is pending for a process or for one thread. Sending queues it under proc->lock and
 * prods a thread that does not block it (THREAD_SIGNAL ends its waits with -EINTR). Delivery
 * happens on the way back to user mode: proc/signal.c chooses, arch builds the frame.
 *
 * A system call interrupted by a signal returns one of the ERESTART numbers below; delivery turns
 * it into -EINTR or runs the call again, as the action's SA_RESTART says.
 */
#pragma once

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "lib/base.h"
#include "lib/list.h"
#include "lib/refcount.h"

/* Never seen by programs. Linux: man 7 signal, "Interruption of system calls". */
enum {
	ERESTARTSYS = 512,	  /* again if SA_RESTART or no handler */
	ERESTARTNOINTR = 513,	  /* always again */
	ERESTARTNOHAND = 514,	  /* again only if no handler runs */
	ERESTART_RESTARTBLOCK = 516, /* by restart_syscall, if no handler runs */
};

enum { SIGNALS = 64 };
#define SIGBIT(sig) (1ull << ((sig)-1))

struct sigpending {
	uint64_t set;
	struct list queue; /* struct sigqueue, oldest first */
};

/* Linux keeps this much of a siginfo_t in the kernel; the rest is zero for programs. */
enum { SIGINFO_USED = 48 };

struct ksigaction {
	uintptr_t handler; /* SIG_DFL, SIG_IGN or a user address */
	uint64_t flags;	   /* SA_* */
	uintptr_t restorer;
	uint64_t mask;
};

/*
 * Of a process. Words are read and written whole under the lock of one of the processes that share
 * them (CLONE_SIGHAND without CLONE_THREAD; threads of one process share by being in it).
 *
 *   [p] proc->lock
 */
struct sigactions {
	refcount refs;
	uint64_t custom;  /* [p] signals whose action[] means something; the others are SIG_DFL, 0 */
	uint64_t ignored; /* [p] of those, the ones with SIG_IGN */
	struct ksigaction action[SIGNALS];
};

struct signals {
	struct sigpending pending;   /* [p] */
	struct sigactions *actions;  /* [p] */
	/*
	 * A default action that ends the process was sent: its threads are being killed, and the
	 * process will have this signal as its status. 0: none.
	 */
	int fatal_signal;	     /* [p] */
	/*
	 * The signal that stops or stopped the process. wait4(WUNTRACED) reports a process that
	 * has PROC_STOPPED and sets this to 0 when it has (not with WNOWAIT).
	 */
	int group_stop_signal;	     /* [p] */
	bool is_stopping;	     /* [p] threads stop one by one; the last sets PROC_STOPPED */
	bool is_stop_taken;	     /* [p] a stop was taken off the queue, and no SIGCONT came since */
	unsigned nr_stopping;	     /* [p] those that still run */
	uint32_t stop_generation;    /* [p] of the last stop that began */
	int report;		     /* [p] CLD_*: the first thread that goes on tells the parent; 0 */
};

struct proc;
struct thread;
struct uthread;
struct arch_frame;
struct waitq;

/* ---- Sending ---- */

/*
 * Queues it for the process, or the thread. -EAGAIN for a real-time signal over the limit. No
 * permission check; sig 0 does nothing. Takes p->lock; any context.
 * info NULL: sent by the kernel itself (SI_KERNEL).
 */
MUST_CHECK int signal_send_proc(struct proc *p, int sig, const siginfo_t *info);
MUST_CHECK int signal_send_thread(struct thread *t, int sig, const siginfo_t *info);
/* From the kernel, where nobody is to be told that a queue was full. */
void signal_kernel_proc(struct proc *p, int sig);
/* A fault of the current thread: cannot be blocked or ignored. */
void signal_force(int sig, int code, uintptr_t addr);
void signal_force_info(const siginfo_t *info); /* the same, with more to say */
/* Ends the current process by this signal, whatever its action. */
void signal_force_kill(int sig);
/* Every process of the group; takes proc_tree_lock. */
void signal_send_group(int pgrp, int sig, const siginfo_t *info);
/* Those for whom may() says so, which is called with proc_tree_lock held. */
void signal_send_group_if(int pgrp, int sig, const siginfo_t *info,
	bool (*may)(struct proc *p, const void *ctx), const void *ctx);
/* Whether the current process may signal p. 0, -EPERM. */
MUST_CHECK int signal_permission(struct proc *p, int sig);

/* ---- The current thread's own ---- */

/* Something unblocked waits for delivery (a hint without p->lock, exact under it). clone looks at
 * it under p->lock before a thread is added, so that no thread misses a stop: -ERESTARTNOINTR. */
bool signal_is_pending(void);
void signal_set_mask(uint64_t mask);
/* sigsuspend, ppoll, epoll_pwait: this mask until the call returns; the old one comes back then, or before. */
void signal_set_temporary_mask(uint64_t mask);
void signal_end_temporary_mask(void); /* nothing, where there is none */
/* sigtimedwait and signalfd: takes one of `set`; 0 with *info, or -EAGAIN. */
MUST_CHECK int signal_take(uint64_t set, siginfo_t *info);
/* All that signal_take could find. A worker that asks a file has none. */
uint64_t signal_pending_set(void);
/* Woken when a signal was queued for p; shared with other processes: look again. Lives for ever. */
struct waitq *signal_waitq(const struct proc *p);

/* ---- The way back to user mode ---- */

/*
 * Delivers what is pending to the frame, stops, or ends the process: what trap_user_return does.
 * With no handler to run it also restarts an interrupted call and restores the saved mask.
 *
 * THREAD_KILLED means that the thread must end: by proc_exit_group(signals.fatal_signal) when that
 * is set, by proc_exit_thread(0) otherwise (another thread's exit_group or exec).
 */
void signal_deliver(struct arch_frame *frame);

/* ---- Life: proc/ calls them ---- */

/* A new process: a copy, or with CLONE_SIGHAND the same actions. */
MUST_CHECK int signals_copy(struct proc *child, struct proc *parent, bool is_shared);
MUST_CHECK int signals_init(struct proc *first); /* process 1: all default */
/* CLONE_CLEAR_SIGHAND, on a child that does not run yet. */
void signals_clear_handlers(struct proc *p);
/*
 * exec, with one thread left: handlers to default, ignored ones stay, no alternate stack; actions
 * shared with another process become its own. The copy is made in signals_exec_prepare, before
 * the point of no return: -ENOMEM.
 */
MUST_CHECK int signals_exec_prepare(struct proc *p);
void signals_exec(struct proc *p);
void signals_fini(struct proc *p);
/* pending is a member of a struct sigpending [p]; nobody can send to it any more. */
void sigpending_init(struct sigpending *pending);
void sigpending_flush(struct sigpending *pending);
/* The current thread ends: it is chosen for nothing more, others take over. Before it leaves
 * proc->threads; p->lock not held. Its pending queue is flushed. */
void signals_thread_exit(void);
/*
 * The parent is told of an end, a stop or a continuation: its SIGCHLD (child->exit_signal for an
 * end) and its waiters. why is CLD_*, status what si_status says. proc_tree_lock is held.
 */
void signal_notify_parent(struct proc *child, int why, int status);
/* Children of p leave no zombies: SIGCHLD ignored, or SA_NOCLDWAIT. */
bool signal_ignores_children(struct proc *p);
