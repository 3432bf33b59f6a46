// SPDX-License-Identifier: MIT
/*
 * Makes a usable memory map of whatever the firmware says.
 *
 * Ranges are added as they come, in any order, overlapping, wrapping, of unknown types. The result
 * is sorted, free of overlaps and empty ranges, below the highest physical address, and joined
 * where neighbours have one type. Where ranges overlap, the stricter type wins: memory that one
 * entry calls usable and another reserved is reserved.
 *
 * Pure: no logging, no globals. The caller reports what was dropped.
 */
#pragma once

#include "arch/bootinfo.h"
#include "lib/base.h"

enum { MEMMAP_MAX_RAW = 256 };
#define MEMMAP_PHYS_END BIT(52) /* x86-64 and AArch64 have at most 52 physical address bits */

struct memmap {
	struct mem_range raw[MEMMAP_MAX_RAW];
	unsigned nr_raw;
	unsigned nr_wrapped;  /* went over the end of the address space: dropped */
	unsigned nr_clipped;  /* reached beyond MEMMAP_PHYS_END: cut, or dropped */
	unsigned nr_overlaps; /* pairs of different types that overlapped */
	unsigned nr_lost;     /* did not fit, at input or output */
};

void memmap_init(struct memmap *map);
/* `type` is the firmware's number (ACPI 6.5 table 15.3; unknown ones count as reserved). */
void memmap_add(struct memmap *map, uint64_t start, uint64_t size, uint32_t type);
/* Writes at most `max` ranges; returns how many. */
unsigned memmap_finish(struct memmap *map, struct mem_range *out, unsigned max);
