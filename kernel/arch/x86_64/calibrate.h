// SPDX-License-Identifier: MIT
/*
 * Measuring the TSC, for calibrate.c and its tests.
 */
#pragma once

#include "lib/base.h"

enum { NR_CALIBRATE_COUNTERS = 3 };

struct calibrate_result {
	const char *name;
	uint64_t hz;  /* of the TSC; 0: the counter is not there or does not count */
	uint64_t ppm; /* how wrong it may be */
};

struct calibrate_results {
	struct calibrate_result by[NR_CALIBRATE_COUNTERS];
	int best;	      /* index; -1: none */
	uint64_t apic_ticks;  /* how far the APIC's timer came ... */
	uint64_t tsc_ticks;   /* ... while the TSC came so far */
	uint64_t apic_ppm;    /* how wrong their ratio may be */
};

/* Opens a window until the quickest counter is good to `ppm`. Uses this CPU's APIC timer. */
void calibrate_measure(uint64_t ppm, struct calibrate_results *out);
