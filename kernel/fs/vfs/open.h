// SPDX-License-Identifier: MIT
/*
 * Opening for ops/open.c: a FIFO comes back without ops, created and not yet opened.
 */
#pragma once

#include "fs/vfs/path.h"
#include "lib/base.h"

MUST_CHECK int path_open_file(
	int dirfd, const char *name, const struct open_how_kernel *how, struct file **out);
