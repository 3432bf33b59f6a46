// SPDX-License-Identifier: MIT
/*
 * Extended attributes by the rules of their name spaces.
 *
 *     user.       regular files and directories, by their permissions
 *     trusted.    CAP_SYS_ADMIN; others do not see that they exist
 *     security.   anybody reads; CAP_SYS_ADMIN sets, and CAP_SETFCAP security.capability
 *     system.     ACLs: not here, so -EOPNOTSUPP
 *
 * Locks   inode->lock around the filesystem's function
 * Spec    man 7 xattr; man 2 setxattr, getxattr, listxattr, removexattr
 */
#include "fs/vfs/xattr.h"

#include "fs/vfs/notify.h"
#include "fs/vfs/permission_priv.h"
#include "lib/string.h"
#include "proc/cred.h"

#include <linux/capability.h>
#include <linux/xattr.h>

/* The checks of both directions, in the order of Linux. */
static int check(struct inode *i, const char *name, unsigned mask)
{
	if (str_has_prefix(name, XATTR_SECURITY_PREFIX) ||
		str_has_prefix(name, XATTR_SYSTEM_PREFIX))
		return 0;
	if (str_has_prefix(name, XATTR_TRUSTED_PREFIX)) {
		if (capable(CAP_SYS_ADMIN))
			return 0;
		return mask & MAY_WRITE ? -EPERM : -ENODATA;
	}
	if (str_has_prefix(name, XATTR_USER_PREFIX)) {
		if (!S_ISREG(i->mode) && !S_ISDIR(i->mode))
			return mask & MAY_WRITE ? -EPERM : -ENODATA;
		if (S_ISDIR(i->mode) && i->mode & S_ISVTX && mask & MAY_WRITE &&
			!inode_is_owner_or_capable(i))
			return -EPERM;
	}
	return inode_permission(i, mask);
}

static int check_security(const char *name)
{
	if (!str_has_prefix(name, XATTR_SECURITY_PREFIX))
		return 0;
	if (str_equal(name, XATTR_NAME_CAPS))
		return capable(CAP_SETFCAP) ? 0 : -EPERM;
	return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

int vfs_setxattr(
	const struct path *p, const char *name, const void *value, size_t size, unsigned flags)
{
	struct inode *i = p->dentry->inode;
	int err = mount_want_write(p->mnt);

	if (err)
		return err;
	mutex_lock(&i->lock);
	err = check(i, name, MAY_WRITE);
	if (!err)
		err = check_security(name);
	if (!err && !i->ops->setxattr)
		err = -EOPNOTSUPP;
	if (!err)
		err = i->ops->setxattr(i, name, value, size, flags);
	mutex_unlock(&i->lock);
	mount_end_write(p->mnt);
	if (!err)
		notify_path(p, IN_ATTRIB);
	return err;
}

int64_t vfs_getxattr(const struct path *p, const char *name, void *buf, size_t size)
{
	struct inode *i = p->dentry->inode;
	int64_t n = check(i, name, MAY_READ);

	if (n)
		return n;
	if (!i->ops->getxattr)
		return -EOPNOTSUPP;
	mutex_lock(&i->lock);
	n = i->ops->getxattr(i, name, buf, size);
	mutex_unlock(&i->lock);
	return n;
}

/* Takes the names of trusted.* out of a list; the length that remains. */
static size_t without_trusted(char *list, size_t len)
{
	size_t kept = 0;

	for (size_t at = 0; at < len;) {
		size_t size = strlen(list + at) + 1;

		if (!str_has_prefix(list + at, XATTR_TRUSTED_PREFIX)) {
			memmove(list + kept, list + at, size);
			kept += size;
		}
		at += size;
	}
	return kept;
}

int64_t vfs_listxattr(const struct path *p, char *buf, size_t size)
{
	struct inode *i = p->dentry->inode;
	int64_t n;

	if (!i->ops->listxattr)
		return 0;
	mutex_lock(&i->lock);
	n = i->ops->listxattr(i, buf, size);
	mutex_unlock(&i->lock);
	if (n > 0 && size && !capable(CAP_SYS_ADMIN))
		n = (int64_t)without_trusted(buf, (size_t)n);
	return n;
}
