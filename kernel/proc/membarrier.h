// SPDX-License-Identifier: MIT
/*
 * membarrier(2): memory barriers on other threads' CPUs.
 */
#pragma once

#include "lib/base.h"

/* 0, the commands there are (MEMBARRIER_CMD_QUERY), -EINVAL, -EPERM: not registered. */
int64_t membarrier(int cmd, unsigned flags, int cpu);
