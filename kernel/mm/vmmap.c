// SPDX-License-Identifier: MIT
/*
 * Changing what is mapped: mmap, munmap, mprotect, brk.
 *
 * Every change has the same order: what can fail (new regions, limits, tables that must become
 * private) comes before what cannot (taking pages out, changing entries), so an error leaves the address
 * space as it was; only borders between regions may have been added, which nobody can see.
 *
 * Locks   vm->lock to write; vm->table_lock around the tables.
 * Spec    man 2 mmap, munmap, mprotect, brk
 */
#include "lib/assert.h"
#include "mm/pgtable.h"
#include "mm/phys.h"
#include "mm/vmspace_priv.h"

#include <linux/mman.h>

/* MAP_32BIT: man 2 mmap, "the first 2 Gigabytes"; Linux searches the upper one of them. */
#define LOW_START 0x40000000ul
#define LOW_END   0x80000000ul

/* ---- Limits ---- */

int vmspace_charge(struct vmspace *vm, uint64_t pages, uint32_t flags)
{
	struct vm_limits limits;

	vmspace_limits(&limits);
	if (UNLIKELY(vm->nr_mapped + pages > limits.as >> PAGE_SHIFT))
		return -ENOMEM;
	if (region_is_data(flags) && UNLIKELY(vm->nr_data + pages > limits.data >> PAGE_SHIFT))
		return -ENOMEM;
	return region_is_accounted(flags) ? vm_commit(pages) : 0;
}

void vmspace_uncharge(struct vmspace *vm UNUSED, uint64_t pages, uint32_t flags)
{
	if (region_is_accounted(flags))
		vm_uncommit(pages);
}

/* -EAGAIN as mmap(MAP_LOCKED) says it, when more would be locked than may. */
static int check_locked(const struct vmspace *vm, uint64_t pages)
{
	struct vm_limits limits;

	vmspace_limits(&limits);
	if (limits.may_lock || vm->nr_locked + pages <= limits.memlock >> PAGE_SHIFT)
		return 0;
	return -EAGAIN;
}

/* ---- Unmapping ---- */

/* The regions of the range are out of the tree; their tables are emptied, then they are freed. */
static void zap(struct vmspace *vm, vaddr_t start, vaddr_t end)
{
	struct gather g;

	gather_init(&g, vm);
	spinlock_lock(&vm->table_lock);
	vmtable_zap(vm, start, end, &g);
	spinlock_unlock(&vm->table_lock);
	gather_finish(&g);
}

/* Makes the tables ready for a zap or a change of the range. */
static int prepare(struct vmspace *vm, vaddr_t start, vaddr_t end, bool is_everything)
{
	struct gather g;
	int err;

	gather_init(&g, vm);
	spinlock_lock(&vm->table_lock);
	err = vmtable_prepare(vm, start, end, is_everything, &g);
	spinlock_unlock(&vm->table_lock);
	gather_finish(&g);
	return err;
}

/* From r on, up to end: borders are right, nothing can fail. */
static void remove_regions(struct vmspace *vm, struct region *r, vaddr_t end)
{
	while (r && r->start < end) {
		struct region *next = region_next(r);

		vmspace_uncharge(vm, region_pages(r), r->flags);
		region_erase(r);
		region_release(r);
		r = next;
	}
}

int vmspace_unmap_locked(struct vmspace *vm, vaddr_t start, vaddr_t end)
{
	struct region *r;
	int err;

	/* for a range that no border of a region cuts, this finds and allocates nothing */
	err = region_isolate(vm, start, end, &r);
	if (err || !r)
		return err;
	err = prepare(vm, start, end, false);
	if (err)
		return err;
	/* With the source's pages out of the tables before the region leaves its list, truncation
	 * finds either the region or nothing of it. */
	zap(vm, start, end);
	remove_regions(vm, r, end);
	return 0;
}

static bool is_range_ok(vaddr_t start, size_t size)
{
	return IS_ALIGNED(start, PAGE_SIZE) && size > 0 && size <= ARCH_USER_END &&
	       start <= ARCH_USER_END - size;
}

int vmspace_unmap(struct vmspace *vm, vaddr_t start, size_t size)
{
	int err;

	size = ALIGN_UP(size, PAGE_SIZE);
	if (!is_range_ok(start, size))
		return -EINVAL;
	rwlock_write_lock(&vm->lock);
	err = vmspace_unmap_locked(vm, start, start + size);
	vmspace_unlock(vm);
	return err;
}

static bool is_piece(const struct region *r, vaddr_t start, const struct page_source_ops *ops)
{
	return r->source && r->source->ops == ops && r->start >= start &&
	       (r->start - start) >> PAGE_SHIFT == r->offset_pages;
}

