// SPDX-License-Identifier: MIT
/*
 * Hints and properties of ranges: madvise, mlock, mincore, msync.
 *
 * A property is a flag of regions: the range's borders are made regions' borders, the flag is changed,
 * and what continues its neighbour is merged again. Ranges with holes are an error of the
 * call, after all of it that is mapped was done (man 2 madvise, ENOMEM).
 *
 * Locks   vm->lock, to write for flags, to read for pages. A source is called without it where
 *         it may have to unmap (MADV_REMOVE) or wait (msync).
 */
#include "lib/assert.h"
#include "mm/phys.h"
#include "mm/vmspace_priv.h"

#include <linux/mman.h>

/* ---- Flags of ranges ---- */

struct flag_change {
	uint32_t set, clear;
	/* Which regions it is for: 0, or the call's error. NULL: all. */
	int (*check)(const struct region *r);
};

static int change_one(
	struct region **rp, vaddr_t start, vaddr_t end, const struct flag_change *c)
{
	uint32_t flags = ((*rp)->flags & ~c->clear) | c->set;
	struct region *r = *rp, *upper;
	int err = 0;

	if (flags == r->flags)
		return 0;
	if (r->start < start) {
		err = region_split(r, start, &upper);
		r = err ? r : upper;
	}
	if (!err && r->end > end)
		err = region_split(r, end, &upper);
	if (err)
		return err;
	region_set_flags(r, flags);
	*rp = region_merge(r);
	return 0;
}

/* -ENOMEM for holes, when all else was done. vm->lock held to write. */
static int change_flags(
	struct vmspace *vm, vaddr_t start, vaddr_t end, const struct flag_change *c)
{
	struct region *r = region_at_or_after(vm, start);
	bool has_hole = false;
	vaddr_t at = start;

	for (; at < end && r; r = region_next(r)) {
		int err;

		if (r->start >= end)
			break;
		if (r->start > at)
			has_hole = true;
		err = c->check ? c->check(r) : 0;
		err = err ? err : change_one(&r, start, end, c);
		if (err)
			return err;
		at = r->end;
	}
	return has_hole || at < end ? -ENOMEM : 0;
}

static int check_not_special(const struct region *r)
{
	return r->flags & VM_SPECIAL ? -EINVAL : 0;
}

static int check_private_anonymous(const struct region *r)
{
	return r->source || (r->flags & VM_SHARED) ? -EINVAL : 0;
}

static const struct advice_flags {
	int advice;
	struct flag_change change;
} advice_flags[] = {
	{MADV_DONTFORK, {.set = VM_DONTFORK}},
	{MADV_DOFORK, {.clear = VM_DONTFORK, .check = check_not_special}},
	{MADV_WIPEONFORK, {.set = VM_WIPEONFORK, .check = check_private_anonymous}},
	{MADV_KEEPONFORK, {.clear = VM_WIPEONFORK}},
	{MADV_DONTDUMP, {.set = VM_DONTDUMP}},
	{MADV_DODUMP, {.clear = VM_DONTDUMP, .check = check_not_special}},
	{MADV_HUGEPAGE, {.set = VM_HUGE, .clear = VM_NOHUGE, .check = check_not_special}},
	{MADV_NOHUGEPAGE, {.set = VM_NOHUGE, .clear = VM_HUGE}},
	/* How a file is read ahead: what is in memory already needs none. */
	{MADV_NORMAL, {0}},
	{MADV_RANDOM, {0}},
	{MADV_SEQUENTIAL, {0}},
	{MADV_WILLNEED, {0}},
};

/* ---- Pages of ranges ---- */

static int check_discard(const struct region *r, int advice)
{
	if (r->flags & VM_SPECIAL)
		return -EINVAL;
	if ((r->flags & VM_LOCKED) && advice != MADV_DONTNEED_LOCKED)
		return -EINVAL;
	if (advice == MADV_FREE && (r->source || (r->flags & VM_SHARED)))
		return -EINVAL;
	return 0;
}

static int discard(struct vmspace *vm, vaddr_t start, vaddr_t end)
{
	struct gather g;
	int err;

	gather_init(&g, vm);
	spinlock_lock(&vm->table_lock);
	err = vmtable_prepare(vm, start, end, false, &g);
	if (!err)
		vmtable_zap(vm, start, end, &g);
	spinlock_unlock(&vm->table_lock);
	gather_finish(&g);
	return err;
}

