// SPDX-License-Identifier: MIT
/*
 * Futexes: threads that wait until somebody says that a word of their memory changed. The words
 * are the program's; the kernel has queues by address (ipc/futex.c, ops/futex.c).
 */
#pragma once

#include "lib/base.h"
#include "uaccess/uaccess.h"

/* exit and exec: wakes one waiter of the word that CLONE_CHILD_CLEARTID named, after 0 was written. */
void futex_wake_user(uptr at);
/*
 * exit and exec of the current thread, while it has its memory: marks the locks on its robust list,
 * and those with priority inheritance that it holds, with FUTEX_OWNER_DIED, and wakes a waiter each.
 */
void robust_list_exit(void);
