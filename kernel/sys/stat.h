// SPDX-License-Identifier: MIT
/*
 * The structures that stat fills, for sys/stat.c and fstat; and statx(2) by a thread that may not wait.
 */
#pragma once

#include "lib/base.h"
#include "uaccess/uaccess.h"

struct kstat;

/* As struct stat. 0, -EFAULT. */
MUST_CHECK int stat_write(uptr to, const struct kstat *k);
/* As statx, of a name all of whose path is in memory. -EAGAIN: it might have to wait. Nothing was done then. */
int64_t statx_now(int dirfd, uptr name, int flags, unsigned mask, uptr to);
