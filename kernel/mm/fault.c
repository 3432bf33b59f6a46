// SPDX-License-Identifier: MIT
/*
 * Page faults: bringing in the page that a program, or the kernel copying for it, has touched.
 *
 *     anonymous, absent    a zeroed page; read before it is ever written: the one zero page;
 *                          2 MiB at once where the region has room and wants it
 *     a source, absent     the source's page; private and written: a copy of it
 *     there, not writable  the page itself if nobody else has it, else a copy
 *
 * Pages are found, zeroed and filled before vm->table_lock is taken: the hardware says
 * whether something was there (FAULT_PRESENT). Under the lock the entry is looked at again; when
 * another thread was faster, the fault is over and the program tries again.
 *
 * Truncation (mm/page_source.c) takes pages away while vm->lock is held by nobody: a fault reads
 * source->truncations before it asks for a page and again under table_lock, and starts over when it changed.
 *
 * Locks   vm->lock to read for the whole of a fault; to write while a stack grows.
 */
#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/oom.h"
#include "mm/pgtable.h"
#include "mm/phys.h"
#include "mm/tlb.h"
#include "mm/vmspace_priv.h"
#include "sched/thread.h"

#include <asm/siginfo.h>

enum {
	AROUND_PAGES = 16, /* aligned: so many pages of a source are mapped by one fault */
	HUGE_LEVEL = 1,
	HUGE_ORDER = 9,
};
#define HUGE_SIZE (2 * MIB)

struct fault {
	struct vmspace *vm;
	struct region *r;
	vaddr_t addr;
	unsigned flags; /* FAULT_* */
	int *code;
};

unsigned region_pte_flags(uint32_t vm_flags)
{
	unsigned flags = PTE_USER;

	if (vm_flags & VM_EXEC)
		flags |= PTE_EXEC;
	if (!(vm_flags & VM_ACCESS))
		flags |= PTE_NONE;
	return flags;
}

static bool is_write(const struct fault *f)
{
	return f->flags & FAULT_WRITE;
}

/* A page more is present. */
static void note_resident(struct vmspace *vm, uint64_t pages)
{
	vm->nr_resident += pages;
	if (vm->nr_resident > vm->peak_resident)
		vm->peak_resident = vm->nr_resident;
}

/* Puts an entry where none is. False: somebody else did; the page is still the caller's. */
static int install(struct fault *f, arch_pte pte, struct gather *g, bool *is_new)
	MUST_HOLD(f->vm->table_lock)
{
	struct entry_place e;
	unsigned level = 0;
	int err = vmtable_reach(f->vm, f->addr, &level, true, g, &e);

	*is_new = !err && !*e.at;
	if (*is_new) {
		vmtable_set(&e, pte);
		note_resident(f->vm, 1);
	}
	return err;
}

/* For a page of our own: writable, if the region is (a forced write may be to one that is not). */
static unsigned own_page_flags(const struct fault *f)
{
	return region_pte_flags(f->r->flags) | PTE_ANON |
	       (f->r->flags & VM_WRITE ? PTE_WRITE : 0);
}

/* Tables have to be made, or made private, or it is no table that is there. */
static NOINLINE int install_own_page_slowly(struct fault *f, struct page *p)
{
	struct gather g;
	bool is_new;
	int err;

	gather_init(&g, f->vm);
	spinlock_lock(&f->vm->table_lock);
	err = install(f, f->r->own_leaf | page_to_phys(p), &g, &is_new);
	spinlock_unlock(&f->vm->table_lock);
	if (UNLIKELY(!is_new))
		page_put(p);
	gather_finish(&g);
	return err;
}

static int install_own_page(struct fault *f, struct page *p)
{
	arch_pte *entry;

	spinlock_lock(&f->vm->table_lock);
	entry = vmtable_entry(f->vm, f->addr);
	if (UNLIKELY(!entry || *entry)) {
		spinlock_unlock(&f->vm->table_lock);
		return install_own_page_slowly(f, p);
	}
	WRITE_ONCE(*entry, f->r->own_leaf | page_to_phys(p));
	vmtable_note_used(entry);
	note_resident(f->vm, 1);
	spinlock_unlock(&f->vm->table_lock);
	return 0;
}

