// SPDX-License-Identifier: MIT
/*
 * From the boot protocol's tables to struct bootinfo, checked.
 */
#include "boot/info.h"

#include "arch/arch.h"
#include "boot/protocol.h"
#include "debug/log.h"
#include "lib/string.h"

struct bootinfo bootinfo;

/* The machine's first tables map this much at direct_base, and boot tables lie in it. */
#define WINDOW_SIZE (4 * GIB)

/* Without a memory map: what any PC that got this far has, above the hole below 1 MiB. */
#define FALLBACK_START MIB
#define FALLBACK_END   (16 * MIB)

enum { E820_USABLE = 1 };

void boot_copy_text(char *to, size_t size, const struct boot_window *w, paddr_t pa, uint64_t len)
{
	size_t n = 0;

	for (; n + 1 < size && n < len; n++) {
		const char *c = boot_view(w, pa + n, 1);

		if (pa + n < pa || !c || *c == '\0')
			break;
		to[n] = (unsigned char)*c < ' ' ? ' ' : *c;
	}
	to[n] = '\0';
}

/* ---- Is what it says possible? ---- */

static bool is_inside_ram(const struct bootinfo *bi, paddr_t start, paddr_t end)
{
	for (unsigned i = 0; i < bi->nr_mem; i++) {
		const struct mem_range *m = &bi->mem[i];

		if (m->type == MEM_USABLE && m->start <= start && end <= m->end)
			return true;
	}
	return false;
}

void boot_check_info(struct bootinfo *bi)
{
	if (bi->initrd_start != bi->initrd_end &&
		(!is_inside_ram(bi, bi->initrd_start, bi->initrd_end) ||
			(bi->initrd_start < bi->kernel_end && bi->kernel_start < bi->initrd_end))) {
		log_warning("boot: initrd at %lx-%lx is not in free memory, ignored", bi->initrd_start,
			bi->initrd_end);
		bi->initrd_start = bi->initrd_end = 0;
	}
	if (!is_inside_ram(bi, bi->kernel_start, bi->kernel_end))
		log_warning("boot: the kernel lies at %lx-%lx, which is not all in usable memory",
			bi->kernel_start, bi->kernel_end);
}

static void report_map(const struct memmap *map)
{
	if (map->nr_wrapped || map->nr_clipped || map->nr_overlaps || map->nr_lost)
		log_warning("boot: memory map: %u ranges wrapped, %u out of reach, %u overlaps, %u too many",
			map->nr_wrapped, map->nr_clipped, map->nr_overlaps, map->nr_lost);
}

/* ---- The whole ---- */

void boot_read_info(enum boot_protocol protocol, paddr_t info)
{
	static struct memmap map; /* too large for the stack */
	struct boot_window window = {.base = (const uint8_t *)arch_layout.direct_base, .size = WINDOW_SIZE};
	struct bootinfo *bi = &bootinfo;
	int err;

	memmap_init(&map);
	bi->protocol = "unknown";
	bi->loader = "";
	bi->kernel_start = arch_layout.image_phys;
	bi->kernel_end = arch_layout.image_phys + (arch_layout.image_end - arch_layout.image_base);
	err = protocol == BOOT_PVH ? pvh_parse(&window, info, bi, &map) :
				     multiboot2_parse(&window, info, bi, &map);
	if (err)
		log_err("boot: the boot loader's information at %lx makes no sense", info);
	bi->nr_mem = memmap_finish(&map, bi->mem, MAX_MEM_RANGES);
	report_map(&map);
	if (bi->nr_mem == 0) {
		log_err("boot: no memory map: using %lu-%lu MiB", FALLBACK_START / MIB, FALLBACK_END / MIB);
		memmap_add(&map, FALLBACK_START, FALLBACK_END - FALLBACK_START, E820_USABLE);
		bi->nr_mem = memmap_finish(&map, bi->mem, MAX_MEM_RANGES);
	}
	boot_check_info(bi);
}

void boot_log_info(void)
{
	static const char *const names[] = {[MEM_USABLE] = "usable", [MEM_RESERVED] = "reserved",
		[MEM_ACPI_RECLAIM] = "ACPI tables", [MEM_ACPI_NVS] = "ACPI NVS", [MEM_BAD] = "bad"};
	const struct bootinfo *bi = &bootinfo;

	log_info("boot: %s%s%s, command line \"%s\"", bi->protocol, *bi->loader ? " by " : "", bi->loader,
		bi->cmdline);
	for (unsigned i = 0; i < bi->nr_mem; i++)
		log_debug("boot: memory %012lx-%012lx %s", bi->mem[i].start, bi->mem[i].end,
			names[bi->mem[i].type]);
	if (bi->initrd_start != bi->initrd_end)
		log_info("boot: initrd of %lu KiB at %lx", (bi->initrd_end - bi->initrd_start) / KIB,
			bi->initrd_start);
	if (bi->fb.addr)
		log_info("boot: frame buffer %ux%u, %u bits, at %lx", bi->fb.width, bi->fb.height,
			bi->fb.bits_per_pixel, bi->fb.addr);
}
