// SPDX-License-Identifier: MIT
/*
 * Pinning: pages of a program that the kernel keeps, to read and write them by the direct map at any
 * time, whatever the program does with its address space.
 *
 *     vmspace_pin -> each page made the program's own, and writable -> one reference, one pin
 *     pages_unpin -> both given back
 *
 * A pinned page has to stay the one that the program sees. A write fault copies an anonymous page that
 * somebody else has a reference of; so pins are counted, and references of pins do not count there
 * (page_is_sole). fork shares pages read-only, and the first to write gets the copy: which must not
 * be the parent. So fork gives the child copies of pinned pages at once (vmspace_copy_pinned);
 * [vm->pin_start, vm->pin_end) says where such pages may be, and stays as large as it was.
 *
 * The table of 2 MiB pages is split: a pin is of a small page.
 *
 * Locks   vm->lock to read while a page is found; vm->table_lock [T] for the entry; pin_lock for a page's pins
 */
#include "lib/atomic.h"
#include "lib/string.h"
#include "mm/oom.h"
#include "mm/pgtable.h"
#include "mm/phys.h"
#include "mm/vmspace_priv.h"
#include "sched/thread.h"

static struct spinlock pin_lock = SPINLOCK_INIT(RANK_PAGE_PINS, "page pins");

/* ---- One page ---- */

bool page_is_sole_pinned(const struct page *p)
{
	bool is_sole;

	spinlock_lock(&pin_lock);
	is_sole =
		p->flags & PAGE_PINNED && atomic_load_acquire(&p->refs) == 1 + p->private_data;
	spinlock_unlock(&pin_lock);
	return is_sole;
}

/* Of anonymous memory: nobody else uses private_data. */
static void pin_anonymous(struct page *p)
{
	spinlock_lock(&pin_lock);
	if (!(p->flags & PAGE_PINNED))
		p->private_data = 0;
	p->flags |= PAGE_PINNED;
	p->private_data++;
	page_get(p);
	spinlock_unlock(&pin_lock);
}

static void unpin(struct page *p)
{
	/* only whoever pinned it sets the flag, and we are one of those */
	if (!(p->flags & PAGE_PINNED)) {
		page_put(p);
		return;
	}
	spinlock_lock(&pin_lock);
	if (--p->private_data == 0)
		p->flags &= (uint8_t)~PAGE_PINNED;
	page_put(p);
	spinlock_unlock(&pin_lock);
}

void pages_unpin(struct page **pages, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		unpin(pages[i]);
}

/* ---- Of an address space ---- */

/* 0: pinned, -EAGAIN: a write fault has to bring it in first; -EFAULT, -ENOMEM. */
static int pin_present(struct vmspace *vm, vaddr_t va, struct page **out)
{
	struct entry_place e;
	unsigned level = 0;
	struct gather g;
	int err;

	gather_init(&g, vm);
	spinlock_lock(&vm->table_lock);
	err = vmtable_reach(vm, va, &level, false, &g, &e);
	if (!err && !arch_pte_is_writable(*e.at)) {
		err = -EAGAIN;
	} else if (!err && arch_pte_is_special(*e.at)) {
		err = -EFAULT;
	} else if (!err) {
		*out = pfn_to_page(arch_pte_paddr(*e.at, 0) >> PAGE_SHIFT);
		if (arch_pte_is_anon(*e.at))
			pin_anonymous(*out);
		else
			page_get(*out);
		if (!vm->pin_end || va < vm->pin_start)
			vm->pin_start = va;
		vm->pin_end = MAX(vm->pin_end, va + PAGE_SIZE);
	}
	spinlock_unlock(&vm->table_lock);
	gather_finish(&g);
	return err;
}

