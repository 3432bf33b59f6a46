// SPDX-License-Identifier: MIT
/*
 * The one division the compiler cannot do by itself: 128 by 64 bits. Long division, bit by bit,
 * because the compilers' library routine for it is not part of a freestanding program.
 */
#include "lib/bits.h"

uint64_t mul_div_u64(uint64_t a, uint64_t b, uint64_t d)
{
	enum { PRODUCT_BITS = 128 };
	unsigned __int128 product = (unsigned __int128)a * b, quotient = 0, rest = 0;

	assert(d);
	for (int bit = PRODUCT_BITS - 1; bit >= 0; bit--) {
		rest = rest << 1 | (product >> bit & 1);
		quotient <<= 1;
		if (rest >= d) {
			rest -= d;
			quotient |= 1;
		}
	}
	return quotient > UINT64_MAX ? UINT64_MAX : (uint64_t)quotient;
}
