// SPDX-License-Identifier: MIT
/*
 * epoll sets: files to watch, and those of them that are ready.
 */
#pragma once

#include <linux/eventpoll.h>

#include "fs/vfs/file.h"
#include "lib/base.h"
#include "uaccess/uaccess.h"

MUST_CHECK int epoll_create(struct file **out);
bool epoll_is_set(const struct file *f);
/*
 * epoll_ctl(2) on a set; target is what fd refers to.
 * Returns  0; -EPERM (cannot be polled), -EINVAL, -ELOOP, -EEXIST, -ENOENT, -ENOMEM, -ENOSPC (epoll_max_watches)
 */
MUST_CHECK int epoll_control(
	struct file *set, int op, int fd, struct file *target, const struct epoll_event *event);
/* Up to max ready ones to the program: how many; 0: none; -EFAULT. Never waits for events. */
int64_t epoll_collect(struct file *set, uptr events, unsigned max);
struct waitq *epoll_waitq(struct file *set);
/* A waiter that was woken does not collect after all: another one does, if there is something. */
void epoll_wake_next(struct file *set);
/* How many files one user's sets may watch: /proc/sys/fs/epoll/max_user_watches. */
extern uint64_t epoll_max_watches;
void epoll_init(void); /* by file_init */
