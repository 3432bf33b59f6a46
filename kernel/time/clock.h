// SPDX-License-Identifier: MIT
/*
 * What time it is. Monotonic time counts nanoseconds since start; real time is monotonic time
 * plus an offset set from the battery clock and by settimeofday. Both come from
 * arch_counter_read by one multiplication with a factor that calibration finds once.
 */
#pragma once

#include "arch/arch.h"
#include "lib/base.h"
#include "lib/bits.h"

#define NS_PER_US  1000ull
#define NS_PER_MS  1000000ull
#define NS_PER_SEC 1000000000ull

enum { CLOCK_SHIFT = 32 };

/* [I] once clock_init() has returned, before other CPUs run; all zero before: clocks read 0. */
struct clock_scale {
	uint64_t start; /* the counter at monotonic time 0 */
	uint64_t mult;  /* ns per count << CLOCK_SHIFT */
};
extern struct clock_scale clock_scale;

void clock_init(void); /* calibrates; before it, clocks read 0 */

static inline uint64_t clock_counter_to_ns(uint64_t counter)
{
	return mul_u64_u64_shr(counter - clock_scale.start, clock_scale.mult, CLOCK_SHIFT);
}

static inline uint64_t clock_monotonic_ns(void)
{
	return clock_counter_to_ns(arch_counter_read());
}

/* Monotonic time this far from now; UINT64_MAX (sync/waitq.h: WAIT_FOREVER) when there is none. */
static inline uint64_t clock_deadline_ns(uint64_t timeout_ns)
{
	uint64_t now = clock_monotonic_ns();

	return timeout_ns < UINT64_MAX - now ? now + timeout_ns : UINT64_MAX;
}

int64_t clock_realtime_ns(void);
int64_t clock_realtime_offset(void); /* real time - monotonic time */
void clock_set_realtime_ns(int64_t ns);
/*
 * The counter value at which monotonic time reaches `ns` (for arming timers); for times more
 * than some minutes away, one on the way there.
 */
uint64_t clock_counter_at(uint64_t ns);
/* Spins; for hardware that wants microseconds, and before timers run. Needs clock_init. */
void clock_spin_ns(uint64_t ns);
