// SPDX-License-Identifier: MIT
/*
 * Opening a file as an operation: all of it is done at once, but for a FIFO, which waits for
 * somebody at its other end.
 */
#pragma once

#include "fs/vfs/path.h"
#include "lib/base.h"

/* open and its kin, from their decoded arguments to the descriptor or -errno. name is the program's. */
int64_t open_run(int dirfd, uptr name, const struct open_how_kernel *how);
