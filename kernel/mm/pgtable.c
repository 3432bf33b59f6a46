// SPDX-License-Identifier: MIT
/*
 * Page tables of 512 entries per level, walked by recursion: one call per table, one loop over
 * its entries, so a long run of equal pages costs one entry each and nothing else.
 *
 * A table is reached through the direct map. An entry that becomes a table is written after the
 * table is complete, so a CPU that walks meanwhile sees the old leaf or an equal set of smaller
 * ones. Tables are never freed: what they map is mapped there again sooner or later, and no CPU
 * can be caught with a stale pointer to one.
 *
 * Locks   the owner's.
 * Spec    Intel SDM vol.3 4.5, figure 4-8: 4-level paging (the machine's part is arch_pte_*)
 */
#include "mm/pgtable.h"

#include "lib/assert.h"
#include "mm/phys.h"

enum { ENTRIES = 512, INDEX_BITS = 9 };

struct pgtable kernel_pgtable;

static unsigned index_of(vaddr_t va, unsigned level)
{
	return (va >> (PAGE_SHIFT + INDEX_BITS * level)) & (ENTRIES - 1);
}

static arch_pte *table_at(paddr_t pa)
{
	return phys_to_virt(pa);
}

static bool is_leaf(arch_pte pte, unsigned level)
{
	return arch_pte_is_present(pte) && arch_pte_is_leaf(pte, level);
}

static void check_range(vaddr_t va, size_t size)
{
	assert(size > 0 && IS_ALIGNED(va | size, PAGE_SIZE));
}

/* ---- Mapping ---- */

struct map_job {
	struct pgtable *pt;
	vaddr_t va;
	paddr_t pa;
	size_t left;
	unsigned flags;
	unsigned max_level;
};

static void map_advance(struct map_job *j, size_t step)
{
	j->va += step;
	j->pa += step;
	j->left -= step;
}

static bool can_be_leaf(const struct map_job *j, arch_pte old, unsigned level)
{
	size_t size = pgtable_level_size(level);

	return level == 0 || (level <= j->max_level && j->left >= size &&
				     IS_ALIGNED(j->va | j->pa, size) && !arch_pte_is_present(old));
}

/* Writes leaves from table[i] on, as many as may follow the first; returns the next index. */
static unsigned map_leaves(struct map_job *j, arch_pte *table, unsigned i, unsigned level)
{
	size_t size = pgtable_level_size(level);
	size_t max = MIN(j->left / size, (size_t)(ENTRIES - i)), left = max;
	arch_pte pte = arch_pte_leaf(j->pa, j->flags, level);
	arch_pte *entry = &table[i];

	assert(!arch_pte_is_present(*entry));
	for (; left && !arch_pte_is_present(*entry); left--) {
		WRITE_ONCE(*entry++, pte);
		pte += size; /* its address is in its place: arch.h */
	}
	map_advance(j, (max - left) * size);
	return i + (unsigned)(max - left);
}

/* The table that an entry leads to, made if there is none. */
static int table_below(const struct pgtable *pt, arch_pte *entry, unsigned level, paddr_t *out)
{
	arch_pte pte = READ_ONCE(*entry);

	if (!arch_pte_is_present(pte)) {
		paddr_t pa = pt->alloc_table();

		if (!pa)
			return -ENOMEM;
		arch_pte_publish(); /* its zeroes are seen before it is */
		pte = arch_pte_table(pa);
		WRITE_ONCE(*entry, pte);
	}
	assert(!is_leaf(pte, level));
	*out = arch_pte_paddr(pte, level);
	return 0;
}

static int map_in(struct map_job *j, paddr_t table_pa, unsigned level)
{
	arch_pte *table = table_at(table_pa);
	unsigned i = index_of(j->va, level);

	while (i < ENTRIES && j->left) {
		paddr_t child;
		int err;

		if (can_be_leaf(j, table[i], level)) {
			i = map_leaves(j, table, i, level);
			continue;
		}
		err = table_below(j->pt, &table[i++], level, &child);
		err = err ? err : map_in(j, child, level - 1);
		if (err)
			return err;
	}
	return 0;
}

int pgtable_map(struct pgtable *pt, vaddr_t va, paddr_t pa, size_t size, unsigned flags,
	unsigned max_level)
{
	struct map_job j = {.pt = pt, .va = va, .pa = pa, .left = size, .flags = flags};
	int err;

	check_range(va, size);
	assert(IS_ALIGNED(pa, PAGE_SIZE));
	while (max_level > 0 && !arch_pte_level_is_leafable(max_level))
		max_level--;
	j.max_level = max_level;
	err = map_in(&j, pt->root, ARCH_TOP_LEVEL);
	if (err && j.left < size) {
		int undo_err = pgtable_unmap(pt, va, size - j.left);

		assert(!undo_err); /* whole leaves: nothing to split */
	}
	arch_pte_publish();
	return err;
}

/* ---- Changing what is mapped ---- */

