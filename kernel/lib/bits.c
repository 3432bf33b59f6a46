// SPDX-License-Identifier: MIT
/*
 * The one division the compiler cannot do by itself: 128 by 64 bits. Long division, bit by bit,
 * because the compilers' library routine for it is not part of a freestanding program.
 */
#include "lib/bits.h"

uint64_t mul_div_u64(uint64_t a, uint64_t b, uint64_t d)
{
	enum { WORD_BITS = 64 };
	unsigned __int128 product = (unsigned __int128)a * b, rest = product >> WORD_BITS;
	uint64_t low = (uint64_t)product, quotient = 0;

	assert(d);
	if (rest == 0)
		return low / d;
	if (rest >= d)
		return UINT64_MAX; /* the quotient has more than 64 bits */
	for (int bit = WORD_BITS - 1; bit >= 0; bit--) {
		rest = rest << 1 | (low >> bit & 1);
		quotient <<= 1;
		if (rest >= d) {
			rest -= d;
			quotient |= 1;
		}
	}
	return quotient;
}
