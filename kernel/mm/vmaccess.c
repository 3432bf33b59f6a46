// SPDX-License-Identifier: MIT
/*
 * Looking at an address space from outside: another process's memory, the list of its regions.
 *
 * Locks   vm->lock to read; a page is copied under vm->table_lock, so that it cannot go meanwhile.
 */
#include "lib/string.h"
#include "mm/oom.h"
#include "mm/pgtable.h"
#include "mm/phys.h"
#include "mm/vmspace_priv.h"

/* What force sets aside (ptrace): protection, but a shared mapping that may not be written stays. */
static bool may_access(const struct region *r, bool write, bool force)
{
	if (!write)
		return (r->flags & VM_READ) || (force && (r->flags & VM_MAYREAD));
	if (r->flags & VM_WRITE)
		return true;
	return force && !(r->flags & VM_SHARED) && (r->flags & VM_MAYWRITE);
}

/* From or to the page that maps addr, within the page. False: none does, or not writable. */
static bool copy_in_page(struct vmspace *vm, vaddr_t addr, void *buf, size_t len, bool write)
{
	unsigned level;
	bool is_done = false;
	arch_pte pte;

	spinlock_lock(&vm->table_lock);
	pte = vmtable_look(vm, addr, &level);
	if (pte && (!write || vmtable_is_own(vm, addr))) {
		char *at = (char *)phys_to_virt(arch_pte_paddr(pte, level)) +
			   (addr & (pgtable_level_size(level) - 1));

		if (write)
			memcpy(at, buf, len);
		else
			memcpy(buf, at, len);
		is_done = true;
	}
	spinlock_unlock(&vm->table_lock);
	return is_done;
}

static bool access_page(
	struct vmspace *vm, vaddr_t addr, void *buf, size_t len, bool write, bool force)
{
	bool is_done = false;
	int err = 0;

	/* The page may go between fault and copy: try again, as a program would. */
	while (!err && !is_done) {
		struct region *r;

		rwlock_read_lock(&vm->lock);
		r = region_find(vm, addr);
		err = r && may_access(r, write, force) ? 0 : -EFAULT;
		if (!err && !copy_in_page(vm, addr, buf, len, write))
			err = vmspace_fault_forced(vm, r, addr, write);
		else
			is_done = !err;
		rwlock_read_unlock(&vm->lock);
		if (err == -ENOMEM && oom_kill())
			err = 0;
	}
	return is_done;
}

size_t vmspace_access(
	struct vmspace *vm, vaddr_t addr, void *buf, size_t len, bool write, bool force)
{
	size_t done = 0;

	while (done < len && addr + done < ARCH_USER_END) {
		vaddr_t at = addr + done;
		size_t chunk = MIN(len - done, PAGE_SIZE - (at & PAGE_MASK));

		if (!access_page(vm, at, (char *)buf + done, chunk, write, force))
			break;
		done += chunk;
	}
	return done;
}

bool vmspace_next_region(struct vmspace *vm, vaddr_t after, struct region *out)
{
	const struct region *r;

	rwlock_read_lock(&vm->lock);
	r = region_at_or_after(vm, after);
	if (r) {
		*out = *r;
		if (out->source && out->source->ops->get)
			out->source->ops->get(out->source);
	}
	rwlock_read_unlock(&vm->lock);
	return r != NULL;
}

int vmspace_identify(
	struct vmspace *vm, vaddr_t addr, const struct page_source **source, uint64_t *index)
{
	const struct region *r;
	int err = -EFAULT;

	rwlock_read_lock(&vm->lock);
	r = region_at_or_after(vm, addr);
	if (r && r->start <= addr) {
		*source = r->flags & VM_SHARED ? r->source : NULL;
		*index = r->offset_pages + ((addr - r->start) >> PAGE_SHIFT);
		err = 0;
	}
	rwlock_read_unlock(&vm->lock);
	return err;
}

void vmspace_region_done(struct region *copy)
{
	if (copy->source && copy->source->ops->put)
		copy->source->ops->put(copy->source);
	copy->source = NULL;
}
