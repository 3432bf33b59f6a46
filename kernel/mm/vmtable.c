// SPDX-License-Identifier: MIT
/*
 * Page tables of address spaces, shared between parents and children until one side writes.
 *
 * Every table page knows which groups of its entries have been used, and how many of its entries are,
 * so no walk looks at 512 entries to find three. A table is all zeroes again when its
 * last entry goes, so it is given back as a page that need not be zeroed.
 *
 *     root (never shared) -> level 2 -> level 1 -> level 0 -> pages
 *              |                                      ^
 *              +-- read-only entry: the table below has, or had, another parent
 *
 * Making a shared table private copies it; what it leads to then has two parents, so both
 * tables lead there read-only: the original is written here although it is shared, but
 * everybody who does so writes the same, and nobody writes through it. The others' CPUs hold
 * nothing writable either, since the entry above was made read-only before they shared. The last
 * one left owns the table and does not copy.
 *
 * A 2 MiB leaf owns its block of pages alone. When the table it is in is copied, it becomes a
 * table of 512 pages, shared by both: a later write then copies 4 KiB.
 *
 * Locks   vm->table_lock [T]: everything reached from vm's root through writable entries.
 *         Shared tables are read by all who share them, without a lock.
 *         split_lock: turning a leaf of a shared table into a table.
 */
#include "mm/vmtable.h"

#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/bits.h"
#include "mm/pgtable.h"
#include "mm/phys.h"
#include "mm/tlb.h"
#include "mm/vmspace_priv.h"

enum { ENTRIES = 512, INDEX_BITS = 9, USER_ENTRIES = ENTRIES / 2 };
#define GATHER_TABLE 1ul

static uint64_t kernel_groups; /* [I] after vmtable_init: of the kernel's root */
static struct spinlock split_lock = SPINLOCK_INIT(RANK_PAGE_TABLE_SPLIT, "page-table split");

static unsigned index_of(vaddr_t va, unsigned level)
{
	return (va >> (PAGE_SHIFT + INDEX_BITS * level)) & (ENTRIES - 1);
}

static arch_pte *entries_of(const struct page *table)
{
	return page_to_virt(table);
}

static struct page *page_of(arch_pte pte, unsigned level)
{
	return pfn_to_page(arch_pte_paddr(pte, level) >> PAGE_SHIFT);
}

static bool is_leaf(arch_pte pte, unsigned level)
{
	return level == 0 || arch_pte_is_leaf(pte, level);
}

static uint64_t pages_of_level(unsigned level)
{
	return 1ul << (INDEX_BITS * level);
}

/* ---- One table ---- */

/* The next entry at or after i that may be in use; ENTRIES: none. */
static ALWAYS_INLINE unsigned next_used(const struct page *table, unsigned i)
{
	uint64_t groups;

	if (i % VMTABLE_GROUP || i == ENTRIES)
		return i;
	groups = table->table_groups >> (i / VMTABLE_GROUP);
	return groups ? i + VMTABLE_GROUP * bits_lowest(groups) : ENTRIES;
}

#define for_each_used(i, table)                                                                \
	for (unsigned i = next_used(table, 0); i < ENTRIES; i = next_used(table, i + 1))

static int table_alloc(struct page **out, unsigned level)
{
	int err = page_alloc_zeroed(out);

	if (err)
		return err;
	(*out)->table_groups = 0;
	(*out)->table_nr = 0;
	(*out)->table_level = (uint16_t)level;
	return 0;
}

void vmtable_set(struct entry_place *e, arch_pte pte)
{
	arch_pte old = *e->at;

	if (!old && pte)
		vmtable_note_used(e->at);
	else if (old && !pte)
		e->table->table_nr--;
	WRITE_ONCE(*e->at, pte);
}

static void table_put(struct page *table);

static void leaf_put(arch_pte pte, unsigned level)
{
	if (!arch_pte_is_special(pte))
		page_put(page_of(pte, level));
}

static void table_empty(struct page *table)
{
	arch_pte *entry = entries_of(table);
	unsigned level = table->table_level;

	for_each_used(i, table)
	{
		arch_pte pte = entry[i];

		if (!pte)
			continue;
		entry[i] = 0;
		if (is_leaf(pte, level))
			leaf_put(pte, level);
		else
			table_put(page_of(pte, level));
	}
}

