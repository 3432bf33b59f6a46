// SPDX-License-Identifier: MIT
/*
 * The record-lock commands of fcntl: F_GETLK, F_SETLK, F_SETLKW, and the same with F_OFD_.
 */
#pragma once

#include "fs/vfs/file.h"
#include "uaccess/uaccess.h"

int64_t sys_fcntl_lock(struct file *f, int fd, unsigned cmd, uptr arg);
