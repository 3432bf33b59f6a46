// SPDX-License-Identifier: MIT
/*
 * Names and inodes of tmpfs.
 *
 * The dentry tree is the directory (SUPER_KEEPS_NAMES): a name that is not cached does not exist,
 * so lookup has nothing to look up. What tmpfs adds is an order: each name has an entry in its
 * directory's list with a cookie that only rises, so a position of getdents stays valid whatever
 * is removed, and what is created during a walk comes at its end.
 *
 * Locks   the directory's inode->lock, which the VFS holds around every operation here (both
 *         directories' for a rename)
 * Spec    Linux: Documentation/filesystems/tmpfs.rst; sizes and link counts as its fs shows them
 */
#include <linux/fcntl.h>
#include <linux/fs.h>

#include "abi/stat.h"
#include "fs/tmpfs/tmpfs_priv.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/cred.h"

static struct slab_cache *node_cache;
static const struct inode_ops dir_ops, file_inode_ops, symlink_ops, special_ops;
static const struct file_ops dir_file_ops;

/* ---- Inodes ---- */

static int count_inode(struct tmpfs *fs)
{
	if (atomic_fetch_add_relaxed(&fs->used_inodes, 1ul) <
		atomic_load_relaxed(&fs->max_inodes))
		return 0;
	atomic_sub_relaxed(&fs->used_inodes, 1ul);
	return -ENOSPC;
}

static const struct inode_ops *ops_of(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return &dir_ops;
	case S_IFREG:
		return &file_inode_ops;
	case S_IFLNK:
		return &symlink_ops;
	}
	return &special_ops;
}

static void init_node(struct tmpfs_node *n, struct inode *i)
{
	n->fs = tmpfs_of(i->super);
	n->inode = i;
	n->entry = (struct tmpfs_entry){0};
	n->xattrs.head.next = NULL;
	if (S_ISDIR(i->mode)) {
		list_init(&n->entries);
		n->cursor = NULL;
		n->next_cookie = TMPFS_FIRST_COOKIE;
		i->fops = &dir_file_ops;
		i->size = 2 * TMPFS_DIRENT_SIZE;
		i->nlink = 2;
	} else if (S_ISREG(i->mode)) {
		pagecache_init(&n->cache, &tmpfs_source_ops, &tmpfs_cache_ops, i);
		n->seals = F_SEAL_SEAL;
		n->nr_writable_maps = 0;
		i->fops = &tmpfs_file_ops;
		i->source = &n->cache.source;
	}
	i->private_data = n;
}

int tmpfs_new_inode(struct super *s, const struct inode *dir, uint32_t mode, uint32_t rdev,
	struct inode **out)
{
	struct tmpfs *fs = tmpfs_of(s);
	struct tmpfs_node *n;
	struct inode *i;
	int err;

	err = count_inode(fs);
	if (err)
		return err;
	n = slab_alloc(node_cache, 0);
	if (!n) {
		err = -ENOMEM;
		goto uncount;
	}
	err = inode_create(s, ops_of(mode), mode, &i);
	if (err)
		goto free_node;
	if (dir)
		inode_init_owner(i, dir, mode);
	i->rdev = rdev;
	init_node(n, i);
	*out = i;
	return 0;

free_node:
	slab_free(node_cache, n);
uncount:
	atomic_sub_relaxed(&fs->used_inodes, 1ul);
	return err;
}

/* Out of the directory's list, where nobody stops at it any more. */
static void leave_directory(struct tmpfs_node *dir, struct tmpfs_entry *e)
{
	if (dir->cursor == e)
		dir->cursor = list_next(&dir->entries, e, struct tmpfs_entry, link);
	list_remove(&e->link);
}

static void free_entry(struct tmpfs_entry *e)
{
	e->dentry = NULL;
	if (e->is_allocated)
		mem_free(e);
}

