// SPDX-License-Identifier: MIT
/*
 * Locking a file, waiting for it: F_SETLKW, F_OFD_SETLKW, flock.
 */
#pragma once

#include "fs/vfs/locks.h"
#include "ops/op.h"

/* Until granted; -EDEADLK, -ENOLCK, -ENOMEM; a signal restarts it or gives -EINTR. */
int64_t lock_wait_for(const struct lock_request *req);
