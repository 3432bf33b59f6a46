// SPDX-License-Identifier: MIT
/*
 * Which system calls a thread may make: all, four (strict), or what its filters say.
 *
 * Locks   proc->lock [p] to change a thread's mode and filters: another thread may change
 *         them for all (SECCOMP_FILTER_FLAG_TSYNC). The thread reads its own without it: what it
 *         finds stays, because a new filter only comes before those that are there. So do submission
 *         threads of rings, which follow the others (proc->submitters).
 * Spec    man 2 seccomp
 */
#pragma once

#include "lib/base.h"

struct call_filter;
struct uthread;

/* Beside SECCOMP_MODE_*, of a submission thread whose filters nobody's are any more: no calls at all. */
enum { SECCOMP_MODE_NOTHING = 3 };

/* Only read, write, exit and sigreturn from now on. -EINVAL: it has filters. */
MUST_CHECK int seccomp_set_strict(void);
/*
 * The current thread gets the filter, whose reference is taken over when that works; with
 * all_threads every thread of the process, and `is_error_alone` makes a refusal -ESRCH. Returns 0, the
 * number of a thread with filters of its own, -EINVAL in strict mode, -EBUSY when it has a listener and an
 * older one has, -ENOMEM when there are too many.
 */
MUST_CHECK int seccomp_attach(struct call_filter *f, bool all_threads, bool is_error_alone);
/* A new thread has what its maker has; proc->lock of the maker held. */
void seccomp_inherit_locked(struct uthread *u, const struct uthread *from);
/*
 * A fiber becomes a submission thread, which its maker, who does not end meanwhile, has for its ring; and is a fiber
 * as any other again, without filters.
 */
void seccomp_join(struct uthread *submitter, struct uthread *maker);
void seccomp_part(struct uthread *submitter);
/* It ends and makes no more calls; its filters can still be looked at. */
void seccomp_leave(struct uthread *u);
void seccomp_release(struct uthread *u); /* nobody refers to it any more: as without filters */