static int pin_page(struct vmspace *vm, vaddr_t va, struct page **out)
{
	int err = -EAGAIN;

	while (err == -EAGAIN) {
		struct region *r;

		rwlock_read_lock(&vm->lock);
		r = region_find(vm, va);
		if (r && r->flags & VM_WRITE && !(r->flags & VM_SPECIAL))
			err = pin_present(vm, va, out);
		else
			err = -EFAULT;
		if (err == -EAGAIN && (err = vmspace_fault_forced(vm, r, va, true)) == 0)
			err = -EAGAIN; /* it is there now; perhaps */
		rwlock_read_unlock(&vm->lock);
		if (err == -ENOMEM && oom_kill())
			err = -EAGAIN;
		if (thread_is_killed() && err == -EAGAIN)
			err = -EINTR;
	}
	return err == -EIO ? -EFAULT : err; /* a file that is shorter than its mapping */
}

int vmspace_pin(struct vmspace *vm, vaddr_t start, size_t nr, struct page **pages)
{
	if (!user_range_ok(UPTR(start), nr << PAGE_SHIFT))
		return -EFAULT;
	for (size_t i = 0; i < nr; i++) {
		int err = pin_page(vm, start + (i << PAGE_SHIFT), &pages[i]);

		if (err) {
			pages_unpin(pages, i);
			return err;
		}
	}
	return 0;
}

/* ---- fork ---- */

/* The pinned page that is mapped at va, with a reference; NULL. *size: of what there is, or is not. */
static struct page *find_pinned(struct vmspace *vm, vaddr_t va, size_t *size)
{
	struct page *p = NULL;
	unsigned level;
	arch_pte pte;

	spinlock_lock(&vm->table_lock);
	pte = vmtable_look(vm, va, &level);
	if (pte && level == 0 && arch_pte_is_anon(pte)) {
		p = pfn_to_page(arch_pte_paddr(pte, 0) >> PAGE_SHIFT);
		if (p->flags & PAGE_PINNED)
			page_get(p);
		else
			p = NULL;
	}
	spinlock_unlock(&vm->table_lock);
	*size = pgtable_level_size(level);
	return p;
}

/* The child, which nobody runs yet, gets a copy in place of the pinned page. */
static int replace(
	struct vmspace *to, vaddr_t va, const struct region *r, const struct page *pinned)
{
	struct entry_place e;
	unsigned level = 0;
	struct page *copy;
	struct gather g;
	int err = page_alloc(&copy, 0, 0);

	if (err)
		return err;
	memcpy(page_to_virt(copy), page_to_virt(pinned), PAGE_SIZE);
	gather_init(&g, to);
	spinlock_lock(&to->table_lock);
	err = vmtable_reach(to, va, &level, false, &g, &e);
	if (!err) {
		gather_page(&g, pfn_to_page(arch_pte_paddr(*e.at, 0) >> PAGE_SHIFT));
		vmtable_set(&e, r->own_leaf | page_to_phys(copy));
	}
	spinlock_unlock(&to->table_lock);
	if (err)
		page_put(copy);
	gather_finish(&g);
	return err;
}

static int copy_pinned_in(struct vmspace *from, struct vmspace *to, const struct region *r)
{
	vaddr_t end = MIN(r->end, from->pin_end);
	size_t size;

	if (r->flags & (VM_SHARED | VM_DONTFORK | VM_WIPEONFORK))
		return 0;
	for (vaddr_t va = MAX(r->start, from->pin_start); va < end;
		va = ALIGN_DOWN(va, size) + size) {
		struct page *p = find_pinned(from, va, &size);
		int err;

		if (!p)
			continue;
		err = replace(to, va, r, p);
		page_put(p);
		if (err)
			return err;
	}
	return 0;
}

int vmspace_copy_pinned(struct vmspace *from, struct vmspace *to)
{
	const struct region *r = region_at_or_after(from, from->pin_start);
	int err = 0;

	for (; !err && r && r->start < from->pin_end; r = region_next(r))
		err = copy_pinned_in(from, to, r);
	return err;
}
