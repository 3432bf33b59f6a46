// SPDX-License-Identifier: MIT
/*
 * Operations on names: mkdir, mknod, symlink, link, unlink, rmdir, rename.
 *
 * Each walks to the directory, locks it, finds the name, checks in the order of Linux, calls the
 * filesystem and then brings the dentry cache in line. A filesystem sees only calls that are
 * allowed, with every inode it may change locked.
 *
 * Locks   RANK_INODE, by keys: the directory (of two: the ancestor first, else the lower
 *         address, under super->rename_lock), then the files or directories in them by address.
 * Spec    man 2 of each; Linux: the order of errors, pinned by tests/guest
 */
#include "fs/vfs/notify.h"
#include "fs/vfs/permission_priv.h"
#include "fs/vfs/mount_priv.h"
#include "fs/vfs/walk_priv.h"
#include "lib/string.h"
#include "proc/cred.h"

#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/limits.h>

enum { KEY_FIRST_DIR = 1, KEY_SECOND_DIR = 2 };

/* A child's key: its address, which is above those of directories. */
static uint64_t child_key(const struct inode *i)
{
	return (uintptr_t)i;
}

/* ---- Making ---- */

int inode_may_create(struct dentry *dir)
{
	if (dir->flags & DENTRY_CANT_MOUNT)
		return -ENOENT; /* removed meanwhile */
	return inode_permission(dir->inode, MAY_WRITE | MAY_EXEC);
}

/* A parent to make a name in, with write access of the mount; -EEXIST when the name is there. */
static int begin_create(int dirfd, const char *name, bool is_dir, struct parent_path *p)
{
	int err = path_lookup_parent(dirfd, name, 0, is_dir, p), write_err;

	if (err)
		return err;
	write_err = mount_want_write(p->dir.mnt);
	if (p->child->inode)
		err = -EEXIST; /* comes before -EROFS: man 2 mkdir, Linux */
	else
		err = write_err;
	if (!err)
		return 0;
	if (!write_err)
		mount_end_write(p->dir.mnt);
	path_unlock_parent(p);
	return err;
}

static void end_create(struct parent_path *p)
{
	mount_end_write(p->dir.mnt);
	path_unlock_parent(p);
}

static uint32_t apply_umask(uint32_t mode)
{
	return mode & ~READ_ONCE(fs_context_current()->umask);
}

int vfs_mkdir(int dirfd, const char *name, uint32_t mode)
{
	struct parent_path p;
	struct inode *dir;
	int err = begin_create(dirfd, name, true, &p);

	if (err)
		return err;
	dir = p.dir.dentry->inode;
	err = inode_may_create(p.dir.dentry);
	if (!err && !dir->ops->mkdir)
		err = -EPERM;
	if (!err) {
		mode = apply_umask(mode & (MODE_RWX_ALL | S_ISVTX));
		err = dir->ops->mkdir(dir, p.child, S_IFDIR | mode);
	}
	if (!err)
		notify_name(dir, p.child, IN_CREATE | IN_ISDIR);
	end_create(&p);
	return err;
}

static int check_mknod_type(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case 0:
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
}

static int mknod_locked(struct parent_path *p, uint32_t mode, uint32_t rdev)
{
	struct inode *dir = p->dir.dentry->inode;
	bool is_file = !(mode & S_IFMT) || S_ISREG(mode), is_whiteout = S_ISCHR(mode) && !rdev;
	int err = inode_may_create(p->dir.dentry);

	if (!err && (S_ISCHR(mode) || S_ISBLK(mode)) && !is_whiteout && !capable(CAP_MKNOD))
		err = -EPERM;
	if (!err && !(is_file ? !!dir->ops->create : !!dir->ops->mknod))
		err = is_file ? -EACCES : -EPERM;
	if (!err) {
		mode = apply_umask(mode);
		if (is_file)
			err = dir->ops->create(dir, p->child, S_IFREG | (mode & MODE_BITS_ALL));
		else
			err = dir->ops->mknod(dir, p->child, mode, rdev);
	}
	if (!err)
		notify_name(dir, p->child, IN_CREATE);
	return err;
}

