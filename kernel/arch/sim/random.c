// SPDX-License-Identifier: MIT
/*
 * The simulated machine has no random generator: a run repeats by its seed.
 */
#include "arch/arch.h"

bool arch_random_word(uint64_t *out UNUSED)
{
	return false;
}
