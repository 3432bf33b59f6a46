// SPDX-License-Identifier: MIT
/*
 * Inodes and superblocks: their life, their times, what stat says of them.
 *
 * An inode lives as long as somebody refers to it: each positive dentry of it does, and so does each
 * mapping. The last put calls the filesystem's evict, and its memory is freed after a grace
 * period, because walks read inodes without a reference.
 *
 * A superblock is counted twice: nr_claims says who can reach its names, or may yet (the last drops
 * the tree of names), refs who needs its memory and its filesystem's data (mounts and inodes; the last calls
 * ops->unmount). A file mapped by a program may keep its inode, and so the super, longer than
 * any mount.
 *
 * Locks   inode->lock [i].
 */
#include "fs/vfs/inode.h"

#include "dev/char/chardev.h"
#include "fs/vfs/dentry_priv.h"
#include "fs/vfs/super_priv.h"
#include "lib/assert.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/cred.h"
#include "time/clock.h"

#include <linux/fcntl.h>
#include <linux/mount.h>

enum {
	MAX_ANONYMOUS_DEVICES = 4096,
	SECONDS_PER_DAY = 24 * 60 * 60,
};

static struct slab_cache *inode_cache; /* [I] */
static struct slab_cache *super_cache; /* [I] */
static uint64_t
	devices[MAX_ANONYMOUS_DEVICES / BITMAP_WORD_BITS]; /* [a] minors of major 0 in use */

/* ---- Inodes ---- */

int inode_create(
	struct super *s, const struct inode_ops *ops, uint32_t mode, struct inode **out)
{
	struct inode *i = slab_alloc(inode_cache, SLAB_ZERO);

	if (!i)
		return -ENOMEM;
	refcount_init(&i->refs, 1);
	super_get(s);
	i->super = s;
	i->ops = ops;
	i->ino = atomic_fetch_add_relaxed(&s->next_ino, 1); /* only has to be unique */
	i->mode = mode;
	i->nlink = 1;
	i->atime = i->mtime = i->ctime = i->btime = inode_now();
	mutex_init(&i->lock, RANK_INODE, "inode");
	*out = i;
	return 0;
}

void inode_init_owner(struct inode *i, const struct inode *dir, uint32_t mode)
{
	const struct cred *c = cred_current();

	i->uid = c->fsuid;
	i->gid = c->fsgid;
	/* man 2 mkdir: a setgid directory gives its group, and to directories the bit */
	if (dir && dir->mode & S_ISGID) {
		i->gid = dir->gid;
		if (S_ISDIR(mode))
			mode |= S_ISGID;
	}
	i->mode = mode;
}

void inode_get(struct inode *i)
{
	refcount_get(&i->refs);
}

static void inode_free(struct rcu_head *head)
{
	struct inode *i = container_of(head, struct inode, rcu);

	mem_free(i->link);
	slab_free(inode_cache, i);
}

void inode_put(struct inode *i)
{
	struct super *s = i->super;

	if (!refcount_put(&i->refs))
		return;
	if (s->ops->evict)
		s->ops->evict(i);
	rcu_call(&i->rcu, inode_free);
	super_put(s);
}

/* ---- Times and attributes ---- */

struct timespec64 inode_now(void)
{
	int64_t ns = clock_realtime_ns(), sec = ns / (int64_t)NS_PER_SEC;

	ns -= sec * (int64_t)NS_PER_SEC;
	if (ns < 0) {
		ns += (int64_t)NS_PER_SEC;
		sec--;
	}
	return (struct timespec64){.sec = sec, .nsec = (uint32_t)ns};
}

void inode_touch(struct inode *i, unsigned which)
{
	struct timespec64 now = inode_now();

	if (which & IATTR_ATIME)
		i->atime = now;
	if (which & IATTR_MTIME)
		i->mtime = now;
	if (which & IATTR_CTIME)
		i->ctime = now;
}

static bool is_not_after(const struct timespec64 *a, const struct timespec64 *b)
{
	return a->sec < b->sec || (a->sec == b->sec && a->nsec <= b->nsec);
}

