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

struct ksigaction {
	uintptr_t handler; /* SIG_DFL, SIG_IGN or a user address */
	uint64_t flags;	   /* SA_* */
	uintptr_t restorer;
	uint64_t mask;
};

/* Of a process; proc->lock. CLONE_SIGHAND without CLONE_THREAD shares actions: counted. */
struct sigactions {
	uint32_t refs;
	struct ksigaction action[SIGNALS];
};
struct signals {
	struct sigpending pending;
	struct sigactions *actions;
	unsigned nr_queued;
	int group_stop_signal;
	unsigned nr_stopping;
};

struct proc;
struct thread;
struct arch_frame;

/* Queues it for the process, or the thread. -EAGAIN for a real-time signal over the limit. No permission check. */
MUST_CHECK int signal_send_proc(struct proc *p, int sig, const siginfo_t *info);
MUST_CHECK int signal_send_thread(struct thread *t, int sig, const siginfo_t *info);
/* A fault: cannot be blocked or ignored. */
void signal_force(int sig, int code, uintptr_t addr);
void signal_force_kill(int sig);
void signal_send_group(int pgrp, int sig, const siginfo_t *info);
/* Whether the current process may signal p. 0, -EPERM. */
MUST_CHECK int signal_permission(struct proc *p, int sig);
bool signal_is_pending(void); /* for the current thread, unblocked */
void signal_set_mask(uint64_t mask);
/*
 * Delivers what is pending to the frame, stops, or ends the process: what trap_user_return does.
 * With no handler to run it also restarts an interrupted call and restores the saved mask.
 */
void signal_deliver(struct arch_frame *frame);
/* sigsuspend, ppoll, epoll_pwait: this mask until the call returns; the old one comes back then. */
void signal_set_temporary_mask(uint64_t mask);
/* A new process (a copy, or with CLONE_SIGHAND the same actions), exec, the end. proc/ calls them. */
MUST_CHECK int signals_copy(struct proc *child, struct proc *parent, bool is_shared);
void signals_exec(struct proc *p); /* handlers to default */
void signals_fini(struct proc *p);
void sigpending_flush(struct sigpending *pending);
/* The parent is told of an end, a stop or a continuation: SIGCHLD and its waiters. */
void signal_notify_parent(struct proc *child, int why /* CLD_* */, int status);
/* sigtimedwait and signalfd: takes one of `set`; 0 with *info, or -EAGAIN. */
MUST_CHECK int signal_take(uint64_t set, siginfo_t *info);
