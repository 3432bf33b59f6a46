// SPDX-License-Identifier: MIT
/*
 * Load averages, computed when somebody asks: nothing wakes up to count.
 */
#pragma once

#include "lib/base.h"

struct load_averages {
	unsigned centi[3]; /* hundredths, over 1, 5 and 15 minutes */
	unsigned running;  /* threads that run or could */
};
void load_get(struct load_averages *out);
