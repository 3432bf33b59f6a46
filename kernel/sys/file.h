// SPDX-License-Identifier: MIT
/*
 * Descriptors, for the calls of this folder that make some or change their flags: sys/file.c.
 */
#pragma once

#include "fs/vfs/file.h"
#include "lib/base.h"

/* A new descriptor for f, whose reference is taken over: it, or -EMFILE, -ENOMEM. */
int64_t sys_give_fd(struct file *f, bool close_on_exec);
/* The lowest number >= min refers to f as well: it, or -EMFILE, -ENOMEM. */
int64_t sys_dup_file(struct file *f, int min, bool close_on_exec);
/* The flags of mask become those of value. fd is by whom O_ASYNC's signals name the file. */
MUST_CHECK int sys_set_file_flags(struct file *f, int fd, unsigned mask, unsigned value);
/* Whom signals about f go to: a process, a group if negative, 0: nobody. -EINVAL, -ESRCH. sys/fcntl.c. */
int64_t sys_set_file_owner(struct file *f, int who);
int64_t sys_get_file_owner(struct file *f);
