// SPDX-License-Identifier: MIT
/*
 * Open files: birth, write access of their inodes, death, and files without a name.
 *
 *     path_open -> file_open: file_create (references, write access) -> open by type
 *     file_put  -> release, locks, write access, references, memory
 *
 * Most files die with nobody able to see them: then their memory is free at once. Only a file
 * that was taken out of a table that several threads look into (FILE_RCU_FREE, fdtable.c) waits
 * for a grace period.
 *
 * Anonymous files hang on one mount of their own. Those that fstat must tell apart (pipes,
 * sockets) have an inode each; the others share one.
 *
 * Locks   f->flags_lock  RANK_FILE   flags that fcntl changes, the owner for signals
 *         f->pos_lock    RANK_FILE_POS   the position (sys/file.c)
 */
#include "fs/vfs/file.h"

#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>

#include "debug/log.h"
#include "dev/char/chardev.h"
#include "fs/vfs/epoll.h"
#include "fs/vfs/inode.h"
#include "fs/vfs/locks.h"
#include "fs/vfs/mount_ops.h"
#include "fs/vfs/notify.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/cred.h"

enum { FILES_MIN = 8192 };
#define CAP_SYS_ADMIN_NR 21 /* linux/capability.h */

static struct slab_cache *file_cache;
static uint64_t nr_files; /* [a] */
uint64_t file_max;

static const struct file_ops no_ops = {0};

uint64_t file_count(void)
{
	return atomic_load_relaxed(&nr_files);
}

/* ---- Write access of an inode: > 0 writers, < 0 running programs ---- */

int inode_get_write(struct inode *i)
{
	int32_t n = atomic_load_relaxed(&i->write_count);

	do {
		if (n < 0)
			return -ETXTBSY;
	} while (!atomic_cmpxchg(&i->write_count, &n, n + 1));
	return 0;
}

void inode_put_write(struct inode *i)
{
	atomic_sub(&i->write_count, 1);
}

int inode_deny_write(struct inode *i)
{
	int32_t n = atomic_load_relaxed(&i->write_count);

	do {
		if (n > 0)
			return -ETXTBSY;
	} while (!atomic_cmpxchg(&i->write_count, &n, n - 1));
	return 0;
}

void inode_allow_write(struct inode *i)
{
	atomic_add(&i->write_count, 1);
}

/* ---- Birth ---- */

static void free_file(struct rcu_head *head)
{
	slab_free(file_cache, container_of(head, struct file, rcu));
}

/* Memory, with every field but references and ops at its start. */
static int allocate(struct file **out, unsigned flags, unsigned mode)
{
	struct file *f;

	if (UNLIKELY(atomic_fetch_add_relaxed(&nr_files, 1ul) >= file_max) &&
		!capable(CAP_SYS_ADMIN_NR)) {
		atomic_sub_relaxed(&nr_files, 1ul);
		log_once(LOG_INFO, "fs: the limit of %lu open files is reached", file_max);
		return -ENFILE;
	}
	f = slab_alloc(file_cache, SLAB_ZERO);
	if (!f) {
		atomic_sub_relaxed(&nr_files, 1ul);
		return -ENOMEM;
	}
	refcount_init(&f->refs, 1);
	f->flags = flags;
	f->mode = mode;
	mutex_init(&f->pos_lock, RANK_FILE_POS, "file position");
	irqlock_init(&f->flags_lock, RANK_FILE, "file flags");
	f->cred = cred_current();
	cred_get(f->cred);
	*out = f;
	return 0;
}

static void free_now(struct file *f)
{
	cred_put(f->cred);
	atomic_sub_relaxed(&nr_files, 1ul);
	if (f->mode & FILE_RCU_FREE)
		rcu_call(&f->rcu, free_file);
	else
		slab_free(file_cache, f);
}

static bool is_special(uint32_t mode)
{
	return S_ISCHR(mode) || S_ISBLK(mode) || S_ISFIFO(mode) || S_ISSOCK(mode);
}

