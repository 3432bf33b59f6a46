// SPDX-License-Identifier: MIT
/*
 * Descriptors that refer to processes: they stay right when the number is another's.
 */
#pragma once

#include "lib/base.h"

struct file;
struct pid;

/* A file for the process of pid (takes a reference). flags: 0 or PIDFD_NONBLOCK. -ENFILE, -ENOMEM. */
MUST_CHECK int pidfd_open_file(struct pid *pid, unsigned flags, struct file **out);
/* What a pidfd refers to, without a reference of its own; -EBADF: another kind of file. */
MUST_CHECK int pidfd_get_pid(const struct file *f, struct pid **out);
