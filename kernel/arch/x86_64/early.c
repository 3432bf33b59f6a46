// SPDX-License-Identifier: MIT
/*
 * Chooses where the kernel runs, and puts it there.
 *
 * boot.S calls boot_early() in long mode at the image's physical address, with the first 4 GiB
 * mapped one to one. It picks random places for the image and the big parts of the address space
 * (layout.h), maps the image there in 4 KiB pages, each either writable or executable, applies
 * the image's own relocations, and returns how far to jump.
 *
 * Nothing here may use an address from a relocated word (a pointer in a static table, a string
 * table): relocations are what this file applies. It is compiled without stack protector and
 * sanitizers (flags.mk), and touches only data of its own image by %rip.
 *
 * The randomness is the CPU's generator, or without one the low bits of the cycle counter: enough
 * to make guessing cost a crash, not a secret to rely on.
 */
#include "layout.h"

#include "arch/arch.h"
#include "arch/bootinfo.h"
#include "cpuid.h"
#include "cpu.h"

/* What boot.S knows of us. */
static_assert(BOOT_PVH == 1 && BOOT_MULTIBOOT2 == 2, "boot.S passes these");

enum {
	TABLE_ENTRIES = 512,
	BOOT_PDS = 4, /* boot.S */
	IMAGE_TABLES = IMAGE_MAX / (2 * MIB) + 1, /* it need not start at 2 MiB */
};
#define MAPPED_END (BOOT_PDS * GIB)

struct arch_layout arch_layout;
uintptr_t __stack_chk_guard;

struct elf_rela { /* Elf64_Rela; System V gABI, Relocation */
	uint64_t offset, info;
	int64_t addend;
};
enum { R_X86_64_RELATIVE = 8 }; /* psABI x86-64 table 4.9; the linker leaves no other kind (-z text) */

#pragma GCC visibility push(hidden) /* see layout.h */
extern arch_pte boot_pml4[TABLE_ENTRIES], boot_pd[BOOT_PDS][TABLE_ENTRIES]; /* boot.S */
extern const struct elf_rela __rela_start[], __rela_end[];		    /* kernel.lds */
#pragma GCC visibility pop

static arch_pte direct_pdpt[2][TABLE_ENTRIES] SECTION(".bss.pages") ALIGNED(4096);
static arch_pte image_pdpt[TABLE_ENTRIES] SECTION(".bss.pages") ALIGNED(4096);
static arch_pte image_pd[TABLE_ENTRIES] SECTION(".bss.pages") ALIGNED(4096);
static arch_pte image_pt[IMAGE_TABLES][TABLE_ENTRIES] SECTION(".bss.pages") ALIGNED(4096);

/*
 * Where a thing is now. The compiler takes addresses of globals for constants and would happily
 * compute them again later, when the code has moved; this makes one a value.
 */
#define ADDRESS_NOW(symbol)                                                                    \
	({                                                                                     \
		paddr_t now_ = (paddr_t)(symbol);                                              \
		__asm__ volatile("" : "+r"(now_));                                             \
		now_;                                                                          \
	})

/* ---- The word nokaslr, before there is a parser ---- */

/* PVH: struct hvm_start_info, xen/include/public/arch-x86/hvm/start_info.h */
enum { PVH_CMDLINE_OFFSET = 24 };
#define PVH_MAGIC 0x336ec578u

/* Multiboot2 3.6: u32 total size, u32 reserved, then tags {u32 type, u32 size, ...} */
enum { MB2_TAGS_OFFSET = 8, MB2_TAG_END = 0, MB2_TAG_CMDLINE = 1, MB2_TAG_HEADER = 8, MB2_MAX_TAGS = 256 };
#define MB2_MAX_SIZE (16 * MIB)

/* What the loader left, read as from outside: 0 beyond what is mapped. A fault would be the end. */
static char byte_at(paddr_t pa)
{
	return pa < MAPPED_END ? *(const volatile char *)pa : '\0';
}

static uint32_t word_at(paddr_t pa)
{
	return pa <= MAPPED_END - sizeof(uint32_t) ? *(const volatile uint32_t *)pa : 0;
}

/* Where the command line is; 0: there is none. */
static paddr_t find_cmdline(enum boot_protocol protocol, paddr_t info)
{
	paddr_t tag = info + MB2_TAGS_OFFSET, end;

	if (protocol == BOOT_PVH) {
		paddr_t at = info + PVH_CMDLINE_OFFSET;

		return word_at(info) == PVH_MAGIC ? word_at(at) | (paddr_t)word_at(at + 4) << 32 : 0;
	}
	end = info + MIN((uint64_t)word_at(info), MB2_MAX_SIZE);
	for (unsigned n = 0; n < MB2_MAX_TAGS && tag + MB2_TAG_HEADER < end; n++) {
		uint32_t type = word_at(tag), size = word_at(tag + 4);

		if (type == MB2_TAG_CMDLINE)
			return tag + MB2_TAG_HEADER;
		if (type == MB2_TAG_END || size < MB2_TAG_HEADER)
			break;
		tag += ALIGN_UP((paddr_t)size, 8);
	}
	return 0;
}

static bool has_word(paddr_t line, const char *word)
{
	unsigned matched = 0; /* characters of word seen since the last space */
	bool is_same = true;

	for (unsigned i = 0; line && i < MAX_CMDLINE; i++) {
		char c = byte_at(line + i);

		if (c == ' ' || c == '\0') {
			if (is_same && word[matched] == '\0')
				return true;
			if (c == '\0')
				return false;
			matched = 0;
			is_same = true;
		} else {
			is_same = is_same && word[matched] == c;
			matched += is_same;
		}
	}
	return false;
}

