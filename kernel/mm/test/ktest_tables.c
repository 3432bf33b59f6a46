// SPDX-License-Identifier: MIT
/*
 * What the kernel's own tables say, entry by entry.
 */
#include "lib/test.h"

#include "arch/arch.h"
#include "arch/bootinfo.h"
#include "mm/bootmem.h"
#include "mm/page.h"
#include "mm/pgtable.h"
#include "mm/phys.h"

TEST(mm, the_kernels_tables_are_in_use)
{
	EXPECT_EQ(arch_root_get(), kernel_pgtable.root);
}

static paddr_t phys_of(vaddr_t va)
{
	paddr_t pa = 0;

	EXPECT_EQ(pgtable_lookup(&kernel_pgtable, va, &pa, NULL, NULL), 0);
	return pa;
}

static void expect_flags(vaddr_t start, vaddr_t end, unsigned expected)
{
	for (vaddr_t va = ALIGN_DOWN(start, PAGE_SIZE); va < end; va += PAGE_SIZE) {
		unsigned flags = 0;
		int err = pgtable_lookup(&kernel_pgtable, va, NULL, &flags, NULL);

		if (err || flags != (expected | PTE_GLOBAL)) {
			test_fail(__FILE__, __LINE__, "%#lx has flags %#x, expected %#x", va, flags,
				expected | PTE_GLOBAL);
			return;
		}
	}
}

TEST(mm, text_is_executable_constants_are_constant_data_is_neither)
{
	const struct arch_layout *l = &arch_layout;

	expect_flags(l->text_start, l->text_end, PTE_EXEC);
	expect_flags(l->rodata_start, l->rodata_end, 0);
	expect_flags(l->data_start, l->boot_stack_bottom - PAGE_SIZE, PTE_WRITE);
	EXPECT_EQ(pgtable_lookup(&kernel_pgtable, l->boot_stack_bottom - 1, NULL, NULL, NULL), -EFAULT);
	expect_flags(l->boot_stack_bottom, l->image_end, PTE_WRITE);
}

struct walk {
	paddr_t constant_start, constant_end; /* text and constants of the image */
	uint64_t nr_leaves, nr_2m, nr_1g, direct_bytes;
	unsigned nr_complaints;
};

static void complain(struct walk *w, const char *what, vaddr_t va, unsigned flags)
{
	if (w->nr_complaints++ < 5)
		test_fail(__FILE__, __LINE__, "%#lx, flags %#x: %s", va, flags, what);
}

static void look_at_leaf(vaddr_t va, paddr_t pa, unsigned flags, unsigned level, void *ctx)
{
	struct walk *w = ctx;
	size_t size = pgtable_level_size(level);

	w->nr_leaves++;
	if ((flags & PTE_WRITE) && (flags & PTE_EXEC))
		complain(w, "writable and executable", va, flags);
	if ((flags & PTE_WRITE) && pa < w->constant_end && pa + size > w->constant_start)
		complain(w, "text or constants of the image, writable", va, flags);
	if ((flags & PTE_EXEC) && (pa < w->constant_start || pa + size > w->constant_end))
		complain(w, "executable, but not the image's text", va, flags);
	if (flags & PTE_USER)
		complain(w, "a kernel page for user programs", va, flags);
	if (va < -(1ul << 47)) /* the lower half is for programs */
		complain(w, "mapped in the lower half", va, flags);
	if (va < arch_layout.direct_base || va >= arch_layout.direct_end)
		return;
	w->direct_bytes += size;
	w->nr_2m += level == 1;
	w->nr_1g += level == 2;
	if (pa != va - arch_layout.direct_base)
		complain(w, "the direct map leads astray", va, flags);
}

static void add_bytes(paddr_t start, paddr_t end, void *ctx)
{
	*(uint64_t *)ctx += end - start;
}

static struct walk walk_all(void)
{
	struct walk w = {
		.constant_start = phys_of(arch_layout.text_start),
		.constant_end = phys_of(arch_layout.rodata_end - 1) + 1,
	};

	pgtable_for_each_leaf(&kernel_pgtable, look_at_leaf, &w);
	return w;
}

TEST(mm, no_page_is_writable_and_executable_by_any_address)
{
	EXPECT_GT(walk_all().nr_leaves, 100);
}

TEST(mm, the_direct_map_is_all_ram_nothing_else_in_large_pages)
{
	struct walk w = walk_all();
	uint64_t ram_bytes = 0;

	bootmem_for_each_ram(add_bytes, &ram_bytes);
	EXPECT_EQ(w.direct_bytes, ram_bytes);
	EXPECT_GT(w.nr_2m + w.nr_1g, 0);
	if (arch_pte_level_is_leafable(2) && ram_bytes > 3 * GIB)
		EXPECT_GT(w.nr_1g, 0);
}

static void expect_structs(paddr_t start, paddr_t end, void *ctx UNUSED)
{
	size_t block = 1ul << PAGE_MAX_ORDER;
	pfn_t first = ALIGN_DOWN(start >> PAGE_SHIFT, block), last = ALIGN_UP(end >> PAGE_SHIFT, block) - 1;

	for (pfn_t pfn = first; pfn <= last; pfn += block)
		EXPECT_EQ(pgtable_lookup(&kernel_pgtable, (vaddr_t)pfn_to_page(pfn), NULL, NULL, NULL), 0);
	EXPECT_EQ(pgtable_lookup(&kernel_pgtable, (vaddr_t)(pfn_to_page(last) + 1) - 1, NULL, NULL, NULL), 0);
}

TEST(mm, every_block_with_ram_has_its_structs)
{
	bootmem_for_each_ram(expect_structs, NULL);
}
