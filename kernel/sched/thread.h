// SPDX-License-Identifier: MIT
/*
 * A thread: what is scheduled. A user thread has a struct uthread (proc/proc.h) and an address
 * space; a kernel thread has neither.
 */
#pragma once

#include "arch/arch.h"
#include "lib/base.h"
#include "lib/cpumask.h"
#include "lib/list.h"
#include "lib/llist.h"
#include "lib/refcount.h"
#include "sched/fair.h"
#include "sched/params.h"
#include "sync/lock_check.h"
#include "sync/spinlock.h"
#include "sync/waitq.h"
#include "time/timer.h"

struct mutex_waiter;
struct uthread;
struct vmspace;

/*
 * READY     on the run queue of thread->cpu
 * RUNNING   has that CPU
 * BLOCKING  has it, and has said that it is about to wait (sched_set_blocked)
 * BLOCKED   waits, off its CPU and stack; also before thread_start
 * CHANGING  somebody (the switch, a waker, set_params) moves it from one state to the next with
 *           interrupts off: whoever finds it so spins until it is something else
 * DEAD      never runs again; freed by the last thread_put after the CPU has left its stack
 *
 * sched/state_priv.h has the legal moves and the one function that makes them.
 */
enum thread_state {
	THREAD_READY,
	THREAD_RUNNING,
	THREAD_BLOCKING,
	THREAD_BLOCKED,
	THREAD_CHANGING,
	THREAD_DEAD,
};

/* "ready", ...; "?" for what is none. For reports. */
const char *thread_state_name(uint32_t state);

enum thread_flags {
	THREAD_KILLED = 1, /* must end: every killable wait returns -EINTR */
	THREAD_SIGNAL = 2, /* has a signal to look at */
	THREAD_WORKER = 4, /* irq/work.c wants to know when it blocks */
	THREAD_IDLE = 8,   /* a CPU's idle thread: on no queue, never blocks */
	THREAD_NOTIFY =
		16, /* on the way to user mode: restore a mask, traced, stopped (proc/) */

	THREAD_RSEQ = 32, /* its program is told when it was switched, or got another CPU */

	THREAD_RING = 64, /* operations of its rings want to go on: proc/ring_work.h */

	THREAD_RETURN_WORK = THREAD_KILLED | THREAD_SIGNAL | THREAD_NOTIFY | THREAD_RING,
};

/* Times in user mode and in the kernel are told from these and cpu_ns: proc/proc.c */
enum thread_sample { SAMPLE_KERNEL, SAMPLE_USER };

/*
 *   [I] immutable once thread_create() returns        [a] atomic
 *   [R] the run queue lock of thread->cpu, or whoever made it CHANGING
 *   [L] thread->lock      [t] only the thread itself, or whoever holds it off every run queue
 *   [A] the lock of the list of all threads
 */
struct thread {
	struct arch_context ctx; /* [t] valid only while not running */
	vaddr_t kstack_bottom;   /* [I] */
	vaddr_t kstack_top;      /* [I] */
	void *fpu;               /* [t] NULL: has no vector state */
	struct uthread *user;    /* [I] from its start on; NULL: a kernel thread */
	struct vmspace *vm;      /* [t] whose addresses it uses; NULL: the kernel's alone */
	struct arch_user arch;   /* [t] */

	/* scheduling: sched/ */
	uint32_t state;    /* [a] enum thread_state */
	uint32_t cpu;      /* [R] where it runs, or will run next; a hint when read without */
	uint32_t flags;    /* [a] THREAD_* request bits, set by others */
	int16_t rank;      /* [R] order among classes and priorities, from params */
	bool turn_is_over; /* [R] RR: goes to the end of its list */
	struct sched_params
		params; /* [L+R] with what it inherited through locks: either to read */
	struct fair_entity fair;   /* [R] FAIR */
	struct list_node run_link; /* [R] the other classes */
	uint64_t slice_ns;         /* [R] what is left of an RR turn */
	uint64_t exec_start_ns;    /* [R] when it was last put on the CPU or accounted */
	uint64_t cpu_ns;           /* [R] total time on CPU */
	uint64_t nr_switches;      /* [R] how often it was put on a CPU */
	uint64_t nr_preempted;     /* [R] how often it lost one against its wish */
	uint32_t samples[2];       /* [t] where interrupts found it: enum thread_sample */

