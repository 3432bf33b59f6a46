// SPDX-License-Identifier: MIT
/*
 * Memory before there is a page allocator.
 *
 * The boot loader's map, as sorted ranges of bootinfo, is copied into a list of free ranges; what
 * is in use already (frame 0, the image, the initrd) is carved out, and allocations are carved
 * off the high ends, because devices and the start code of other CPUs want the low ones. What
 * is left goes to the zones, range by range, untouched: the cost does not depend on the size.
 *
 *     bootinfo.mem -> bootmem_init -> bootmem_alloc, bootmem_reserve -> bootmem_release -> zones
 *
 * Until bootmem_map_all() the machine's first tables map only the first 4 GiB, so memory that is
 * touched comes from there.
 *
 * Locks   none: the boot CPU, before any other runs.
 * Never   freed: what is taken here is taken for good.
 */
#include "mm/bootmem.h"

#include "arch/arch.h"
#include "arch/bootinfo.h"
#include "debug/log.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/phys.h"

enum {
	MAX_FREE_RANGES = MAX_MEM_RANGES + 64, /* carving splits a few */
};
#define EARLY_MAP_END (4 * GIB) /* what the first tables map */
#define LOW_MEMORY    (1 * MIB) /* left to those who can use nothing else */

struct free_range {
	paddr_t start, end; /* whole pages, start < end */
};

static struct free_range ranges[MAX_FREE_RANGES]; /* ascending */
static unsigned nr_ranges;
static paddr_t ram_limit;
static uint64_t usable_bytes;
static pfn_t max_pfn;
static bool is_released;

static bool is_ram(enum mem_type type)
{
	return type == MEM_USABLE || type == MEM_ACPI_RECLAIM;
}

/* The whole pages of a range that lie below the limit; empty if start >= end. */
static struct free_range clip(const struct mem_range *m)
{
	paddr_t end = MIN(m->end, ram_limit);

	return (struct free_range){
		.start = m->start < end ? ALIGN_UP(m->start, PAGE_SIZE) : end,
		.end = ALIGN_DOWN(end, PAGE_SIZE),
	};
}

void bootmem_for_each_ram(void (*fn)(paddr_t start, paddr_t end, void *ctx), void *ctx)
{
	for (unsigned i = 0; i < bootinfo.nr_mem; i++) {
		struct free_range r = clip(&bootinfo.mem[i]);

		if (is_ram(bootinfo.mem[i].type) && r.start < r.end)
			fn(r.start, r.end, ctx);
	}
}

static void remove_range(unsigned at)
{
	nr_ranges--;
	for (unsigned i = at; i < nr_ranges; i++)
		ranges[i] = ranges[i + 1];
}

/* Adds a range behind `at`; when the table is full, the memory is lost, and that is said. */
static void insert_after(unsigned at, struct free_range r)
{
	if (nr_ranges == MAX_FREE_RANGES) {
		log_warning("mm: too many memory ranges, %llu KiB not used",
			(unsigned long long)((r.end - r.start) / KIB));
		return;
	}
	for (unsigned i = nr_ranges++; i > at + 1; i--)
		ranges[i] = ranges[i - 1];
	ranges[at + 1] = r;
}

/* Takes [start, end) out of the free ranges, wherever it overlaps them. */
static void carve(paddr_t start, paddr_t end)
{
	start = ALIGN_DOWN(start, PAGE_SIZE);
	end = ALIGN_UP(end, PAGE_SIZE);
	for (unsigned i = 0; i < nr_ranges; i++) {
		struct free_range r = ranges[i];

		if (start >= r.end || end <= r.start)
			continue;
		if (start > r.start && end < r.end) {
			ranges[i].end = start;
			insert_after(i, (struct free_range){end, r.end});
			return;
		}
		if (start > r.start)
			ranges[i].end = start;
		else if (end < r.end)
			ranges[i].start = end;
		else
			remove_range(i--);
	}
}