static int unmap_source_locked(
	struct vmspace *vm, vaddr_t start, const struct page_source_ops *ops)
{
	const struct page_source *source = NULL; /* of the first piece */
	const struct region *r;
	int err = -EINVAL;

	for (vaddr_t at = start; (r = region_at_or_after(vm, at)) != NULL;) {
		at = r->end;
		if (!is_piece(r, start, ops) || (source && r->source != source))
			continue;
		source = r->source;
		err = vmspace_unmap_locked(vm, r->start, r->end);
		if (err)
			break;
	}
	return err;
}

int vmspace_unmap_source(struct vmspace *vm, vaddr_t start, const struct page_source_ops *ops)
{
	int err;

	rwlock_write_lock(&vm->lock);
	err = unmap_source_locked(vm, start, ops);
	vmspace_unlock(vm);
	return err;
}

/* ---- Mapping ---- */

static vaddr_t find_place(const struct vmspace *vm, size_t size, uint32_t map_flags)
{
	vaddr_t at;

	if (map_flags & MAP_32BIT)
		return region_find_gap(vm, size, LOW_START, LOW_END);
	at = region_find_gap(vm, size, VM_MIN_ADDR, vm->mmap_top);
	return at ? at : region_find_gap(vm, size, VM_MIN_ADDR, ARCH_USER_END);
}

/* Whether [at, at + size) is free, the guard gap of a stack above left alone. */
static bool is_free(const struct vmspace *vm, vaddr_t at, size_t size)
{
	const struct region *r = region_at_or_after(vm, at);

	if (!r)
		return true;
	if (r->flags & VM_GROWSDOWN && r->start >= at + size)
		return r->start - (at + size) >= VM_STACK_GUARD_PAGES * PAGE_SIZE;
	return r->start >= at + size;
}

static int choose_hinted(
	const struct vmspace *vm, const struct map_req *req, size_t size, vaddr_t *out)
{
	vaddr_t hint = ALIGN_DOWN(req->addr, PAGE_SIZE);

	if (hint && size <= ARCH_USER_END - VM_MIN_ADDR) {
		hint = MAX(hint, VM_MIN_ADDR);
		if (hint <= ARCH_USER_END - size && is_free(vm, hint, size) &&
			!((req->map_flags & MAP_32BIT) && hint + size > LOW_END)) {
			*out = hint;
			return 0;
		}
	}
	*out = find_place(vm, size, req->map_flags);
	return *out ? 0 : -ENOMEM;
}

/* Where it goes; with MAP_FIXED what was there is gone. */
static int choose_place(
	struct vmspace *vm, const struct map_req *req, size_t size, vaddr_t *out)
{
	if (LIKELY(!(req->map_flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)))) {
		if (LIKELY(!req->addr)) {
			*out = find_place(vm, size, req->map_flags);
			return *out ? 0 : -ENOMEM;
		}
		return choose_hinted(vm, req, size, out);
	}
	if (!IS_ALIGNED(req->addr, PAGE_SIZE))
		return -EINVAL;
	if (size > ARCH_USER_END || req->addr > ARCH_USER_END - size)
		return -ENOMEM;
	if (req->addr < VM_MIN_ADDR)
		return -EPERM;
	*out = req->addr;
	if (req->map_flags & MAP_FIXED_NOREPLACE) {
		const struct region *r = region_at_or_after(vm, req->addr);

		return r && r->start < req->addr + size ? -EEXIST : 0;
	}
	return vmspace_unmap_locked(vm, req->addr, req->addr + size);
}

static int add_region(
	struct vmspace *vm, const struct map_req *req, uint32_t flags, vaddr_t at, size_t size)
{
	struct region *r;
	int err;

	if (UNLIKELY(vm->nr_regions >= VM_MAX_REGIONS))
		return -ENOMEM;
	r = region_alloc();
	if (!r)
		return -ENOMEM;
	r->start = at;
	r->end = at + size;
	r->flags = flags;
	r->offset_pages = req->offset_pages;
	r->label = req->label;
	if (req->source) {
		err = region_attach_source(r, req->source);
		if (err) {
			region_free(r);
			return err;
		}
	}
	region_insert(vm, r);
	region_merge(r);
	return 0;
}

/* The commonest mapping continues the one below it: no new region, then. */
static bool extend_below(
	struct vmspace *vm, const struct map_req *req, uint32_t flags, vaddr_t at, size_t size)
{
	struct region *r;

	if (req->source || !at)
		return false;
	r = region_at_or_after(vm, at - 1);
	if (!r || r->end != at || r->source || r->flags != flags || r->label != req->label ||
		(flags & (VM_GROWSDOWN | VM_SPECIAL)))
		return false;
	region_resize(r, r->start, at + size);
	region_merge(r);
	return true;
}

