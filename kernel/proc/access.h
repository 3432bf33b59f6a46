// SPDX-License-Identifier: MIT
/*
 * Who may look into another process, or take hold of it.
 */
#pragma once

#include "lib/base.h"

struct proc;

/*
 * PTRACE_MODE_ATTACH_REALCREDS and PTRACE_MODE_READ_REALCREDS, which ask the same as long as there
 * are no security modules: the other has no ids and no capabilities beyond the caller's, and has not
 * been made private (PR_SET_DUMPABLE); or CAP_SYS_PTRACE. Oneself, always. -EPERM.
 */
MUST_CHECK int proc_check_access(struct proc *p);