void bootmem_init(paddr_t limit)
{
	ram_limit = arch_layout.direct_end - arch_layout.direct_base; /* what can be mapped */
	ram_limit = MIN(ram_limit, arch_layout.phys_end);
	if (limit)
		ram_limit = MIN(ram_limit, limit);
	nr_ranges = 0;
	usable_bytes = 0;
	max_pfn = 0;
	is_released = false;
	for (unsigned i = 0; i < bootinfo.nr_mem; i++) {
		struct free_range r = clip(&bootinfo.mem[i]);

		if (!is_ram(bootinfo.mem[i].type) || r.start >= r.end)
			continue;
		max_pfn = r.end >> PAGE_SHIFT;
		if (bootinfo.mem[i].type != MEM_USABLE)
			continue;
		usable_bytes += r.end - r.start;
		ranges[nr_ranges++] = r;
	}
	carve(0, PAGE_SIZE); /* so that a null physical address is never memory */
	carve(bootinfo.kernel_start, bootinfo.kernel_end);
	if (bootinfo.initrd_end > bootinfo.initrd_start)
		carve(bootinfo.initrd_start, bootinfo.initrd_end);
	log_info("mm: %llu MiB of memory in %u ranges", (unsigned long long)(usable_bytes / MIB),
		nr_ranges);
}

/* The highest place in [floor, ceiling) for an aligned block, 0 if there is none. */
static paddr_t find_place(size_t size, size_t align, paddr_t floor, paddr_t ceiling)
{
	for (unsigned i = nr_ranges; i-- > 0;) {
		paddr_t start = MAX(ranges[i].start, floor);
		paddr_t end = MIN(ranges[i].end, ceiling);
		paddr_t at;

		if (start >= end || end - start < size)
			continue;
		at = ALIGN_DOWN(end - size, align);
		if (at >= start)
			return at;
	}
	return 0;
}

static paddr_t take(size_t size, size_t align, paddr_t ceiling, const char *what)
{
	paddr_t at;

	assert(!is_released && size > 0);
	size = ALIGN_UP(size, PAGE_SIZE);
	align = MAX(align, PAGE_SIZE);
	at = find_place(size, align, LOW_MEMORY, ceiling);
	if (!at)
		at = find_place(size, align, 0, ceiling);
	if (!at)
		panic("mm: no %zu KiB of memory for %s", size / KIB, what);
	carve(at, at + size);
	return at;
}

void *bootmem_alloc(size_t size, size_t align, const char *what)
{
	void *p = phys_to_virt(take(size, align, EARLY_MAP_END, what));

	memset(p, 0, ALIGN_UP(size, PAGE_SIZE));
	return p;
}

paddr_t bootmem_alloc_raw(size_t size, size_t align, const char *what)
{
	return take(size, align, UINT64_MAX, what);
}

paddr_t bootmem_find(size_t size, size_t align, paddr_t ceiling)
{
	return find_place(ALIGN_UP(size, PAGE_SIZE), MAX(align, PAGE_SIZE), 0, ceiling);
}

void bootmem_reserve(paddr_t start, paddr_t end, const char *what)
{
	assert(!is_released);
	log_debug("mm: %#llx-%#llx kept for %s", (unsigned long long)start,
		(unsigned long long)end, what);
	carve(start, end);
}

void bootmem_release(void (*give)(paddr_t start, paddr_t end))
{
	assert(!is_released);
	is_released = true;
	for (unsigned i = 0; i < nr_ranges; i++)
		give(ranges[i].start, ranges[i].end);
}

bool bootmem_had(paddr_t start, paddr_t end)
{
	assert(is_released);
	for (unsigned i = 0; i < nr_ranges; i++)
		if (ranges[i].start < end && start < ranges[i].end)
			return true;
	return false;
}

uint64_t bootmem_usable_bytes(void)
{
	return usable_bytes;
}

pfn_t bootmem_max_pfn(void)
{
	return max_pfn;
}
