// SPDX-License-Identifier: MIT
/*
 * The structures that stat fills, for sys/stat.c and fstat.
 */
#pragma once

#include "lib/base.h"
#include "uaccess/uaccess.h"

struct kstat;

/* As struct stat. 0, -EFAULT. */
MUST_CHECK int stat_write(uptr to, const struct kstat *k);