static int map_locked(struct vmspace *vm, const struct map_req *req, size_t size,
	uint32_t flags, vaddr_t *out)
{
	uint64_t pages = size >> PAGE_SHIFT;
	int err;

	if (UNLIKELY(flags & VM_LOCKED)) {
		err = check_locked(vm, pages);
		if (err)
			return err;
	}
	err = choose_place(vm, req, size, out);
	if (err)
		return err;
	err = vmspace_charge(vm, pages, flags);
	if (err)
		return err;
	if (extend_below(vm, req, flags, *out, size))
		return 0;
	err = add_region(vm, req, flags, *out, size);
	if (err)
		vmspace_uncharge(vm, pages, flags);
	return err;
}

int vmspace_map(struct vmspace *vm, const struct map_req *req, vaddr_t *out)
{
	size_t size = ALIGN_UP(req->size, PAGE_SIZE);
	uint32_t flags = req->flags;
	bool populate;
	int err;

	if (!(flags & VM_MAY_ALL)) {
		flags |= req->source && (flags & VM_SHARED)
				 ? (flags & VM_ACCESS) * VM_MAYREAD / VM_READ
				 : VM_MAY_ALL;
	}
	if (!req->size)
		return -EINVAL;
	if (!size || size > ARCH_USER_END)
		return -ENOMEM;
	if (req->source && req->offset_pages + (size >> PAGE_SHIFT) < req->offset_pages)
		return -EOVERFLOW;
	rwlock_write_lock(&vm->lock);
	if (UNLIKELY(vm->lock_future))
		flags |= VM_LOCKED | (vm->lock_on_fault ? VM_ONFAULT : 0);
	err = map_locked(vm, req, size, flags, out);
	populate = !err && ((req->map_flags & MAP_POPULATE) ||
				   (flags & (VM_LOCKED | VM_ONFAULT)) == VM_LOCKED);
	vmspace_unlock(vm);
	if (UNLIKELY(populate && !(req->map_flags & MAP_NONBLOCK)))
		(void)!vmspace_populate(
			vm, *out, *out + size, false); /* man 2 mmap: does not fail for it */
	return err;
}

/* ---- Protection ---- */

struct protect_job {
	const struct region *r;
	unsigned flags;  /* PTE_* of the new protection, less writing */
	bool may_write;  /* where the page is ours alone */
	bool must_flush; /* something was forbidden */
};

static void protect_entry(struct entry_place *e, vaddr_t va UNUSED, unsigned level, void *ctx)
{
	struct protect_job *j = ctx;
	arch_pte old = *e->at, pte;
	unsigned had = arch_pte_flags(old, level), flags = j->flags;
	paddr_t pa = arch_pte_paddr(old, level);

	flags |= had & (PTE_ANON | PTE_SPECIAL | PTE_UNCACHED | PTE_WRITE_COMBINE);
	if (j->may_write &&
		((had & PTE_WRITE) ||
			((had & PTE_ANON) &&
				(level > 0 || pfn_to_page(pa >> PAGE_SHIFT)->refs == 1))))
		flags |= PTE_WRITE;
	pte = arch_pte_leaf(pa, flags, level);
	if (pte == old)
		return;
	vmtable_set(e, pte);
	if ((had & ~flags & (PTE_WRITE | PTE_EXEC)) || (flags & PTE_NONE))
		j->must_flush = true;
}

static int protect_region(struct region *r, uint32_t prot, struct gather *g)
{
	struct vmspace *vm = r->vm;
	uint32_t flags = (r->flags & ~(uint32_t)VM_ACCESS) | prot;
	struct protect_job j = {
		.r = r, .flags = region_pte_flags(flags), .may_write = flags & VM_WRITE};
	bool was = region_is_accounted(r->flags), is = region_is_accounted(flags);
	uint64_t pages = region_pages(r);
	int err;

	if (is && !was) {
		err = vmspace_charge(vm, 0, flags);
		err = err ? err : vm_commit(pages);
		if (err)
			return err;
	}
	spinlock_lock(&vm->table_lock);
	err = vmtable_prepare(vm, r->start, r->end, true, g);
	if (!err) {
		region_set_flags(r, flags);
		vmtable_for_each(vm, r->start, r->end, protect_entry, &j);
	}
	spinlock_unlock(&vm->table_lock);
	if (j.must_flush)
		gather_range(g, r->start, r->end);
	if (err && is && !was)
		vm_uncommit(pages);
	else if (!err && was && !is)
		vm_uncommit(pages);
	return err;
}