/* ---- Anonymous ---- */

static ALWAYS_INLINE bool wants_huge(const struct region *r, vaddr_t addr)
{
	vaddr_t start = ALIGN_DOWN(addr, HUGE_SIZE);

	return start >= r->start && start + HUGE_SIZE <= r->end &&
	       !(r->flags & (VM_NOHUGE | VM_GROWSDOWN | VM_SPECIAL));
}

/* 0 and *is_done false: small pages, then. */
static int fault_huge(struct fault *f, bool *is_done)
{
	unsigned flags = own_page_flags(f), level = HUGE_LEVEL;
	vaddr_t start = ALIGN_DOWN(f->addr, HUGE_SIZE);
	struct entry_place e;
	struct gather g;
	struct page *p;
	int err;

	*is_done = false;
	gather_init(&g, f->vm);
	spinlock_lock(&f->vm->table_lock);
	err = vmtable_reach(f->vm, start, &level, true, &g, &e);
	*is_done = !err && !*e.at;
	spinlock_unlock(&f->vm->table_lock);
	if (!*is_done || page_alloc(&p, HUGE_ORDER, PAGE_ALLOC_ZERO)) {
		*is_done = false;
		gather_finish(&g);
		return err;
	}
	spinlock_lock(&f->vm->table_lock);
	level = HUGE_LEVEL;
	err = vmtable_reach(f->vm, start, &level, true, &g, &e);
	if (!err && !*e.at) {
		vmtable_set(&e, arch_pte_leaf(page_to_phys(p), flags, HUGE_LEVEL));
		note_resident(f->vm, HUGE_SIZE / PAGE_SIZE);
	} else {
		gather_page(&g, p);
	}
	spinlock_unlock(&f->vm->table_lock);
	gather_finish(&g);
	return err;
}

static int map_zero_page(struct fault *f)
{
	unsigned flags = region_pte_flags(f->r->flags) | PTE_SPECIAL;
	struct gather g;
	bool is_new;
	int err;

	gather_init(&g, f->vm);
	spinlock_lock(&f->vm->table_lock);
	err = install(f, arch_pte_leaf(page_to_phys(vmspace_zero_page), flags, 0), &g, &is_new);
	spinlock_unlock(&f->vm->table_lock);
	gather_finish(&g);
	return err;
}

static int fault_anon(struct fault *f)
{
	struct page *p;
	int err;

	if (UNLIKELY(wants_huge(f->r, f->addr))) {
		bool is_done;

		err = fault_huge(f, &is_done);
		if (err || is_done)
			return err;
	}
	if (!is_write(f))
		return map_zero_page(f);
	err = page_alloc_zeroed(&p);
	return err ? err : install_own_page(f, p);
}

/* ---- From a source ---- */

static uint64_t index_in_source(const struct region *r, vaddr_t addr)
{
	return r->offset_pages + ((addr - r->start) >> PAGE_SHIFT);
}

/* The source's own page may be written: a shared mapping, by a write that get_page knows of. */
static unsigned source_pte_flags(const struct fault *f)
{
	unsigned flags = region_pte_flags(f->r->flags);

	if (is_write(f) && (f->r->flags & (VM_SHARED | VM_WRITE)) == (VM_SHARED | VM_WRITE))
		flags |= PTE_WRITE;
	return flags;
}

static bool was_truncated(const struct region *r, uint32_t seen)
{
	/* pairs with the addition in page_source_unmap, which is before it takes table_lock */
	return atomic_load_acquire(&r->source->truncations) != seen;
}

