// SPDX-License-Identifier: MIT
/*
 * The CPU's random generator.
 *
 * Spec    Intel SDM vol.1 7.3.17: RDRAND may have nothing for a moment; ten tries are enough.
 */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/cpuid.h"

enum { RDRAND_TRIES = 10 };

bool arch_random_word(uint64_t *out)
{
	for (int i = 0; x86_has(X86_FEATURE_RDRAND) && i < RDRAND_TRIES; i++) {
		if (x86_rdrand(out))
			return true;
	}
	return false;
}
