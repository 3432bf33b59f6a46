// SPDX-License-Identifier: MIT
/*
 * Until processes and address spaces are there: what signals call of them. Goes with them.
 */
#include "ipc/futex.h"
#include "lib/assert.h"
#include "mm/vmspace.h"
#include "proc/proc.h"
#include "proc/ptimer.h"
#include "proc/signal_priv.h"

#define ABSENT panic("processes are not there yet")

WEAK struct irqlock proc_tree_lock = IRQLOCK_INIT(RANK_PROC_TREE, "proc tree");

WEAK void proc_exit_thread(int code UNUSED)
{
	ABSENT;
}
WEAK void proc_exit_group(int wait_status UNUSED)
{
	ABSENT;
}
WEAK int pid_find(int nr UNUSED, struct pid **out UNUSED)
{
	ABSENT;
}
WEAK void pid_get(struct pid *p UNUSED)
{
	ABSENT;
}
WEAK void pid_put(struct pid *p UNUSED)
{
	ABSENT;
}
WEAK int proc_find(int pid UNUSED, struct proc **out UNUSED)
{
	ABSENT;
}
WEAK int uthread_find(int tid UNUSED, struct thread **out UNUSED)
{
	ABSENT;
}
WEAK void proc_get(struct proc *p UNUSED)
{
	ABSENT;
}
WEAK void proc_put(struct proc *p UNUSED)
{
	ABSENT;
}
WEAK void proc_for_each(void (*fn)(struct proc *p, void *ctx) UNUSED, void *ctx UNUSED)
{
	ABSENT;
}
WEAK bool pgrp_is_orphaned(struct pid *group UNUSED)
{
	ABSENT;
}
WEAK void user_hold(struct user *u UNUSED)
{
	ABSENT;
}
WEAK void user_release(struct user *u UNUSED)
{
	ABSENT;
}
WEAK const struct cred *cred_current(void)
{
	ABSENT;
}
WEAK void futex_wake_user(uptr at UNUSED)
{
	ABSENT;
}
WEAK void robust_list_exit(void)
{
}
WEAK void ptimers_exec(struct proc *p UNUSED)
{
}
WEAK void ptimers_fini(struct proc *p UNUSED)
{
}
WEAK void ptimer_signal_taken(struct ptimer *t UNUSED, siginfo_t *info UNUSED)
{
	ABSENT;
}
