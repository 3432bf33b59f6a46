// SPDX-License-Identifier: MIT
/*
 * failsome=N: one of N allocations that are made for programs fails, at random, as long as the machine runs.
 *
 * What a program sees is ENOMEM, a short transfer or its own end, in calls of which nobody has thought. The kernel
 * must neither report anything nor lose anything: of guest tests that run so many fail, which says nothing of it.
 * Process 1 is spared, so that somebody is left to say what has come of the others, and so is who is never to
 * end for want of memory (oom_score_adj -1000): what watches over hostile programs.
 */
#include "mm/fail.h"

#ifdef DEBUG

#include "lib/cmdline.h"
#include "lib/parse.h"
#include "proc/proc.h"

#include <linux/oom.h>

static bool is_program(const struct thread *t)
{
	const struct uthread *u = t->user;

	return u && u->pid_nr > 1 && READ_ONCE(u->proc->oom_score_adj) != OOM_SCORE_ADJ_MIN;
}

static int set_failsome(const char *value)
{
	uint64_t one_of;

	if (parse_u64(value, 0, &one_of) || !one_of)
		return -EINVAL;
	fail_arm_some(one_of, is_program);
	return 0;
}
CMDLINE_WORD(failsome, "failsome", set_failsome, "N: one of N allocations for programs fails");

#endif
