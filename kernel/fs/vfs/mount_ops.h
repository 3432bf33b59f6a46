// SPDX-License-Identifier: MIT
/*
 * Changes of mounts beyond those of path.h, for sys/mount.c.
 */
#pragma once

#include "fs/vfs/path.h"
#include "lib/base.h"

/* mount_setattr(2), decoded: MOUNT_ATTR_* of <linux/mount.h>. */
struct mount_change {
	uint64_t set, clear;
	uint64_t propagation; /* MS_SHARED ..., or 0 */
	bool is_recursive;
};
/* -EPERM, -EINVAL (not a mount's root, not ours), -EBUSY. */
MUST_CHECK int vfs_mount_setattr(const struct path *p, const struct mount_change *c);
/* The same set on a mount's flags, MS_*: for one that nobody has seen yet. */
uint32_t mount_change_flags(uint32_t flags, const struct mount_change *c);

/* ---- Trees that a descriptor holds until they are moved to a place: mount_fd.c ---- */

/* open_tree(2) with OPEN_TREE_CLONE: a copy of what is at p, with or without what is mounted below. */
MUST_CHECK int vfs_clone_tree(const struct path *p, bool is_recursive, struct file **out);
/* fsmount(2): a new mount of s; takes references of its own. */
MUST_CHECK int vfs_open_mount(
	struct super *s, const char *source, const struct mount_change *c, struct file **out);
/* move_mount(2): such a tree, or one at another place, to p. -EPERM, -EINVAL, -ELOOP, ... */
MUST_CHECK int vfs_move_mount(struct path *from, struct path *to);
/* The last reference of such a descriptor goes: the tree as well, unless it was moved. */
void mount_drop_detached(struct mount *m);

/* ---- What a filesystem is to be, said bit by bit: fs_config.c ---- */

/* fsopen(2). -EPERM, -ENODEV, -ENOMEM. */
MUST_CHECK int fs_config_open(const char *type, struct file **out);
/* fspick(2): of the filesystem at p, which is a mount's root. -EPERM, -EINVAL. */
MUST_CHECK int fs_config_pick(const struct path *p, struct file **out);
/* The descriptor is not of these: -EINVAL, from each of the following. */
MUST_CHECK int fs_config_set(struct file *f, const char *key, const char *value);
MUST_CHECK int fs_config_create(struct file *f);
MUST_CHECK int fs_config_reconfigure(struct file *f);
MUST_CHECK int fs_config_mount(struct file *f, const struct mount_change *c, struct file **out);
/* So many mounts in a namespace at most: /proc/sys/fs/mount-max. */
extern uint64_t mount_max;
