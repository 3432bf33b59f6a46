// SPDX-License-Identifier: MIT
/*
 * What the boot protocol told us, whichever protocol it was.
 *
 * boot/pvh.c and boot/multiboot2.c each turn their tables into this one structure, and nothing
 * after kmain's first lines knows which it was. Everything here comes from outside: the memory
 * map has been sorted, clipped and made free of overlaps by boot/memmap.c (the stricter type
 * wins), strings are bounded, and addresses lie inside RAM or are absent (0).
 */
#pragma once

#include "lib/base.h"
#include "lib/cmdline.h" /* MAX_CMDLINE */

/* Who started us; the machine's entry code passes it on. Assembly knows these numbers. */
enum boot_protocol { BOOT_PVH = 1, BOOT_MULTIBOOT2 = 2 };

enum mem_type {
	MEM_USABLE = 1,
	MEM_RESERVED,
	MEM_ACPI_RECLAIM, /* usable once the ACPI tables have been read */
	MEM_ACPI_NVS,
	MEM_BAD,
};

struct mem_range {
	paddr_t start;
	paddr_t end; /* exclusive */
	enum mem_type type;
};

enum { MAX_MEM_RANGES = 128 };

struct framebuffer_info {
	paddr_t addr; /* 0: none */
	uint32_t width, height;
	uint32_t pitch; /* bytes */
	uint8_t bits_per_pixel;
	uint8_t red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
};

struct bootinfo {
	const char *protocol; /* "PVH", "Multiboot2", "sim" */
	const char *loader;   /* the loader's own name, or "" */
	char cmdline[MAX_CMDLINE];
	struct mem_range mem[MAX_MEM_RANGES];
	unsigned nr_mem;
	paddr_t initrd_start, initrd_end; /* equal: none */
	paddr_t rsdp;			  /* 0: look for it where the firmware puts it */
	uint8_t rsdp_copy[36];		  /* Multiboot2 passes a copy; [0] != 0 when present */
	struct framebuffer_info fb;
	paddr_t kernel_start, kernel_end; /* where the image lies, .bss included */
};

/* boot/main.c: where the machine's entry code ends. `info` is the protocol's structure. */
NORETURN void kmain(enum boot_protocol protocol, paddr_t info);

extern struct bootinfo bootinfo; /* written by kmain before any other CPU runs; then immutable */
