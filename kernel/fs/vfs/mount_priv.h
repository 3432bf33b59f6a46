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
/* The opposite: the references on where it was go to *was. */
void mount_detach(struct mount *m, struct path *was);
/* Something mounted on this dentry (by any parent) in this namespace, or in any when NULL. */
struct mount *mount_on_dentry(struct mount_ns *ns, const struct dentry *d);
void mount_set_flags(struct mount *m, uint32_t flags);
/* One step through what is mounted on p; whether there was something. */
bool mount_step_into(struct path *p);
const struct filesystem *filesystem_find(const char *name);
/* Whether something is mounted here, in any namespace. No lock: the dentry's inode->lock keeps it so. */
bool mount_is_here(const struct dentry *d);
