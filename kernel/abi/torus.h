// SPDX-License-Identifier: MIT
/*
 * What Torus' ring can do beyond io_uring: operations at the top of the number space, told by
 * IORING_REGISTER_PROBE like any other. docs/abi/ring.md
 */
#pragma once

#include <linux/types.h>

/*
 * Any system call, by its number. The call runs as if the thread that submits had made it at the moment
 * the request begins; its result is the completion's. Those whose meaning is the calling thread itself
 * (its stack, its signal mask, its credentials, its end ...) are -EINVAL: see docs/abi/ring.md.
 *
 *     fd            the number
 *     ioprio        TORUS_SYSCALL_*
 *     off           argument 0, or with TORUS_SYSCALL_INDIRECT the address of all six, as 64-bit words
 *     addr          1
 *     len, rw_flags 2, the low half in len
 *     addr3         3
 *     __pad2[0]     4
 *     file_index    5, as 32 bits without sign
 *
 * A result above 2^31 - 1 (of mmap, say) is that number; all of it is in big_cqe[0] where completions
 * have 32 bytes (IORING_SETUP_CQE32).
 *
 * The words of TORUS_SYSCALL_INDIRECT are read when the entry is submitted; what the arguments point to
 * when the request begins.
 */
#define TORUS_OP_SYSCALL 254
#define TORUS_OP_LAST    255 /* one more than the highest */

#define TORUS_SYSCALL_INDIRECT (1U << 0)
