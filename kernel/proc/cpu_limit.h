// SPDX-License-Identifier: MIT
/*
 * The limits of CPU time, RLIMIT_CPU and RLIMIT_RTTIME, of a process that has any.
 */
#pragma once

#include "lib/base.h"

struct proc;

/* Memory for watching limits that it is about to get. -ENOMEM. */
MUST_CHECK int cpu_limit_prepare(struct proc *p);
/* The same for a process that is being made, which may have some already. -ENOMEM. */
MUST_CHECK int cpu_limit_inherit(struct proc *p);
/* A first look, after which a timer looks: its limits have changed, or it has threads now. */
void cpu_limit_look(struct proc *p);
/* Its end, or it never began. p->lock not held; sleeps. */
void cpu_limit_fini(struct proc *p);
