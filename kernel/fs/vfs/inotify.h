// SPDX-License-Identifier: MIT
/*
 * inotify's system calls. What tells it that something happened is notify.h.
 */
#pragma once

#include "fs/vfs/inode.h"
#include "lib/base.h"

/* flags: O_NONBLOCK. -EMFILE, -ENOMEM, -ENFILE. */
MUST_CHECK int inotify_create(unsigned flags, struct file **out);
bool inotify_is_file(const struct file *f);
/* The watch's number, new or changed; mask is checked. -EEXIST, -EINVAL (another file), -ENOMEM, -ENOSPC. */
MUST_CHECK int inotify_add(struct file *f, struct inode *i, uint32_t mask);
MUST_CHECK int inotify_remove(struct file *f, int wd); /* -EINVAL */
/* /proc/sys/fs/inotify: events that wait in one instance; instances and watches of one user. */
extern uint64_t inotify_max_events, inotify_max_instances, inotify_max_watches;
