// SPDX-License-Identifier: MIT
/*
 * Out of memory: what the allocators keep is given back first, then somebody ends. Whom to
 * choose is a question about processes, which proc/ answers.
 */
#include "mm/oom.h"

#include "mm/slab.h"
#include "sched/thread.h"

bool (*oom_choose_and_kill)(void);

bool oom_kill(void)
{
	if (thread_is_killed())
		return false;
	if (slab_shrink() > 0)
		return true;
	return oom_choose_and_kill && oom_choose_and_kill();
}
