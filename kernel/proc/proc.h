// SPDX-License-Identifier: MIT
/*
 * A process: what owns memory, descriptors, credentials and signals. Its threads are struct
 * thread with a struct uthread; a process id belongs to a pid namespace.
 *
 * Locks   proc_tree_lock  [T] irq, RANK_PROC_TREE: parents, children, groups, sessions, the
 *                         pid table, exit states
 *         proc->lock      [p] irq, RANK_PROC: threads, signal state (proc/signal.h), flags
 */
#pragma once

#include "arch/arch.h"
#include "lib/base.h"
#include "lib/list.h"
#include "lib/llist.h"
#include "lib/rbtree.h"
#include "lib/refcount.h"
#include "proc/cred.h"
#include "proc/fiber.h"
#include "proc/signal.h"
#include "sched/thread.h"
#include "sync/waitq.h"
#include "uaccess/uaccess.h"

struct fdtable;
struct cpu_limit;
struct ptimers;
struct file;
struct fs_context;
struct ipc_ns;
struct tty;
struct vmspace;

/* ---- Process ids ---- */

enum pid_use { PID_THREAD, PID_PROCESS, PID_GROUP, PID_SESSION, PID_USES };

struct pid_ns; /* one until the issue that brings namespaces; every pid belongs to one */
extern struct pid_ns pid_ns_root;

/* A number in use: by a thread, a process, a group, a session, or by who still refers to it. */
struct pid {
	refcount refs;
	int nr;                      /* [I] in ns; free for others once users[] are all empty */
	struct pid_ns *ns;           /* [I] */
	struct list users[PID_USES]; /* [T] */
	struct waitq exited;         /* pidfd polls this */
};
void pid_get(struct pid *p);
void pid_put(struct pid *p);
/* With a reference; -ESRCH. */
MUST_CHECK int pid_find(int nr, struct pid **out);
/* Whether there is somebody to whom the number is that: a process until it was waited for. */
bool pid_is_of(int nr, enum pid_use use);
/* Without one, tree locked; NULL: not in use. */
struct pid *pid_lookup_locked(int nr);
/* /proc/sys/kernel/pid_max: numbers are below it. -EINVAL out of Linux's bounds. */
int pid_get_max(void);
/* The number given out last; for /proc/loadavg. */
int pid_get_last(void);
MUST_CHECK int pid_set_max(int max);

/* ---- The process ---- */

enum { RLIMITS = 16, NOFILE_MAX = 1 << 20 /* fs.nr_open: RLIMIT_NOFILE goes no higher */ };
struct rlimit_pair {
	uint64_t soft, hard;
};

enum proc_flags {
	PROC_EXITING = 1,
	PROC_EXECED = 2, /* setpgid refuses */
	PROC_CHILD_SUBREAPER = 4,
	PROC_DUMPABLE = 16,
	PROC_STOPPED = 32,   /* job control */
	PROC_CONTINUED = 64, /* WCONTINUED has not seen it */
	PROC_ZOMBIE = 128,
	PROC_FORK_NO_EXEC = 256, /* a fork that has not called exec: accounting's AFORK */
	PROC_UNBORN = 512, /* a spawn without its program: no news for its parent (proc/spawn.h) */
};

extern struct irqlock proc_tree_lock;

/* What man 5 proc says of /proc/PID/io, by the names it has there: bytes moved, and calls. */
struct io_counts {
	uint64_t rchar, wchar, syscr, syscw;
};

struct proc_times {
	uint64_t user_ns, system_ns, min_faults, maj_faults, voluntary, involuntary;
	uint64_t max_resident_kib;
	struct io_counts io;
};

