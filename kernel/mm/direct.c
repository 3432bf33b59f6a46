// SPDX-License-Identifier: MIT
/*
 * The kernel's own page tables: what is mapped, and as what, from start to end.
 *
 *     arch_layout.direct_base   all RAM and nothing else, writable, not executable, largest pages;
 *                               where the image's text and constants lie, read-only
 *     arch_layout.page_base     struct page of all RAM: memory set aside, mapped, not touched
 *     arch_layout.image_base    text: read and execute; constants: read; the rest: read and write
 *     arch_layout.kmap_base     empty; mm/kmap.c fills it
 *
 * No page is writable and executable, by any of its addresses. All entries are global: they are
 * the same in every address space.
 *
 * struct page exists for every 4 MiB block of which a part is RAM, and the array has holes where
 * RAM has large ones. Small gaps are filled, because 2 MiB of the array (128 MiB of RAM) are one
 * entry and cost nothing until touched.
 *
 * Locks   none: the boot CPU, before any other runs.
 */
#include "arch/arch.h"
#include "arch/bootinfo.h"
#include "debug/log.h"
#include "lib/assert.h"
#include "mm/bootmem.h"
#include "mm/kasan.h"
#include "mm/page.h"
#include "mm/pgtable.h"
#include "mm/phys.h"

enum { LEVEL_2M = 1, LEVEL_1G = 2 };
#define LARGE_PAGE (2 * MIB)

static paddr_t table_from_bootmem(void)
{
	return virt_to_phys(bootmem_alloc(PAGE_SIZE, PAGE_SIZE, "page tables"));
}

/* Bootmem panics when it has no table, so these cannot fail. */
static void map(vaddr_t va, paddr_t pa, size_t size, unsigned flags, unsigned max_level)
{
	int err = pgtable_map(&kernel_pgtable, va, pa, size, flags | PTE_GLOBAL, max_level);

	assert(!err);
}

/* ---- RAM ---- */

static void map_ram(paddr_t start, paddr_t end, void *ctx UNUSED)
{
	map(arch_layout.direct_base + start, start, end - start, PTE_WRITE, LEVEL_1G);
}

/* ---- Arrays with an element for each page of RAM: struct page, KASAN's shadow ---- */

struct array_map {
	vaddr_t base;
	size_t bytes_per_page;
	const char *what;
	vaddr_t start, end; /* gathered from ranges that lie close to each other, not yet backed */
};

static void back_gathered(const struct array_map *m)
{
	size_t size = m->end - m->start;
	size_t align = size >= LARGE_PAGE ? LARGE_PAGE : PAGE_SIZE;

	if (size)
		map(m->start, bootmem_alloc_raw(size, align, m->what), size, PTE_WRITE, LEVEL_2M);
}

static void gather(paddr_t start, paddr_t end, void *ctx)
{
	struct array_map *m = ctx;
	size_t block = PAGE_SIZE << PAGE_MAX_ORDER;
	vaddr_t from = m->base + (ALIGN_DOWN(start, block) >> PAGE_SHIFT) * m->bytes_per_page;
	vaddr_t to = m->base + (ALIGN_UP(end, block) >> PAGE_SHIFT) * m->bytes_per_page;

	if (to - from >= LARGE_PAGE) {
		from = ALIGN_DOWN(from, LARGE_PAGE);
		to = ALIGN_UP(to, LARGE_PAGE);
	}
	if (m->end && from <= m->end + LARGE_PAGE) {
		m->end = MAX(m->end, to);
		return;
	}
	back_gathered(m);
	m->start = from;
	m->end = to;
}

void bootmem_map_array(vaddr_t base, size_t bytes_per_page, const char *what)
{
	struct array_map m = {.base = base, .bytes_per_page = bytes_per_page, .what = what};

	bootmem_for_each_ram(gather, &m);
	back_gathered(&m);
}

/* ---- The image ---- */

static paddr_t image_phys(vaddr_t va)
{
	return bootinfo.kernel_start + (va - arch_layout.image_base);
}

static void map_image_part(vaddr_t start, vaddr_t end, unsigned flags)
{
	start = ALIGN_DOWN(start, PAGE_SIZE);
	end = ALIGN_UP(end, PAGE_SIZE);
	if (start < end)
		map(start, image_phys(start), end - start, flags, 0);
}

static void map_image(void)
{
	const struct arch_layout *l = &arch_layout;
	paddr_t constant_start = ALIGN_DOWN(image_phys(l->text_start), PAGE_SIZE);
	paddr_t constant_end = ALIGN_UP(image_phys(l->rodata_end), PAGE_SIZE);
	int err;

	map_image_part(l->text_start, l->text_end, PTE_EXEC);
	map_image_part(l->rodata_start, l->rodata_end, 0);
	/* The page below the boot stack is its guard. */
	map_image_part(l->data_start, l->boot_stack_bottom - PAGE_SIZE, PTE_WRITE);
	map_image_part(l->boot_stack_bottom, l->image_end, PTE_WRITE);
	err = pgtable_protect(&kernel_pgtable, l->direct_base + constant_start,
		constant_end - constant_start, PTE_GLOBAL);
	assert(!err);
}

void bootmem_map_all(void)
{
	kernel_pgtable.alloc_table = table_from_bootmem;
	kernel_pgtable.root = table_from_bootmem();
	arch_layout.direct_end = arch_layout.direct_base + (bootmem_max_pfn() << PAGE_SHIFT);
	bootmem_for_each_ram(map_ram, NULL);
	bootmem_map_array(arch_layout.page_base, sizeof(struct page), "struct page");
	map_image();
	kasan_map_shadow();
	arch_pte_publish();
	arch_root_set(kernel_pgtable.root);
	arch_tlb_flush_all();
	kasan_start();
}