int vfs_mknod(int dirfd, const char *name, uint32_t mode, uint32_t rdev)
{
	struct parent_path p;
	int err = check_mknod_type(mode);

	if (!err)
		err = begin_create(dirfd, name, false, &p);
	if (err)
		return err;
	err = mknod_locked(&p, mode, rdev);
	end_create(&p);
	return err;
}

int vfs_symlink(const char *target, int dirfd, const char *name)
{
	struct parent_path p;
	struct inode *dir;
	int err;

	if (!*target)
		return -ENOENT;
	err = begin_create(dirfd, name, false, &p);
	if (err)
		return err;
	dir = p.dir.dentry->inode;
	err = inode_may_create(p.dir.dentry);
	if (!err && !dir->ops->symlink)
		err = -EPERM;
	if (!err)
		err = dir->ops->symlink(dir, p.child, target);
	if (!err)
		notify_name(dir, p.child, IN_CREATE);
	end_create(&p);
	return err;
}

/* The directory is locked, and the name is free. */
static int link_locked(struct parent_path *p, const struct path *old)
{
	struct inode *dir = p->dir.dentry->inode, *i = old->dentry->inode;
	int err;

	if (old->mnt != p->dir.mnt)
		return -EXDEV;
	err = inode_may_create(p->dir.dentry);
	if (err)
		return err;
	if (dir->super != i->super)
		return -EXDEV;
	if (!dir->ops->link || S_ISDIR(i->mode))
		return -EPERM;
	mutex_lock_nested(&i->lock, child_key(i));
	if (!i->nlink && !(i->flags & INODE_LINKABLE))
		err = -ENOENT;
	else
		err = dir->ops->link(dir, p->child, i);
	if (!err)
		atomic_and(&i->flags, ~(uint32_t)INODE_LINKABLE);
	mutex_unlock(&i->lock);
	if (!err) {
		notify_inode(i, IN_ATTRIB);
		notify_name(dir, p->child, IN_CREATE);
	}
	return err;
}

