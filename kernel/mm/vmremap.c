// SPDX-License-Identifier: MIT
/*
 * mremap: a mapping grows, shrinks or moves with what is in it.
 *
 * Moving takes the page-table entries along, a whole table at a time where both addresses allow. The new
 * region is in the tree before the first entry moves and the old one until after the last, so truncation finds
 * each page in one or the other.
 *
 * Locks   vm->lock to write.
 * Spec    man 2 mremap
 */
#include "lib/assert.h"
#include "mm/vmspace_priv.h"

#include <linux/mman.h>

struct remap {
	struct vmspace *vm;
	vaddr_t old;
	size_t old_size, new_size;
	uint32_t flags; /* MREMAP_* */
	vaddr_t new_addr;
	vaddr_t result;
	bool populate;
};

/* Whether r may be moved or grown as asked; r has r->old. */
static int check_region(const struct remap *m, const struct region *r)
{
	uint64_t grown =
		m->new_size > m->old_size ? (m->new_size - m->old_size) >> PAGE_SHIFT : 0;
	uint64_t index;
	struct vm_limits limits;

	/* Nothing to move from: a second mapping of what is shared. man 2 mremap, old_size 0 */
	if (!m->old_size && !(r->flags & VM_SHARED))
		return -EINVAL;
	if ((m->flags & MREMAP_DONTUNMAP) && (r->flags & VM_SPECIAL))
		return -EINVAL;
	if (m->old_size > r->end - m->old)
		return -EFAULT;
	if (!grown)
		return 0;
	if (r->flags & VM_SPECIAL)
		return -EFAULT;
	index = r->offset_pages + ((m->old - r->start) >> PAGE_SHIFT);
	if (index + (m->new_size >> PAGE_SHIFT) < index)
		return -EINVAL;
	vmspace_limits(&limits);
	if ((r->flags & VM_LOCKED) && !limits.may_lock &&
		m->vm->nr_locked + grown > limits.memlock >> PAGE_SHIFT)
		return -EAGAIN;
	return 0;
}

/* In place: the region ends where the range does, and the addresses behind it are free. */
static int grow_in_place(struct remap *m, struct region *r)
{
	const struct region *next = region_next(r);
	vaddr_t new_end = m->old + m->new_size;
	size_t grown = m->new_size - m->old_size;
	int err;

	if (r->end != m->old + m->old_size || new_end > ARCH_USER_END)
		return -ENOMEM;
	if (next && (next->start < new_end ||
			    ((next->flags & VM_GROWSDOWN) &&
				    next->start - new_end < VM_STACK_GUARD_PAGES * PAGE_SIZE)))
		return -ENOMEM;
	err = vmspace_charge(m->vm, grown >> PAGE_SHIFT, r->flags);
	if (err)
		return err;
	m->populate = (r->flags & (VM_LOCKED | VM_ONFAULT)) == VM_LOCKED;
	region_resize(r, r->start, new_end);
	region_merge(r);
	m->result = m->old;
	return 0;
}

/* Everything of the old range that is there goes to the new one. On failure it comes back. */
static int move_tables(const struct remap *m, vaddr_t to, size_t size)
{
	struct gather g;
	size_t moved;
	int err;

	gather_init(&g, m->vm);
	spinlock_lock(&m->vm->table_lock);
	err = vmtable_prepare(m->vm, m->old, m->old + size, true, &g);
	if (m->vm->pin_end) { /* pinned pages may be anywhere now */
		m->vm->pin_start = 0;
		m->vm->pin_end = ARCH_USER_END;
	}
	err = err ? err : vmtable_move(m->vm, m->old, to, size, &g, &moved);
	if (err && moved) {
		size_t back;
		/* where it came from, every table is there: nothing to allocate */
		int back_err = vmtable_move(m->vm, to, m->old, moved, &g, &back);

		assert(!back_err);
	}
	spinlock_unlock(&m->vm->table_lock);
	gather_finish(&g);
	return err;
}

static int choose_target(struct remap *m, vaddr_t *to)
{
	struct vmspace *vm = m->vm;

	if (m->flags & MREMAP_FIXED) {
		*to = m->new_addr;
		return vmspace_unmap_locked(vm, *to, *to + m->new_size);
	}
	*to = 0;
	if ((m->flags & MREMAP_DONTUNMAP) && m->new_addr) {
		const struct region *r = region_at_or_after(vm, m->new_addr);

		if (!r || r->start >= m->new_addr + m->new_size)
			*to = m->new_addr;
	}
	if (!*to)
		*to = region_find_gap(vm, m->new_size, VM_MIN_ADDR, vm->mmap_top);
	if (!*to)
		*to = region_find_gap(vm, m->new_size, VM_MIN_ADDR, ARCH_USER_END);
	return *to ? 0 : -ENOMEM;
}

