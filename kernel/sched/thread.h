// SPDX-License-Identifier: MIT
/*
 * A thread: what is scheduled. Kernel threads now; a user thread will add its process, a fiber
 * (design/ring.md) is a thread without a user half.
 */
#pragma once

#include "arch/arch.h"
#include "lib/base.h"
#include "lib/cpumask.h"
#include "lib/list.h"
#include "lib/rbtree.h"
#include "lib/refcount.h"
#include "sched/params.h"
#include "sync/lock_check.h"
#include "sync/spinlock.h"
#include "sync/waitq.h"
#include "time/timer.h"

struct mutex_waiter;

/*
 * READY    on a run queue             -> RUNNING by the scheduler
 * RUNNING  has a CPU                  -> READY (preempted, yielded), BLOCKED, DEAD by itself
 * BLOCKED  waits                      -> READY by sched_wake
 * DEAD     never runs again; freed by the last thread_put after the CPU has left its stack
 */
enum thread_state { THREAD_READY, THREAD_RUNNING, THREAD_BLOCKED, THREAD_DEAD };

enum thread_flags {
	THREAD_KILLED = 1,	/* must end: every killable wait returns -EINTR */
	THREAD_SIGNAL = 2,	/* has a signal to look at */
};

/*
 *   [I] immutable once thread_create() returns        [a] atomic
 *   [R] the run queue lock of thread->cpu             [L] thread->lock
 *   [t] only the thread itself, or whoever holds it off every run queue
 *   [A] the lock of the list of all threads
 */
struct thread {
	struct arch_context ctx;    /* [t] valid only while not running */
	vaddr_t kstack_bottom;	    /* [I] */
	vaddr_t kstack_top;	    /* [I] */
	void *fpu;		    /* [t] NULL: has no vector state */

	/* scheduling: sched/ */
	uint32_t state;		    /* [R] enum thread_state; read anywhere as a hint */
	uint32_t cpu;		    /* [R] where it runs, or will run next */
	uint32_t on_cpu;	    /* [a] 1 until its CPU has left its stack and context */
	uint32_t flags;		    /* [a] THREAD_* request bits, set by others */
	struct irqlock lock;	    /* RANK_THREAD: parameters, affinity, wake-up races */
	struct sched_params base;   /* [L] what was asked for */
	struct sched_params params; /* [L+R] with what it inherited through mutexes: either to read */
	uint32_t weight;	    /* [R] fair share, from params.nice */
	struct cpumask affinity;    /* [L] */
	struct rbtree_node run_node;	    /* [R] FAIR */
	struct list_node run_link;  /* [R] FIFO, RR */
	int64_t vruntime;	    /* [R] weighted ns served */
	int64_t vdeadline;	    /* [R] */
	int64_t vlag;		    /* [R] kept while it sleeps */
	int64_t min_vruntime;	    /* [R] of its subtree */
	uint64_t slice_ns;	    /* [R] what is left of an RR turn, or the fair request size */
	uint64_t exec_start_ns;	    /* [R] when it was last put on the CPU or accounted */
	uint64_t cpu_ns;	    /* [R] total time on CPU */
	uint64_t nr_switches;	    /* [R] */
	uint64_t nr_preempted;	    /* [R] of those, not by its own wish */

	/* waiting */
	uint32_t wait_flags;	    /* [a] enum wait_flags while BLOCKED */
	struct mutex_waiter *blocked_on; /* [L] for priority inheritance: sync/mutex.c */
	struct list held_mutexes;   /* [L] those with waiters */
	struct held_list held;	    /* [t] sleeping locks, debug */

	/* identity */
	refcount refs;		    /* [a] */
	uint32_t id;		    /* [I] kernel-wide, for the log */
	char name[24];		    /* [I] */
	struct list_node all_link;  /* [A] */
	void (*entry)(void *arg);   /* [I] */
	void *arg;		    /* [I] */
	int exit_status;	    /* [t] until DEAD */
	struct waitq exited;	    /* woken at DEAD; thread_join */
};

void thread_init_system(void);
/*
 * A new thread that will run entry(arg); one reference is the caller's, one its own until it ends.
 * It is not started. Returns 0, -ENOMEM, -EAGAIN (too many).
 */
MUST_CHECK int thread_create(struct thread **out, const char *name, void (*entry)(void *), void *arg);
/* Puts it on a run queue for the first time. */
void thread_start(struct thread *t);
/* Create, start and drop the caller's reference. */
MUST_CHECK int thread_spawn(const char *name, void (*entry)(void *), void *arg);
NORETURN void thread_exit(int status); /* returning from entry is thread_exit(0) */
/* Waits for its end, gives its status, drops the caller's reference. */
int thread_join(struct thread *t);
/* Sets THREAD_KILLED and ends its killable waits. The thread must look and leave. */
void thread_kill(struct thread *t);
static inline bool thread_is_killed(void)
{
	return READ_ONCE(arch_current()->flags) & THREAD_KILLED;
}
void thread_get(struct thread *t);
void thread_put(struct thread *t);
/* Gives the current kernel thread a vector state: between the two it may use vector registers. */
MUST_CHECK int thread_fpu_begin(void);
void thread_fpu_end(void);
/* Calls fn on every thread, list locked: for dumps. */
void thread_for_each(void (*fn)(struct thread *t, void *ctx), void *ctx);
unsigned thread_count(void);
