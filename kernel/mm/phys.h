// SPDX-License-Identifier: MIT
/*
 * From physical addresses to pointers and back, for RAM: by the direct map.
 */
#pragma once

#include "arch/arch.h"
#include "lib/base.h"

static inline void *phys_to_virt(paddr_t pa)
{
	return (void *)(pa + arch_layout.direct_base);
}

/* Only for pointers into the direct map (pages, slab objects), not for image or kmap addresses. */
static inline paddr_t virt_to_phys(const void *va)
{
	return (vaddr_t)va - arch_layout.direct_base;
}

static inline bool is_direct_map(const void *va)
{
	return (vaddr_t)va >= arch_layout.direct_base && (vaddr_t)va < arch_layout.direct_end;
}
