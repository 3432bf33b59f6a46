// SPDX-License-Identifier: MIT
/*
 * The simulated machine's memory: host mappings at fixed addresses, so that no address differs
 * between two runs of a seed.
 *
 *     DIRECT   "physical" memory, reserved sparsely: one part below 4 GiB, with the holes that
 *              real maps have, and one above, so that both zones of the page allocator have work
 *     PAGES    struct page of it all
 *     KMAP     what mm/kmap.h promises, by mappings with guard pages of the host
 *     STACKS   kernel threads' stacks, one aligned slot each (arch_types.h), recycled last in,
 *              first out; a free one is poisoned, so a late use is reported by ASan
 *
 * There are no page tables and no TLB: the functions that encode entries serve host unit tests,
 * and mm/pgtable.c, kmap.c and direct.c are not linked (exclude.mk).
 */
#include "arch/sim/sim_priv.h"

#include "arch/bootinfo.h"
#include "lib/assert.h"
#include "mm/bootmem.h"
#include "mm/fail.h"
#include "mm/kmap.h"
#include "mm/page.h"
#include "mm/poison.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define DIRECT_BASE 0x200000000000ul
#define PAGES_BASE  0x210000000000ul
#define KMAP_BASE   0x220000000000ul
#define KMAP_SIZE   (4 * GIB)
#define STACKS_BASE 0x230000000000ul
#define HIGH_START  (4 * GIB)
#define IMAGE_START (1 * MIB)
#define IMAGE_END   (2 * MIB) /* as if an image lay there */
#define VIDEO_HOLE  0xa0000ul

enum { MAX_STACKS = 16384, MAX_KMAPS = 256 };

struct arch_layout arch_layout;

/* ---- Physical memory ---- */

static void *reserve(vaddr_t at, size_t size, int prot)
{
	void *p = mmap((void *)at, size, prot,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != (void *)at) {
		fprintf(stderr, "torus-sim: no room for %zu MiB at %#lx\n", size / MIB, at);
		exit(2);
	}
	return p;
}

static void add_memory(paddr_t start, paddr_t end, enum mem_type type)
{
	bootinfo.mem[bootinfo.nr_mem++] = (struct mem_range){start, end, type};
}

void sim_memory_init(void)
{
	paddr_t low = ALIGN_DOWN(sim.opt.mem_bytes / 2, MIB), hole = low / 2;
	paddr_t high_end = HIGH_START + sim.opt.mem_bytes - low;

	add_memory(0, VIDEO_HOLE, MEM_USABLE);
	add_memory(VIDEO_HOLE, MIB, MEM_RESERVED);
	add_memory(MIB, hole, MEM_USABLE);
	add_memory(hole, hole + 5 * PAGE_SIZE, MEM_BAD);
	add_memory(hole + 5 * PAGE_SIZE, low, MEM_USABLE);
	add_memory(HIGH_START, high_end, MEM_USABLE);
	bootinfo.kernel_start = IMAGE_START;
	bootinfo.kernel_end = IMAGE_END;

	reserve(DIRECT_BASE, high_end, PROT_READ | PROT_WRITE);
	reserve(PAGES_BASE,
		((high_end >> PAGE_SHIFT) + (1ul << PAGE_MAX_ORDER)) * sizeof(struct page),
		PROT_READ | PROT_WRITE);
	reserve(KMAP_BASE, KMAP_SIZE, PROT_NONE);
	reserve(STACKS_BASE, MAX_STACKS * SIM_STACK_SLOT, PROT_NONE);
	arch_layout = (struct arch_layout){
		.direct_base = DIRECT_BASE,
		.direct_end = DIRECT_BASE + high_end,
		.phys_end = high_end,
		.page_base = PAGES_BASE,
		.kmap_base = KMAP_BASE,
		.kmap_end = KMAP_BASE + KMAP_SIZE,
	};
}

void arch_reserve_memory(void)
{
}

void bootmem_map_all(void)
{
}

/* ---- Stacks ---- */

/* One host thread, and no step happens inside: no lock. */
static uint16_t free_stacks[MAX_STACKS];
static unsigned nr_free_stacks, nr_stacks;

static vaddr_t slot_of(unsigned nr)
{
	return STACKS_BASE + nr * SIM_STACK_SLOT;
}

int kstack_alloc(vaddr_t *bottom, vaddr_t *top)
{
	unsigned nr;

	if (fail_now() || (nr_free_stacks == 0 && nr_stacks == MAX_STACKS))
		return -ENOMEM;
	if (nr_free_stacks) {
		nr = free_stacks[--nr_free_stacks];
		memory_unpoison((void *)(slot_of(nr) + PAGE_SIZE), KSTACK_SIZE);
	} else {
		nr = nr_stacks++;
		/* All but the guard page. */
		if (mprotect((void *)(slot_of(nr) + PAGE_SIZE), KSTACK_SIZE,
			    PROT_READ | PROT_WRITE))
			return -ENOMEM;
	}
	*bottom = slot_of(nr) + PAGE_SIZE;
	*top = slot_of(nr) + SIM_STACK_SLOT;
	return 0;
}

