// SPDX-License-Identifier: MIT
/*
 * Births: how a new thread or process is built, and becomes known.
 *
 *     birth_begin   builds the child in private, then shows it to the world: a number, a place in
 *                   the tree and in its process. It does not run yet
 *     birth_start   it runs
 *
 * Two ways lead here: clone (clone.c), whose child goes on where its parent was, and spawn (spawn.c), whose
 * child is empty and runs a function of the kernel that ends in a program.
 */
#pragma once

#include "proc/proc_priv.h"

/* A child on its way. What the caller gives, and what it gets. */
struct birth {
	const struct clone_params *params;
	struct uthread *parent; /* whose child it is; does not end meanwhile */
	/* a spawn: instead of what clone's child does first; NULL: it is a clone */
	void (*spawn_main)(void *arg);
	void *spawn_arg;
	bool is_clean; /* a spawn without descriptors */

	struct thread *thread; /* one reference */
	struct uthread *user;
	struct proc *proc; /* a new one, or the caller's */
	struct pid *pid;   /* one reference */
	struct file *pidfd_file; /* NULL: none wanted */
	int pidfd;
};

/* What clone refuses of its flags, for a child of p. -EINVAL, -EPERM */
MUST_CHECK int birth_check_flags(uint64_t flags, const struct proc *p);
/* By the parent, or a fiber that works for it. 0, or an errno and nothing of the child is left. */
MUST_CHECK int birth_begin(struct birth *b);
/* Called with the child's number known, before it runs: who traces it. */
void birth_set_trace(const struct birth *b);

/* Namespaces that are not built: as on a Linux without them. */
#define CLONE_ABSENT_NAMESPACES                                                                \
	(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |           \
		CLONE_NEWCGROUP | CLONE_NEWTIME)
