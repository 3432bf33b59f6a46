// SPDX-License-Identifier: MIT
/*
 * Between host_fuzz.c (which inputs are run) and fuzz_input.c (what inputs are made of).
 */
#pragma once

#include "arch/sim/fuzz.h"
#include "arch/sim/sim_priv.h"

/* Drawn anew; the same for the same seed. */
void fuzz_draw_input(struct fuzz_input *in, uint64_t seed);
/* Some changes; other: whose records may come in. */
void fuzz_change_input(struct fuzz_input *in, const struct fuzz_input *other, uint64_t seed);
/* Leaves these records out; false: there are none, or they are all. */
bool fuzz_without(struct fuzz_input *in, unsigned at, unsigned nr);

/* How many edges there are, and a flag for each that the last run took; before the first run. */
size_t fuzz_nr_edges(void);
MUST_CHECK int fuzz_share_reached(void);
const uint8_t *fuzz_reached(void);
/* The function whose first edge this is, or 0. */
uint64_t fuzz_function_of_edge(size_t i);