/*
 * MADV_DONTNEED, and MADV_FREE, which allows it. Faults of other threads may go on meanwhile: the
 * tables have their own lock.
 */
static int discard_range(struct vmspace *vm, vaddr_t start, vaddr_t end, int advice)
{
	bool has_hole = false;
	vaddr_t at = start;

	for (const struct region *r = region_at_or_after(vm, start); r && r->start < end;
		r = region_next(r)) {
		vaddr_t from = MAX(r->start, at), to = MIN(r->end, end);
		int err = check_discard(r, advice);

		has_hole |= r->start > at;
		err = err ? err : discard(vm, from, to);
		if (err)
			return err;
		at = to;
	}
	return has_hole || at < end ? -ENOMEM : 0;
}

/* Nothing is swapped or aged: these are only checked. */
static int check_range(struct vmspace *vm, vaddr_t start, vaddr_t end)
{
	for (const struct region *r = region_at_or_after(vm, start); r && r->start < end;
		r = region_next(r))
		if (r->flags & (VM_LOCKED | VM_SPECIAL))
			return -EINVAL;
	return region_covers(vm, start, end) ? 0 : -ENOMEM;
}

/* What MADV_REMOVE and msync find at an address, with a reference of the source. */
struct found {
	struct page_source *source;
	uint32_t flags;
	uint64_t first, nr;
	vaddr_t start, end; /* start > asked: a hole before it */
};

static bool find_source(struct vmspace *vm, vaddr_t at, vaddr_t end, struct found *out)
{
	const struct region *r;

	rwlock_read_lock(&vm->lock);
	r = region_at_or_after(vm, at);
	if (r && r->start < end) {
		*out = (struct found){.source = r->source,
			.flags = r->flags,
			.start = MAX(r->start, at),
			.end = MIN(r->end, end)};
		out->first = r->offset_pages + ((out->start - r->start) >> PAGE_SHIFT);
		out->nr = (out->end - out->start) >> PAGE_SHIFT;
		if (r->source && r->source->ops->get)
			r->source->ops->get(r->source);
	} else {
		r = NULL;
	}
	rwlock_read_unlock(&vm->lock);
	return r != NULL;
}

static void found_put(const struct found *f)
{
	if (f->source && f->source->ops->put)
		f->source->ops->put(f->source);
}

static int punch(const struct found *f)
{
	if ((f->flags & VM_LOCKED) || !f->source)
		return -EINVAL;
	if ((f->flags & (VM_SHARED | VM_WRITE)) != (VM_SHARED | VM_WRITE))
		return -EACCES;
	if (!f->source->ops->punch)
		return -EOPNOTSUPP;
	return f->source->ops->punch(f->source, f->first, f->nr);
}

static int remove_range(struct vmspace *vm, vaddr_t start, vaddr_t end)
{
	bool has_hole = false;
	struct found f;

	for (vaddr_t at = start; at < end; at = f.end) {
		int err;

		if (!find_source(vm, at, end, &f))
			return -ENOMEM;
		has_hole |= f.start > at;
		err = punch(&f);
		found_put(&f);
		if (err)
			return err;
	}
	return has_hole ? -ENOMEM : 0;
}

/* man 2 madvise: EFAULT where a page cannot be had, EINVAL where the protection forbids. */
static int populate_range(struct vmspace *vm, vaddr_t start, vaddr_t end, bool for_write)
{
	uint32_t need = for_write ? VM_WRITE : VM_READ | VM_WRITE | VM_EXEC;
	int err = 0;

	rwlock_read_lock(&vm->lock);
	if (!region_covers(vm, start, end))
		err = -ENOMEM;
	for (const struct region *r = region_at_or_after(vm, start);
		r && r->start < end && !err; r = region_next(r))
		if ((r->flags & VM_SPECIAL) || !(r->flags & need))
			err = -EINVAL;
	rwlock_read_unlock(&vm->lock);
	if (err)
		return err;
	err = vmspace_populate(vm, start, end, for_write ? POPULATE_WRITE : POPULATE_READ);
	return err == -EIO ? -EFAULT : err;
}

