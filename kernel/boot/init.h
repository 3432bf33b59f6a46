// SPDX-License-Identifier: MIT
/*
 * Starting process 1. Panics when no program can be started, in the new thread.
 */
#pragma once

#include "lib/base.h"

/* Whether there is anything to start it from: an initrd, init= or rdinit=. */
bool init_is_wanted(void);
void init_start(void);