/* What mprotect may ask of a region: the VM_MAY* bits are VM_* shifted. */
static bool may_have(const struct region *r, uint32_t prot)
{
	return !(prot & VM_READ && !(r->flags & VM_MAYREAD)) &&
	       !(prot & VM_WRITE && !(r->flags & VM_MAYWRITE)) &&
	       !(prot & VM_EXEC && !(r->flags & VM_MAYEXEC));
}

/*
 * Region by region, as Linux: what came before the one that refuses stays changed.
 * man 2 mprotect: ENOMEM for a hole, EACCES for what the file's mode forbids.
 */
static int protect_locked(
	struct vmspace *vm, vaddr_t start, vaddr_t end, uint32_t prot, struct gather *g)
{
	struct region *r = region_at_or_after(vm, start);
	vaddr_t at = start;
	int err;

	while (at < end) {
		struct region *upper;

		if (!r || r->start > at)
			return -ENOMEM;
		if (!may_have(r, prot))
			return -EACCES;
		if ((r->flags & VM_ACCESS) != prot) {
			if (r->start < at) {
				err = region_split(r, at, &upper);
				if (err)
					return err;
				r = upper;
			}
			if (r->end > end) {
				err = region_split(r, end, &upper);
				if (err)
					return err;
			}
			err = protect_region(r, prot, g);
			if (err)
				return err;
			at = r->end;
			r = region_merge(r);
		}
		at = MAX(at, r->end);
		r = region_next(r);
	}
	return 0;
}

int vmspace_protect(struct vmspace *vm, vaddr_t start, size_t size, uint32_t prot)
{
	struct gather g;
	int err;

	size = ALIGN_UP(size, PAGE_SIZE);
	if (size > ARCH_USER_END || start > ARCH_USER_END - size)
		return -ENOMEM;
	if (!size)
		return 0;
	gather_init(&g, vm);
	rwlock_write_lock(&vm->lock);
	err = protect_locked(vm, start, start + size, prot, &g);
	gather_finish(&g);
	vmspace_unlock(vm);
	return err;
}

/* ---- brk ---- */

/* man 2 brk; Linux's rules for data that RLIMIT_DATA counts from the start of the heap. */
static int move_brk(struct vmspace *vm, vaddr_t brk, bool *populate)
{
	const struct map_req req = {.label = "[heap]"};
	uint32_t flags = VM_READ | VM_WRITE | VM_MAY_ALL;
	vaddr_t old_end = ALIGN_UP(vm->brk, PAGE_SIZE), new_end = ALIGN_UP(brk, PAGE_SIZE);
	size_t size = new_end - old_end;
	struct region *next;
	int err;

	if (new_end == old_end)
		return 0;
	if (brk < vm->brk)
		return vmspace_unmap_locked(vm, new_end, old_end);
	next = region_at_or_after(vm, old_end);
	if (new_end > ARCH_USER_END || (next && next->start < new_end + PAGE_SIZE))
		return -ENOMEM;
	if (next && (next->flags & VM_GROWSDOWN) &&
		next->start - new_end < VM_STACK_GUARD_PAGES * PAGE_SIZE)
		return -ENOMEM;
	if (vm->lock_future)
		flags |= VM_LOCKED | (vm->lock_on_fault ? VM_ONFAULT : 0);
	err = flags & VM_LOCKED ? check_locked(vm, size >> PAGE_SHIFT) : 0;
	err = err ? err : vmspace_charge(vm, size >> PAGE_SHIFT, flags);
	if (err)
		return err;
	if (!extend_below(vm, &req, flags, old_end, size)) {
		err = add_region(vm, &req, flags, old_end, size);
		if (err)
			vmspace_uncharge(vm, size >> PAGE_SHIFT, flags);
	}
	*populate = !err && (flags & (VM_LOCKED | VM_ONFAULT)) == VM_LOCKED;
	return err;
}

vaddr_t vmspace_set_brk(struct vmspace *vm, vaddr_t brk)
{
	struct vm_limits limits;
	bool populate = false;
	vaddr_t old, result;

	vmspace_limits(&limits);
	rwlock_write_lock(&vm->lock);
	old = vm->brk;
	if (brk >= vm->brk_start && brk < ARCH_USER_END &&
		(brk - vm->brk_start) + (vm->data_end - vm->data_start) <= limits.data &&
		!move_brk(vm, brk, &populate))
		vm->brk = brk;
	result = vm->brk;
	vmspace_unlock(vm);
	if (UNLIKELY(populate))
		(void)!vmspace_populate(
			vm, ALIGN_UP(old, PAGE_SIZE), ALIGN_UP(brk, PAGE_SIZE), POPULATE_LOCK);
	return result;
}
