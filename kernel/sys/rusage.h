// SPDX-License-Identifier: MIT
/*
 * Times of a process as programs see them.
 */
#pragma once

#include <linux/resource.h>

#include "proc/proc.h"

void rusage_fill(struct rusage *to, const struct proc_times *t);