/* Pages beside the one that was asked for, if they are there: read-only, none is waited for. */
static void map_around(struct fault *f, uint32_t seen)
{
	vaddr_t start = MAX(ALIGN_DOWN(f->addr, AROUND_PAGES * PAGE_SIZE), f->r->start);
	vaddr_t end =
		MIN(ALIGN_DOWN(f->addr, AROUND_PAGES * PAGE_SIZE) + AROUND_PAGES * PAGE_SIZE,
			f->r->end);
	unsigned nr = (unsigned)((end - start) >> PAGE_SHIFT),
		 flags = region_pte_flags(f->r->flags);
	struct page *pages[AROUND_PAGES];
	struct entry_place e;
	unsigned level = 0;
	struct gather g;

	f->r->source->ops->find_pages(f->r->source, index_in_source(f->r, start), nr, pages);
	gather_init(&g, f->vm);
	spinlock_lock(&f->vm->table_lock);
	/* all in one table: AROUND_PAGES divide it */
	if (!vmtable_reach(f->vm, start, &level, true, &g, &e) && level == 0 &&
		!was_truncated(f->r, seen)) {
		for (unsigned i = 0; i < nr; i++, e.at++) {
			if (!pages[i] || *e.at)
				continue;
			vmtable_set(&e, arch_pte_leaf(page_to_phys(pages[i]), flags, 0));
			note_resident(f->vm, 1);
			pages[i] = NULL;
		}
	}
	spinlock_unlock(&f->vm->table_lock);
	for (unsigned i = 0; i < nr; i++)
		if (pages[i])
			page_put(pages[i]);
	gather_finish(&g);
}

/* Maps p, with its reference, unless the source was truncated meanwhile (or somebody else did). */
static int install_source_page(struct fault *f, struct page *p, uint32_t seen)
{
	arch_pte pte = arch_pte_leaf(page_to_phys(p), source_pte_flags(f), 0);
	bool is_new = false;
	struct gather g;
	int err = 0;

	gather_init(&g, f->vm);
	spinlock_lock(&f->vm->table_lock);
	if (!was_truncated(f->r, seen))
		err = install(f, pte, &g, &is_new);
	spinlock_unlock(&f->vm->table_lock);
	if (!is_new)
		page_put(p);
	gather_finish(&g);
	return err;
}

/* A private mapping is written: a copy of what the source has. */
static int install_private_copy(struct fault *f, struct page *original)
{
	struct page *p;
	int err = page_alloc(&p, 0, 0);

	if (!err)
		memcpy(page_to_virt(p), page_to_virt(original), PAGE_SIZE);
	page_put(original);
	return err ? err : install_own_page(f, p);
}

static int fault_source(struct fault *f)
{
	struct page_source *s = f->r->source;
	bool is_shared = f->r->flags & VM_SHARED;
	uint32_t seen = atomic_load_acquire(&s->truncations);
	struct page *p;
	int err;

	err = s->ops->get_page(s, index_in_source(f->r, f->addr), is_write(f) && is_shared, &p);
	if (err == -ENOMEM)
		return err;
	if (err) {
		*f->code = BUS_ADRERR;
		return -EIO;
	}
	if (is_write(f) && !is_shared)
		return install_private_copy(f, p);
	err = install_source_page(f, p, seen);
	if (!err && !is_write(f) && s->ops->find_pages)
		map_around(f, seen);
	return err;
}

/* ---- Present, but not writable ---- */

/* A copy of *old takes its place, if it still is what the entry says. */
static int replace_by_copy(struct fault *f, struct page *old, arch_pte seen)
{
	unsigned flags = own_page_flags(f), level = 0;
	struct entry_place e;
	struct gather g;
	struct page *p;
	int err;

	err = old == vmspace_zero_page ? page_alloc_zeroed(&p) : page_alloc(&p, 0, 0);
	if (err)
		return err;
	if (old != vmspace_zero_page)
		memcpy(page_to_virt(p), page_to_virt(old), PAGE_SIZE);
	gather_init(&g, f->vm);
	spinlock_lock(&f->vm->table_lock);
	err = vmtable_reach(f->vm, f->addr, &level, true, &g, &e);
	if (!err && *e.at == seen) {
		vmtable_set(&e, arch_pte_leaf(page_to_phys(p), flags, level));
		gather_range(&g, f->addr, f->addr + PAGE_SIZE);
		if (!arch_pte_is_special(seen))
			gather_page(&g, old);
	} else {
		gather_page(&g, p);
	}
	spinlock_unlock(&f->vm->table_lock);
	gather_finish(&g);
	return err;
}

/*
 * What is to be done about a present entry: nothing more (0), make a copy of *old, which is held
 * (unless special) (1), or go to the source (2).
 */
