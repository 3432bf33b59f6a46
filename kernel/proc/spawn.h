// SPDX-License-Identifier: MIT
/*
 * Spawn: a process that begins with a program, and never was a copy of another.
 *
 * Its first thread is a kernel thread with descriptors, a place in the file tree, credentials and
 * signals, as process 1 once was (init.c): it may open, change directory and exec. Until its program
 * stands it is unborn: its parent's waits do not see it, and if it fails it goes without a word.
 *
 *     proc_spawn -> birth.c -> [the child: become] -> 0: the program runs
 *                                                  -> an errno: the child is gone
 */
#pragma once

#include "proc/proc.h"

struct exec_args;
struct spawn;

struct spawn {
	/* what is asked for */
	struct uthread *as;  /* whose child; does not end meanwhile */
	uint64_t namespaces; /* CLONE_NEW* */
	int exit_signal;
	bool is_clean; /* the child begins without descriptors */
	uptr number_at; /* of 32 bits in the caller's memory: the child's number; or NULL */
	/* In the child, whose signals are blocked: all it does, and proc_exec(). 0 or -errno. */
	int (*become)(struct spawn *s);

	/* what came of it */
	struct file *pidfd; /* one reference */

	/* between the two threads */
	int result;        /* [a] of the child */
	bool is_told;      /* [a] the result is there, and the child has done with this */
	bool is_cancelled; /* [p] of the child: it must not begin its program */
};

/*
 * By the parent's thread or a fiber of it. 0 when the program is about to run. -EINTR: it was cancelled, or the
 * child was killed before; and all that clone(), the steps and exec answer.
 */
MUST_CHECK int proc_spawn(struct spawn *s);

/* The arguments of a program that is to run later, for exec_params.args. -E2BIG, -EFAULT, -ENOMEM */
MUST_CHECK int exec_args_keep(uptr argv, uptr envp, struct exec_args **out);
void exec_args_free(struct exec_args *a); /* or NULL */
