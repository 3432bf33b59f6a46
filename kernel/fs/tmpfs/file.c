// SPDX-License-Identifier: MIT
/*
 * Regular files of tmpfs: a page cache with nothing below it.
 *
 * Reads take no lock (mm/pagecache.c). What changes size or contents holds inode->lock: one write
 * at a time, so O_APPEND is atomic and a write is not torn by another.
 *
 * Memory is counted twice: against the instance's size, and against overcommit.
 *
 * Locks   inode->lock [i]   user memory may be copied while it is held (RANK_INODE < RANK_VMSPACE)
 * Spec    man 2 write, lseek, fallocate, memfd_create (seals); Linux 6.1's tmpfs where they differ
 */
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/resource.h>

#include "abi/stat.h"
#include "fs/tmpfs/tmpfs_priv.h"
#include "fs/vfs/write_limits.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/vmspace.h"
#include "proc/proc.h"
#include "uaccess/iter.h"

enum { BLOCKS_PER_PAGE = PAGE_SIZE / 512 };

/* ---- Counting memory ---- */

static int charge(struct pagecache *pc, uint64_t nr)
{
	struct inode *i = pc->owner;
	struct tmpfs *fs = tmpfs_of(i->super);

	if (atomic_fetch_add_relaxed(&fs->used_pages, nr) + nr >
		atomic_load_relaxed(&fs->max_pages)) {
		atomic_sub_relaxed(&fs->used_pages, nr);
		return -ENOSPC;
	}
	if (vm_commit(nr)) {
		atomic_sub_relaxed(&fs->used_pages, nr);
		return -ENOSPC; /* Linux: promised memory is space, memory itself is -ENOMEM */
	}
	atomic_add_relaxed(&i->blocks, nr * BLOCKS_PER_PAGE);
	return 0;
}

static void uncharge(struct pagecache *pc, uint64_t nr)
{
	struct inode *i = pc->owner;

	atomic_sub_relaxed(&tmpfs_of(i->super)->used_pages, nr);
	atomic_sub_relaxed(&i->blocks, nr * BLOCKS_PER_PAGE);
	vm_uncommit(nr);
}

const struct pagecache_ops tmpfs_cache_ops = {.charge = charge, .uncharge = uncharge};

/* ---- Size ---- */

static void set_size(struct inode *i, int64_t size)
{
	pagecache_truncate(&tmpfs_node(i)->cache, size);
	atomic_store_relaxed(&i->size, size);
}

int tmpfs_set_size(struct inode *i, int64_t size)
{
	const struct tmpfs_node *n = tmpfs_node(i);

	if (!S_ISREG(i->mode))
		return -EINVAL;
	if ((size < i->size && n->seals & F_SEAL_SHRINK) ||
		(size > i->size && n->seals & F_SEAL_GROW))
		return -EPERM;
	set_size(i, size);
	return 0;
}

/* ---- Reading and writing ---- */

static int64_t read(struct file *f, struct iter *to, int64_t *pos)
{
	int64_t n = pagecache_read(&tmpfs_node(f->inode)->cache, to, *pos);

	if (n > 0)
		*pos += n;
	inode_accessed(f->mount, f->inode, f->flags);
	return n;
}

static int check_seals(const struct inode *i, int64_t end)
{
	uint32_t seals = tmpfs_node(i)->seals;

	if (LIKELY(!(seals & ~(uint32_t)F_SEAL_SEAL)))
		return 0;
	if (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	return seals & F_SEAL_GROW && end > i->size ? -EPERM : 0;
}

static int64_t write_locked(struct file *f, struct iter *from, int64_t *pos)
	MUST_HOLD(f->inode->lock)
{
	struct inode *i = f->inode;
	struct tmpfs_node *node = tmpfs_node(i);
	size_t cut = 0;
	int64_t at, n;
	int err;

	at = f->flags & O_APPEND || *pos == FILE_POS_APPEND ? i->size : *pos;
	if (!from->left)
		return 0;
	err = file_limit_write(f, at, from->left, &cut);
	if (err)
		return err;
	err = check_seals(i, at + (int64_t)(from->left - cut));
	if (err)
		return err;
	from->left -= cut;
	file_written(f);
	n = pagecache_write(&node->cache, from, at);
	from->left += cut;
	if (n <= 0)
		return n;
	*pos = at + n;
	if (*pos > i->size) {
		atomic_store_release(&node->cache.size, *pos);
		atomic_store_relaxed(&i->size, *pos);
	}
	return n;
}

static int64_t write(struct file *f, struct iter *from, int64_t *pos)
{
	int64_t n;

	mutex_lock(&f->inode->lock);
	n = write_locked(f, from, pos);
	mutex_unlock(&f->inode->lock);
	return n;
}

static int64_t seek(struct file *f, int64_t offset, int whence)
{
	struct inode *i = f->inode;
	int64_t size = atomic_load_relaxed(&i->size);

	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		if (__builtin_add_overflow(offset, f->pos, &offset))
			return -EINVAL; /* Linux: the sum is below 0 */
		break;
	case SEEK_END:
		if (__builtin_add_overflow(offset, size, &offset))
			return -EINVAL; /* Linux: the sum is below 0 */
		break;
	case SEEK_DATA:
	case SEEK_HOLE:
		/* man 2 lseek: ENXIO beyond the end */
		if (offset < 0 || offset >= size)
			return -ENXIO;
		offset = pagecache_seek(&tmpfs_node(i)->cache, offset, whence == SEEK_DATA);
		if (whence == SEEK_DATA && offset >= size)
			return -ENXIO;
		break;
	default:
		return -EINVAL;
	}
	if (offset < 0)
		return -EINVAL;
	f->pos = offset;
	return offset;
}