/* The advices that change no region. */
static int advise_pages(struct vmspace *vm, vaddr_t start, vaddr_t end, int advice)
{
	int err;

	switch (advice) {
	case MADV_REMOVE:
		return remove_range(vm, start, end);
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		return populate_range(vm, start, end, advice == MADV_POPULATE_WRITE);
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
		rwlock_read_lock(&vm->lock);
		err = discard_range(vm, start, end, advice);
		rwlock_read_unlock(&vm->lock);
		return err;
	case MADV_COLD:
	case MADV_PAGEOUT:
		rwlock_read_lock(&vm->lock);
		err = check_range(vm, start, end);
		rwlock_read_unlock(&vm->lock);
		return err;
	default: /* KSM, memory failures: a kernel configured without them */
		return -EINVAL;
	}
}

static const struct advice_flags *find_advice(int advice)
{
	for (unsigned i = 0; i < ARRAY_LEN(advice_flags); i++)
		if (advice_flags[i].advice == advice)
			return &advice_flags[i];
	return NULL;
}

static bool is_page_advice(int advice)
{
	switch (advice) {
	case MADV_REMOVE:
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
	case MADV_COLD:
	case MADV_PAGEOUT:
		return true;
	default:
		return false;
	}
}

int vmspace_advise(struct vmspace *vm, vaddr_t start, size_t size, int advice)
{
	const struct advice_flags *f = find_advice(advice);
	vaddr_t end;
	int err;

	if (!f && !is_page_advice(advice))
		return -EINVAL;
	if (!IS_ALIGNED(start, PAGE_SIZE) || (size && !ALIGN_UP(size, PAGE_SIZE)))
		return -EINVAL;
	end = start + ALIGN_UP(size, PAGE_SIZE);
	if (end < start)
		return -EINVAL;
	if (end == start)
		return 0;
	if (!f)
		return advise_pages(vm, start, end, advice);
	rwlock_write_lock(&vm->lock);
	err = change_flags(vm, start, end, &f->change);
	vmspace_unlock(vm);
	return err;
}

/* ---- mlock ---- */

/* Linux: a user who may lock nothing at all is told so. */
static int may_lock(const struct vm_limits *limits)
{
	return limits->may_lock || limits->memlock ? 0 : -EPERM;
}

/* Pages of the range that are locked already do not count twice. */
static uint64_t locked_in(const struct vmspace *vm, vaddr_t start, vaddr_t end)
{
	uint64_t nr = 0;

	for (const struct region *r = region_at_or_after(vm, start); r && r->start < end;
		r = region_next(r))
		if (r->flags & VM_LOCKED)
			nr += (MIN(r->end, end) - MAX(r->start, start)) >> PAGE_SHIFT;
	return nr;
}

static int lock_range_locked(struct vmspace *vm, vaddr_t start, vaddr_t end, bool on_fault)
{
	struct flag_change c = {.set = VM_LOCKED | (on_fault ? VM_ONFAULT : 0),
		.clear = on_fault ? 0 : VM_ONFAULT};
	uint64_t pages = (end - start) >> PAGE_SHIFT;
	struct vm_limits limits;

	vmspace_limits(&limits);
	if (!limits.may_lock && vm->nr_locked + pages - locked_in(vm, start, end) >
					limits.memlock >> PAGE_SHIFT)
		return -ENOMEM;
	return change_flags(vm, start, end, &c);
}

/* What mlock says when pages could not be had: man 2 mlock, EAGAIN. */
static int lock_error(int err)
{
	if (err == -EFAULT)
		return -ENOMEM;
	return err == -ENOMEM ? -EAGAIN : err;
}

int vmspace_lock_range(struct vmspace *vm, vaddr_t start, size_t size, bool lock, bool on_fault)
{
	static const struct flag_change unlock = {.clear = VM_LOCKED | VM_ONFAULT};
	vaddr_t from = ALIGN_DOWN(start, PAGE_SIZE);
	vaddr_t end = from + ALIGN_UP(size + (start - from), PAGE_SIZE);
	struct vm_limits limits;
	int err;

	vmspace_limits(&limits);
	err = lock ? may_lock(&limits) : 0;
	if (err)
		return err;
	if (end < from || size + (start - from) < size)
		return -EINVAL;
	if (end == from)
		return 0;
	rwlock_write_lock(&vm->lock);
	err = lock ? lock_range_locked(vm, from, end, on_fault)
		   : change_flags(vm, from, end, &unlock);
	vmspace_unlock(vm);
	if (err || !lock || on_fault)
		return err;
	return lock_error(vmspace_populate(vm, from, end, POPULATE_LOCK));
}

