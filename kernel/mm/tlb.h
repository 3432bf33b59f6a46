// SPDX-License-Identifier: MIT
/*
 * Forgetting translations on every CPU that may hold them. Batched: one interprocessor call for a
 * range, and a whole flush when the range is large. Kernel mappings now; address spaces add their
 * CPU masks.
 */
#pragma once

#include "lib/base.h"

/* Interrupts on. Returns when no CPU can use an old translation of the range. */
void tlb_flush_kernel(vaddr_t start, size_t size);
