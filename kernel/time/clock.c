// SPDX-License-Identifier: MIT
/*
 * From the machine's counter to nanoseconds and back.
 *
 *     ns = (counter - start) * mult >> 32        one 64 x 64 -> 128 bit multiplication
 *
 * The factor is found once and never changes, so readers need no lock and no sequence counter;
 * a clock that is disciplined (adjtimex) will bring one. Its error is below 2^-32 of a
 * nanosecond per count: at 3 GHz less than 1 in 10^9, far below that of the crystal. The
 * product does not overflow its 128 bits, and the result not its 64 in 500 years.
 *
 * The way back uses the inverse factor relative to now and then corrects, so that the counter
 * value is never early: rounding matters when a timer would fire a nanosecond before its time.
 */
#include "time/clock.h"

#include "debug/log.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "time/vdso.h"

enum {
	INVERSE_SHIFT = 30,  /* hz << 30 fits in 64 bits up to 17 GHz */
	FARTHEST_SHIFT = 40, /* 2^40 ns, 18 minutes: as far as a counter value is looked for */
};

struct clock_scale clock_scale;
static uint64_t inverse;        /* [I] counts per ns << INVERSE_SHIFT */
static int64_t realtime_offset; /* [a] real time - monotonic time */

void clock_init(void)
{
	uint64_t hz = arch_counter_calibrate();
	int64_t seconds;

	inverse = (hz << INVERSE_SHIFT) / NS_PER_SEC;
	clock_scale.start = arch_counter_read();
	clock_scale.mult = div_u64_nearest(NS_PER_SEC << CLOCK_SHIFT, hz);
	assert(clock_scale.mult && inverse);
	if (arch_wallclock_read(&seconds) == 0)
		clock_set_realtime_ns(seconds * (int64_t)NS_PER_SEC);
	else
		log_notice("time: no battery clock; real time starts in 1970");
	log_info("time: %s at %llu kHz", arch_counter_name(), (unsigned long long)(hz / 1000));
}

int64_t clock_realtime_ns(void)
{
	return atomic_load_relaxed(&realtime_offset) + (int64_t)clock_monotonic_ns();
}

int64_t clock_realtime_offset(void)
{
	return atomic_load_relaxed(&realtime_offset);
}

void clock_set_realtime_ns(int64_t ns)
{
	int64_t offset = ns - (int64_t)clock_monotonic_ns();

	/* relaxed, like the load: nothing else is published with it */
	atomic_store_relaxed(&realtime_offset, offset);
	vdso_set_realtime_offset(offset);
}

static uint64_t counts_of(uint64_t ns)
{
	return mul_u64_u64_shr(ns, inverse, INVERSE_SHIFT) + 1;
}

uint64_t clock_counter_at(uint64_t ns)
{
	uint64_t counter = arch_counter_read();
	uint64_t now = clock_counter_to_ns(counter);

	if (ns <= now)
		return counter;
	ns = MIN(ns, now + BIT(FARTHEST_SHIFT));
	counter += counts_of(ns - now);
	for (now = clock_counter_to_ns(counter); now < ns; now = clock_counter_to_ns(counter))
		counter += counts_of(ns - now);
	return counter;
}

void clock_spin_ns(uint64_t ns)
{
	uint64_t end = clock_monotonic_ns() + ns;

	while (clock_monotonic_ns() < end)
		arch_cpu_relax();
}
