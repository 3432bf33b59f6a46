// SPDX-License-Identifier: MIT
/*
 * The page of the kernel that every program can read: what the vDSO's functions compute the time
 * from. It lies in the page below the vDSO's image.
 *
 * No sequence counter: the scale never changes (time/clock.c), and the offset is one word.
 */
#pragma once

#include <stdint.h>

struct vdso_data {
	uint64_t start;		 /* as in struct clock_scale; */
	uint64_t mult;		 /* 0: the clock cannot be read here, the call must be made */
	int64_t realtime_offset; /* [a] real time - monotonic time, ns */
};