/* Drops one entry's reference; the last one drops everything below. */
static void table_put(struct page *table)
{
	if (atomic_load_acquire(&table->refs) != 1) { /* pairs with the release below */
		if (atomic_fetch_sub_release(&table->refs, 1) != 1)
			return;
		atomic_fence_acquire(); /* pairs with the release of the others */
		table->refs = 1;
	}
	if (table->table_nr)
		table_empty(table);
	page_free_zeroed(table);
}

/* ---- What leaves ---- */

void gather_flush(struct gather *g)
{
	if (g->start < g->end)
		tlb_flush_vm(g->vm, g->start, g->end - g->start);
	for (unsigned i = 0; i < g->nr; i++) {
		uintptr_t what = g->dropped[i];

		if (what & GATHER_TABLE)
			table_put((struct page *)(what - GATHER_TABLE));
		else
			page_put((struct page *)what);
	}
	g->nr = 0;
}

static ALWAYS_INLINE void gather_add(struct gather *g, uintptr_t what)
{
	if (UNLIKELY(g->nr == GATHER_MAX))
		gather_flush(g);
	g->dropped[g->nr++] = what;
}

void gather_page(struct gather *g, struct page *p)
{
	gather_add(g, (uintptr_t)p);
}

static void gather_table(struct gather *g, struct page *table)
{
	gather_add(g, (uintptr_t)table + GATHER_TABLE);
}

/* ---- Leaves become tables ---- */

/* The table of small pages that stands for a leaf; what the leaf leads to is split. */
static int table_of_leaf(arch_pte pte, unsigned level, struct page **out)
{
	unsigned flags = arch_pte_flags(pte, level);
	paddr_t pa = arch_pte_paddr(pte, level);
	arch_pte *entry;
	struct page *t;
	int err;

	assert(level == 1); /* nothing larger is mapped for users */
	err = table_alloc(&t, level - 1);
	if (err)
		return err;
	if (!arch_pte_is_special(pte))
		page_split(page_of(pte, level));
	entry = entries_of(t);
	for (unsigned i = 0; i < ENTRIES; i++)
		entry[i] = arch_pte_leaf(pa + i * PAGE_SIZE, flags, level - 1);
	t->table_groups = UINT64_MAX;
	t->table_nr = ENTRIES;
	arch_pte_publish();
	*out = t;
	return 0;
}

/* In a private table. */
static int split_leaf(arch_pte *entry, unsigned level, vaddr_t va, struct gather *g)
{
	size_t size = pgtable_level_size(level);
	struct page *t;
	int err = table_of_leaf(*entry, level, &t);

	if (err)
		return err;
	WRITE_ONCE(*entry, arch_pte_table(page_to_phys(t)));
	gather_range(g, ALIGN_DOWN(va, size), ALIGN_DOWN(va, size) + PAGE_SIZE);
	return 0;
}

/* In a table that others may be splitting, too. */
static int split_shared_leaf(arch_pte *entry, unsigned level)
{
	struct page *t;
	int err = 0;

	spinlock_lock(&split_lock);
	if (*entry && is_leaf(*entry, level)) {
		err = table_of_leaf(*entry, level, &t);
		if (!err)
			WRITE_ONCE(*entry,
				arch_pte_write_protect(arch_pte_table(page_to_phys(t))));
	}
	spinlock_unlock(&split_lock);
	return err;
}

static int split_shared_leaves(struct page *table)
{
	arch_pte *entry = entries_of(table);
	unsigned level = table->table_level;
	int err = 0;

	if (level == 0)
		return 0;
	for_each_used(i, table)
	{
		if (!err && entry[i] && is_leaf(entry[i], level))
			err = split_shared_leaf(&entry[i], level);
	}
	return err;
}

/* ---- Sharing, and its end ---- */

/*
 * One more entry will lead to what this one leads to: both read-only, where that matters. In a table
 * that others share, they may be doing the same, the CPU may note that it was used, and truncation may
 * take a page out (it keeps the page alive until we are done): so the entry is only changed from
 * what was seen.
 */
static ALWAYS_INLINE arch_pte share_entry(arch_pte *entry, unsigned level)
{
	arch_pte pte = READ_ONCE(*entry), shared;
	struct page *page;

	if (!pte)
		return 0;
	if (level > 0)
		atomic_add_relaxed(&page_of(pte, level)->refs, 1u); /* we hold one */
	else if (!arch_pte_is_special(pte))
		page_get(page_of(pte, level));
	if (level == 0 && !arch_pte_is_anon(pte))
		return pte; /* the pages of a shared mapping stay writable for both */
	page = page_of(pte, level);
	do {
		shared = arch_pte_write_protect(pte);
		if (pte == shared || atomic_cmpxchg(entry, &pte, shared))
			return shared;
	} while (pte);
	assert(level == 0); /* taken out meanwhile */
	page_put(page);
	return 0;
}

