// SPDX-License-Identifier: MIT
/*
 * Files that live in memory: the root, tmpfs, devtmpfs's tree, and memfd.
 */
#pragma once

#include "fs/vfs/inode.h"
#include "lib/base.h"

/* Filesystems "tmpfs" and "rootfs" are in the linker set. Needs mem_alloc. */
void tmpfs_init(void);
/* A superblock by itself: devtmpfs, and memfd's. data: mount options as text, or NULL. */
MUST_CHECK int tmpfs_create_super(
	const struct filesystem *fs, unsigned flags, const char *data, struct super **out);
/* For devtmpfs: a new inode, and a name that the kernel gives it (taking over its reference) or
 * takes away. */
MUST_CHECK int tmpfs_new_inode(struct super *s, const struct inode *dir, uint32_t mode,
	uint32_t rdev, struct inode **out);
MUST_CHECK int tmpfs_add_name(struct dentry *dir, const char *name, struct inode *i);
MUST_CHECK int tmpfs_remove_name(struct dentry *dir, const char *name);
/* memfd_create(2) without its descriptor: an unlinked file. flags: MFD_*. */
MUST_CHECK int tmpfs_open_memfd(const char *name, unsigned flags, struct file **out);
/* F_ADD_SEALS and F_GET_SEALS: -EINVAL for what is not a tmpfs file. */
MUST_CHECK int tmpfs_add_seals(struct file *f, unsigned seals);
MUST_CHECK int tmpfs_get_seals(struct file *f);
