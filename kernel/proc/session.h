// SPDX-License-Identifier: MIT
/*
 * Process groups and sessions. A number of 0 means the current process throughout.
 */
#pragma once

#include "lib/base.h"

MUST_CHECK int proc_set_group(int pid, int group); /* setpgid(2)'s rules and errors */
MUST_CHECK int proc_get_group(int pid);            /* the number, or -ESRCH */
MUST_CHECK int proc_get_session(int pid);
MUST_CHECK int proc_new_session(void); /* setsid(2): its number, or -EPERM */
