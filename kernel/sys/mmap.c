// SPDX-License-Identifier: MIT
/*
 * mmap, and remap_file_pages, which is mmap of a range's own file. The order of checks is Linux's
 * where a program can see it.
 *
 * Spec    man 2: mmap, remap_file_pages
 */
#include "fs/vfs/fdtable.h"
#include "fs/vfs/inode.h"
#include "mm/commit.h"
#include "mm/pagecache.h"
#include "sys/mem_priv.h"
#include "sys/syscall.h"

#include <linux/mount.h>

/* Those that MAP_SHARED_VALIDATE answers for; MAP_SHARED ignores what it does not know. */
#define MAP_LEGACY                                                                             \
	(MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE |                \
		MAP_EXECUTABLE | MAP_UNINITIALIZED | MAP_GROWSDOWN | MAP_LOCKED |              \
		MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB |        \
		MAP_32BIT | MAP_HUGE_2MB | MAP_HUGE_1GB)

/* What the file's mode allows, and what it forbids for ever. */
static int file_rights(const struct file *f, unsigned map_flags, struct map_req *req)
{
	bool is_noexec = f->mount && (f->mount->flags & MS_NOEXEC);
	size_t size = ALIGN_UP(req->size, PAGE_SIZE);

	if (size > INT64_MAX || req->offset_pages > (INT64_MAX - size) >> PAGE_SHIFT)
		return -EOVERFLOW; /* no file is that long */
	req->flags |= VM_MAY_ALL;
	switch (map_flags & MAP_TYPE) {
	case MAP_SHARED_VALIDATE:
		if (map_flags & ~(unsigned)MAP_LEGACY)
			return -EOPNOTSUPP;
		FALLTHROUGH;
	case MAP_SHARED:
		if ((req->flags & VM_WRITE) && !(f->mode & FILE_WRITE))
			return -EACCES;
		req->flags |= VM_SHARED;
		if (!(f->mode & FILE_WRITE))
			req->flags &= ~(uint32_t)VM_MAYWRITE;
		break;
	case MAP_PRIVATE:
		break;
	default:
		return -EINVAL;
	}
	if (!(f->mode & FILE_READ))
		return -EACCES;
	if (is_noexec) {
		if (req->flags & VM_EXEC)
			return -EPERM;
		req->flags &= ~(uint32_t)VM_MAYEXEC;
	}
	if (!f->ops->map)
		return -ENODEV;
	return map_flags & MAP_GROWSDOWN ? -EINVAL : 0;
}

static int64_t map_shared_anonymous(struct map_req *req)
{
	vaddr_t at;
	int err;

	if (req->map_flags & MAP_GROWSDOWN)
		return -EINVAL;
	if (!req->size)
		return -EINVAL;
	if (!ALIGN_UP(req->size, PAGE_SIZE) || req->size > ARCH_USER_END)
		return -ENOMEM;
	req->flags |= VM_SHARED | VM_MAY_ALL;
	err = pagecache_create_shared(
		ALIGN_UP(req->size, PAGE_SIZE) >> PAGE_SHIFT, &req->source);
	if (err)
		return err;
	err = vmspace_map(current_vm(), req, &at);
	req->source->ops->put(req->source); /* the region has its own */
	return err ? err : (int64_t)at;
}

static int64_t map_file(struct map_req *req, int fd)
{
	struct borrowed_file b = fd_borrow(fd);
	vaddr_t at;
	int err;

	if (!b.file)
		return -EBADF;
	err = req->map_flags & MAP_HUGETLB ? -EINVAL : 0; /* no such file here */
	err = err ? err : !req->size ? -EINVAL : file_rights(b.file, req->map_flags, req);
	err = err ? err : b.file->ops->map(b.file, &req->flags, &req->source);
	if (!err && req->source && req->source->ops->may_map)
		err = req->source->ops->may_map(req->source, req->offset_pages);
	if (!err && !req->source && req->flags & VM_SHARED) { /* /dev/zero */
		fd_release(b);
		return map_shared_anonymous(req);
	}
	err = err ? err : vmspace_map(current_vm(), req, &at);
	fd_release(b);
	return err ? err : (int64_t)at;
}

