// SPDX-License-Identifier: MIT
/*
 * openat(2) by a thread that may not wait.
 */
#pragma once

#include "lib/base.h"
#include "uaccess/uaccess.h"

/*
 * As openat, of a name all of whose path is in memory. -EAGAIN: it would have to wait, or might: for a directory
 * to be read, a file to be made, the other end of a FIFO. Nothing was done then.
 */
int64_t openat_now(int dirfd, uptr name, unsigned flags);