int vfs_link(int old_dirfd, const char *old, int new_dirfd, const char *name, int at_flags)
{
	struct parent_path p;
	struct path from;
	unsigned flags = 0;
	int err;

	if (at_flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (at_flags & AT_EMPTY_PATH) {
		/* man 2 linkat: -ENOENT without the capability */
		if (!capable(CAP_DAC_READ_SEARCH))
			return -ENOENT;
		flags |= LOOKUP_EMPTY;
	}
	if (at_flags & AT_SYMLINK_FOLLOW)
		flags |= LOOKUP_FOLLOW;
	err = path_lookup(old_dirfd, old, flags, &from);
	if (err)
		return err;
	err = begin_create(new_dirfd, name, false, &p);
	if (!err) {
		err = link_locked(&p, &from);
		end_create(&p);
	}
	path_put(&from);
	return err;
}

/* ---- Removing ---- */

/* The checks of Linux's may_delete, in its order; the directory is locked. */
static int may_delete(struct dentry *dir, struct dentry *victim, bool is_dir)
{
	int err = inode_permission(dir->inode, MAY_WRITE | MAY_EXEC);

	if (err)
		return err;
	err = inode_may_delete(dir->inode, victim->inode);
	if (err)
		return err;
	if (is_dir && !S_ISDIR(victim->inode->mode))
		return -ENOTDIR;
	if (!is_dir && S_ISDIR(victim->inode->mode))
		return -EISDIR;
	return 0;
}

static void forget_name(struct dentry *d)
{
	atomic_or(&d->flags, DENTRY_UNLINKED | DENTRY_CANT_MOUNT);
	dentry_drop(d);
	/* before the directory is told: Linux */
	if (!d->inode->nlink && dentry_is_last_reference(d))
		notify_inode_gone(d->inode);
}

static int unlink_locked(struct dentry *dir, struct dentry *d)
{
	struct inode *i = d->inode;
	int err = may_delete(dir, d, false);

	if (err)
		return err;
	if (!dir->inode->ops->unlink)
		return -EPERM;
	mutex_lock_nested(&i->lock, child_key(i));
	if (mount_is_here(d))
		err = -EBUSY;
	else
		err = dir->inode->ops->unlink(dir->inode, d);
	if (!err) {
		notify_inode(i, IN_ATTRIB);
		forget_name(d);
	}
	mutex_unlock(&i->lock);
	if (!err)
		notify_name(dir->inode, d, IN_DELETE);
	return err;
}

static int rmdir_locked(struct dentry *dir, struct dentry *d)
{
	struct inode *i = d->inode;
	int err = may_delete(dir, d, true);

	if (err)
		return err;
	if (!dir->inode->ops->rmdir)
		return -EPERM;
	mutex_lock_nested(&i->lock, child_key(i));
	if (mount_is_here(d))
		err = -EBUSY;
	else
		err = dir->inode->ops->rmdir(dir->inode, d);
	if (!err)
		forget_name(d);
	mutex_unlock(&i->lock);
	if (!err)
		notify_name(dir->inode, d, IN_DELETE | IN_ISDIR);
	return err;
}

static int slash_after_file(const struct dentry *d)
{
	if (!d->inode)
		return -ENOENT;
	return S_ISDIR(d->inode->mode) ? -EISDIR : -ENOTDIR;
}

/* Paused at the directory of an ordinary name. */
static int remove_last(struct walk *w, bool is_dir)
{
	struct dentry *dir = w->held.dentry, *d;
	int err = mount_want_write(w->held.mnt);

	if (err)
		return err;
	mutex_lock_nested(&dir->inode->lock, KEY_FIRST_DIR);
	err = walk_lookup_locked(dir, &w->last, &d);
	if (!err) {
		if (!is_dir && w->last_is_dir)
			err = slash_after_file(d);
		else if (!d->inode)
			err = -ENOENT;
		else
			err = is_dir ? rmdir_locked(dir, d) : unlink_locked(dir, d);
		mutex_unlock(&dir->inode->lock);
		dentry_put(
			d); /* the file's end, when this was its last name: not under the lock */
	} else {
		mutex_unlock(&dir->inode->lock);
	}
	mount_end_write(w->held.mnt);
	return err;
}

int vfs_unlink(int dirfd, const char *name)
{
	struct walk w;
	int err;

	walk_init(&w, dirfd, name, strlen(name), LOOKUP_PARENT);
	err = walk_run_to_pause(&w);
	if (!err && w.last_type != LAST_NORMAL)
		err = -EISDIR;
	if (!err)
		err = remove_last(&w, false);
	walk_fini(&w);
	return err;
}

int vfs_make_socket(const char *name, uint32_t mode,
	int (*claim)(void *by, const struct path *at), void *by)
{
	struct parent_path p;
	int err = begin_create(AT_FDCWD, name, false, &p);

	if (err)
		return err;
	err = mknod_locked(&p, S_IFSOCK | mode, 0);
	if (!err) {
		err = claim(by, &(struct path){p.dir.mnt, p.child});
		if (err)
			(void)unlink_locked(p.dir.dentry, p.child);
	}
	end_create(&p);
	return err;
}

int vfs_rmdir(int dirfd, const char *name)
{
	static const int special[] = {
		[LAST_DOT] = -EINVAL, [LAST_DOTDOT] = -ENOTEMPTY, [LAST_NONE] = -EBUSY};
	struct walk w;
	int err;

	walk_init(&w, dirfd, name, strlen(name), LOOKUP_PARENT);
	err = walk_run_to_pause(&w);
	if (!err)
		err = special[w.last_type];
	if (!err)
		err = remove_last(&w, true);
	walk_fini(&w);
	return err;
}

/* ---- Renaming ---- */

struct rename {
	struct walk *from, *to;
	struct dentry *old_dir, *new_dir; /* of the walks */
	struct dentry *old, *new;         /* one reference each */
	unsigned flags;                   /* RENAME_* */
};

static void lock_dirs(struct rename *r) NOT_ANALYSED /* one or two, by order */
{
	struct inode *a = r->old_dir->inode, *b = r->new_dir->inode;

	if (a == b) {
		mutex_lock_nested(&a->lock, KEY_FIRST_DIR);
		return;
	}
	mutex_lock(&a->super->rename_lock);
	if (dentry_is_below(r->old_dir, r->new_dir) ||
		(!dentry_is_below(r->new_dir, r->old_dir) && a > b)) {
		struct inode *swap = a;

		a = b;
		b = swap;
	}
	mutex_lock_nested(&a->lock, KEY_FIRST_DIR);
	mutex_lock_nested(&b->lock, KEY_SECOND_DIR);
}

static void unlock_dirs(struct rename *r) NOT_ANALYSED
{
	struct inode *a = r->old_dir->inode, *b = r->new_dir->inode;

	mutex_unlock(&a->lock);
	if (a == b)
		return;
	mutex_unlock(&b->lock);
	mutex_unlock(&a->super->rename_lock);
}

/* What the two names are, before any right is asked. */
static int check_names(const struct rename *r)
{
	bool is_exchange = r->flags & RENAME_EXCHANGE;

	if (!r->old->inode)
		return -ENOENT;
	if (r->flags & RENAME_NOREPLACE && r->new->inode)
		return -EEXIST;
	if (is_exchange) {
		if (!r->new->inode)
			return -ENOENT;
		if (!S_ISDIR(r->new->inode->mode) && r->to->last_is_dir)
			return -ENOTDIR;
	}
	if (!S_ISDIR(r->old->inode->mode)) {
		if (r->from->last_is_dir || (!is_exchange && r->to->last_is_dir))
			return -ENOTDIR;
	}
	if (r->old_dir == r->new_dir)
		return 0;
	if (dentry_is_below(r->new_dir, r->old))
		return -EINVAL;
	if (dentry_is_below(r->old_dir, r->new))
		return is_exchange ? -EINVAL : -ENOTEMPTY;
	return 0;
}

static int check_rights(const struct rename *r)
{
	bool is_dir = S_ISDIR(r->old->inode->mode), is_new_dir = is_dir;
	bool changes_dir = r->old_dir != r->new_dir;
	int err = may_delete(r->old_dir, r->old, is_dir);

	if (err)
		return err;
	if (!r->new->inode) {
		err = inode_may_create(r->new_dir);
	} else {
		if (r->flags & RENAME_EXCHANGE)
			is_new_dir = S_ISDIR(r->new->inode->mode);
		err = may_delete(r->new_dir, r->new, is_new_dir);
	}
	if (err)
		return err;
	if (!r->old_dir->inode->ops->rename)
		return -EPERM;
	/* a directory's ".." changes: man 2 rename, EACCES */
	if (changes_dir && is_dir)
		err = inode_permission(r->old->inode, MAY_WRITE);
	if (!err && changes_dir && r->flags & RENAME_EXCHANGE && is_new_dir)
		err = inode_permission(r->new->inode, MAY_WRITE);
	return err;
}

static void lock_children(struct inode *a, struct inode *b) NOT_ANALYSED
{
	if (b && a > b) {
		struct inode *swap = a;

		a = b;
		b = swap;
	}
	mutex_lock_nested(&a->lock, child_key(a));
	if (b)
		mutex_lock_nested(&b->lock, child_key(b));
}

static void notify_rename(const struct rename *r, struct inode *i, struct inode *replaced)
{
	notify_move(r->old_dir->inode, r->new_dir->inode, &r->from->last, r->old);
	if (r->flags & RENAME_EXCHANGE)
		notify_move(r->new_dir->inode, r->old_dir->inode, &r->to->last, r->new);
	else if (replaced)
		notify_inode(replaced, IN_ATTRIB);
	notify_inode(i, IN_MOVE_SELF);
}

/* The device 0:0 that RENAME_WHITEOUT leaves: in the directory already, but no walk finds it. *out: NULL or it. */
static int make_whiteout(const struct rename *r, struct dentry **out)
{
	struct inode *dir = r->old_dir->inode;
	int err;

	if (!dir->ops->mknod)
		return -EINVAL;
	err = dentry_create(r->old_dir, &r->from->last, out);
	if (err)
		return err;
	atomic_or(&(*out)->flags, DENTRY_UNLINKED);
	err = dir->ops->mknod(dir, *out, S_IFCHR, 0);
	if (err) {
		dentry_put(*out);
		*out = NULL;
	}
	return err;
}

/* Its name is free now; or not, and it goes. */
static void finish_whiteout(const struct rename *r, struct dentry *w, bool is_wanted)
{
	struct inode *dir = r->old_dir->inode;

	if (!is_wanted) {
		(void)!dir->ops->unlink(dir, w); /* just made: it can go */
	} else {
		atomic_and(&w->flags, ~(uint32_t)DENTRY_UNLINKED);
		if (dentry_keeps_names(w))
			dentry_set_inode(w, w->inode);
		else
			dentry_add_to_cache(w);
	}
	dentry_put(w);
}

static int rename_locked(struct rename *r) NOT_ANALYSED /* lock_children */
{
	struct inode *i = r->old->inode, *replaced = r->new->inode;
	struct dentry *whiteout = NULL;
	int err = check_names(r);

	if (err || i == replaced)
		return err; /* man 2 rename: two names of one file: nothing is done */
	err = check_rights(r);
	if (err)
		return err;
	lock_children(i, replaced);
	if (mount_is_here(r->old) || (replaced && mount_is_here(r->new)))
		err = -EBUSY;
	else if (r->flags & RENAME_WHITEOUT)
		err = make_whiteout(r, &whiteout);
	if (!err)
		err = r->old_dir->inode->ops->rename(
			r->old_dir->inode, r->old, r->new_dir->inode, r->new, r->flags);
	if (!err && r->flags & RENAME_EXCHANGE) {
		dentry_exchange(r->old, r->new);
	} else if (!err) {
		if (replaced)
			atomic_or(&r->new->flags, DENTRY_UNLINKED | DENTRY_CANT_MOUNT);
		dentry_move(r->old, r->new);
	}
	if (whiteout)
		finish_whiteout(r, whiteout, !err);
	mutex_unlock(&i->lock);
	if (replaced)
		mutex_unlock(&replaced->lock);
	if (!err)
		notify_rename(r, i, replaced);
	return err;
}

static int rename_paused(struct walk *from, struct walk *to, unsigned flags)
{
	struct rename r = {from, to, from->held.dentry, to->held.dentry, NULL, NULL, flags};
	int err;

	if (from->held.mnt != to->held.mnt)
		return -EXDEV;
	if (from->last_type != LAST_NORMAL)
		return -EBUSY;
	if (to->last_type != LAST_NORMAL)
		return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	err = mount_want_write(from->held.mnt);
	if (err)
		return err;
	lock_dirs(&r);
	err = walk_lookup_locked(r.old_dir, &from->last, &r.old);
	if (!err)
		err = walk_lookup_locked(r.new_dir, &to->last, &r.new);
	if (!err)
		err = rename_locked(&r);
	unlock_dirs(&r);
	if (r.new)
		dentry_put(r.new);
	if (r.old)
		dentry_put(r.old);
	mount_end_write(from->held.mnt);
	return err;
}

int vfs_rename(int old_dirfd, const char *old, int new_dirfd, const char *name, unsigned flags)
{
	struct walk from, to;
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT) && flags & RENAME_EXCHANGE)
		return -EINVAL;
	walk_init(&from, old_dirfd, old, strlen(old), LOOKUP_PARENT);
	walk_init(&to, new_dirfd, name, strlen(name), LOOKUP_PARENT);
	err = walk_run_to_pause(&from);
	if (!err)
		err = walk_run_to_pause(&to);
	if (!err)
		err = rename_paused(&from, &to, flags);
	walk_fini(&to);
	walk_fini(&from);
	return err;
}
