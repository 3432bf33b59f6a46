// SPDX-License-Identifier: MIT
/*
 * waitid() in two halves, for its other door: the ring, which parks between them.
 */
#pragma once

#include "ops/wait.h"
#include "uaccess/uaccess.h"

/* Checks the arguments and prepares the operation. -EBADF, -EINVAL: nothing was taken. */
MUST_CHECK int waitid_prepare(struct wait_op *w, int type, int id, int options);
/* The call's result when the operation's is n, with info written (NULL: not wanted). */
int64_t waitid_finish(const struct wait_op *w, int64_t n, int options, uptr info);