static int table_copy(struct page *from, struct page **out)
{
	arch_pte *src = entries_of(from), *dst;
	unsigned level = from->table_level;
	struct page *t;
	int err;

	err = split_shared_leaves(from);
	err = err ? err : table_alloc(&t, level);
	if (err)
		return err;
	dst = entries_of(t);
	for_each_used(i, from)
	{
		if (!READ_ONCE(
			    src[i])) /* truncation takes pages out even here: vmtable_take_out */
			continue;
		dst[i] = share_entry(&src[i], level);
		t->table_nr += dst[i] != 0;
	}
	t->table_groups = from->table_groups;
	arch_pte_publish();
	*out = t;
	return 0;
}

/* The table below a read-only entry becomes ours alone, or a copy takes its place. */
static NOINLINE int make_private(arch_pte *entry, unsigned level, vaddr_t va, struct gather *g)
{
	struct page *old = page_of(*entry, level), *copy;
	vaddr_t start = ALIGN_DOWN(va, pgtable_level_size(level));
	int err;

	if (atomic_load_acquire(&old->refs) == 1) { /* pairs with the release in table_put */
		WRITE_ONCE(*entry, arch_pte_make_writable(*entry));
		return 0;
	}
	err = table_copy(old, &copy);
	if (err)
		return err;
	WRITE_ONCE(*entry, arch_pte_table(page_to_phys(copy)));
	gather_range(g, start, start + PAGE_SIZE); /* whatever the CPUs kept of the way down */
	gather_table(g, old);
	return 0;
}

void vmtable_share(struct vmspace *from, struct vmspace *to)
{
	struct page *root = vmspace_root(from), *child = vmspace_root(to);
	arch_pte *src = entries_of(root), *dst = entries_of(child);

	for_each_used(i, root)
	{
		if (src[i])
			dst[i] = share_entry(&src[i], ARCH_TOP_LEVEL);
	}
	child->table_groups = root->table_groups;
	child->table_nr = root->table_nr;
	to->nr_resident = from->nr_resident;
}

/* ---- The way down ---- */

/* What is wrong with the entry is repaired: absent, shared, a leaf. */
static NOINLINE int repair_entry(arch_pte *entry, unsigned level, vaddr_t va, struct gather *g)
{
	struct page *t;
	int err;

	if (*entry && is_leaf(*entry, level))
		return split_leaf(entry, level, va, g);
	if (*entry)
		return make_private(entry, level, va, g);
	err = table_alloc(&t, level - 1);
	if (err)
		return err;
	arch_pte_publish();
	vmtable_note_used(entry);
	WRITE_ONCE(*entry, arch_pte_table(page_to_phys(t)));
	return 0;
}

int vmtable_reach(struct vmspace *vm, vaddr_t va, unsigned *level, bool can_be_larger,
	struct gather *g, struct entry_place *out)
{
	paddr_t pa = vm->root;
	unsigned l = ARCH_TOP_LEVEL;

	for (;; l--) {
		arch_pte *entry = (arch_pte *)phys_to_virt(pa) + index_of(va, l);
		arch_pte pte = *entry;
		bool is_table;

		if (l == *level || (can_be_larger && pte && is_leaf(pte, l))) {
			*out = (struct entry_place){pfn_to_page(pa >> PAGE_SHIFT), entry};
			*level = l;
			return 0;
		}
		is_table = arch_pte_is_present(pte) && !is_leaf(pte, l);
		if (UNLIKELY(!is_table || !arch_pte_is_writable(pte))) {
			int err = repair_entry(entry, l, va, g);

			if (err)
				return err;
			pte = *entry;
		}
		pa = arch_pte_paddr(pte, l);
	}
}

arch_pte vmtable_look(const struct vmspace *vm, vaddr_t va, unsigned *level)
{
	paddr_t pa = vm->root;

	for (unsigned l = ARCH_TOP_LEVEL;; l--) {
		arch_pte pte = ((arch_pte *)phys_to_virt(pa))[index_of(va, l)];

		if (!pte || is_leaf(pte, l)) {
			*level = l;
			return pte;
		}
		pa = arch_pte_paddr(pte, l);
	}
}

