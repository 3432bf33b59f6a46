// SPDX-License-Identifier: MIT
/*
 * Who may do what with a file: mode bits, groups, and the capabilities that override them.
 *
 * Spec    man 7 capabilities: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID;
 *         man 7 inode: the mode bits; man 7 path_resolution: permissions
 */
#include "fs/vfs/permission_priv.h"

#include "abi/stat.h"
#include "fs/vfs/path.h"
#include "proc/cred.h"

#include <linux/capability.h>

/* The three bits of the mode that count for this caller. */
static unsigned class_bits(const struct cred *c, const struct inode *i)
{
	uint32_t mode = READ_ONCE(i->mode);

	if (c->fsuid == i->uid)
		return mode >> 6 & MAY_ALL;
	if (((mode >> 3) ^ mode) & MAY_ALL && cred_in_group(c, i->gid))
		return mode >> 3 & MAY_ALL;
	return mode & MAY_ALL;
}

static bool is_overridden(const struct cred *c, const struct inode *i, unsigned mask)
{
	if (S_ISDIR(i->mode)) {
		if (!(mask & MAY_WRITE) && cred_has_cap(c, CAP_DAC_READ_SEARCH))
			return true;
		return cred_has_cap(c, CAP_DAC_OVERRIDE);
	}
	if (mask == MAY_READ && cred_has_cap(c, CAP_DAC_READ_SEARCH))
		return true;
	/* a program must be one for somebody */
	if (mask & MAY_EXEC && !(i->mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		return false;
	return cred_has_cap(c, CAP_DAC_OVERRIDE);
}

int inode_permission_mode(const struct cred *c, const struct inode *i, unsigned mask)
{
	if (!(mask & ~class_bits(c, i)) || is_overridden(c, i, mask))
		return 0;
	return -EACCES;
}

int inode_permission_as(const struct cred *c, struct inode *i, unsigned mask)
{
	if (mask & MAY_WRITE && i->super->flags & SUPER_RDONLY &&
		(S_ISREG(i->mode) || S_ISDIR(i->mode) || S_ISLNK(i->mode)))
		return -EROFS;
	if (i->ops->permission)
		return i->ops->permission(i, mask);
	return inode_permission_mode(c, i, mask);
}

int inode_permission(struct inode *i, unsigned mask)
{
	return inode_permission_as(cred_current(), i, mask);
}

bool inode_is_owner_or_capable(const struct inode *i)
{
	return cred_current()->fsuid == i->uid || capable(CAP_FOWNER);
}

int inode_may_delete(const struct inode *dir, const struct inode *victim)
{
	const struct cred *c = cred_current();

	if (!(dir->mode & S_ISVTX) || c->fsuid == victim->uid || c->fsuid == dir->uid ||
		cred_has_cap(c, CAP_FOWNER))
		return 0;
	return -EPERM;
}
