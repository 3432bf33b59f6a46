// SPDX-License-Identifier: MIT
/*
 * Error numbers as text. The numbers themselves are <linux/errno.h>.
 */
#pragma once

#include "lib/base.h"

/* What lies between -MAX_ERRNO and -1 in a result is an error; anything else is a value. */
enum { MAX_ERRNO = 4095 };

/* "ENOENT" for 2; NULL for what has no name. */
const char *errno_name(int err);