bool vmtable_is_own(const struct vmspace *vm, vaddr_t va)
{
	paddr_t pa = vm->root;

	for (unsigned l = ARCH_TOP_LEVEL;; l--) {
		arch_pte pte = ((arch_pte *)phys_to_virt(pa))[index_of(va, l)];

		if (!pte)
			return false;
		if (is_leaf(pte, l))
			return arch_pte_is_writable(pte) ||
			       (arch_pte_is_anon(pte) && page_is_sole(page_of(pte, l)));
		if (!arch_pte_is_writable(pte))
			return false;
		pa = arch_pte_paddr(pte, l);
	}
}

/* ---- Ranges ---- */

/* The part of a range that one table's used groups cover. */
struct span {
	unsigned first, last; /* first > last: nothing */
};

static struct span span_of(const struct page *table, vaddr_t start, vaddr_t end)
{
	unsigned level = table->table_level;
	struct span s = {index_of(start, level), index_of(end - 1, level)};

	if (!table->table_groups)
		return (struct span){1, 0};
	s.first = MAX(s.first, VMTABLE_GROUP * bits_lowest(table->table_groups));
	s.last = MIN(s.last, VMTABLE_GROUP * (bits_highest(table->table_groups) + 1) - 1);
	return s;
}

/* The address of an entry in the table that maps `in`. */
static vaddr_t va_of(vaddr_t in, unsigned i, unsigned level)
{
	return ALIGN_DOWN(in, pgtable_level_size(level + 1)) + i * pgtable_level_size(level);
}

static uint64_t count_resident(const struct page *table)
{
	const arch_pte *entry = entries_of(table);
	unsigned level = table->table_level;
	uint64_t nr = 0;

	if (level == 0)
		return table->table_nr;
	for_each_used(i, table)
	{
		if (!entry[i])
			continue;
		nr += is_leaf(entry[i], level) ? pages_of_level(level)
					       : count_resident(page_of(entry[i], level));
	}
	return nr;
}

/* Those below `table`, of the entries before `end`. */
static uint64_t count_tables(const struct page *table, unsigned end)
{
	const arch_pte *entry = entries_of(table);
	unsigned level = table->table_level;
	uint64_t nr = 0;

	if (level == 0)
		return 0;
	for (unsigned i = next_used(table, 0); i < end; i = next_used(table, i + 1))
		if (entry[i] && !is_leaf(entry[i], level))
			nr += 1 + count_tables(page_of(entry[i], level), ENTRIES);
	return nr;
}

uint64_t vmtable_count(const struct vmspace *vm)
{
	return count_tables(vmspace_root(vm), USER_ENTRIES);
}

/* Makes private what the border cuts, and splits a leaf across it. */
static int prepare_border(struct vmspace *vm, vaddr_t va, struct gather *g)
{
	paddr_t pa = vm->root;

	for (unsigned l = ARCH_TOP_LEVEL; l > 0; l--) {
		arch_pte *entry = (arch_pte *)phys_to_virt(pa) + index_of(va, l);
		int err = 0;

		if (IS_ALIGNED(va, pgtable_level_size(l)) || !*entry)
			return 0;
		if (is_leaf(*entry, l))
			err = split_leaf(entry, l, va, g);
		else if (!arch_pte_is_writable(*entry))
			err = make_private(entry, l, va, g);
		if (err)
			return err;
		pa = arch_pte_paddr(*entry, l);
	}
	return 0;
}

static int prepare_in(struct page *table, vaddr_t start, vaddr_t end, struct gather *g)
{
	unsigned level = table->table_level;
	struct span s = span_of(table, start, end);
	arch_pte *entry = entries_of(table);

	for (unsigned i = s.first; i <= s.last && level > 0; i++) {
		vaddr_t at = va_of(start, i, level);
		size_t size = pgtable_level_size(level);
		int err = 0;

		if (!entry[i] || is_leaf(entry[i], level))
			continue;
		if (!arch_pte_is_writable(entry[i]))
			err = make_private(&entry[i], level, at, g);
		if (!err && level > 1)
			err = prepare_in(page_of(entry[i], level), MAX(start, at),
				MIN(end, at + size), g);
		if (err)
			return err;
	}
	return 0;
}

int vmtable_prepare(
	struct vmspace *vm, vaddr_t start, vaddr_t end, bool is_everything, struct gather *g)
{
	int err = prepare_border(vm, start, g);

	err = err ? err : prepare_border(vm, end, g);
	if (err || !is_everything)
		return err;
	return prepare_in(vmspace_root(vm), start, end, g);
}

