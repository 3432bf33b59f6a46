// SPDX-License-Identifier: MIT
/*
 * Opening: from a path name and open's flags to a struct file.
 *
 * Without O_CREAT it is a walk, the checks of may_open, and file_open. With O_CREAT the walk
 * stops at the directory, which is locked while the name is looked up and perhaps made; a symlink
 * there is followed by going on with its target. A FIFO is opened by its own rules, which may
 * wait: path_open_file leaves that to ops/open.c.
 *
 * Spec    man 2 open, openat2; Linux: the order of errors, pinned by tests/guest
 */
#include "fs/vfs/open.h"

#include "fs/vfs/mount_priv.h"
#include "fs/vfs/notify.h"
#include "fs/vfs/permission_priv.h"
#include "fs/vfs/walk_priv.h"
#include "lib/fmt.h"
#include "lib/string.h"

#include <linux/fcntl.h>
#include <linux/mount.h>

#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)

/* What the caller wants to do with what is there already: a mask of MAY_*. */
static unsigned access_mask(unsigned flags)
{
	static const uint8_t by_mode[] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE,
		MAY_READ | MAY_WRITE /* 3: ioctl only, but asks for both */};

	return by_mode[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
}

static int check_type(const struct path *p, unsigned mask)
{
	const struct inode *i = p->dentry->inode;

	switch (i->mode & S_IFMT) {
	case S_IFLNK:
		return -ELOOP;
	case S_IFDIR:
		return mask & MAY_WRITE ? -EISDIR : 0;
	case S_IFCHR:
	case S_IFBLK:
		if (p->mnt->flags & MS_NODEV || i->super->flags & SUPER_NO_DEV)
			return -EACCES;
		return 0;
	default:
		return 0;
	}
}

/* Whether an existing file may be opened so. */
static int may_open(const struct path *p, unsigned flags)
{
	struct inode *i = p->dentry->inode;
	unsigned mask = access_mask(flags);
	int err = check_type(p, mask);

	if (err)
		return err;
	err = inode_permission(i, mask);
	if (err)
		return err;
	if (flags & O_NOATIME && !inode_is_owner_or_capable(i))
		return -EPERM;
	return 0;
}

/* The flags a file keeps, and O_NOCTTY, which file_open() looks at. */
static unsigned file_flags(unsigned flags)
{
	return flags & ~(unsigned)(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC);
}

static int open_allowed(const struct path *p, unsigned flags, bool truncates, struct file **out)
{
	struct inode *i = p->dentry->inode;
	struct file *f;
	int err;

	if (truncates) {
		err = mount_want_write(p->mnt);
		if (err)
			return err;
	}
	if (S_ISFIFO(i->mode) && !(flags & O_PATH))
		err = file_create(
			&f, p->mnt, p->dentry, file_flags(flags) & ~(unsigned)O_NOCTTY);
	else
		err = file_open(&f, p->mnt, p->dentry, file_flags(flags));
	if (!err && truncates) {
		err = path_set_size(p, 0);
		if (err)
			file_put(f);
	}
	if (truncates)
		mount_end_write(p->mnt);
	if (err)
		return err;
	if (!(flags & O_PATH) && !S_ISFIFO(i->mode))
		notify_file(f, IN_OPEN);
	*out = f;
	return 0;
}

static int open_existing(const struct path *p, unsigned flags, struct file **out)
{
	struct inode *i = p->dentry->inode;
	int err;

	if (flags & O_CREAT) {
		if (flags & O_EXCL)
			return -EEXIST;
		if (S_ISDIR(i->mode))
			return -EISDIR;
	}
	if (flags & O_DIRECTORY && !S_ISDIR(i->mode))
		return -ENOTDIR;
	if (flags & O_PATH)
		return open_allowed(p, flags, false, out);
	err = may_open(p, flags);
	if (err)
		return err;
	return open_allowed(p, flags, flags & O_TRUNC && S_ISREG(i->mode), out);
}

int path_open_at(const struct path *p, unsigned flags, struct file **out)
{
	return open_existing(p, flags, out);
}

/* ---- O_CREAT ---- */

static uint32_t new_mode(uint32_t mode)
{
	return S_IFREG | (mode & MODE_BITS_ALL & ~READ_ONCE(fs_context_current()->umask));
}

/*
 * The directory is locked; the name does not exist. write_err is what the mount says.
 */
static int create_locked(struct dentry *dir, struct dentry *d, uint32_t mode, int write_err)
{
	int err = write_err ? write_err : inode_may_create(dir);

	if (err)
		return err;
	if (!dir->inode->ops->create)
		return -EACCES;
	err = dir->inode->ops->create(dir->inode, d, new_mode(mode));
	if (!err)
		notify_name(dir->inode, d, IN_CREATE);
	return err;
}

/* Paused at the directory: finds or makes the last name; one reference. */
static int find_or_create(
	struct walk *w, const struct open_how_kernel *how, struct dentry **out, bool *is_new)
{
	struct dentry *dir = w->held.dentry, *d;
	int write_err = mount_want_write(w->held.mnt), err;

	mutex_lock(&dir->inode->lock);
	err = walk_lookup_locked(dir, &w->last, &d);
	*is_new = !err && !d->inode;
	if (*is_new)
		err = create_locked(dir, d, how->mode, write_err);
	mutex_unlock(&dir->inode->lock);
	if (!write_err)
		mount_end_write(w->held.mnt);
	if (err && *is_new)
		dentry_put(d);
	*out = d;
	return err;
}