/* Without links and references; or the whole filesystem goes, names and all. */
void tmpfs_evict(struct inode *i)
{
	struct tmpfs_node *n = tmpfs_node(i);

	if (!n)
		return;
	if (S_ISDIR(i->mode)) {
		list_for_each_safe (e, &n->entries, struct tmpfs_entry, link) {
			list_remove(&e->link);
			free_entry(e);
		}
	} else if (S_ISREG(i->mode)) {
		pagecache_fini(&n->cache);
	}
	if (list_node_is_linked(&n->entry.link))
		list_remove(&n->entry.link);
	tmpfs_free_xattrs(n);
	atomic_sub_relaxed(&n->fs->used_inodes, 1ul);
	i->private_data = NULL;
	slab_free(node_cache, n);
}

/* ---- Names ---- */

static void touch_dir(struct inode *dir)
{
	inode_touch(dir, IATTR_MTIME | IATTR_CTIME);
}

/* Puts the name at the end of the directory's list. The memory of a further name may be missing. */
static int add_entry(struct inode *dir, struct dentry *d, struct inode *i)
{
	struct tmpfs_node *parent = tmpfs_node(dir);
	struct tmpfs_entry *e = &tmpfs_node(i)->entry;

	if (e->dentry) {
		e = mem_alloc(sizeof(*e), SLAB_ZERO);
		if (!e)
			return -ENOMEM;
		e->is_allocated = true;
	}
	e->dentry = d;
	e->cookie = parent->next_cookie++;
	list_add_tail(&parent->entries, &e->link);
	d->private_data = e;
	dir->size += TMPFS_DIRENT_SIZE;
	touch_dir(dir);
	return 0;
}

static void remove_entry(struct inode *dir, struct dentry *d)
{
	if (!d->private_data) /* just being made by tmpfs_add_name */
		return;
	leave_directory(tmpfs_node(dir), d->private_data);
	free_entry(d->private_data);
	d->private_data = NULL;
	dir->size -= TMPFS_DIRENT_SIZE;
	touch_dir(dir);
}

static int lookup(struct inode *dir UNUSED, struct dentry *d UNUSED)
{
	return 0; /* what exists is cached */
}

static int make(struct inode *dir, struct dentry *d, uint32_t mode, uint32_t rdev)
{
	struct inode *i;
	int err;

	err = tmpfs_new_inode(dir->super, dir, mode, rdev, &i);
	if (err)
		return err;
	err = add_entry(dir, d, i);
	if (err) {
		i->nlink = 0;
		inode_put(i);
		return err;
	}
	if (S_ISDIR(mode))
		dir->nlink++;
	dentry_set_inode(d, i);
	return 0;
}

static int create(struct inode *dir, struct dentry *d, uint32_t mode)
{
	return make(dir, d, (mode & ~(uint32_t)S_IFMT) | S_IFREG, 0);
}

static int mkdir(struct inode *dir, struct dentry *d, uint32_t mode)
{
	return make(dir, d, (mode & ~(uint32_t)S_IFMT) | S_IFDIR, 0);
}

static int mknod(struct inode *dir, struct dentry *d, uint32_t mode, uint32_t rdev)
{
	return make(dir, d, mode, rdev);
}

static int symlink(struct inode *dir, struct dentry *d, const char *target)
{
	size_t len = strlen(target);
	struct inode *i;
	char *text;
	int err;

	text = mem_alloc(len + 1, 0);
	if (!text)
		return -ENOMEM;
	memcpy(text, target, len + 1);
	err = tmpfs_new_inode(dir->super, dir, S_IFLNK | 0777, 0, &i);
	if (err) {
		mem_free(text);
		return err;
	}
	i->link = text; /* the inode's from here on */
	i->size = (int64_t)len;
	err = add_entry(dir, d, i);
	if (err) {
		i->nlink = 0;
		inode_put(i);
		return err;
	}
	dentry_set_inode(d, i);
	return 0;
}

static int tmpfile(struct inode *dir, struct dentry *d, uint32_t mode)
{
	struct inode *i;
	int err;

	err = tmpfs_new_inode(dir->super, dir, (mode & ~(uint32_t)S_IFMT) | S_IFREG, 0, &i);
	if (err)
		return err;
	i->nlink = 0;
	dentry_set_inode(d, i);
	return 0;
}

