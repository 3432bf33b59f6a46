// SPDX-License-Identifier: MIT
/*
 * The page tables of an address space, below the kernel's half of its root.
 *
 * A table page is counted: one reference for each entry that leads to it. fork gives the child the
 * same tables, one reference more for each entry of the root, and makes those entries
 * read-only on both sides. A table with more than one reference is never changed: whoever wants to
 * change something below a read-only entry first gets a table of its own (a copy, which takes a reference
 * of everything that the table led to, or the table itself when the others have let go of it).
 * So fork costs the same for any amount of memory, and a write after it pays for the
 * three tables on its way.
 *
 * An entry is in use when it is not 0, even one that the hardware calls absent (PTE_NONE). A page in an
 * entry is counted unless it is PTE_SPECIAL.
 *
 * What leaves a table goes into a gather, which flushes the CPUs that may hold the translation
 * before it drops the reference.
 *
 * Locks   vm->table_lock for everything here but create and destroy.
 */
#pragma once

#include "arch/arch.h"
#include "lib/base.h"
#include "mm/page.h"
#include "mm/phys.h"
#include "mm/vmspace.h"

enum {
	GATHER_MAX = 64,
	VMTABLE_GROUP = 8 /* entries, one cache line: what a bit of table_groups stands for */
};

/* On the stack of who removes mappings. */
struct gather {
	struct vmspace *vm;
	vaddr_t start, end; /* what has to be flushed; start >= end: nothing */
	unsigned nr;
	uintptr_t dropped[GATHER_MAX]; /* references: struct page *, bit 0: of a table */
};

static inline void gather_init(struct gather *g, struct vmspace *vm)
{
	g->vm = vm;
	g->start = UINTPTR_MAX;
	g->end = 0;
	g->nr = 0;
}
/* Flushes, then drops. Interrupts on; table_lock may be held. The gather is empty again. */
void gather_flush(struct gather *g);
static inline void gather_finish(struct gather *g)
{
	if (g->end || g->nr)
		gather_flush(g);
}
static inline void gather_range(struct gather *g, vaddr_t start, vaddr_t end)
{
	g->start = MIN(g->start, start);
	g->end = MAX(g->end, end);
}

/* Where an entry is. */
struct entry_place {
	struct page *table;
	arch_pte *at;
};

void vmtable_init(void); /* once the kernel's own root has all its entries */
MUST_CHECK int vmtable_create(struct vmspace *vm); /* the root; -ENOMEM */
void vmtable_destroy(struct vmspace *vm);          /* no CPU uses it any more */
/* The child, whose tables are empty, gets everything; the parent's CPUs have to be flushed. */
void vmtable_share(struct vmspace *from, struct vmspace *to) MUST_HOLD(from->table_lock);

/*
 * The entry for va at a level, every table on the way made and made private. A larger leaf on
 * the way is split, unless can_be_larger, when it is what *out leads to and *level says so. -ENOMEM.
 */
MUST_CHECK int vmtable_reach(struct vmspace *vm, vaddr_t va, unsigned *level,
	bool can_be_larger, struct gather *g, struct entry_place *out)
	MUST_HOLD(vm->table_lock);
/* The same for level 0 when nothing has to be made or split on the way, else NULL: slower, then. */
static ALWAYS_INLINE arch_pte *vmtable_entry(const struct vmspace *vm, vaddr_t va)
{
	paddr_t pa = vm->root;

	for (unsigned l = ARCH_TOP_LEVEL; l > 0; l--) {
		unsigned i = (va >> (PAGE_SHIFT + 9 * l)) & 511;
		arch_pte pte = ((const arch_pte *)phys_to_virt(pa))[i];

		if (UNLIKELY(!arch_pte_is_present(pte) || !arch_pte_is_writable(pte) ||
			     arch_pte_is_leaf(pte, l)))
			return NULL;
		pa = arch_pte_paddr(pte, 0); /* of a table: no bits of a large leaf */
	}
	return (arch_pte *)phys_to_virt(pa) + ((va >> PAGE_SHIFT) & 511);
}

/* An entry of a private table was 0 and is used from now on. */
static ALWAYS_INLINE void vmtable_note_used(const arch_pte *entry)
{
	struct page *table = virt_to_page(entry);
	unsigned i = ((uintptr_t)entry & PAGE_MASK) / sizeof(*entry);

	table->table_nr++;
	table->table_groups |= 1ul << (i / VMTABLE_GROUP);
}

/* The leaf that maps va, at any level; 0: none. Changes nothing. */
arch_pte vmtable_look(const struct vmspace *vm, vaddr_t va, unsigned *level)
	MUST_HOLD(vm->table_lock);
/* How many tables lead to what is mapped, shared ones included; without the root. */
uint64_t vmtable_count(const struct vmspace *vm) MUST_HOLD(vm->table_lock);
/* Whether what va is mapped to may be written on vm's behalf: no private page that others see. */
bool vmtable_is_own(const struct vmspace *vm, vaddr_t va) MUST_HOLD(vm->table_lock);
/* Writes an entry of a private table; counts. */
void vmtable_set(struct entry_place *e, arch_pte pte);

/*
 * So that the next call for the range cannot fail: splits leaves that cross its borders; makes
 * private the tables that cross them or, with is_everything, all of it. -ENOMEM: nothing is lost.
 */
MUST_CHECK int vmtable_prepare(struct vmspace *vm, vaddr_t start, vaddr_t end,
	bool is_everything, struct gather *g) MUST_HOLD(vm->table_lock);
/* Takes everything out of the range; prepared. */
void vmtable_zap(struct vmspace *vm, vaddr_t start, vaddr_t end, struct gather *g)
	MUST_HOLD(vm->table_lock);
/* Calls fn for every used leaf of a prepared (everything) range, or of any range if it only looks. */
typedef void vmtable_visit(struct entry_place *e, vaddr_t va, unsigned level, void *ctx);
void vmtable_for_each(struct vmspace *vm, vaddr_t start, vaddr_t end, vmtable_visit *fn,
	void *ctx) MUST_HOLD(vm->table_lock);
/* Moves what is mapped to another address, where nothing is. Both ranges were prepared (everything).
 * -ENOMEM: part was moved, up to *moved. */
MUST_CHECK int vmtable_move(struct vmspace *vm, vaddr_t from, vaddr_t to, size_t size,
	struct gather *g, size_t *moved) MUST_HOLD(vm->table_lock);
/*
 * For page_source_unmap: takes up to max pages out of the range, shared tables included, without
 * allocating; their references are the caller's to drop. Only what is not PTE_ANON, unless anon_too.
 */
unsigned vmtable_take_out(struct vmspace *vm, vaddr_t start, vaddr_t end, bool anon_too,
	struct page **pages, unsigned max, bool *is_shared) MUST_HOLD(vm->table_lock);