static int64_t map_anonymous(struct map_req *req)
{
	vaddr_t at;
	int err;

	if (UNLIKELY(req->map_flags & MAP_HUGETLB))
		return -EINVAL; /* no huge pages are set aside */
	switch (req->map_flags & MAP_TYPE) {
	case MAP_PRIVATE:
		break;
	case MAP_SHARED:
		return map_shared_anonymous(req);
	default:
		return -EINVAL;
	}
	if (UNLIKELY(req->map_flags & MAP_GROWSDOWN))
		req->flags |= VM_GROWSDOWN;
	req->flags |= VM_MAY_ALL;
	req->offset_pages = 0;
	err = vmspace_map(current_vm(), req, &at);
	return err ? err : (int64_t)at;
}

/* man 2 mmap. */
SYSCALL6(mmap, vaddr_t, addr, size_t, len, unsigned, prot, unsigned, flags, int, fd, uint64_t,
	offset)
{
	struct map_req req = {.addr = addr,
		.size = len,
		.map_flags = flags,
		.offset_pages = offset >> PAGE_SHIFT};
	struct vm_limits limits;

	if (UNLIKELY(offset & PAGE_MASK))
		return -EINVAL;
	req.flags = prot_to_vm(apply_personality(prot));
	if (UNLIKELY(flags & MAP_LOCKED)) {
		vm_current_limits(&limits);
		if (!limits.may_lock && !limits.memlock)
			return -EPERM;
		req.flags |= VM_LOCKED;
	}
	if ((flags & MAP_NORESERVE) && READ_ONCE(vm_overcommit_mode) != OVERCOMMIT_NEVER)
		req.flags |= VM_NORESERVE;
	return flags & MAP_ANONYMOUS ? map_anonymous(&req) : map_file(&req, fd);
}

/* ---- remap_file_pages ---- */

/* Whether shared pages of the one source go on without a gap, and alike, up to `end`. */
static bool goes_on(const struct region *first, vaddr_t end)
{
	vaddr_t at = first->end;
	struct region r;
	bool is_alike = true;

	while (is_alike && at < end && vmspace_next_region(current_vm(), at, &r)) {
		is_alike =
			r.start == at && r.source == first->source && r.flags == first->flags;
		at = r.end;
		vmspace_region_done(&r);
	}
	return is_alike && at >= end;
}

/*
 * man 2 remap_file_pages: emulated since Linux 4.0, as here: another mapping, not another order
 * inside of one. Between the look and mmap another thread may map something else there; it
 * loses that as it would to MAP_FIXED.
 */
SYSCALL5(remap_file_pages, vaddr_t, addr, size_t, len, unsigned, prot, uint64_t, page, unsigned,
	flags)
{
	vaddr_t start = addr & ~(vaddr_t)PAGE_MASK, at;
	size_t size = len & ~(size_t)PAGE_MASK;
	struct map_req req = {.addr = start,
		.size = size,
		.map_flags = MAP_SHARED | MAP_FIXED | MAP_POPULATE | (flags & MAP_NONBLOCK),
		.offset_pages = page};
	struct region first;
	int err;

	if (prot || start + size <= start || page + (size >> PAGE_SHIFT) < page)
		return -EINVAL;
	if (!vmspace_next_region(current_vm(), start, &first))
		return -EINVAL;
	req.flags = first.flags;
	req.source = first.source;
	if (first.start > start || !(first.flags & VM_SHARED) || !first.source ||
		(first.flags & VM_SPECIAL) || !goes_on(&first, start + size))
		err = -EINVAL;
	else if (page > (INT64_MAX - size) >> PAGE_SHIFT)
		err = -EOVERFLOW; /* no file is that long */
	else
		err = vmspace_map(current_vm(), &req, &at);
	vmspace_region_done(&first);
	return err;
}
