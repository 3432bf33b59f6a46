// SPDX-License-Identifier: MIT
/*
 * What the calls on address spaces share.
 */
#pragma once

#include "mm/vmspace.h"
#include "proc/proc.h"

#include <linux/mman.h>
#include <linux/personality.h>

static inline struct vmspace *current_vm(void)
{
	return arch_current()->vm;
}

static inline uint32_t prot_to_vm(unsigned prot)
{
	return (prot & PROT_READ ? VM_READ : 0) | (prot & PROT_WRITE ? VM_WRITE : 0) |
	       (prot & PROT_EXEC ? VM_EXEC : 0);
}

/* man 2 personality: a program of old times may execute what it may read. */
static inline unsigned apply_personality(unsigned prot)
{
	if ((prot & PROT_READ) && (uthread_current()->personality & READ_IMPLIES_EXEC))
		prot |= PROT_EXEC;
	return prot;
}