enum present { PRESENT_DONE, PRESENT_COPY, PRESENT_SOURCE };

static enum present look_at_present(
	struct fault *f, struct entry_place *e, unsigned level, struct page **old)
{
	arch_pte pte = *e->at;

	if (!is_write(f) || arch_pte_is_writable(pte))
		return PRESENT_DONE; /* another thread, or another CPU's stale entry */
	if (f->r->flags & VM_SHARED) {
		return PRESENT_SOURCE;
	}
	*old = pfn_to_page(arch_pte_paddr(pte, level) >> PAGE_SHIFT);
	if (arch_pte_is_anon(pte) && (level > 0 || page_is_sole(*old))) {
		if (f->r->flags & VM_WRITE)
			vmtable_set(e, arch_pte_make_writable(pte));
		return PRESENT_DONE;
	}
	if (!arch_pte_is_special(pte))
		page_get(*old);
	return PRESENT_COPY;
}

/* The source hears of the first write to a page of a shared mapping. */
static int write_shared(struct fault *f, arch_pte seen)
{
	struct page_source *s = f->r->source;
	uint32_t truncations = atomic_load_acquire(&s->truncations);
	struct entry_place e;
	unsigned level = 0;
	struct gather g;
	struct page *p;
	int err = s->ops->get_page(s, index_in_source(f->r, f->addr), true, &p);

	if (err == -ENOMEM)
		return err;
	if (err) {
		*f->code = BUS_ADRERR;
		return -EIO;
	}
	gather_init(&g, f->vm);
	spinlock_lock(&f->vm->table_lock);
	err = vmtable_reach(f->vm, f->addr, &level, true, &g, &e);
	if (!err && *e.at == seen && !was_truncated(f->r, truncations)) {
		vmtable_set(&e, arch_pte_leaf(page_to_phys(p), source_pte_flags(f), 0));
		gather_range(&g, f->addr, f->addr + PAGE_SIZE);
		p = pfn_to_page(
			arch_pte_paddr(seen, 0) >> PAGE_SHIFT); /* now the one to drop */
		if (arch_pte_is_special(seen))
			p = NULL;
	}
	spinlock_unlock(&f->vm->table_lock);
	if (p)
		gather_page(&g, p);
	gather_finish(&g);
	return err;
}

static NOINLINE int fault_present_slowly(struct fault *f, bool *is_absent)
{
	enum present what = PRESENT_DONE;
	struct page *old = NULL;
	struct entry_place e;
	unsigned level = 0;
	arch_pte seen = 0;
	struct gather g;
	int err;

	gather_init(&g, f->vm);
	spinlock_lock(&f->vm->table_lock);
	err = vmtable_reach(f->vm, f->addr, &level, true, &g, &e);
	if (!err) {
		*is_absent = !*e.at;
		if (*e.at)
			what = look_at_present(f, &e, level, &old);
		seen = *e.at;
	}
	spinlock_unlock(&f->vm->table_lock);
	gather_finish(&g);
	if (err || what == PRESENT_DONE)
		return err;
	if (what == PRESENT_SOURCE)
		return write_shared(f, seen);
	err = replace_by_copy(f, old, seen);
	if (!arch_pte_is_special(seen))
		page_put(old);
	return err;
}

/* A private page that others see as well: `seen` becomes a copy of it, if it still is there. */
static int copy_page(struct fault *f, arch_pte seen, struct page *old)
{
	arch_pte *entry;
	struct page *p;
	int err = page_alloc(&p, 0, 0);

	if (UNLIKELY(err)) {
		page_put(old);
		return err;
	}
	memcpy(page_to_virt(p), page_to_virt(old), PAGE_SIZE);
	spinlock_lock(&f->vm->table_lock);
	entry = vmtable_entry(f->vm, f->addr);
	if (LIKELY(entry && *entry == seen)) {
		WRITE_ONCE(*entry, f->r->own_leaf | page_to_phys(p));
		spinlock_unlock(&f->vm->table_lock);
		tlb_flush_vm(f->vm, f->addr, PAGE_SIZE);
		page_put(old); /* the entry's; ours comes below */
	} else {
		spinlock_unlock(&f->vm->table_lock);
		page_put(p); /* another thread was faster, or will be asked again */
	}
	page_put(old);
	return 0;
}

