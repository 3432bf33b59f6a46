// SPDX-License-Identifier: MIT
/*
 * The memory map, made trustworthy: see memmap.h.
 *
 * Every start and end is a border; between two neighbouring borders each range either covers
 * everything or nothing, so the strictest of those that cover it is the answer. That is quadratic
 * in the number of ranges, which is a dozen on real machines and at most MEMMAP_MAX_RAW.
 */
#include "boot/memmap.h"

/* Address range types. ACPI 6.5 table 15.3; Multiboot2 3.6.8 and PVH use the same numbers. */
enum { E820_USABLE = 1, E820_RESERVED = 2, E820_ACPI = 3, E820_NVS = 4, E820_BAD = 5 };

static enum mem_type type_of(uint32_t e820)
{
	switch (e820) {
	case E820_USABLE:
		return MEM_USABLE;
	case E820_ACPI:
		return MEM_ACPI_RECLAIM;
	case E820_NVS:
		return MEM_ACPI_NVS;
	case E820_BAD:
		return MEM_BAD;
	default:
		return MEM_RESERVED;
	}
}

/* How little may be done with it; 0 is nothing known. */
static unsigned strictness(unsigned type)
{
	static const uint8_t order[] = {
		[MEM_USABLE] = 1, [MEM_ACPI_RECLAIM] = 2, [MEM_RESERVED] = 3, [MEM_ACPI_NVS] = 4, [MEM_BAD] = 5};

	return order[type];
}

void memmap_init(struct memmap *map)
{
	map->nr_raw = 0;
	map->nr_wrapped = map->nr_clipped = map->nr_overlaps = map->nr_lost = 0;
}

void memmap_add(struct memmap *map, uint64_t start, uint64_t size, uint32_t type)
{
	uint64_t end;

	if (size == 0)
		return;
	if (__builtin_add_overflow(start, size, &end)) {
		map->nr_wrapped++;
		return;
	}
	if (end > MEMMAP_PHYS_END) {
		map->nr_clipped++;
		end = MEMMAP_PHYS_END;
	}
	if (start >= end)
		return;
	if (map->nr_raw == MEMMAP_MAX_RAW) {
		map->nr_lost++;
		return;
	}
	map->raw[map->nr_raw++] = (struct mem_range){start, end, type_of(type)};
}

static void sort(struct mem_range *r, unsigned nr)
{
	for (unsigned i = 1; i < nr; i++) {
		struct mem_range moving = r[i];
		unsigned j = i;

		for (; j > 0 && r[j - 1].start > moving.start; j--)
			r[j] = r[j - 1];
		r[j] = moving;
	}
}

/* The nearest start or end above `at`; UINT64_MAX if there is none. */
static uint64_t next_border(const struct memmap *map, uint64_t at)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < map->nr_raw; i++) {
		if (map->raw[i].start > at)
			next = MIN(next, map->raw[i].start);
		if (map->raw[i].end > at)
			next = MIN(next, map->raw[i].end);
	}
	return next;
}

/* What the memory just above a border is, 0 for a hole. */
static unsigned type_at(struct memmap *map, uint64_t at)
{
	unsigned best = 0;
	bool differs = false;

	for (unsigned i = 0; i < map->nr_raw && map->raw[i].start <= at; i++) {
		unsigned type = map->raw[i].type;

		if (at >= map->raw[i].end)
			continue;
		differs |= best != 0 && type != best;
		if (best == 0 || strictness(type) > strictness(best))
			best = type;
	}
	map->nr_overlaps += differs;
	return best;
}

unsigned memmap_finish(struct memmap *map, struct mem_range *out, unsigned max)
{
	unsigned nr = 0;

	sort(map->raw, map->nr_raw);
	for (uint64_t at = map->nr_raw ? map->raw[0].start : UINT64_MAX, end; at != UINT64_MAX; at = end) {
		unsigned type = type_at(map, at);

		end = next_border(map, at);
		if (type == 0)
			continue;
		if (nr && out[nr - 1].end == at && (unsigned)out[nr - 1].type == type)
			out[nr - 1].end = end;
		else if (nr < max)
			out[nr++] = (struct mem_range){at, end, (enum mem_type)type};
		else
			map->nr_lost++;
	}
	return nr;
}
