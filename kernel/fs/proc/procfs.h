// SPDX-License-Identifier: MIT
/*
 * What system calls ask of /proc.
 */
#pragma once

#include "lib/base.h"

struct file;
struct pid;

/* Of an open folder /proc/PID: its process, without a reference of its own; -EBADF: another file. */
MUST_CHECK int procfs_get_pid(const struct file *f, struct pid **out);
