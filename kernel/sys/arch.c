// SPDX-License-Identifier: MIT
/*
 * Calls that exist on one architecture only: the machine does the work.
 */
#include "arch/arch.h"
#include "sys/syscall.h"

SYSCALL2(arch_prctl, int, option, uintptr_t, arg)
{
	return arch_user_prctl(option, arg);
}
