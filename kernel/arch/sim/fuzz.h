// SPDX-License-Identifier: MIT
/*
 * What a fuzzed run is made of: an input, which is a head and records of one size, so that they can be
 * left out, doubled and carried from one input to another. What a record means is the test's
 * (test/ktest_fuzz.c); where inputs come from is the host's (host_fuzz.c).
 */
#pragma once

#include "lib/base.h"

enum { FUZZ_RECORDS = 64, FUZZ_BYTES = 14 };

/* All zero: nothing comes between, and it is ended only if it does not end. */
struct fuzz_head {
	uint16_t seed;           /* of the schedule in which it was found */
	uint8_t end_after;       /* squared, in units of END_UNIT_NS: killed then */
	uint8_t moment;          /* enum fuzz_moment */
	uint32_t nth_moment;     /* killed then */
	uint16_t nth_allocation; /* fails; 0: none */
	uint16_t unused[3];
};

enum fuzz_moment { FUZZ_NO_MOMENT, FUZZ_STEP, FUZZ_LEAVE, FUZZ_ANY, FUZZ_MOMENTS };

struct fuzz_record {
	uint8_t who; /* bits 0-1: the thread; 2-3: the ring; 4-7: how long it waits first */
	uint8_t what;
	uint8_t byte[FUZZ_BYTES];
};

struct fuzz_input {
	struct fuzz_head head;
	struct fuzz_record record[FUZZ_RECORDS];
	unsigned nr;
};

/* This run's input: the one that torus-sim was given, or one drawn from the seed. */
const struct fuzz_input *sim_fuzz_input(void);