struct proc {
	refcount refs;
	struct irqlock lock;
	uint32_t flags;              /* [p] */
	struct pid *pid;             /* [I] of the first thread, kept when it ends */
	struct pid *group, *session; /* [T] */
	struct list_node pid_link, group_link, session_link; /* [T] */
	struct proc *parent;                                 /* [T] */
	struct list children;                                /* [T] */
	struct list_node child_link;                         /* [T] */
	int parent_nr; /* [T] to write; the parent's id as getppid gives it */
	struct uthread *
		parent_thread; /* [T] who made us, or took us over: __WNOTHREAD, PR_SET_PDEATHSIG */
	int exit_signal;       /* [T] to the parent; SIGCHLD, or clone's; 0: none */
	int exit_status; /* [p] wait's format: of exit_group, or of the first thread's exit */
	const struct cred *zombie_cred; /* [p] of the last thread; one reference. NULL: lives */
	struct list threads;            /* [p] struct uthread.proc_link */
	struct list submitters;         /* [p] the same of rings' fibers: security/seccomp.c */
	unsigned nr_threads;            /* [p] on that list */
	unsigned nr_live;               /* [p] of those, the ones that have not begun to end */
	struct thread *
		leader; /* [p] the first thread, or another when it has ended; NULL: a zombie */
	struct vmspace *vm; /* [p] exec replaces it, exit makes it NULL; also in each thread */
	struct file *exe;   /* [p] /proc/PID/exe */
	struct signals signals;              /* [p] pending for the process, actions */
	struct rlimit_pair rlimits[RLIMITS]; /* [p] */
	struct tty *tty;                     /* [T] controlling terminal */
	struct waitq child_exit;             /* wait4 sleeps here */
	struct waitq vfork_done;             /* a parent waits here for a child that is_vfork */
	struct waitq threads_gone;           /* exec waits here for the other threads' ends */
	struct thread *exec_thread; /* [p] whose exec ends the other threads; NULL: none */
	struct proc_times times, child_times; /* [p] of ended threads; of waited-for children */
	uint64_t start_ns;                    /* [I] */
	int oom_score_adj;                    /* [p] */
	struct cpu_limit *cpu_limit; /* [p] proc/cpu_limit.c; NULL: no limit was ever set */
	struct list idle_fibers;     /* [p] proc/fiber.c: struct fiber.link */
	struct fiber_line fiber_lines[FIBER_KINDS]; /* [p] jobs that wait for one */
	uint64_t fiber_turn;         /* [p] of the next job in line */
	unsigned nr_fibers, nr_idle_fibers; /* [p] */
	unsigned nr_fibers_beside;   /* [p] of nr_fibers: those whose job is beside the line */
	bool are_fibers_ending;      /* [p] */
	bool is_stuck;               /* [p] its lines wait for memory: on the list of proc/fiber.c */
	struct llist_node stuck_link; /* there, while is_stuck */
	struct list ring_orphans;    /* [p] ring/leave.c: of threads that have ended */
	unsigned nr_ring_orphans;    /* [p] */
	struct ptimers *timers;      /* proc/ptimer.c: POSIX timers and itimers; NULL: none */
	struct rbtree aio;           /* [p] ipc/aio.c: its contexts */
};

enum call_work {
	CALL_TRACED = 1,     /* strace=1 and the trace tool look at its calls */
	CALL_SECCOMP = 2,    /* its calls are restricted */
	CALL_DISPATCHED = 4, /* it handles them itself: sys/user_dispatch.h */
};

/* Calls that a thread handles itself: but from [start, start + len), and while *selector says so. */
struct own_calls {
	uint64_t start, len;
	uptr selector; /* null: always */
};

