// SPDX-License-Identifier: MIT
/*
 * What the files of this folder that make and end processes say to each other.
 */
#pragma once

#include "lib/assert.h"
#include "lib/atomic.h"
#include "proc/proc.h"

/* ---- pid.c; _locked: proc_tree_lock held ---- */
void pid_init(void);
MUST_CHECK int pid_create(struct pid **out); /* without a number; one reference */
/* Gives it a number and puts it on the table, which it leaves with its last user: the caller
 * attaches one before it unlocks. -EAGAIN: all are taken; -ENOMEM. */
MUST_CHECK int pid_assign_locked(struct pid *p);
MUST_CHECK int pid_assign_at_locked(struct pid *p, int nr); /* -EEXIST, -EINVAL */
void pid_attach_locked(struct pid *p, enum pid_use use, struct list_node *link);
void pid_detach_locked(struct pid *p, struct list_node *link);
/* The first at or above *nr, which becomes its number; NULL at the end. */
struct pid *pid_next_locked(int *nr);

/* ---- proc.c ---- */
/* Memory and constant fields; one reference. No threads, no vm, no signals, on no list. */
MUST_CHECK int proc_create(struct proc **out);
void proc_discard(struct proc *p); /* undoes it */
/* The user half of t, which is not started; takes over nothing. -ENOMEM. */
MUST_CHECK int uthread_create(struct uthread **out);
void uthread_free(struct uthread *u); /* less what it refers to */
uint64_t proc_peak_kib(const struct vmspace *vm);
/* thread->release */
void uthread_release(struct thread *t);
/* The process of a pid in use, without a reference; tree locked. */
struct proc *proc_of_pid_locked(struct pid *p);
/* All its groups' and sessions' business. */
void proc_enter_group_locked(struct proc *p, struct pid *group);
void proc_enter_session_locked(struct proc *p, struct pid *session);

/* ---- exit.c ---- */
/* A zombie goes: off the tree and the table; tree locked. The caller then calls proc_put. */
void proc_reap_locked(struct proc *p);
/* The vfork parent goes on. By the current thread, which has left its old memory. */
void proc_release_vfork_parent(struct uthread *u);
/* exec and exit, before the memory is left: robust futexes, CLONE_CHILD_CLEARTID. */
void uthread_leave_memory(struct uthread *u);

/* ---- rlimit.c ---- */
void rlimits_first(struct rlimit_pair *to); /* of process 1 */
void rlimit_init(void);