static void zap_leaves(struct gather *g, struct page *table, vaddr_t start, vaddr_t end)
{
	struct span s = span_of(table, start, end);
	arch_pte *entry = entries_of(table);
	unsigned nr = 0;

	if (s.first > s.last)
		return;
	gather_range(g, va_of(start, s.first, 0), va_of(start, s.last, 0) + PAGE_SIZE);
	for (unsigned i = s.first; i <= s.last; i++) {
		arch_pte pte = entry[i];

		if (!pte)
			continue;
		WRITE_ONCE(entry[i], 0);
		nr++;
		if (!arch_pte_is_special(pte))
			gather_page(g, page_of(pte, 0));
	}
	table->table_nr = (uint16_t)(table->table_nr - nr);
	g->vm->nr_resident -= nr;
}

static void zap_in(struct gather *g, struct page *table, vaddr_t start, vaddr_t end);

/* An entry that leads to a table; whether the entry is to go. */
static bool zap_below(
	struct gather *g, arch_pte *entry, unsigned level, vaddr_t start, vaddr_t end)
{
	struct page *child = page_of(*entry, level);
	bool is_whole = IS_ALIGNED(start | end, pgtable_level_size(level));

	if (!arch_pte_is_writable(*entry)) {
		if (is_whole && atomic_load_acquire(&child->refs) > 1) { /* see make_private */
			g->vm->nr_resident -= count_resident(child);
			gather_range(g, start, end);
			return true;
		}
		assert(atomic_load_relaxed(&child->refs) == 1); /* else it was not prepared */
		WRITE_ONCE(*entry, arch_pte_make_writable(*entry));
	}
	if (level == 1)
		zap_leaves(g, child, start, end);
	else
		zap_in(g, child, start, end);
	return child->table_nr == 0;
}

static void zap_in(struct gather *g, struct page *table, vaddr_t start, vaddr_t end)
{
	unsigned level = table->table_level;
	struct span s = span_of(table, start, end);
	arch_pte *entry = entries_of(table);

	for (unsigned i = s.first; i <= s.last; i++) {
		size_t size = pgtable_level_size(level);
		arch_pte pte = entry[i];
		vaddr_t at = va_of(start, i, level), from = MAX(start, at),
			to = MIN(end, at + size);

		if (!pte)
			continue;
		if (is_leaf(pte, level)) {
			gather_range(g, at, at + size);
			g->vm->nr_resident -= pages_of_level(level);
		} else if (!zap_below(g, &entry[i], level, from, to)) {
			continue;
		}
		WRITE_ONCE(entry[i], 0);
		table->table_nr--;
		if (!is_leaf(pte, level))
			gather_table(g, page_of(pte, level));
		else if (!arch_pte_is_special(pte))
			gather_page(g, page_of(pte, level));
	}
}

void vmtable_zap(struct vmspace *vm, vaddr_t start, vaddr_t end, struct gather *g)
{
	zap_in(g, vmspace_root(vm), start, end);
}

struct visit_job {
	vmtable_visit *fn;
	void *ctx;
};

static void visit_in(const struct visit_job *j, struct page *table, vaddr_t start, vaddr_t end)
{
	unsigned level = table->table_level;
	struct span s = span_of(table, start, end);
	arch_pte *entry = entries_of(table);

	for (unsigned i = s.first; i <= s.last; i++) {
		vaddr_t at = va_of(start, i, level);

		if (!entry[i])
			continue;
		if (is_leaf(entry[i], level)) {
			struct entry_place e = {table, &entry[i]};

			j->fn(&e, at, level, j->ctx);
		} else {
			visit_in(j, page_of(entry[i], level), MAX(start, at),
				MIN(end, at + pgtable_level_size(level)));
		}
	}
}

void vmtable_for_each(
	struct vmspace *vm, vaddr_t start, vaddr_t end, vmtable_visit *fn, void *ctx)
{
	visit_in(&(struct visit_job){fn, ctx}, vmspace_root(vm), start, end);
}

/* ---- Truncation ---- */

struct take_job {
	struct vmspace *vm;
	struct page **pages;
	unsigned nr, max;
	bool anon_too, is_shared;
};

static void take_in(
	struct take_job *j, struct page *table, vaddr_t start, vaddr_t end, bool is_shared)
{
	unsigned level = table->table_level;
	struct span s = span_of(table, start, end);
	arch_pte *entry = entries_of(table);