void inode_accessed(struct mount *mnt, struct inode *i, unsigned file_flags)
{
	uint32_t flags = mnt->flags;
	struct timespec64 now;

	if (flags & (MS_NOATIME | MS_RDONLY) || file_flags & O_NOATIME ||
		i->super->flags & (SUPER_RDONLY | SUPER_INTERNAL))
		return;
	if (flags & MS_NODIRATIME && S_ISDIR(i->mode))
		return;
	now = inode_now();
	/* man 8 mount, relatime: when it is not younger than a change, or a day old */
	if (flags & MS_RELATIME && !is_not_after(&i->atime, &i->mtime) &&
		!is_not_after(&i->atime, &i->ctime) && now.sec - i->atime.sec < SECONDS_PER_DAY)
		return;
	i->atime = now;
}

void inode_set_attr_simple(struct inode *i, const struct iattr *attr)
{
	if (attr->valid & IATTR_UID)
		i->uid = attr->uid;
	if (attr->valid & IATTR_GID)
		i->gid = attr->gid;
	if (attr->valid & IATTR_MODE)
		i->mode = (i->mode & S_IFMT) | (attr->mode & ~S_IFMT);
	if (attr->valid & IATTR_ATIME)
		i->atime = attr->atime;
	if (attr->valid & IATTR_MTIME)
		i->mtime = attr->mtime;
	if (attr->valid & IATTR_CTIME)
		i->ctime = attr->ctime;
}

void inode_get_attr(struct inode *i, struct kstat *out)
{
	const struct super *s = i->super;

	out->ino = i->ino;
	out->size =
		(uint64_t)atomic_load_relaxed(&i->size); /* a snapshot is all stat promises */
	out->blocks = i->blocks;
	out->dev = s->dev;
	out->rdev = i->rdev;
	out->mode = i->mode;
	out->nlink = i->nlink;
	out->uid = i->uid;
	out->gid = i->gid;
	out->block_size = s->block_size;
	out->attributes = out->attributes_mask = 0;
	out->atime = i->atime;
	out->mtime = i->mtime;
	out->ctime = i->ctime;
	out->btime = i->btime;
	out->has_btime = s->flags & SUPER_KEEPS_NAMES; /* made here, and remembered */
	if (i->ops->getattr)
		i->ops->getattr(i, out);
}

/* ---- Superblocks ---- */

static int take_device(uint32_t *out)
{
	size_t minor;

	do {
		minor = bitmap_find_zero(devices, MAX_ANONYMOUS_DEVICES, 1);
		if (minor == MAX_ANONYMOUS_DEVICES)
			return -EMFILE; /* as Linux when it has no anonymous device left */
	} while (bitmap_test_and_set_atomic(devices, minor));
	*out = dev_make(0, (uint32_t)minor);
	return 0;
}

static void give_device(uint32_t dev)
{
	bitmap_clear_atomic(devices, dev_minor(dev));
}

int super_create(const struct filesystem *fs, const struct super_ops *ops, uint32_t magic,
	uint32_t flags, struct super **out)
{
	struct super *s = slab_alloc(super_cache, SLAB_ZERO);
	int err;

	if (!s)
		return -ENOMEM;
	err = take_device(&s->dev);
	if (err) {
		slab_free(super_cache, s);
		return err;
	}
	refcount_init(&s->refs, 1);
	s->nr_claims = 1;
	s->fs = fs;
	s->ops = ops;
	s->magic = magic;
	s->flags = flags;
	s->block_size = PAGE_SIZE;
	s->next_ino = 1;
	mutex_init(&s->rename_lock, RANK_RENAME, "rename");
	*out = s;
	return 0;
}

void super_get(struct super *s)
{
	refcount_get(&s->refs);
}

static void super_free(struct rcu_head *head)
{
	slab_free(super_cache, container_of(head, struct super, rcu));
}

void super_put(struct super *s)
{
	if (!refcount_put(&s->refs))
		return;
	if (s->ops->unmount)
		s->ops->unmount(s);
	give_device(s->dev);
	rcu_call(&s->rcu, super_free);
}

void super_claim(struct super *s)
{
	super_get(s);
	atomic_add_relaxed(&s->nr_claims, 1); /* the caller has a claim */
}

void super_release(struct super *s)
{
	if (atomic_fetch_sub(&s->nr_claims, 1) == 1 && s->root)
		dentry_drop_tree(s->root);
	super_put(s);
}

void inode_init_caches(void)
{
	if (slab_cache_create(&inode_cache, "inode", sizeof(struct inode), 0) ||
		slab_cache_create(&super_cache, "super", sizeof(struct super), 0))
		panic("vfs: no memory for inodes");
}