void kstack_free(vaddr_t bottom)
{
	unsigned nr = (unsigned)((bottom - STACKS_BASE) / SIM_STACK_SLOT);

	assert(bottom == slot_of(nr) + PAGE_SIZE && nr < nr_stacks);
	assert((vaddr_t)__builtin_frame_address(0) - slot_of(nr) >=
		SIM_STACK_SLOT); /* not our own */
	memory_poison((void *)bottom, KSTACK_SIZE, POISON_FREE_OBJECT);
	free_stacks[nr_free_stacks++] = (uint16_t)nr;
}

/* Free stacks are the host's memory: no page of the machine's is in them. */
void kstack_drain(void)
{
}

/* ---- Mappings with guard pages ---- */

static struct kmap {
	vaddr_t start;
	size_t size; /* 0: free */
	const char *what;
} kmaps[MAX_KMAPS];
static vaddr_t kmap_next = KMAP_BASE + PAGE_SIZE;

void kmap_init(void)
{
}

int kmap_alloc(void **out, size_t size, const char *what)
{
	size = ALIGN_UP(size, PAGE_SIZE);
	if (fail_now())
		return -ENOMEM;
	for (unsigned i = 0; i < MAX_KMAPS; i++) {
		if (kmaps[i].size)
			continue;
		/* Addresses are not used twice: a late use faults. */
		if (kmap_next + size + PAGE_SIZE > KMAP_BASE + KMAP_SIZE ||
			mprotect((void *)kmap_next, size, PROT_READ | PROT_WRITE))
			return -ENOMEM;
		kmaps[i] = (struct kmap){.start = kmap_next, .size = size, .what = what};
		*out = (void *)kmap_next;
		kmap_next += size + PAGE_SIZE;
		return 0;
	}
	return -ENOMEM;
}

static struct kmap *kmap_at(const void *p)
{
	for (unsigned i = 0; i < MAX_KMAPS; i++)
		if (kmaps[i].size && kmaps[i].start == (vaddr_t)p)
			return &kmaps[i];
	panic("arch/sim: %p was not mapped by kmap_alloc", p);
}

void kmap_free(void *p)
{
	struct kmap *k = kmap_at(p);

	madvise(p, k->size, MADV_DONTNEED);
	mprotect(p, k->size, PROT_NONE);
	k->size = 0;
}

/* Only RAM has physical addresses here; it is always mapped. */
int kmap_phys(
	void **out, paddr_t pa, size_t size, unsigned flags UNUSED, const char *what UNUSED)
{
	if (pa + size < pa || pa + size > arch_layout.direct_end - arch_layout.direct_base)
		return -EINVAL;
	*out = phys_to_virt(pa);
	return 0;
}

/* The memory of the machine is one mapping of the host's: what lies apart stays apart. */
int kmap_pages(void **out UNUSED, struct page *const *pages UNUSED, size_t nr UNUSED,
	const char *what UNUSED)
{
	return -ENOMEM;
}

void kmap_unmap(void *p)
{
	assert(is_direct_map(p));
}

bool kmap_describe(vaddr_t va, char *buf, size_t size)
{
	if (va - STACKS_BASE >= MAX_STACKS * SIM_STACK_SLOT || va % SIM_STACK_SLOT >= PAGE_SIZE)
		return false;
	snprintf(buf, size, "guard page below stack %lu", (va - STACKS_BASE) / SIM_STACK_SLOT);
	return true;
}

/* ---- What the contract asks of tables and caches ---- */

bool arch_pte_level_is_leafable(unsigned level)
{
	return level < ARCH_TOP_LEVEL;
}

paddr_t arch_root_get(void)
{
	return sim_this_cpu->arch.root;
}

void arch_root_set(paddr_t new_root)
{
	sim_this_cpu->arch.root = new_root;
}

void arch_tlb_flush_page(vaddr_t va UNUSED)
{
}

void arch_tlb_flush_all(void)
{
}

/* The host's kernel copies, and says when it cannot. */
int arch_probe_read(void *dst, const void *src, size_t len)
{
	struct iovec to = {dst, len}, from = {(void *)(uintptr_t)src, len};

	return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)len ? 0 : -EFAULT;
}

void arch_page_zero(void *page)
{
	memset(page, 0, PAGE_SIZE);
}