int file_create(struct file **out, struct mount *m, struct dentry *d, unsigned flags)
{
	struct inode *i = d->inode;
	struct file *f;
	unsigned mode;
	int err;

	/* O_RDONLY, O_WRONLY, O_RDWR are 0, 1, 2; 3 asks for both rights and gets neither use */
	mode = flags & O_PATH ? FILE_PATH : (flags + 1) & (FILE_READ | FILE_WRITE);
	if (mode & FILE_WRITE && !is_special(i->mode)) {
		err = mount_want_write(m);
		if (err)
			return err;
		err = inode_get_write(i);
		if (err) {
			mount_end_write(m);
			return err;
		}
		mode |= FILE_WROTE;
	}
	err = allocate(&f, flags & ~(unsigned)(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC), mode);
	if (err) {
		if (mode & FILE_WROTE) {
			inode_put_write(i);
			mount_end_write(m);
		}
		return err;
	}
	mount_get(m);
	dentry_get(d);
	f->mount = m;
	f->dentry = d;
	f->inode = i;
	f->ops = mode & FILE_PATH || !i->fops ? &no_ops : i->fops;
	if (f->ops->seek)
		f->mode |= FILE_SEEK;
	*out = f;
	return 0;
}

static int open_by_type(struct file *f)
{
	struct inode *i = f->inode;

	if (f->mode & FILE_PATH)
		return 0;
	if (i->ops->open)
		return i->ops->open(i, f);
	if (S_ISCHR(i->mode))
		return chardev_open(i, f);
	if (S_ISSOCK(i->mode) || S_ISBLK(i->mode))
		return -ENXIO; /* man 2 open: a socket; a device without a driver */
	return 0;
}

int file_open(struct file **out, struct mount *m, struct dentry *d, unsigned flags)
{
	struct file *f;
	int err;

	err = file_create(&f, m, d, flags);
	if (err)
		return err;
	err = open_by_type(f);
	f->flags &= ~(uint32_t)O_NOCTTY;
	/* man 2 open: EINVAL, "the filesystem does not support O_DIRECT": nothing here does */
	if (!err) {
		file_opened(f);
		if (f->flags & O_DIRECT)
			err = -EINVAL;
	}
	if (err) {
		file_put(f);
		return err;
	}
	*out = f;
	return 0;
}

/* ---- Life and death ---- */

int64_t file_seek_dir(struct file *f, int64_t offset, int whence)
{
	if (whence == SEEK_CUR)
		offset += f->pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (offset < 0)
		return -EINVAL;
	f->pos = offset;
	return offset;
}

int64_t file_seek_nowhere(struct file *f UNUSED, int64_t offset UNUSED, int whence UNUSED)
{
	return 0;
}

void file_get(struct file *f)
{
	refcount_get(&f->refs);
}

bool file_try_get(struct file *f)
{
	return refcount_try_get(&f->refs);
}

