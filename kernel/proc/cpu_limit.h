// SPDX-License-Identifier: MIT
/*
 * The limits of CPU time, RLIMIT_CPU and RLIMIT_RTTIME, of a process that has any.
 */
#pragma once

#include "lib/base.h"

struct proc;

/* Its limits may have changed: from now on they are watched if there are any. -ENOMEM. */
MUST_CHECK int cpu_limit_watch(struct proc *p);
/* Its end, or it never began. p->lock not held; sleeps. */
void cpu_limit_fini(struct proc *p);
