// SPDX-License-Identifier: MIT
/*
 * What the files of address spaces share: regions as a tree, the ways to change it.
 */
#pragma once

#include "lib/assert.h"
#include "mm/page.h"
#include "mm/vmspace.h"
#include "mm/vmtable.h"

/* Linux: vm.mmap_min_addr's, vm.max_map_count's and stack_guard_gap's defaults. */
#define VM_MIN_ADDR 0x10000ul
enum { VM_MAX_REGIONS = 65530, VM_STACK_GUARD_PAGES = 256 };

#define VM_ACCESS (VM_READ | VM_WRITE | VM_EXEC)

extern paddr_t
	vmspace_kernel_root; /* [I] whose upper half all roots have; 0: the machine has none */
extern struct page *vmspace_zero_page; /* [I] mapped where only zeroes were read so far */

/* vm_current_limits, or none for who is not a process. */
void vmspace_limits(struct vm_limits *out);

static inline struct page *vmspace_root(const struct vmspace *vm)
{
	return pfn_to_page(vm->root >> PAGE_SHIFT);
}

static inline uint64_t region_pages(const struct region *r)
{
	return (r->end - r->start) >> PAGE_SHIFT;
}

/* Its pages count against overcommit: private and writable, or anonymous and shared. */
static inline bool region_is_accounted(uint32_t flags)
{
	return (flags & (VM_SHARED | VM_WRITE | VM_NORESERVE)) == VM_WRITE;
}

/* Counts as data: Linux's is_data_mapping(). */
static inline bool region_is_data(uint32_t flags)
{
	return (flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) == VM_WRITE;
}

void gather_page(struct gather *g, struct page *p);

/* ---- mm/region.c; vm->lock to write, or where it only looks, to read ---- */

void region_init_cache(void);
void region_init_tree(struct vmspace *vm);
/* All of them, of an address space that nobody uses any more. */
void region_forget_all(struct vmspace *vm);
/* The first region whose end is above addr. */
struct region *region_at_or_after(const struct vmspace *vm, vaddr_t addr);
/* The region that has addr, remembered for the next time; NULL. */
struct region *region_find(struct vmspace *vm, vaddr_t addr);
struct region *region_next(const struct region *r);
struct region *region_prev(const struct region *r);
/* A copy that is in no tree, for [start, end) of it; holds a reference of the source. NULL. */
MUST_CHECK struct region *region_copy(const struct region *from, vaddr_t start, vaddr_t end);
struct region *region_alloc(void);
/* r, in no tree yet, maps the source: takes a reference. -EPERM and what else the source says. */
MUST_CHECK int region_attach_source(struct region *r, struct page_source *source);
/* Drops the source, and frees. */
void region_free(struct region *r);
/*
 * The same for one that was erased while vm->lock is held: putting a source may take locks that come before
 * it, so that is left to vmspace_unlock.
 */
void region_release(struct region *r);
/* Gives vm->lock back from writing. */
void vmspace_unlock(struct vmspace *vm) RELEASES(vm->lock);
/* Into vm's tree, lists and counts; out of them. */
void region_insert(struct vmspace *vm, struct region *r);
void region_erase(struct region *r);
/*
 * fork: `to`, which has none, gets copies of all regions, with their share of overcommit. Where the child
 * shall have none there is a place holder, which region_drop_exceptions takes out again; *has_exceptions
 * says whether there are any, or regions to wipe. -ENOMEM: what was copied goes with the address space.
 */
MUST_CHECK int region_copy_all(
	const struct vmspace *from, struct vmspace *to, bool *has_exceptions);
void region_drop_exceptions(struct vmspace *to);
/* Changes its borders. */
void region_resize(struct region *r, vaddr_t start, vaddr_t end);
void region_set_flags(struct region *r, uint32_t flags);
/* Makes `at`, inside r, a border: r keeps what is below, *upper is the rest. */
MUST_CHECK int region_split(struct region *r, vaddr_t at, struct region **upper);
/* Merges r with its neighbours where they continue each other; what remains. */
struct region *region_merge(struct region *r);
/* Whether a region like these could continue `r` upwards. */
bool region_continues(const struct region *r, const struct map_req *req, vaddr_t start);
/* The highest place for size bytes in [min, top); 0: none. */
vaddr_t region_find_gap(const struct vmspace *vm, size_t size, vaddr_t min, vaddr_t top);
/* Whether all of [start, end) is mapped. */
bool region_covers(const struct vmspace *vm, vaddr_t start, vaddr_t end);
/* Splits so that start and end are borders; first: the first region at or after start, or NULL. */
MUST_CHECK int region_isolate(
	struct vmspace *vm, vaddr_t start, vaddr_t end, struct region **first);

/* ---- mm/fault.c ---- */

/*
 * Brings in what is absent of [start, end); the first error: -ENOMEM (a hole, no memory), -EFAULT (no
 * access), -EIO (SIGBUS). Nothing held.
 */
enum populate {
	POPULATE_LOCK /* as mlock: private pages become our own */,
	POPULATE_READ,
	POPULATE_WRITE
};
MUST_CHECK int vmspace_populate(
	struct vmspace *vm, vaddr_t start, vaddr_t end, enum populate how);
/*
 * Brings in the page at addr of r whatever the protection: for vmspace_access. A private page that is
 * to be written becomes writable for this access, if not for the program. vm->lock held.
 */
MUST_CHECK int vmspace_fault_forced(
	struct vmspace *vm, struct region *r, vaddr_t addr, bool write);
/* The PTE_* of a region's pages, less writing. */
unsigned region_pte_flags(uint32_t vm_flags);

/* ---- mm/vmpin.c ---- */

/* fork: what the tables share is shared; the child gets copies of pinned pages. -ENOMEM. vm->lock held. */
MUST_CHECK int vmspace_copy_pinned(struct vmspace *from, struct vmspace *to);

/* ---- mm/vmmap.c; vm->lock to write ---- */

MUST_CHECK int vmspace_unmap_locked(struct vmspace *vm, vaddr_t start, vaddr_t end);
/* Charges for pages that are about to be mapped: RLIMIT_AS, RLIMIT_DATA, overcommit. -ENOMEM. */
MUST_CHECK int vmspace_charge(struct vmspace *vm, uint64_t pages, uint32_t flags);
void vmspace_uncharge(struct vmspace *vm, uint64_t pages, uint32_t flags);
