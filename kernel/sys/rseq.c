// SPDX-License-Identifier: MIT
/*
 * System call about restartable sequences: linux/rseq.h.
 */
#include "proc/rseq.h"

#include "sys/syscall.h"

SYSCALL4(rseq, uptr, area, uint32_t, len, int, flags, uint32_t, sig)
{
	return rseq_register(area, len, flags, sig);
}