static int add_moved(struct remap *m, const struct region *old, vaddr_t to, struct region **out)
{
	uint64_t pages = m->new_size >> PAGE_SHIFT;
	uint64_t carried = MIN(m->old_size, m->new_size) >> PAGE_SHIFT;
	struct region *r;
	int err;

	if (m->vm->nr_regions >= VM_MAX_REGIONS - 3) /* Linux keeps room for the splits, too */
		return -ENOMEM;
	/* what moves counts twice for a moment, but not against the limits */
	err = vmspace_charge(m->vm, pages - carried, old->flags);
	if (!err && region_is_accounted(old->flags)) {
		err = vm_commit(carried);
		if (err)
			vmspace_uncharge(m->vm, pages - carried, old->flags);
	}
	if (err)
		return err;
	r = region_copy(old, m->old, old->end);
	if (!r) {
		vmspace_uncharge(m->vm, pages, old->flags);
		return -ENOMEM;
	}
	r->start = to;
	r->end = to + m->new_size;
	region_insert(m->vm, r);
	*out = r;
	return 0;
}

static int move(struct remap *m)
{
	size_t carried = MIN(m->old_size, m->new_size);
	struct region *old, *r;
	vaddr_t to;
	int err;

	err = choose_target(m, &to);
	if (err)
		return err;
	old = region_find(m->vm, m->old); /* looked up after what may have split it */
	err = add_moved(m, old, to, &r);
	if (err)
		return err;
	err = carried ? move_tables(m, to, carried) : 0;
	if (err) {
		vmspace_uncharge(m->vm, region_pages(r), r->flags);
		region_erase(r);
		region_release(r);
		return err;
	}
	m->populate =
		(r->flags & (VM_LOCKED | VM_ONFAULT)) == VM_LOCKED && m->new_size > m->old_size;
	region_merge(r);
	m->result = to;
	if (m->flags & MREMAP_DONTUNMAP || !m->old_size)
		return 0;
	return vmspace_unmap_locked(m->vm, m->old, m->old + m->old_size);
}

static int remap_locked(struct remap *m)
{
	struct region *r = region_find(m->vm, m->old);
	int err;

	if (!r)
		return -EFAULT;
	if (!(m->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && m->old_size >= m->new_size) {
		m->result = m->old;
		if (m->old_size == m->new_size)
			return 0;
		return vmspace_unmap_locked(m->vm, m->old + m->new_size, m->old + m->old_size);
	}
	if ((m->flags & MREMAP_FIXED) && m->old_size > m->new_size) {
		err = vmspace_unmap_locked(m->vm, m->old + m->new_size, m->old + m->old_size);
		if (err)
			return err;
		m->old_size = m->new_size;
		r = region_find(m->vm, m->old);
	}
	err = check_region(m, r);
	if (err)
		return err;
	if (!(m->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && m->old_size &&
		!grow_in_place(m, r))
		return 0;
	return m->flags & MREMAP_MAYMOVE ? move(m) : -ENOMEM;
}

static int check_arguments(const struct remap *m)
{
	if (m->flags & ~(uint32_t)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return -EINVAL;
	if ((m->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(m->flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if ((m->flags & MREMAP_DONTUNMAP) && m->old_size != m->new_size)
		return -EINVAL;
	if (!IS_ALIGNED(m->old, PAGE_SIZE) || !m->new_size)
		return -EINVAL;
	if (!(m->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)))
		return 0;
	if (!IS_ALIGNED(m->new_addr, PAGE_SIZE) || m->new_size > ARCH_USER_END ||
		m->new_addr > ARCH_USER_END - m->new_size)
		return -EINVAL;
	if (m->old + m->old_size > m->new_addr && m->new_addr + m->new_size > m->old)
		return -EINVAL; /* they overlap */
	if ((m->flags & MREMAP_FIXED) && m->new_addr < VM_MIN_ADDR)
		return -EPERM;
	return 0;
}

int vmspace_remap(struct vmspace *vm, vaddr_t old, size_t old_size, size_t new_size,
	uint32_t flags, vaddr_t new_addr, vaddr_t *out)
{
	struct remap m = {.vm = vm,
		.old = old,
		.old_size = ALIGN_UP(old_size, PAGE_SIZE),
		.new_size = ALIGN_UP(new_size, PAGE_SIZE),
		.flags = flags,
		.new_addr = new_addr};
	int err = check_arguments(&m);

	if (err)
		return err;
	if (old >= ARCH_USER_END || m.old_size > ARCH_USER_END - old)
		return -EFAULT;
	rwlock_write_lock(&vm->lock);
	err = remap_locked(&m);
	vmspace_unlock(vm);
	if (err)
		return err;
	*out = m.result;
	if (m.populate)
		(void)!vmspace_populate(
			vm, m.result + m.old_size, m.result + m.new_size, POPULATE_LOCK);
	return 0;
}
