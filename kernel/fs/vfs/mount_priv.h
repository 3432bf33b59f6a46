// SPDX-License-Identifier: MIT
/*
 * The tree of mounts from inside fs/vfs.
 */
#pragma once

#include "fs/vfs/super_priv.h"
#include "lib/base.h"
#include "sync/mutex.h"

extern struct mutex mount_lock; /* RANK_MOUNT */

/* A mount in no tree yet, with references of its own on super and root. */
MUST_CHECK int mount_create(
	struct super *s, struct dentry *root, const char *source, struct mount **out);
/* mount_lock held. Takes references on parent and mountpoint; the tree's on m is the caller's. */
void mount_attach(struct mount *m, struct mount *parent, struct dentry *mountpoint);
/* The opposite: the references on where it was go to m->old_parent and m->old_mountpoint. */
void mount_detach(struct mount *m);
/* Whether somebody has a file of it open for writing; mount_lock held. */
bool mount_super_has_writers(const struct super *s);
void mount_set_flags(struct mount *m, uint32_t flags);
/* One step through what is mounted on p; whether there was something. */
bool mount_step_into(struct path *p);
const struct filesystem *filesystem_find(const char *name);
/* Whether something is mounted here, in any namespace. No lock: the dentry's inode->lock keeps it so. */
bool mount_is_here(const struct dentry *d);

/* Of the filesystem: read-only or not, and its options. mount_lock held. -EBUSY, -EINVAL. */
MUST_CHECK int super_reconfigure(struct super *s, unsigned flags, const char *data);
/* mount(2)'s MS_MOVE and move_mount(2), from a place that path_lookup found to another. */
MUST_CHECK int mount_move(struct path *from, struct path *to);

/* ---- Trees of mounts: mount_tree.c; mount_lock held ---- */

/* The next of a tree, parents first; NULL at the end. */
struct mount *mount_tree_next(struct mount *m, struct mount *root);
/* The same, past everything below m. */
struct mount *mount_tree_next_beside(struct mount *m, struct mount *root);

enum mount_copy {
	COPY_PEER = 0, /* the copy of a shared mount is its peer, of a slave another slave */
	COPY_PRIVATE = 1,
	COPY_SLAVE = 2,       /* the copy's root gets what the original gets */
	COPY_MAKE_SHARED = 4, /* and has peers of its own */
	COPY_ONE = 8,         /* without what is mounted below */
	COPY_UNBINDABLE = 16, /* unbindable mounts too: a namespace's copy */
	COPY_NS_FILES = 32,   /* files of namespaces too (mount_ns.c): by a bind mount only */
};
/* A copy of the part of a tree that is below `root`, attached nowhere. -EINVAL (unbindable), -ENOMEM. */
MUST_CHECK int mount_tree_copy(
	struct mount *m, struct dentry *root, unsigned how, struct mount **out);
/* Takes all of a tree out of namespaces and apart; onto *doomed. */
void mount_tree_take_down(struct mount *m, struct list *doomed);
/* Gives the tree's references back: without mount_lock where a filesystem may end with them. */
void mount_tree_release(struct list *doomed);

/* ---- Namespaces: mount_ns.c ---- */

void mount_ns_init(void);
/* Without a tree yet; NULL: no memory. */
struct mount_ns *mount_ns_create(void);
/* Makes a tree, which hangs at its place already or is a namespace's root, part of the namespace. */
MUST_CHECK int mount_ns_may_grow(struct mount_ns *ns, struct mount *tree);
void mount_ns_adopt(struct mount_ns *ns, struct mount *tree);
/* Whether it is a file that stands for a namespace, and for which (no reference); NULL: none. */
bool mount_ns_is_file(const struct dentry *d);
struct mount_ns *mount_ns_of(const struct dentry *d);

/* ---- How changes spread: propagation.c; mount_lock held ---- */

void propagation_init_mount(struct mount *m);
/* m becomes what old is; how: enum mount_copy. */
void propagation_copy(struct mount *m, struct mount *old, unsigned how);
/* type: MS_SHARED, MS_PRIVATE, MS_SLAVE or MS_UNBINDABLE. */
void propagation_change(struct mount *m, unsigned type);
/*
 * Hangs a tree at a place, and copies of it at the same place of every mount that gets the changes
 * of `parent`. Nothing has happened on failure. -ENOMEM, -ENOSPC.
 */
MUST_CHECK int propagation_attach(
	struct mount *tree, struct mount *parent, struct dentry *mountpoint);
/* What is to be unmounted along with m elsewhere: called for each by fn. */
void propagation_for_each_copy(
	struct mount *m, void (*fn)(struct mount *copy, void *ctx), void *ctx);