static int lock_all_locked(struct vmspace *vm, int flags)
{
	struct flag_change c = {.clear = VM_LOCKED | VM_ONFAULT};
	struct vm_limits limits;

	vmspace_limits(&limits);
	if (flags && !limits.may_lock && (flags & MCL_CURRENT) &&
		vm->nr_mapped > limits.memlock >> PAGE_SHIFT)
		return -ENOMEM;
	vm->lock_future = flags & MCL_FUTURE;
	vm->lock_on_fault = (flags & (MCL_FUTURE | MCL_ONFAULT)) == (MCL_FUTURE | MCL_ONFAULT);
	if (flags && !(flags & MCL_CURRENT))
		return 0;
	if (flags)
		c.set = VM_LOCKED;
	if (flags & MCL_ONFAULT)
		c.set |= VM_ONFAULT;
	(void)change_flags(vm, 0, ARCH_USER_END, &c); /* holes are no error here */
	return 0;
}

/* Best effort, as man 2 mlockall allows once the flags are set. */
static void populate_all(struct vmspace *vm)
{
	struct region r;

	for (vaddr_t at = 0; vmspace_next_region(vm, at, &r); at = r.end) {
		vmspace_region_done(&r);
		if (!(r.flags & VM_SPECIAL))
			(void)!vmspace_populate(vm, r.start, r.end, POPULATE_LOCK);
	}
}

int vmspace_lock_all(struct vmspace *vm, int flags)
{
	struct vm_limits limits;
	int err;

	vmspace_limits(&limits);
	err = flags ? may_lock(&limits) : 0;
	if (err)
		return err;
	rwlock_write_lock(&vm->lock);
	err = lock_all_locked(vm, flags);
	vmspace_unlock(vm);
	if (!err && (flags & (MCL_CURRENT | MCL_ONFAULT)) == MCL_CURRENT)
		populate_all(vm);
	return err;
}

/* ---- mincore, msync ---- */

static bool is_in_memory(struct vmspace *vm, const struct region *r, vaddr_t at)
{
	uint64_t index = r->offset_pages + ((at - r->start) >> PAGE_SHIFT);
	struct page *p = NULL;
	unsigned level;
	arch_pte pte;

	spinlock_lock(&vm->table_lock);
	pte = vmtable_look(vm, at, &level);
	spinlock_unlock(&vm->table_lock);
	if (pte || !r->source || !r->source->ops->find_pages)
		return pte != 0;
	r->source->ops->find_pages(r->source, index, 1, &p);
	if (p)
		page_put(p);
	return p != NULL;
}

int vmspace_resident(struct vmspace *vm, vaddr_t start, size_t pages, uint8_t *vec)
{
	int err = 0;

	rwlock_read_lock(&vm->lock);
	for (size_t i = 0; i < pages && !err; i++) {
		vaddr_t at = start + i * PAGE_SIZE;
		const struct region *r = region_find(vm, at);

		if (r)
			vec[i] = is_in_memory(vm, r, at);
		else
			err = -ENOMEM;
	}
	rwlock_read_unlock(&vm->lock);
	return err;
}

static int sync_one(const struct found *f, int flags)
{
	if ((flags & MS_INVALIDATE) && (f->flags & VM_LOCKED))
		return -EBUSY;
	if (!(flags & MS_SYNC) || !f->source || !(f->flags & VM_SHARED) ||
		!f->source->ops->sync)
		return 0;
	return f->source->ops->sync(f->source, f->first, f->nr);
}

int vmspace_sync(struct vmspace *vm, vaddr_t start, size_t size, int flags)
{
	vaddr_t end = start + ALIGN_UP(size, PAGE_SIZE);
	bool has_hole = false;
	struct found f;

	if (end < start)
		return -ENOMEM;
	for (vaddr_t at = start; at < end; at = f.end) {
		int err;

		if (!find_source(vm, at, end, &f))
			return -ENOMEM;
		has_hole |= f.start > at;
		err = sync_one(&f, flags);
		found_put(&f);
		if (err)
			return err;
	}
	return has_hole ? -ENOMEM : 0;
}