	for (unsigned i = s.first; i <= s.last && j->nr < j->max; i++) {
		arch_pte pte = READ_ONCE(entry[i]);
		vaddr_t at = va_of(start, i, level);

		if (!pte)
			continue;
		if (!is_leaf(pte, level)) {
			take_in(j, page_of(pte, level), MAX(start, at),
				MIN(end, at + pgtable_level_size(level)),
				is_shared || !arch_pte_is_writable(pte));
			continue;
		}
		if (arch_pte_is_special(pte) || (arch_pte_is_anon(pte) && !j->anon_too))
			continue;
		WRITE_ONCE(entry[i], 0);
		table->table_nr--;
		j->vm->nr_resident -= pages_of_level(level);
		j->pages[j->nr++] = page_of(pte, level);
		j->is_shared |= is_shared;
	}
}

unsigned vmtable_take_out(struct vmspace *vm, vaddr_t start, vaddr_t end, bool anon_too,
	struct page **pages, unsigned max, bool *is_shared)
{
	struct take_job j = {.vm = vm, .pages = pages, .max = max, .anon_too = anon_too};

	spinlock_lock(&split_lock); /* others may be taking out of the same shared table */
	take_in(&j, vmspace_root(vm), start, end, false);
	spinlock_unlock(&split_lock);
	*is_shared = j.is_shared;
	return j.nr;
}

/* ---- Moving ---- */

/* The step that one entry takes: a whole table of leaves where both sides allow, else a page. */
static unsigned move_level(vaddr_t from, vaddr_t to, size_t left)
{
	size_t size = pgtable_level_size(1);

	return left >= size && IS_ALIGNED(from | to, size) ? 1 : 0;
}

int vmtable_move(struct vmspace *vm, vaddr_t from, vaddr_t to, size_t size, struct gather *g,
	size_t *moved)
{
	gather_range(g, from, from + size);
	for (*moved = 0; *moved < size;) {
		vaddr_t old_va = from + *moved, new_va = to + *moved;
		unsigned want = move_level(old_va, new_va, size - *moved), found, level = want;
		struct entry_place src, dst;
		arch_pte pte = vmtable_look(vm, old_va, &found);
		size_t step = pgtable_level_size(want);
		int err;

		if (!pte &&
			found >= want) { /* nothing until the next border of what is missing */
			vaddr_t next = ALIGN_DOWN(old_va, pgtable_level_size(found)) +
				       pgtable_level_size(found);

			*moved = MIN(size, next - from);
			continue;
		}
		err = vmtable_reach(vm, new_va, &level, false, g, &dst);
		level = want;
		err = err ? err : vmtable_reach(vm, old_va, &level, false, g, &src);
		if (err)
			return err;
		if (*src.at) {
			pte = *src.at;
			if (*dst.at) { /* an empty table that an earlier mapping left */
				assert(want == 1 && !is_leaf(*dst.at, 1));
				gather_table(g, page_of(*dst.at, 1));
				vmtable_set(&dst, 0);
			}
			vmtable_set(&src, 0);
			vmtable_set(&dst, pte);
		}
		*moved += step;
	}
	return 0;
}

/* ---- Life ---- */

/* The kernel's half of a root: of its 256 entries, a handful is ever used, and none changes. */
static void copy_kernel_half(arch_pte *to, const arch_pte *from)
{
	for (uint64_t left = kernel_groups; left; left &= left - 1) {
		unsigned first = VMTABLE_GROUP * bits_lowest(left);

		for (unsigned i = first; i < first + VMTABLE_GROUP; i++)
			to[i] = from[i];
	}
}

static void clear_kernel_half(arch_pte *entry)
{
	for (uint64_t left = kernel_groups; left; left &= left - 1) {
		unsigned first = VMTABLE_GROUP * bits_lowest(left);

		for (unsigned i = first; i < first + VMTABLE_GROUP; i++)
			entry[i] = 0;
	}
}

void vmtable_init(void)
{
	const arch_pte *root = phys_to_virt(vmspace_kernel_root);

	for (unsigned i = USER_ENTRIES; i < ENTRIES; i++)
		if (root[i])
			kernel_groups |= 1ul << (i / VMTABLE_GROUP);
}

int vmtable_create(struct vmspace *vm)
{
	struct page *root;
	int err = table_alloc(&root, ARCH_TOP_LEVEL);

	if (err)
		return err;
	if (kernel_groups)
		copy_kernel_half(entries_of(root), phys_to_virt(vmspace_kernel_root));
	vm->root = page_to_phys(root);
	return 0;
}

void vmtable_destroy(struct vmspace *vm)
{
	struct page *root = vmspace_root(vm);

	table_empty(root);
	clear_kernel_half(entries_of(root));
	page_free_zeroed(root);
}
