// SPDX-License-Identifier: MIT
/*
 * Fibers: kernel threads of a process, which do for its threads what may block.
 *
 * A fiber has its process's memory and, while it has a job, the descriptors, the place in the file
 * tree and the credentials of the thread that asked. It is none of the process's threads: it has no
 * number, gets no signals, and nobody waits for it. A job is started by lending it the CPU
 * (sched/loan.h), so one that does not block costs two switches and no scheduling.
 *
 *     fiber_lend -> an idle fiber, a new one, or the end of a line -> job->run -> idle
 *
 * There is a line for each kind of job, of which a program may say how many are done at once.
 *
 * Locks   proc->lock [p]: who is idle, who has which job, what waits for one
 */
#pragma once

#include "lib/base.h"
#include "lib/list.h"

struct cred;
struct fiber;
struct proc;
struct uthread;

/* IORING_REGISTER_IOWQ_MAX_WORKERS: bounded ones end by themselves, since they are about files on a disk. */
enum fiber_kind { FIBER_UNLIMITED, FIBER_BOUNDED, FIBER_UNBOUNDED, FIBER_KINDS };

struct fiber_line {
	struct list jobs;    /* [p] that wait: struct fiber_job.link */
	unsigned nr_waiting; /* [p] how many: as many as a program likes */
	unsigned nr;         /* [p] that are being done */
	unsigned max;        /* [p] 0: as many as there are fibers */
};

/*
 *   [I] by who starts it      [p] proc->lock
 */
struct fiber_job {
	struct list_node link;              /* [p] fiber_line.jobs */
	enum fiber_kind kind;               /* [I] */
	uint64_t turn;                      /* [p] in line: after all with a lower one */
	void (*run)(struct fiber_job *job); /* [I] on the fiber; the job is its own to free */
	struct uthread *as; /* [I] whose work it is: does not end before run has returned */
	const struct cred *cred; /* [I] other credentials than its, one reference; NULL */
	struct fiber *fiber;     /* [p] who does it; NULL: nobody yet */
};

/*
 * For a thread of the process, or a fiber of it: starts the job and returns when it has ended or waits
 * for something. -ENOMEM, -EAGAIN: it was not started; -EBUSY: nor that, for it would have to stand in line.
 */
MUST_CHECK int fiber_lend(struct fiber_job *job);
/* For anybody: starts it, or puts it in line, and returns at once. May sleep for memory. */
MUST_CHECK int fiber_start(struct fiber_job *job);
/*
 * The same for one that never stands in line, nor anybody because of it: it stays as long as it likes, or those that
 * have all fibers may wait for it.
 */
MUST_CHECK int fiber_start_beside(struct fiber_job *job);
/*
 * Ends the waits of the job as a signal would, or with is_kill as the end of its thread. The caller makes
 * sure that it was started and that run has not returned. True: it stood in line for a fiber, and does no
 * more; it will not run, and is the caller's again.
 */
MUST_CHECK bool fiber_interrupt(struct fiber_job *job, bool is_kill);
/* By the fiber: what it does from now on is not done with the job's credentials, but with its thread's. */
void fiber_drop_cred(struct fiber_job *job);
/* How many of a kind are done at once for the current process; 0: no limit was set. Those beside the lines have none. */
unsigned fiber_limit(enum fiber_kind kind);
void fiber_set_limit(enum fiber_kind kind, unsigned max);
/*
 * exec and the end of the process: by its last thread, when no jobs are left. All fibers are gone then, and there are no
 * limits.
 */
void fibers_end(struct proc *p);
/* Whether the current thread is one. */
bool fiber_is_current(void);
/* How many there are; for /proc and tests. */
unsigned fiber_count(struct proc *p);