static int link_name(struct inode *dir, struct dentry *d, struct inode *target)
{
	int err;

	err = add_entry(dir, d, target);
	if (err)
		return err;
	target->nlink++;
	inode_touch(target, IATTR_CTIME);
	inode_get(target);
	dentry_set_inode(d, target);
	return 0;
}

static int unlink(struct inode *dir, struct dentry *d)
{
	remove_entry(dir, d);
	d->inode->nlink--;
	inode_touch(d->inode, IATTR_CTIME);
	return 0;
}

int tmpfs_add_name(struct dentry *dir, const char *name, struct inode *i)
{
	struct dentry *d;
	int err;

	err = dentry_add(dir, name, i);
	if (err)
		return err;
	mutex_lock(&dir->inode->lock);
	d = dentry_find(dir, name, strlen(name));
	if (d && d->inode == i && !d->private_data) {
		err = add_entry(dir->inode, d, i);
		if (S_ISDIR(i->mode))
			dir->inode->nlink++;
	}
	mutex_unlock(&dir->inode->lock);
	if (d)
		dentry_put(d);
	return err;
}

int tmpfs_remove_name(struct dentry *dir, const char *name)
{
	struct dentry *d;
	int err = -ENOENT;

	mutex_lock(&dir->inode->lock);
	d = dentry_find(dir, name, strlen(name));
	if (d && d->inode && !S_ISDIR(d->inode->mode)) {
		err = unlink(dir->inode, d);
		dentry_drop(d);
	}
	mutex_unlock(&dir->inode->lock);
	if (d)
		dentry_put(d);
	return err;
}

static bool is_empty(const struct inode *dir)
{
	return list_is_empty(&tmpfs_node(dir)->entries);
}

static int rmdir(struct inode *dir, struct dentry *d)
{
	if (!is_empty(d->inode))
		return -ENOTEMPTY;
	remove_entry(dir, d);
	d->inode->nlink = 0;
	dir->nlink--;
	inode_touch(d->inode, IATTR_CTIME);
	return 0;
}

/* ---- Rename: entries change their directory and cookie, inodes stay ---- */

/* The entry leaves `from` and comes last in `to`; it will be known by dentry d. */
static void move_entry(struct tmpfs_entry *e, struct inode *from, struct inode *to)
{
	if (!e) /* just being made by tmpfs_add_name, whose add_entry will find it */
		return;
	leave_directory(tmpfs_node(from), e);
	from->size -= TMPFS_DIRENT_SIZE;
	e->cookie = tmpfs_node(to)->next_cookie++;
	list_add_tail(&tmpfs_node(to)->entries, &e->link);
	to->size += TMPFS_DIRENT_SIZE;
}

static void move_subdir(const struct inode *i, struct inode *from, struct inode *to)
{
	if (S_ISDIR(i->mode) && from != to) {
		from->nlink--;
		to->nlink++;
	}
}

static void replace_target(struct inode *dir, struct dentry *d)
{
	if (!d->inode)
		return;
	if (S_ISDIR(d->inode->mode)) {
		d->inode->nlink = 0;
		dir->nlink--;
	} else {
		d->inode->nlink--;
	}
	inode_touch(d->inode, IATTR_CTIME);
	remove_entry(dir, d);
}

static int exchange(
	struct inode *old_dir, struct dentry *old, struct inode *new_dir, struct dentry *new_d)
{
	move_entry(old->private_data, old_dir, new_dir);
	move_entry(new_d->private_data, new_dir, old_dir);
	move_subdir(old->inode, old_dir, new_dir);
	move_subdir(new_d->inode, new_dir, old_dir);
	inode_touch(new_d->inode, IATTR_CTIME);
	return 0;
}

/*
 * The VFS moves the dentries after us (for an exchange both): `old` takes the place and name of
 * new_d. The VFS makes the whiteout that may take old's name, too.
 */
