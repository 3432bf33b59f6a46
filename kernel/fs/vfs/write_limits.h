// SPDX-License-Identifier: MIT
/*
 * What every write to a regular file looks at first, whichever filesystem it is on.
 */
#pragma once

#include "fs/vfs/file.h"
#include "lib/base.h"

/*
 * May `len` > 0 bytes be written at `pos`? *cut is by how much the write must be shorter.
 * -EFBIG: the place is beyond RLIMIT_FSIZE (SIGXFSZ was sent) or the largest offset.
 */
MUST_CHECK int file_limit_write(struct file *f, int64_t pos, size_t len, size_t *cut);
/* The file is about to change: times, and setuid bits go (unless CAP_FSETID). inode->lock held. */
void file_written(struct file *f);
