// SPDX-License-Identifier: MIT
/*
 * eventfd: a number that is added to and taken.
 */
#pragma once

#include "fs/vfs/file.h"
#include "lib/base.h"

/* flags: EFD_NONBLOCK, EFD_SEMAPHORE. -ENOMEM, -ENFILE. */
MUST_CHECK int eventfd_create(struct file **out, uint32_t count, unsigned flags);
/*
 * Adds from the kernel (the ring's completions); a number at its end stays there.
 * Context  any, with nothing of RANK_WAITQ or above held. f is an eventfd: -EINVAL otherwise.
 */
MUST_CHECK int eventfd_signal(struct file *f, uint64_t n);
bool eventfd_is(const struct file *f);