static int rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
	struct dentry *new_d, unsigned flags)
{
	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if (flags & RENAME_EXCHANGE) {
		exchange(old_dir, old, new_dir, new_d);
	} else {
		if (new_d->inode && S_ISDIR(new_d->inode->mode) && !is_empty(new_d->inode))
			return -ENOTEMPTY;
		replace_target(new_dir, new_d);
		move_entry(old->private_data, old_dir, new_dir);
		move_subdir(old->inode, old_dir, new_dir);
	}
	touch_dir(old_dir);
	if (new_dir != old_dir)
		touch_dir(new_dir);
	inode_touch(old->inode, IATTR_CTIME);
	return 0;
}

/* ---- Attributes ---- */

static int setattr(struct inode *i, const struct iattr *attr)
{
	int err;

	if (attr->valid & IATTR_SIZE) {
		err = tmpfs_set_size(i, attr->size);
		if (err)
			return err;
	}
	inode_set_attr_simple(i, attr);
	return 0;
}

/* ---- Reading a directory ---- */

static unsigned type_of(const struct inode *i)
{
	return (i->mode & S_IFMT) >> 12; /* DT_*: man 3 readdir */
}

/* The first name at or behind a position; from where somebody stopped, if that is there. */
static struct tmpfs_entry *entry_at(struct tmpfs_node *dir, int64_t pos)
{
	struct tmpfs_entry *e = dir->cursor, *before;

	before = e ? list_prev(&dir->entries, e, struct tmpfs_entry, link) : NULL;
	if (!e || (before && before->cookie >= pos))
		e = list_first(&dir->entries, struct tmpfs_entry, link);
	while (e && e->cookie < pos)
		e = list_next(&dir->entries, e, struct tmpfs_entry, link);
	return e;
}

static int iterate(struct file *f, struct dir_sink *sink)
{
	struct inode *dir = f->inode;
	struct tmpfs_node *n = tmpfs_node(dir);
	struct tmpfs_entry *e;
	struct dentry *parent = f->dentry->parent;

	if (f->pos == 0) {
		if (!sink->emit(sink, ".", 1, 1, dir->ino, type_of(dir)))
			return 0;
		f->pos = 1;
	}
	if (f->pos == 1) {
		if (!sink->emit(sink, "..", 2, TMPFS_FIRST_COOKIE, parent->inode->ino,
			    type_of(dir)))
			return 0;
		f->pos = TMPFS_FIRST_COOKIE;
	}
	for (e = entry_at(n, f->pos); e;
		e = list_next(&n->entries, e, struct tmpfs_entry, link)) {
		const struct dentry *d = e->dentry;

		n->cursor = e;
		if (!sink->emit(sink, d->name, d->name_len, e->cookie + 1, d->inode->ino,
			    type_of(d->inode)))
			return 0;
		f->pos = e->cookie + 1;
	}
	return 0;
}

static int64_t dir_read(struct file *f UNUSED, struct iter *to UNUSED, int64_t *pos UNUSED)
{
	return -EISDIR;
}

static int dir_fsync(struct file *f UNUSED, bool data_only UNUSED)
{
	return 0; /* memory is all there is */
}

static const struct file_ops dir_file_ops = {
	.read = dir_read,
	.seek = file_seek_dir,
	.iterate = iterate,
	.fsync = dir_fsync,
};

#define COMMON_OPS                                                                             \
	.setattr = setattr, .getxattr = tmpfs_getxattr, .setxattr = tmpfs_setxattr,            \
	.listxattr = tmpfs_listxattr

static const struct inode_ops dir_ops = {
	COMMON_OPS,
	.lookup = lookup,
	.create = create,
	.mkdir = mkdir,
	.mknod = mknod,
	.symlink = symlink,
	.link = link_name,
	.unlink = unlink,
	.rmdir = rmdir,
	.rename = rename,
	.tmpfile = tmpfile,
};
static const struct inode_ops file_inode_ops = {COMMON_OPS};
static const struct inode_ops symlink_ops = {COMMON_OPS};
static const struct inode_ops special_ops = {COMMON_OPS};

void tmpfs_init_inodes(void)
{
	if (slab_cache_create(&node_cache, "tmpfs inode", sizeof(struct tmpfs_node), 0))
		panic("tmpfs: no memory");
}
