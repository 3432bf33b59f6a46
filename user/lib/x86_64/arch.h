// SPDX-License-Identifier: MIT
/*
 * What C cannot say on this machine: a system call, and a breath between two looks at memory.
 */
#pragma once

#include <stdint.h>

/* The kernel's answer: a value, or a negative error number. */
static inline long arch_syscall(
	long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static inline void arch_relax(void)
{
	__asm__ volatile("pause");
}