static int fsync(struct file *f UNUSED, bool data_only UNUSED)
{
	return 0; /* memory is all there is */
}

/* ---- Space ---- */

/* Takes back the pages that a failed fallocate put in: those at or after `from` that it made. */
static int allocate_pages(struct inode *i, uint64_t first, uint64_t last)
{
	struct pagecache *pc = &tmpfs_node(i)->cache;
	struct tmpfs *fs = tmpfs_of(i->super);

	if (last - first > atomic_load_relaxed(&fs->max_pages))
		return -ENOSPC;
	for (uint64_t index = first; index < last; index++) {
		struct page *p;
		int err;

		err = thread_is_killed() ? -EINTR : pagecache_get(pc, index, true, &p);
		if (err)
			return err; /* pages within the size stay as zeroes, as no byte changes */
		page_put(p);
	}
	return 0;
}

static int fallocate_locked(struct file *f, int mode, int64_t offset, int64_t len)
	MUST_HOLD(f->inode->lock)
{
	struct inode *i = f->inode;
	struct tmpfs_node *n = tmpfs_node(i);
	int64_t end = offset + len;
	int err;

	if (mode & FALLOC_FL_PUNCH_HOLE) {
		if (n->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
			return -EPERM;
		file_written(f);
		return pagecache_punch(&n->cache, offset, end);
	}
	if (!(mode & FALLOC_FL_KEEP_SIZE) && end > i->size) {
		size_t cut = 0;

		err = file_limit_write(f, i->size, (size_t)(end - i->size), &cut);
		if (err || cut)
			return -EFBIG;
		if (n->seals & F_SEAL_GROW)
			return -EPERM;
	}
	err = allocate_pages(
		i, (uint64_t)offset >> PAGE_SHIFT, DIV_ROUND_UP((uint64_t)end, PAGE_SIZE));
	if (err) {
		/* beyond the end nothing may stay behind */
		if (end > i->size)
			(void)!pagecache_punch(&n->cache,
				MAX(offset, (int64_t)ALIGN_UP((uint64_t)i->size, PAGE_SIZE)),
				(int64_t)ALIGN_UP((uint64_t)end, PAGE_SIZE));
		return err;
	}
	if (!(mode & FALLOC_FL_KEEP_SIZE) && end > i->size)
		set_size(i, end);
	inode_touch(i, IATTR_CTIME);
	return 0;
}

static int fallocate(struct file *f, int mode, int64_t offset, int64_t len)
{
	int err;

	/* Linux 6.1: tmpfs has no zero range, collapse and insert */
	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	mutex_lock(&f->inode->lock);
	err = fallocate_locked(f, mode, offset, len);
	mutex_unlock(&f->inode->lock);
	return err;
}

/* ---- Mapping ---- */

static int map(struct file *f, uint32_t *vm_flags, struct page_source **out)
{
	uint32_t seals = READ_ONCE(tmpfs_node(f->inode)->seals);

	/* man 2 fcntl, file sealing: no new shared writable mapping, nor one by mprotect */
	if (*vm_flags & VM_SHARED && seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) {
		if (*vm_flags & VM_WRITE)
			return -EPERM;
		*vm_flags &= ~(uint32_t)VM_MAYWRITE;
	}
	*out = f->inode->source;
	inode_accessed(f->mount, f->inode, f->flags);
	return 0;
}

static struct inode *inode_of(struct page_source *s)
{
	return container_of(s, struct pagecache, source)->owner;
}

static void source_get(struct page_source *s)
{
	inode_get(inode_of(s));
}

static void source_put(struct page_source *s)
{
	inode_put(inode_of(s));
}

/* Prepends to the text that begins at *at in buf; false: it does not fit. */
static bool prepend(const char *buf, char **at, const char *text, size_t len)
{
	if ((size_t)(*at - buf) < len)
		return false;
	*at -= len;
	memcpy(*at, text, len);
	return true;
}

/*
 * The first name of the file as a path inside its filesystem: which of several mounts it was
 * opened through is not known here. dentry names are read under RCU, so a rename at the same
 * moment may show a mixture, never memory that is gone.
 */
static int describe(
	struct page_source *s, char *path, size_t size, uint32_t *dev, uint64_t *ino)
{
	const struct inode *i = inode_of(s);
	const struct dentry *d;
	char *at = path + size - 1;
	bool fits = true;

	*dev = i->super->dev;
	*ino = i->ino;
	if (i->link)
		return snformat(path, size, "/%s (deleted)", i->link) < size ? 0
									     : -ENAMETOOLONG;
	*at = '\0';
	rcu_read_lock();
	d = READ_ONCE(tmpfs_node(i)->entry.dentry);
	if (!d)
		fits = prepend(path, &at, "/ (deleted)", sizeof("/ (deleted)") - 1);
	for (; d && fits && READ_ONCE(d->parent) != d; d = READ_ONCE(d->parent))
		fits = prepend(path, &at, d->name, d->name_len) && prepend(path, &at, "/", 1);
	rcu_read_unlock();
	memmove(path, at, strlen(at) + 1);
	return fits ? 0 : -ENAMETOOLONG;
}

/* MADV_REMOVE. */
static int source_punch(struct page_source *s, uint64_t first, uint64_t nr)
{
	struct inode *i = inode_of(s);
	struct tmpfs_node *n = tmpfs_node(i);
	int err = -EPERM;

	mutex_lock(&i->lock);
	if (!(n->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))
		err = pagecache_punch(&n->cache, (int64_t)(first << PAGE_SHIFT),
			(int64_t)((first + nr) << PAGE_SHIFT));
	mutex_unlock(&i->lock);
	return err;
}

/* A mapping that was there before F_SEAL_FUTURE_WRITE may be split and forked: map() looks at it. */
static int map_writable(struct page_source *s)
{
	struct tmpfs_node *n = tmpfs_node(inode_of(s));

	atomic_add(&n->nr_writable_maps, 1);
	if (READ_ONCE(n->seals) & F_SEAL_WRITE) {
		atomic_sub(&n->nr_writable_maps, 1);
		return -EPERM;
	}
	return 0;
}

static void unmap_writable(struct page_source *s)
{
	atomic_sub(&tmpfs_node(inode_of(s))->nr_writable_maps, 1);
}

const struct page_source_ops tmpfs_source_ops = {
	.get_page = pagecache_source_get_page,
	.find_pages = pagecache_source_find_pages,
	.punch = source_punch,
	.get = source_get,
	.put = source_put,
	.describe = describe,
	.map_writable = map_writable,
	.unmap_writable = unmap_writable,
};

const struct file_ops tmpfs_file_ops = {
	.read = read,
	.write = write,
	.seek = seek,
	.fsync = fsync,
	.fallocate = fallocate,
	.map = map,
};

/* ---- Seals ---- */

static bool has_seals(const struct file *f)
{
	return f->ops == &tmpfs_file_ops;
}

int tmpfs_add_seals(struct file *f, unsigned seals)
{
	struct tmpfs_node *n;
	int err = 0;

	if (!has_seals(f))
		return -EINVAL;
	if (!(f->mode & FILE_WRITE))
		return -EPERM;
	if (seals & ~(unsigned)(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE |
				F_SEAL_FUTURE_WRITE))
		return -EINVAL;
	n = tmpfs_node(f->inode);
	mutex_lock(&f->inode->lock);
	if (n->seals & F_SEAL_SEAL) {
		err = -EPERM;
	} else {
		uint32_t old = n->seals;

		/* before the look at the mappings: map_writable counts, then looks at the seals */
		atomic_store(&n->seals, old | seals);
		if (seals & F_SEAL_WRITE && atomic_load(&n->nr_writable_maps) > 0) {
			atomic_store(&n->seals, old);
			err = -EBUSY;
		}
	}
	mutex_unlock(&f->inode->lock);
	return err;
}

int tmpfs_get_seals(struct file *f)
{
	return has_seals(f) ? (int)READ_ONCE(tmpfs_node(f->inode)->seals) : -EINVAL;
}