	struct irqlock lock;      /* RANK_THREAD: what was asked for */
	struct sched_params base; /* [L] */
	uint8_t lent;             /* [L] FIFO priority of who waits for its futexes; 0: nobody */
	struct cpumask affinity;  /* [L] to write; read by wakers without, see sched/params.c */

	/* waiting */
	uint32_t wait_flags;             /* [a] enum wait_flags while BLOCKED */
	struct mutex_waiter *blocked_on; /* [L] for priority inheritance: sync/mutex.c */
	struct list held_mutexes;        /* [L] those with waiters */
	struct held_list held;           /* [t] sleeping locks, debug */

	/* identity */
	refcount refs;               /* [a] */
	uint32_t id;                 /* [I] kernel-wide, for the log */
	char name[24];               /* [I] */
	struct list_node all_link;   /* [A] */
	void (*entry)(void *arg);    /* [I] */
	void *arg;                   /* [I] */
	int exit_status;             /* [t] until DEAD */
	struct waitq exited;         /* woken at DEAD; thread_join */
	struct llist_node dead_link; /* [t] sched/thread.c: waiting to be freed */
	void *later_puts;            /* [t] net/control.c: files in messages of files that it puts */
	struct thread *lender;       /* [a] sched/loan.h: whose CPU it runs on; NULL: its own */
	uint32_t seen_cpu;           /* [t] THREAD_RSEQ: the CPU its program knows of */
	void (*release)(
		struct thread *t); /* [I] before it is freed; NULL: nothing. May sleep. */
};

/* Threads can be created, and the boot CPU may idle: needs the slab allocator and kmap. */
void thread_init_system(void);
/*
 * A new thread that will run entry(arg); one reference is the caller's, one its own until it
 * ends. It is not started. Returns 0, -ENOMEM, -EAGAIN (too many).
 */
MUST_CHECK int thread_create(
	struct thread **out, const char *name, void (*entry)(void *), void *arg);
/* Undoes thread_create of a thread that was never started; its release is called. Sleeps. */
void thread_discard(struct thread *t);
/* Puts it on a run queue for the first time. */
void thread_start(struct thread *t);
/* Create, start and drop the caller's reference. */
MUST_CHECK int thread_spawn(const char *name, void (*entry)(void *), void *arg);
NORETURN void thread_exit(int status); /* returning from entry is thread_exit(0) */
/* Waits for its end, gives its status, drops the caller's reference. */
int thread_join(struct thread *t);
/* Sets THREAD_KILLED and ends its killable waits. The thread must look and leave. */
void thread_kill(struct thread *t);
/* Has it look at its flags soon, if it runs in user mode on another CPU. Any context. */
void thread_kick(struct thread *t);
static inline bool thread_is_killed(void)
{
	return READ_ONCE(arch_current()->flags) & THREAD_KILLED;
}
void thread_get(struct thread *t);
/* Any context: memory goes back from a worker thread, or by thread_reap. */
void thread_put(struct thread *t);
/* Frees every thread that has no reference left, now. Sleeps. */
void thread_reap(void);
/* Gives the current kernel thread a vector state: between the two it may use vector registers.
 */
MUST_CHECK int thread_fpu_begin(void);
void thread_fpu_end(void);
/*
 * Gives a thread that was not started yet one for good (a user thread): a program's first, or a
 * copy of the running thread's, which has one. -ENOMEM. Freed with the thread.
 */
MUST_CHECK int thread_fpu_create(struct thread *t, bool is_copy);
/* Calls fn on every thread, list locked: for dumps. */
void thread_for_each(void (*fn)(struct thread *t, void *ctx), void *ctx);
unsigned thread_count(void);
/* So many threads at most; thread_create fails with -EAGAIN then. /proc/sys/kernel/threads-max */
extern uint64_t thread_max;
