// SPDX-License-Identifier: MIT
/*
 * System calls for programs that synchronise with few barriers: linux/rseq.h, man 2 membarrier.
 */
#include "proc/rseq.h"

#include "proc/membarrier.h"
#include "sys/syscall.h"

SYSCALL4(rseq, uptr, area, uint32_t, len, int, flags, uint32_t, sig)
{
	return rseq_register(area, len, flags, sig);
}

SYSCALL3(membarrier, int, cmd, unsigned, flags, int, cpu)
{
	return membarrier(cmd, flags, cpu);
}