/* The common cases, in tables that are ours already; the others go the slow way. */
static int fault_present(struct fault *f, bool *is_absent)
{
	arch_pte *entry, seen;
	struct page *old;

	spinlock_lock(&f->vm->table_lock);
	entry = vmtable_entry(f->vm, f->addr);
	seen = entry ? *entry : 0;
	if (seen && arch_pte_is_writable(seen)) {
		spinlock_unlock(&f->vm->table_lock); /* another thread was faster */
		return 0;
	}
	if (UNLIKELY(!seen || !is_write(f) || !arch_pte_is_anon(seen) ||
		     (f->r->flags & (VM_SHARED | VM_WRITE)) != VM_WRITE)) {
		spinlock_unlock(&f->vm->table_lock);
		return fault_present_slowly(f, is_absent);
	}
	old = pfn_to_page(arch_pte_paddr(seen, 0) >> PAGE_SHIFT);
	if (page_is_sole(old)) {
		WRITE_ONCE(*entry, arch_pte_make_writable(seen));
		spinlock_unlock(&f->vm->table_lock);
		return 0;
	}
	page_get(old);
	spinlock_unlock(&f->vm->table_lock);
	return copy_page(f, seen, old);
}

/* ---- The decision ---- */

static bool is_allowed(const struct fault *f)
{
	uint32_t flags = f->r->flags;

	if (f->flags & FAULT_WRITE)
		return flags & VM_WRITE;
	if (f->flags & FAULT_EXEC)
		return flags & VM_EXEC;
	return flags & VM_ACCESS; /* the hardware cannot forbid reading alone */
}

static int handle(struct fault *f)
{
	bool is_absent = false;
	int err;

	if (f->flags & FAULT_PRESENT) {
		err = fault_present(f, &is_absent);
		if (err || !is_absent)
			return err;
	}
	return f->r->source ? fault_source(f) : fault_anon(f);
}

/* The stack below addr's page grows down to it. vm->lock held to write. */
static int grow_stack_locked(struct vmspace *vm, vaddr_t addr)
{
	struct region *r = region_at_or_after(vm, addr), *prev;
	vaddr_t start = ALIGN_DOWN(addr, PAGE_SIZE);
	struct vm_limits limits;
	uint64_t pages;
	int err;

	if (!r || !(r->flags & VM_GROWSDOWN))
		return -EFAULT;
	if (r->start <= addr)
		return 0; /* another thread did it */
	prev = region_prev(r);
	if (start < VM_MIN_ADDR ||
		(prev && (prev->flags & VM_ACCESS) && !(prev->flags & VM_GROWSDOWN) &&
			start - prev->end < VM_STACK_GUARD_PAGES * PAGE_SIZE))
		return -EFAULT;
	if (prev && start < prev->end)
		return -EFAULT;
	vmspace_limits(&limits);
	if (r->end - start > limits.stack)
		return -EFAULT;
	pages = (r->start - start) >> PAGE_SHIFT;
	if ((r->flags & VM_LOCKED) && !limits.may_lock &&
		(vm->nr_locked + pages) << PAGE_SHIFT > limits.memlock)
		return -EFAULT;
	err = vmspace_charge(vm, pages, r->flags);
	if (err)
		return -EFAULT;
	region_resize(r, start, r->end);
	return 0;
}

static NOINLINE int grow_stack(struct vmspace *vm, vaddr_t addr)
{
	int err;

	rwlock_write_lock(&vm->lock);
	err = grow_stack_locked(vm, addr);
	rwlock_write_unlock(&vm->lock);
	return err;
}

/* One try under the lock. -EAGAIN: there may be a stack to grow. */
static int fault_locked(struct fault *f)
{
	f->r = region_find(f->vm, f->addr);
	if (UNLIKELY(!f->r)) {
		*f->code = SEGV_MAPERR;
		return -EAGAIN;
	}
	if (UNLIKELY(!is_allowed(f))) {
		*f->code = SEGV_ACCERR;
		return -EFAULT;
	}
	return handle(f);
}

/*
 * The commonest fault of all in one piece: the first write to a small page of a private anonymous
 * region whose table is there. False: nothing was done.
 */
