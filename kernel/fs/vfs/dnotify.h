// SPDX-License-Identifier: MIT
/*
 * fcntl(F_NOTIFY): signals about what happens in a directory.
 */
#pragma once

#include "fs/vfs/file.h"
#include "lib/base.h"

/* /proc/sys/fs/dir-notify-enable */
extern uint64_t dnotify_enabled; /* [a] */

/*
 * Tells f's owner of these events too (DN_*, of f as descriptor fd of a table); of none any more if there are
 * none among them. -EINVAL (not enabled), -ENOTDIR, -ENOMEM. The owner is the caller's to set.
 */
MUST_CHECK int dnotify_set(struct file *f, const void *table, int fd, uint64_t dn);
