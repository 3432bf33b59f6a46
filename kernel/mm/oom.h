// SPDX-License-Identifier: MIT
/*
 * When memory is out: one process ends, so that the others go on.
 */
#pragma once

#include "lib/base.h"

/*
 * Chooses the process that gives back most and matters least (oom_score_adj), says why in the log, and
 * kills it. True: memory will come, the caller may try again (it has waited a little). False: there
 * is nobody to kill, or the caller is being killed itself and should leave.
 * Context  a thread that may sleep; locks are held only that the end of another process does not need
 */
bool oom_kill(void);
/* The chooser: proc/ gives it at start. NULL until then: nobody can be killed. */
extern bool (*oom_choose_and_kill)(void);
void oom_init(void); /* proc/oom.c */