static NOINLINE void last_put(struct file *f)
{
	if (UNLIKELY(f->was_watched)) /* a set that ends may still have it locked */
		epoll_forget_file(f);
	if (UNLIKELY(f->async))
		(void)!file_set_async(f, false); /* off cannot fail */
	notify_closed(f, NULL);
	if (f->mode & FILE_OPENED) {
		notify_file(f, f->mode & FILE_WRITE ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
		if (UNLIKELY(atomic_load_relaxed(&f->inode->locks)))
			locks_file_released(f);
		if (f->ops->release)
			f->ops->release(f);
	}
	if (f->mode & FILE_RUNS)
		inode_allow_write(f->inode);
	if (UNLIKELY(f->mode & FILE_HOLDS_TREE))
		mount_drop_detached(f->mount);
	if (f->mode & FILE_WROTE) {
		inode_put_write(f->inode);
		mount_end_write(f->mount);
	}
	dentry_put(f->dentry);
	mount_put(f->mount);
	free_now(f);
}

void file_put(struct file *f)
{
	if (refcount_put(&f->refs))
		last_put(f);
}

/* ---- Files without a name ---- */

static struct {
	struct super *super;   /* [I] */
	struct mount *mount;   /* [I] */
	struct dentry *shared; /* [I] of every file that needs no inode of its own */
} anon;

static const struct super_ops anon_super_ops = {0};
static const struct inode_ops anon_inode_ops = {0};
static const struct filesystem anon_filesystem = {.name = "anon_inodefs"};

static int create_anonymous_dentry(uint32_t mode, struct dentry **out)
{
	struct inode *i;
	int err;

	err = inode_create(anon.super, &anon_inode_ops, mode, &i);
	if (err)
		return err;
	i->uid = cred_current()->fsuid;
	i->gid = cred_current()->fsgid;
	return dentry_create_root(anon.super, i, out); /* takes over the reference */
}

/* Takes over the reference to the dentry, also when it fails. */
static int open_on(struct file **out, struct dentry *d, const struct file_ops *ops,
	void *private_data, unsigned flags, unsigned mode)
{
	struct file *f;
	int err;

	err = allocate(&f, flags & ~(unsigned)O_CLOEXEC, mode | FILE_OPENED);
	if (err) {
		dentry_put(d);
		return err;
	}
	mount_get(anon.mount);
	f->mount = anon.mount;
	f->dentry = d;
	f->inode = d->inode;
	f->ops = ops;
	f->private_data = private_data;
	*out = f;
	return 0;
}

int file_open_anonymous(struct file **out, const struct file_ops *ops, const char *name UNUSED,
	void *private_data, unsigned flags, unsigned mode)
{
	struct dentry *d = anon.shared;
	int err;

	if (mode & FILE_NEW_FIFO)
		err = create_anonymous_dentry(S_IFIFO | 0600, &d);
	else if (mode & FILE_NEW_SOCKET)
		err = create_anonymous_dentry(S_IFSOCK | 0777, &d);
	else
		err = (dentry_get(d), 0);
	if (err)
		return err;
	return open_on(out, d, ops, private_data, flags, mode);
}

int file_open_same(
	struct file **out, struct file *f, void *private_data, unsigned flags, unsigned mode)
{
	dentry_get(f->dentry);
	return open_on(out, f->dentry, f->ops, private_data, flags, mode);
}

bool file_is_anonymous(const struct file *f)
{
	return f->inode->super->flags & SUPER_INTERNAL;
}

size_t file_anonymous_name(const struct file *f, char *buf, size_t size)
{
	const char *name = f->ops->name ? f->ops->name : "?";

	if (S_ISREG(f->inode->mode)) /* of a namespace, or of memfd_create() */
		return snformat(
			buf, size, f->inode->nlink ? "%s" : "/%s (deleted)", f->inode->link);
	if (S_ISFIFO(f->inode->mode) || S_ISSOCK(f->inode->mode))
		return snformat(buf, size, "%s:[%lu]",
			S_ISFIFO(f->inode->mode) ? "pipe" : "socket", f->inode->ino);
	return snformat(buf, size, "anon_inode:%s", name);
}

void file_init(void)
{
	struct page_stats stats;

	if (slab_cache_create(&file_cache, "file", sizeof(struct file), CACHE_LINE))
		panic("fs: no memory for open files");
	/* Linux: a tenth of memory, at 1 KiB a file */
	page_get_stats(&stats);
	file_max = MAX(stats.total * (PAGE_SIZE / KIB) / 10, (uint64_t)FILES_MIN);
	epoll_init();
	if (super_create(&anon_filesystem, &anon_super_ops, ANON_INODE_FS_MAGIC, SUPER_INTERNAL,
		    &anon.super) ||
		create_anonymous_dentry(0600, &anon.shared))
		panic("fs: no memory for anonymous files");
	anon.super->root = anon.shared;
	if (mount_create_internal(anon.super, &anon.mount))
		panic("fs: no memory for anonymous files");
}