static ALWAYS_INLINE bool fault_shortest(struct vmspace *vm, vaddr_t addr, unsigned flags)
{
	struct region *r;
	arch_pte *entry;
	struct page *p;

	if ((flags & (FAULT_WRITE | FAULT_PRESENT)) != FAULT_WRITE)
		return false;
	r = region_find(vm, addr);
	if (!r || r->source || !(r->flags & VM_WRITE) || wants_huge(r, addr) ||
		page_alloc_zeroed(&p))
		return false;
	spinlock_lock(&vm->table_lock);
	entry = vmtable_entry(vm, addr);
	if (UNLIKELY(!entry || *entry)) {
		spinlock_unlock(&vm->table_lock);
		page_put(p);
		return false;
	}
	WRITE_ONCE(*entry, r->own_leaf | page_to_phys(p));
	vmtable_note_used(entry);
	note_resident(vm, 1);
	spinlock_unlock(&vm->table_lock);
	return true;
}

/* Everything else. vm->lock is held for the first try, and given back. */
static NOINLINE int fault_in_general(struct vmspace *vm, vaddr_t addr, unsigned fault_flags,
	int *code) RELEASES_SHARED(vm->lock)
{
	struct fault f = {.vm = vm,
		.addr = ALIGN_DOWN(addr, PAGE_SIZE),
		.flags = fault_flags,
		.code = code};
	int err;

	for (;;) {
		err = fault_locked(&f);
		rwlock_read_unlock(&vm->lock);
		if (LIKELY(!err))
			return 0;
		if (err == -EAGAIN)
			err = grow_stack(vm, addr);
		else if (err == -ENOMEM && oom_kill())
			err = 0;
		else if (err == -ENOMEM && thread_is_killed())
			err = -EINTR; /* we are the one that ends */
		if (err)
			return err;
		rwlock_read_lock(&vm->lock);
	}
}

int vmspace_fault(struct vmspace *vm, vaddr_t addr, unsigned fault_flags, int *code)
{
	rwlock_read_lock(&vm->lock);
	if (UNLIKELY(!fault_shortest(vm, addr, fault_flags)))
		return fault_in_general(vm, addr, fault_flags, code);
	rwlock_read_unlock(&vm->lock);
	return 0;
}

static bool is_something_there(struct vmspace *vm, vaddr_t va)
{
	unsigned level;
	arch_pte pte;

	spinlock_lock(&vm->table_lock);
	pte = vmtable_look(vm, va, &level);
	spinlock_unlock(&vm->table_lock);
	return pte != 0;
}

int vmspace_fault_forced(struct vmspace *vm, struct region *r, vaddr_t addr, bool write)
{
	int code;
	struct fault f = {.vm = vm, .r = r, .addr = ALIGN_DOWN(addr, PAGE_SIZE), .code = &code};

	f.flags =
		(write ? FAULT_WRITE : 0) | (is_something_there(vm, addr) ? FAULT_PRESENT : 0);
	return handle(&f);
}

/* vm->lock held. */
static int populate_page(struct vmspace *vm, vaddr_t va, enum populate how)
{
	int code;
	struct fault f = {.vm = vm, .r = region_find(vm, va), .addr = va, .code = &code};

	if (!f.r)
		return -ENOMEM;
	if (!(f.r->flags & VM_ACCESS))
		return -EFAULT;
	f.flags = is_something_there(vm, va) ? FAULT_PRESENT : 0;
	if (how == POPULATE_WRITE ||
		(how == POPULATE_LOCK && (f.r->flags & (VM_WRITE | VM_SHARED)) == VM_WRITE))
		f.flags |= FAULT_WRITE;
	return is_allowed(&f) ? handle(&f) : -EFAULT;
}

int vmspace_populate(struct vmspace *vm, vaddr_t start, vaddr_t end, enum populate how)
{
	for (vaddr_t va = start; va < end; va += PAGE_SIZE) {
		int err;

		rwlock_read_lock(&vm->lock);
		err = populate_page(vm, va, how);
		rwlock_read_unlock(&vm->lock);
		if (err)
			return err;
	}
	return 0;
}
