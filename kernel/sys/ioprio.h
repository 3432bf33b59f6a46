// SPDX-License-Identifier: MIT
/*
 * Priorities among those that want a disk: class and level in one number (man 2 ioprio_set).
 */
#pragma once

#include "lib/base.h"

/* Whether the current thread may ask for it. -EINVAL: there is none such; -EPERM. */
MUST_CHECK int ioprio_check(int ioprio);
