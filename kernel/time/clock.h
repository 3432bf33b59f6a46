// SPDX-License-Identifier: MIT
/*
 * What time it is. Monotonic time counts nanoseconds since start; real time is monotonic time
 * plus an offset set from the battery clock and by settimeofday. Both come from arch_counter_read
 * by one multiplication; the factor is published under a sequence counter.
 */
#pragma once

#include "lib/base.h"

#define NS_PER_US  1000ull
#define NS_PER_MS  1000000ull
#define NS_PER_SEC 1000000000ull

void clock_init(void); /* calibrates; before it, clocks read 0 */
uint64_t clock_monotonic_ns(void);
int64_t clock_realtime_ns(void);
void clock_set_realtime_ns(int64_t ns);
/* The counter value at which monotonic time reaches `ns` (for arming timers). */
uint64_t clock_counter_at(uint64_t ns);
/* Spins; for hardware that wants microseconds, and before timers run. */
void clock_spin_ns(uint64_t ns);