static int split_leaf(const struct pgtable *pt, arch_pte *entry, unsigned level)
{
	paddr_t pa = arch_pte_paddr(*entry, level), child = pt->alloc_table();
	unsigned flags = arch_pte_flags(*entry, level);
	arch_pte *table;

	if (!child)
		return -ENOMEM;
	table = table_at(child);
	for (unsigned i = 0; i < ENTRIES; i++)
		table[i] = arch_pte_leaf(
			pa + i * pgtable_level_size(level - 1), flags, level - 1);
	arch_pte_publish(); /* the table is complete before it is seen */
	WRITE_ONCE(*entry, arch_pte_table(child));
	return 0;
}

/* Makes va a border between leaves. */
static int split_at(const struct pgtable *pt, vaddr_t va)
{
	paddr_t table_pa = pt->root;

	for (unsigned level = ARCH_TOP_LEVEL; level > 0; level--) {
		arch_pte *entry = &table_at(table_pa)[index_of(va, level)];
		int err;

		if (IS_ALIGNED(va, pgtable_level_size(level)) || !arch_pte_is_present(*entry))
			return 0;
		err = is_leaf(*entry, level) ? split_leaf(pt, entry, level) : 0;
		if (err)
			return err;
		table_pa = arch_pte_paddr(*entry, level);
	}
	return 0;
}

struct change_job {
	vaddr_t va;
	size_t left;
	bool unmaps;
	unsigned flags; /* of what stays mapped */
};

/* Cannot fail: no leaf crosses the border of the range. */
static void change_in(struct change_job *j, paddr_t table_pa, unsigned level)
{
	arch_pte *table = table_at(table_pa);
	size_t size = pgtable_level_size(level);

	for (unsigned i = index_of(j->va, level); i < ENTRIES && j->left; i++) {
		arch_pte pte = table[i];
		size_t step = MIN(size - (j->va & (size - 1)), j->left);

		if (arch_pte_is_present(pte) && !is_leaf(pte, level)) {
			change_in(j, arch_pte_paddr(pte, level), level - 1);
			continue;
		}
		if (arch_pte_is_present(pte))
			WRITE_ONCE(table[i],
				j->unmaps ? 0
					  : arch_pte_leaf(arch_pte_paddr(pte, level), j->flags,
						    level));
		j->va += step;
		j->left -= step;
	}
}

static int change(struct pgtable *pt, struct change_job j)
{
	int err;

	check_range(j.va, j.left);
	err = split_at(pt, j.va);
	err = err ? err : split_at(pt, j.va + j.left);
	if (err)
		return err;
	change_in(&j, pt->root, ARCH_TOP_LEVEL);
	arch_pte_publish();
	return 0;
}

int pgtable_unmap(struct pgtable *pt, vaddr_t va, size_t size)
{
	return change(pt, (struct change_job){.va = va, .left = size, .unmaps = true});
}

int pgtable_protect(struct pgtable *pt, vaddr_t va, size_t size, unsigned flags)
{
	return change(pt, (struct change_job){.va = va, .left = size, .flags = flags});
}

/* ---- Looking ---- */

int pgtable_lookup(
	const struct pgtable *pt, vaddr_t va, paddr_t *pa, unsigned *flags, unsigned *level)
{
	paddr_t table_pa = pt->root;
	unsigned l = ARCH_TOP_LEVEL;
	arch_pte pte;

	for (;; l--) {
		pte = READ_ONCE(table_at(table_pa)[index_of(va, l)]);
		if (!arch_pte_is_present(pte))
			return -EFAULT;
		if (is_leaf(pte, l))
			break;
		table_pa = arch_pte_paddr(pte, l);
	}
	if (pa)
		*pa = arch_pte_paddr(pte, l) + (va & (pgtable_level_size(l) - 1));
	if (flags)
		*flags = arch_pte_flags(pte, l);
	if (level)
		*level = l;
	return 0;
}

struct walk_job {
	void (*fn)(vaddr_t va, paddr_t pa, unsigned flags, unsigned level, void *ctx);
	void *ctx;
};

static void walk_in(const struct walk_job *j, paddr_t table_pa, unsigned level, vaddr_t va)
{
	const arch_pte *table = table_at(table_pa);

	for (unsigned i = 0; i < ENTRIES; i++, va += pgtable_level_size(level)) {
		arch_pte pte = READ_ONCE(table[i]);

		if (level == ARCH_TOP_LEVEL && i == ENTRIES / 2) /* the upper half is far above */
			va = -(pgtable_level_size(level) * (ENTRIES / 2));
		if (!arch_pte_is_present(pte))
			continue;
		if (is_leaf(pte, level))
			j->fn(va, arch_pte_paddr(pte, level), arch_pte_flags(pte, level), level,
				j->ctx);
		else
			walk_in(j, arch_pte_paddr(pte, level), level - 1, va);
	}
}

void pgtable_for_each_leaf(const struct pgtable *pt,
	void (*fn)(vaddr_t va, paddr_t pa, unsigned flags, unsigned level, void *ctx), void *ctx)
{
	walk_in(&(struct walk_job){fn, ctx}, pt->root, ARCH_TOP_LEVEL, 0);
}
