// SPDX-License-Identifier: MIT
/*
 * How long the long tests are. On real CPUs a stress test wants millions of rounds, because
 * luck is its only means; the simulated machine runs the same test under hundreds of schedules
 * and wants each run short. test_divisor=N divides the rounds of every test that asks
 * test_rounds().
 */
#include "lib/cmdline.h"
#include "lib/parse.h"
#include "lib/test.h"

static unsigned long divisor = 1; /* [I] after the command line is read */

unsigned long test_rounds(unsigned long full)
{
	return MAX(full / divisor, 1ul);
}

static int set_divisor(const char *value)
{
	uint64_t n;

	if (parse_u64(value, 0, &n) || n == 0)
		return -EINVAL;
	divisor = n;
	return 0;
}
CMDLINE_WORD(test_divisor, "test_divisor", set_divisor,
	"N: long tests make one N-th of their rounds");
