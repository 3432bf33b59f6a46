// SPDX-License-Identifier: MIT
/*
 * Until futexes and timers are there: what the end of a process calls of them, weak. Goes then.
 */
#include "ipc/futex.h"
#include "lib/assert.h"
#include "mm/vmspace.h"
#include "proc/proc.h"
#include "proc/ptimer.h"
#include "proc/signal_priv.h"

#define ABSENT panic("futexes are not there yet")

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
