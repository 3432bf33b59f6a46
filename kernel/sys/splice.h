// SPDX-License-Identifier: MIT
/* splice(2) with the positions as values: the ring has them in its entry. */
#pragma once

#include "lib/base.h"

/* The descriptors are the current thread's; a position is NULL where none was given, and advances. */
int64_t splice_fds(int in, int64_t *in_pos, int out, int64_t *out_pos, size_t len, unsigned flags);