/* The last name is "." or "..", or the path is "/". */
static int open_dots(struct walk *w, unsigned flags, struct file **out)
{
	int err = 0;

	if (w->last_type != LAST_NONE) {
		w->flags &= ~LOOKUP_PARENT;
		w->rest = w->last.text;
		walk_resume(w);
		err = walk_continue(w);
		if (!err)
			err = walk_pause(w);
	}
	return err ? err : open_existing(&w->held, flags, out);
}

/* One turn at the directory of the last name; 1: it was a symlink, and the walk has gone on. */
static int open_last(struct walk *w, const struct open_how_kernel *how, struct file **out)
{
	struct dentry *d;
	struct path p;
	bool is_new;
	int err;

	if (w->last_type != LAST_NORMAL)
		return open_dots(w, how->flags, out);
	if (w->last_is_dir)
		return -EISDIR;
	err = find_or_create(w, how, &d, &is_new);
	if (err)
		return err;
	if (S_ISLNK(d->inode->mode) && !(how->flags & (O_NOFOLLOW | O_EXCL))) {
		err = walk_follow_last(w, d);
		if (!err)
			err = walk_continue(w);
		if (!err)
			err = walk_pause(w);
		return err ? err : 1;
	}
	p = (struct path){w->held.mnt, d};
	mount_get(p.mnt);
	mount_descend(&p);
	if (p.mnt != w->held.mnt && how->lookup & LOOKUP_NO_XDEV)
		err = -EXDEV;
	else if (is_new && how->flags & O_DIRECTORY)
		err = -ENOTDIR;
	else if (is_new)
		err = open_allowed(&p, how->flags, false, out);
	else
		err = open_existing(&p, how->flags, out);
	path_put(&p);
	return err;
}

static int open_creating(
	int dirfd, const char *name, const struct open_how_kernel *how, struct file **out)
{
	struct walk w;
	int err;

	walk_init(&w, dirfd, name, strlen(name), how->lookup | LOOKUP_PARENT);
	do {
		w.flags |= LOOKUP_PARENT;
		err = walk_run_to_pause(&w);
		while (!err && (err = open_last(&w, how, out)) == 1)
			err = 0;
	} while (err == -EAGAIN);
	walk_fini(&w);
	return err;
}

/* ---- O_TMPFILE ---- */

static int make_tmpfile(
	const struct path *dir, const struct open_how_kernel *how, struct file **out)
{
	struct inode *i = dir->dentry->inode;
	struct name_key key;
	struct path p = {dir->mnt, NULL};
	char name[24];
	int err = inode_permission(i, MAY_WRITE | MAY_EXEC);

	if (err)
		return err;
	if (!i->ops->tmpfile)
		return -EOPNOTSUPP;
	snformat(name, sizeof(name), "#%lu",
		(unsigned long)atomic_load_relaxed(&i->super->next_ino));
	name_key_init(&key, name, strlen(name));
	err = dentry_create(dir->dentry, &key, &p.dentry);
	if (err)
		return err;
	p.dentry->flags |= DENTRY_UNLINKED | DENTRY_CANT_MOUNT;
	mutex_lock(&i->lock);
	err = i->ops->tmpfile(i, p.dentry, new_mode(how->mode));
	mutex_unlock(&i->lock);
	if (!err && !(how->flags & O_EXCL))
		atomic_or(&p.dentry->inode->flags, INODE_LINKABLE);
	if (!err)
		err = open_allowed(&p, how->flags & ~(unsigned)O_TMPFILE, false, out);
	dentry_put(p.dentry);
	return err;
}

static int open_tmpfile(
	int dirfd, const char *name, const struct open_how_kernel *how, struct file **out)
{
	struct path dir;
	unsigned follow = how->flags & O_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	int err = path_lookup(dirfd, name, how->lookup | LOOKUP_DIRECTORY | follow, &dir);

	if (err)
		return err;
	err = mount_want_write(dir.mnt);
	if (!err) {
		err = make_tmpfile(&dir, how, out);
		mount_end_write(dir.mnt);
	}
	path_put(&dir);
	return err;
}

/* ---- All together ---- */

static int open_plain(
	int dirfd, const char *name, const struct open_how_kernel *how, struct file **out)
{
	struct walk w;
	unsigned lookup = how->lookup;
	int err;

	if (!(how->flags & O_NOFOLLOW))
		lookup |= LOOKUP_FOLLOW;
	if (how->flags & O_DIRECTORY)
		lookup |= LOOKUP_DIRECTORY;
	walk_init(&w, dirfd, name, strlen(name), lookup);
	err = walk_run_to_pause(&w);
	if (!err)
		err = open_existing(&w.held, how->flags, out);
	walk_fini(&w);
	return err;
}

int path_open_file(
	int dirfd, const char *name, const struct open_how_kernel *how, struct file **out)
{
	if (how->flags & TMPFILE_BIT)
		return open_tmpfile(dirfd, name, how, out);
	if (how->flags & O_CREAT)
		return open_creating(dirfd, name, how, out);
	return open_plain(dirfd, name, how, out);
}

int path_open(int dirfd, const char *name, const struct open_how_kernel *how, struct file **out)
{
	int err = path_open_file(dirfd, name, how, out);

	/* the kernel itself never waits for a FIFO's other end */
	if (!err && S_ISFIFO((*out)->inode->mode) && !(how->flags & O_PATH)) {
		file_put(*out);
		err = -ENXIO;
	}
	return err;
}
