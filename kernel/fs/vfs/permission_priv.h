// SPDX-License-Identifier: MIT
/*
 * Permission checks from inside fs/vfs; the public one is inode_permission of path.h.
 */
#pragma once

#include "fs/vfs/inode.h"
#include "lib/base.h"

struct cred;

/* The mode bits that chmod may set, and mkdir and open by their rules. */
#define MODE_RWX_ALL  (S_IRWXU | S_IRWXG | S_IRWXO)
#define MODE_BITS_ALL (MODE_RWX_ALL | S_ISUID | S_ISGID | S_ISVTX)

/* The bits of a permission mask, as in a mode. */
enum { MAY_EXEC = 1, MAY_WRITE = 2, MAY_READ = 4, MAY_ALL = 7 };

/* By these credentials instead of the current ones: access(2). */
MUST_CHECK int inode_permission_as(const struct cred *c, struct inode *i, unsigned mask);
/* Mode bits and capabilities alone; never sleeps. */
MUST_CHECK int inode_permission_mode(
	const struct cred *c, const struct inode *i, unsigned mask);

/* Searching a directory that everybody may search: the most frequent question of all. */
static inline bool inode_everyone_may_search(const struct inode *i)
{
	return !i->ops->permission && (READ_ONCE(i->mode) & 0111) == 0111;
}

/* A new name in this directory, which is locked: -ENOENT when it was removed, and its rights. */
MUST_CHECK int inode_may_create(struct dentry *dir);
bool inode_is_owner_or_capable(const struct inode *i);
/* Sticky directories: 0 or -EPERM. */
MUST_CHECK int inode_may_delete(const struct inode *dir, const struct inode *victim);