/* The user half of a thread: thread->user. */
struct uthread {
	struct thread *thread;      /* [I] */
	struct proc *proc;          /* [I] one reference */
	struct pid *tid;            /* [T] exec gives the caller the leader's */
	int tid_nr, pid_nr;         /* [t] tid->nr and proc->pid->nr, for who asks often */
	struct list_node proc_link; /* [p] */
	struct list_node tid_link;  /* [T] */
	struct fdtable *files;      /* [t] one reference; CLONE_FILES shares */
	struct uthread *as;         /* [t] of a fiber: whose job it does; NULL */
	struct file *given[2];      /* [t] of a fiber: FD_GIVEN, for the job that has them */
	struct file *taken[2];      /* [t] of a fiber: FD_TAKEN, what its job has opened */
	uint8_t nr_reserved;        /* [t] which of them */
	bool takes_files;           /* [t] descriptors are not for the table */
	const struct given_input *given_input; /* [t] proc/given.h: of a fiber */
	struct fs_context *fs;      /* [t] one reference */
	struct ipc_ns *ipc_ns;      /* [I] ipc/ipc_ns.h; of a fiber [t] */
	const struct cred *cred;    /* [t] its own, one reference; others read it under RCU */
	const struct cred
		*acting; /* [t] with which it does things: its own, but see cred_act_with */
	struct sigpending pending;  /* [p] for this thread */
	uint64_t sigmask;           /* [t] [p] to write */
	uint64_t saved_sigmask;     /* [t] sigsuspend, ppoll: restored after the handler */
	bool has_saved_sigmask;
	struct sigaltstack_state {
		uptr sp;
		size_t size;
		int flags;
	} altstack;
	uptr set_child_tid, clear_child_tid; /* [t] */
	uptr robust_list;
	size_t robust_list_len;
	struct list pi_waiters;      /* ipc/futex_pi.c: who waits for locks this thread has */
	struct futex_waiter *pi_wait; /* the same lock: by which it waits itself; NULL */
	bool has_left_futexes;       /* the same lock: it ends, no lock is its any more */
	uint8_t futex_habit;         /* [t] ipc/futex.c: how often it waited after waking */
	uint64_t futex_wake_ns;      /* [t] its last wake-up of another; 0: it waited since */
	uint64_t futex_switches;     /* [t] thread->nr_switches then */
	uptr rseq;                   /* [t] proc/rseq.h */
	uint32_t rseq_len, rseq_sig; /* [t] */
	struct {                     /* [t] of the last fault, for sigcontext */
		uintptr_t addr;
		uint64_t nr, error;
	} fault;
	struct restart { /* [t] restart_syscall: see proc/signal.h */
		int64_t (*fn)(struct restart *r);
		uint64_t arg[4];
	} restart;
	struct ring_task *ring_task; /* [t] ring/task.c; NULL: never used a ring */
	uint8_t call_work;           /* [a] CALL_*: what comes before its calls */
	struct own_calls own_calls;  /* [t] with CALL_DISPATCHED */
	uint8_t seccomp_mode;        /* [t] [p] to write: SECCOMP_MODE_*, security/seccomp.h */
	struct call_filter *filters; /* [t] [p] to write: one reference of the newest */
	bool has_left_filters;       /* [p] security/seccomp.c: it ends */
	struct uthread *maker;       /* [p] of a ring's submission thread; NULL: it has ended */
	char comm[16];  /* [t] PR_SET_NAME */
	uint64_t min_faults, maj_faults;
	struct io_counts io; /* [t] */
	uint64_t rt_start_ns, rt_waits; /* [p] proc/cpu_limit.c: CPU time when it last waited */
	int exit_status;     /* [t] wait's format: of its own end */
	bool no_new_privs;   /* [t] never cleared */
	bool has_made_segments; /* [a] of shared memory: shm_leave */
	bool is_over_nproc;  /* [t] set*uid to a user with too many processes: exec refuses */
	bool is_vfork;       /* [a] the parent sleeps on proc->vfork_done until exec or exit */
	bool resets_on_fork; /* [t] SCHED_RESET_ON_FORK */
	uint8_t policy;      /* [t] SCHED_* as sched_getscheduler says it */
	uint32_t personality;
	int parent_death_signal;
	uint64_t timer_slack_ns;
	uint16_t ioprio; /* [t] [a] of ioprio_set; 0: none was set */
};

static inline struct uthread *uthread_current(void)
{
	return arch_current()->user;
}
/* The current user thread's process; only where there is one. */
static inline struct proc *proc_current(void)
{
	return uthread_current()->proc;
}
void proc_get(struct proc *p);
void proc_put(struct proc *p);
/* With a reference; by process id, and by thread id. -ESRCH. */
MUST_CHECK int proc_find(int pid, struct proc **out);
MUST_CHECK int uthread_find(int tid, struct thread **out);
/* The process of any of its threads, as calls that take either say. -ESRCH. */
MUST_CHECK int proc_find_by_tid(int tid, struct proc **out);
/* The current thread's table becomes `files` (takes over the reference); the old one is put. */
void uthread_set_files(struct uthread *u, struct fdtable *files);
/* The current thread's table becomes its own: a copy, if others have it too. -ENOMEM. */
MUST_CHECK int uthread_unshare_files(struct uthread *u);
/* Sets or clears bits of flags, under the lock. */
void proc_set_flag(struct proc *p, uint32_t flags, bool on);
uint64_t proc_rlimit(unsigned which); /* the current process's soft limit */
/* Reads, sets (NULL: does not), or both in one step. -EPERM: raising the hard limit. */
MUST_CHECK int rlimit_exchange(
	struct proc *p, unsigned which, const struct rlimit_pair *set, struct rlimit_pair *old);

