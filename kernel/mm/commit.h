// SPDX-License-Identifier: MIT
/*
 * What /proc/sys/vm and /proc/meminfo say of overcommit; the accounting itself is in mm/vmspace.h.
 */
#pragma once

#include "lib/base.h"

enum { OVERCOMMIT_GUESS, OVERCOMMIT_ALWAYS, OVERCOMMIT_NEVER };

extern uint32_t vm_overcommit_mode;  /* [a] */
extern uint32_t vm_overcommit_ratio; /* [a] percent, for OVERCOMMIT_NEVER */
uint64_t vm_commit_limit(void);      /* pages */
uint64_t vm_committed(void);         /* pages */
