// SPDX-License-Identifier: MIT
/*
 * Forgetting translations on every CPU that may hold them. Batched: one interprocessor call for a
 * range, and a whole flush when the range is large.
 */
#pragma once

#include "lib/base.h"

struct vmspace;

/* The same for an address space, on the CPUs of vm->cpus. Interrupts on; spinlocks may be held. */
void tlb_flush_vm(struct vmspace *vm, vaddr_t start, size_t size);
/* Whatever any CPU holds of any address space. Interrupts on, no spinlock. */
void tlb_flush_all_users(void);
/* Interrupts on. Returns when no CPU can use an old translation of the range. */
void tlb_flush_kernel(vaddr_t start, size_t size);