/* ---- Choosing ---- */

/* The finaliser of splitmix64: spreads what little randomness a counter has over all bits. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ull;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static uint64_t random_word(void)
{
	static uint64_t state;
	uint64_t hw;

	if (x86_cpuid(1, 0).reg[REG_ECX] >> 30 & 1 && x86_rdrand(&hw))
		state += hw;
	state = mix(state + arch_counter_read() + 0x9e3779b97f4a7c15ull);
	return state;
}

static void choose_layout(struct arch_layout *l, bool is_random)
{
	uint64_t slots = (IMAGE_WINDOW_SIZE - IMAGE_MAX) / PAGE_SIZE;
	uint64_t r[4] = {0};

	for (unsigned i = 0; is_random && i < ARRAY_LEN(r); i++)
		r[i] = random_word();
	l->image_base = IMAGE_WINDOW + r[0] % slots * PAGE_SIZE;
	l->direct_base = DIRECT_WINDOW + r[1] % DIRECT_SLOTS * GIB;
	l->direct_end = l->direct_base + DIRECT_SIZE;
	l->page_base = PAGES_WINDOW + r[2] % PAGES_SLOTS * GIB;
	l->kmap_base = KMAP_WINDOW + r[3] % KMAP_SLOTS * GIB;
	l->kmap_end = l->kmap_base + KMAP_SIZE;
}

/* Intel SDM vol.3 4.1.4: MAXPHYADDR; a larger address is a reserved bit in a page table entry. */
static paddr_t physical_limit(void)
{
	enum { LEAF_MAX_EXTENDED = 0x80000000, LEAF_ADDRESS_SIZES = 0x80000008, BITS_MASK = 0xff, BITS_ASSUMED = 36 };

	if (x86_cpuid(LEAF_MAX_EXTENDED, 0).reg[REG_EAX] < LEAF_ADDRESS_SIZES)
		return BIT(BITS_ASSUMED);
	return BIT(x86_cpuid(LEAF_ADDRESS_SIZES, 0).reg[REG_EAX] & BITS_MASK);
}

/* The rest follows from where the image goes. `delta`: virtual minus physical. */
static void fill_layout(struct arch_layout *l, uint64_t delta)
{
	l->text_start = (vaddr_t)__text_start + delta;
	l->text_end = (vaddr_t)__text_end + delta;
	l->rodata_start = (vaddr_t)__rodata_start + delta;
	l->rodata_end = (vaddr_t)__rodata_end + delta;
	l->data_start = (vaddr_t)__data_start + delta;
	l->image_end = (vaddr_t)__image_end + delta;
	l->boot_stack_bottom = (vaddr_t)boot_stack_bottom + delta;
	l->boot_stack_top = (vaddr_t)boot_stack_top + delta;
	l->entry_counter = boot_entry_counter;
	l->phys_end = physical_limit();
}

/* ---- Mapping ---- */

static unsigned table_index(vaddr_t va, unsigned level)
{
	return va >> (PAGE_SHIFT + 9 * level) & (TABLE_ENTRIES - 1);
}

static void map_image(const struct arch_layout *l, uint64_t delta)
{
	unsigned first = table_index(l->image_base, 1);

	boot_pml4[table_index(IMAGE_WINDOW, 3)] = arch_pte_table((paddr_t)image_pdpt);
	image_pdpt[table_index(IMAGE_WINDOW, 2)] = arch_pte_table((paddr_t)image_pd);
	for (unsigned i = 0; i < IMAGE_TABLES && first + i < TABLE_ENTRIES; i++)
		image_pd[first + i] = arch_pte_table((paddr_t)image_pt[i]);
	for (vaddr_t va = l->image_base; va < l->image_end; va += PAGE_SIZE) {
		unsigned flags = va < l->text_end ? PTE_EXEC : va >= l->data_start ? PTE_WRITE : 0;

		image_pt[table_index(va, 1) - first][table_index(va, 0)] = arch_pte_leaf(va - delta, flags, 0);
	}
}

/* The 4 GiB of boot.S once more, not executable; they may cross into a second table. */
static void map_direct(const struct arch_layout *l)
{
	unsigned top = table_index(l->direct_base, 3), first = table_index(l->direct_base, 2);

	boot_pml4[top] = arch_pte_table((paddr_t)direct_pdpt[0]);
	boot_pml4[top + 1] = arch_pte_table((paddr_t)direct_pdpt[1]);
	for (unsigned i = 0; i < BOOT_PDS; i++)
		(&direct_pdpt[0][0])[first + i] = arch_pte_table((paddr_t)boot_pd[i]) | X86_PTE_NX;
}

/* ---- Relocating ---- */

static void relocate(uint64_t slide, paddr_t image)
{
	for (const struct elf_rela *r = __rela_start; r < __rela_end; r++)
		if (r->info == R_X86_64_RELATIVE)
			*(uint64_t *)(r->offset - IMAGE_WINDOW + image) = (uint64_t)r->addend + slide;
}

uint64_t boot_early(enum boot_protocol protocol, paddr_t info)
{
	struct arch_layout *l = &arch_layout;
	static const char nokaslr[] = "nokaslr";
	uint64_t delta;

	l->image_phys = ADDRESS_NOW(__image_start);
	choose_layout(l, !has_word(find_cmdline(protocol, info), nokaslr));
	delta = l->image_base - l->image_phys;
	fill_layout(l, delta);
	map_image(l, delta);
	map_direct(l);
	relocate(l->image_base - IMAGE_WINDOW, l->image_phys);
	/* A zero byte in it stops string functions from copying it out or over it. */
	__stack_chk_guard = random_word() & ~0xfful;
	return delta;
}
