// SPDX-License-Identifier: MIT
/*
 * Superblocks and mounts from inside fs/vfs.
 */
#pragma once

#include "fs/vfs/inode.h"
#include "fs/vfs/path.h"
#include "lib/base.h"

void inode_init_caches(void);

/*
 * The tree of mounts that a process sees.
 */
struct mount_ns {
	refcount refs;      /* [a] */
	struct mount *root; /* [M] one reference */
	struct list mounts; /* [M] ns_link, oldest first */
	uint32_t nr_mounts; /* [M] at most mount_max */
	uint64_t changes;   /* [M] goes up with each change: poll of /proc/mounts */
	uint32_t number;    /* [I] of its file; grows with each namespace */
	struct list_node dying_link; /* [dying_lock] mount_ns.c */
};
extern struct mount_ns *mount_ns_first; /* [I] once vfs_init has run */

/* pivot_root: whoever is at `from` is at `to`. */
void fs_context_replace_everywhere(const struct path *from, const struct path *to);
/* Another tree, and places in it; takes over the references. */
void fs_context_move(struct fs_context *fs, struct mount_ns *ns, const struct path *root,
	const struct path *cwd);

/* What is mounted last on this place, without a reference: under RCU, to be believed when
 * dentry_seq did not change. NULL: nothing. */
struct mount *mount_find_rcu(struct mount *parent, struct dentry *d);
/* Follows p through whatever is mounted on it; references move along. */
void mount_descend(struct path *p);
MUST_CHECK bool mount_try_get(struct mount *m);