struct clone_params {
	uint64_t flags; /* CLONE_* without the signal */
	uptr pidfd, child_tid, parent_tid, tls;
	uptr stack; /* the child's stack pointer: the end of what clone3 was given; 0: the parent's */
	int exit_signal;
	uptr set_tid;
	size_t set_tid_size;
};
/* clone(2), clone3(2), fork, vfork: the new thread's id, or an errno. By the current thread's frame. */
int64_t proc_clone(const struct clone_params *params);
/* unshare(2): the current thread stops sharing what CLONE_* flags name. -EINVAL, -EPERM, -ENOMEM. */
MUST_CHECK int proc_unshare(uint64_t flags);
/*
 * execve(2), execveat(2): 0 when the current thread's frame starts the new program; on an
 * error before the point of no return the old program goes on, after it the process is killed.
 */
struct exec_params {
	int dirfd;
	const char *path; /* kernel memory */
	int at_flags;
	uptr argv, envp; /* of the program, when argv_kernel is NULL */
	const char *const *argv_kernel, *const *envp_kernel; /* the first program's */
	struct exec_args *args; /* instead: kept earlier (proc/spawn.h), and used up by this; or NULL */
};
MUST_CHECK int proc_exec(const struct exec_params *params);
NORETURN void proc_exit_thread(int code); /* exit(2) */
/* One of several threads, as by a signal: the others stay. A leader's end is its process's status. */
NORETURN void proc_end_thread_by(int sig);
NORETURN void proc_exit_group(
	int wait_status); /* the whole process, with this status of wait(2) */
/* Kills every other thread of the process and waits until they are gone (exec). -EINTR: killed itself. */
MUST_CHECK int proc_end_other_threads(void);

/* Whether no member of the group has a parent in another group of the session. Takes the tree lock. */
bool pgrp_is_orphaned(struct pid *group);

/*
 * Process 1: gives the current kernel thread a process with root's credentials, an empty
 * descriptor table and the root file system, so that it can open, mount and exec. boot/init.c.
 */
MUST_CHECK int proc_adopt_init(void);
/* Whether a new thread of this process is to be traced: set by sys/trace.c. NULL: none is. */
extern bool (*proc_wants_trace)(int pid);
/*
 * A session's first process ends: its terminal is given up (SIGHUP to the foreground group). Set by
 * dev/tty; NULL: there are no terminals. Nothing held.
 */
extern void (*proc_leave_session)(struct proc *p);
/* Slab caches, ids, the hooks of lower ranks. boot/main.c: needs threads. */
void proc_init(void);
/* The credentials of a process, or of the zombie, with a reference. p->lock not held. */
const struct cred *proc_get_cred(struct proc *p);
/* The process of a pid that is held, unless it has been waited for: -ESRCH. */
MUST_CHECK int proc_get_by_pid(struct pid *pid, struct proc **out);
/* The descriptors of its first thread, with a reference; NULL when it has none (any more). */
struct fdtable *proc_get_files(struct proc *p);
/* The memory of another process, with a reference; NULL when it has none (any more). */
struct vmspace *proc_get_vm(struct proc *p);
/* User and system time of a thread with a user half. */
void uthread_get_times(struct thread *t, uint64_t *user_ns, uint64_t *system_ns);
/* Adds all that is counted of one thread; of another sum. */
void uthread_add_times(struct thread *t, struct proc_times *to);
void proc_times_add(struct proc_times *to, const struct proc_times *t);
/* Of a living process: its ended threads' times and the present ones'. p->lock not held. */
void proc_get_times(struct proc *p, struct proc_times *out);
/* The first thread that can be named: for /proc and the like; with a reference. -ESRCH: a zombie. */
MUST_CHECK int proc_get_thread(struct proc *p, struct thread **out);
/* Calls fn on every process, with a reference each, in the order of ids; for /proc, kill(-1). */
void proc_for_each(void (*fn)(struct proc *p, void *ctx), void *ctx);
