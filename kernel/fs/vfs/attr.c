// SPDX-License-Identifier: MIT
/*
 * Changing a file's attributes: mode, owner, times, size.
 *
 * Who may is decided here, for every filesystem; how it is stored is inode_ops.setattr's, or
 * inode_set_attr_simple for inodes that live in memory.
 *
 * Locks   inode->lock around check and change
 * Spec    man 2 chmod, chown, utimensat, truncate; POSIX.1-2024 chown(): the set-id bits
 */
#include "fs/vfs/notify.h"
#include "fs/vfs/permission_priv.h"
#include "fs/vfs/super_priv.h"
#include "proc/cred.h"

#include <linux/capability.h>
#include <linux/fs.h>

/* setgid without group execution means mandatory locking and stays. */
static uint32_t without_set_ids(uint32_t mode)
{
	mode &= ~(uint32_t)S_ISUID;
	if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		mode &= ~(uint32_t)S_ISGID;
	return mode;
}

static bool may_chown(const struct cred *c, const struct inode *i, uint32_t uid)
{
	return (c->fsuid == i->uid && uid == i->uid) || cred_has_cap(c, CAP_CHOWN);
}

static bool may_chgrp(const struct cred *c, const struct inode *i, uint32_t gid)
{
	return (c->fsuid == i->uid && (cred_in_group(c, gid) || gid == i->gid)) ||
	       cred_has_cap(c, CAP_CHOWN);
}

static int check(struct inode *i, const struct iattr *a)
{
	const struct cred *c = cred_current();
	unsigned times = a->valid & (IATTR_ATIME | IATTR_MTIME);

	if (a->valid & IATTR_UID && !may_chown(c, i, a->uid))
		return -EPERM;
	if (a->valid & IATTR_GID && !may_chgrp(c, i, a->gid))
		return -EPERM;
	if (a->valid & IATTR_MODE && !inode_is_owner_or_capable(i))
		return -EPERM;
	if (a->valid & (IATTR_ATIME_SET | IATTR_MTIME_SET)) {
		if (!inode_is_owner_or_capable(i))
			return -EPERM;
	} else if (times && !(a->valid & IATTR_SIZE) && !inode_is_owner_or_capable(i)) {
		return inode_permission(i, MAY_WRITE);
	}
	return 0;
}

/* What follows from what was asked: times, and the bits that go. */
static void complete(struct inode *i, struct iattr *a)
{
	const struct cred *c = cred_current();
	struct timespec64 now = inode_now();

	a->valid |= IATTR_CTIME;
	a->ctime = now;
	if (a->valid & IATTR_ATIME && !(a->valid & IATTR_ATIME_SET))
		a->atime = now;
	if (a->valid & IATTR_MTIME && !(a->valid & IATTR_MTIME_SET))
		a->mtime = now;
	if (a->valid & IATTR_MODE) {
		uint32_t gid = a->valid & IATTR_GID ? a->gid : i->gid;

		a->mode = (i->mode & S_IFMT) | (a->mode & MODE_BITS_ALL);
		if (a->mode & S_ISGID && !cred_in_group(c, gid) && !cred_has_cap(c, CAP_FSETID))
			a->mode &= ~(uint32_t)S_ISGID;
	} else if (a->valid & IATTR_KILL_SUID && without_set_ids(i->mode) != i->mode) {
		a->valid |= IATTR_MODE;
		a->mode = without_set_ids(i->mode);
	}
}

static int apply(struct inode *i, struct iattr *a)
{
	complete(i, a);
	if (i->ops->setattr)
		return i->ops->setattr(i, a);
	if (a->valid & IATTR_SIZE)
		return -EINVAL;
	inode_set_attr_simple(i, a);
	return 0;
}

int vfs_setattr(const struct path *p, struct iattr *attr)
{
	struct inode *i = p->dentry->inode;
	int err = mount_want_write(p->mnt);

	if (err)
		return err;
	mutex_lock(&i->lock);
	if (attr->valid & (IATTR_UID | IATTR_GID) && !S_ISDIR(i->mode))
		attr->valid |= IATTR_KILL_SUID;
	err = check(i, attr);
	if (!err)
		err = apply(i, attr);
	mutex_unlock(&i->lock);
	mount_end_write(p->mnt);
	if (!err)
		notify_path(p, IN_ATTRIB);
	return err;
}

void inode_drop_setuid(struct inode *i)
{
	uint32_t mode = without_set_ids(i->mode);
	struct iattr a = {.valid = IATTR_MODE, .mode = mode};

	if (LIKELY(mode == i->mode) || !S_ISREG(i->mode) || capable(CAP_FSETID))
		return;
	/* the write goes on if the filesystem cannot store it: there is nobody to tell */
	if (i->ops->setattr)
		(void)i->ops->setattr(i, &a);
	else
		inode_set_attr_simple(i, &a);
}

int inode_set_size_locked(struct inode *i, int64_t size)
{
	struct iattr a = {.valid = IATTR_SIZE | IATTR_MTIME, .size = size};

	if (!capable(CAP_FSETID))
		a.valid |= IATTR_KILL_SUID;
	return apply(i, &a);
}

int path_set_size(const struct path *p, int64_t size)
{
	struct inode *i = p->dentry->inode;
	int err;

	mutex_lock(&i->lock);
	err = inode_set_size_locked(i, size);
	mutex_unlock(&i->lock);
	if (!err)
		notify_path(p, IN_MODIFY);
	return err;
}

int vfs_truncate(const struct path *p, int64_t size)
{
	struct inode *i = p->dentry->inode;
	int err;

	if (S_ISDIR(i->mode))
		return -EISDIR;
	if (!S_ISREG(i->mode))
		return -EINVAL;
	err = mount_want_write(p->mnt);
	if (err)
		return err;
	err = inode_permission(i, MAY_WRITE);
	if (!err)
		err = inode_get_write(i);
	if (!err) {
		err = path_set_size(p, size);
		inode_put_write(i);
	}
	mount_end_write(p->mnt);
	return err;
}
