// SPDX-License-Identifier: MIT
/*
 * Trees of mounts that hang nowhere and are held by a descriptor: open_tree(2) makes copies of what
 * is there, fsmount(2) new mounts, and move_mount(2) gives them a place.
 *
 *     open_tree, fsmount --> is_detached, held by the descriptor --move_mount--> in a tree
 *                                 |
 *                                 +--the descriptor goes--> taken apart
 *
 * The root of such a tree is marked, and the reference that a tree has on its root is the
 * descriptor's meanwhile. Nothing can be mounted in it, nor unmounted, as it is in no namespace.
 *
 * Locks   mount_lock [M] around each change
 * Spec    linux/mount.h; man 2 open_tree, fsmount, move_mount
 */
#include "fs/vfs/file.h"
#include "fs/vfs/mount_ops.h"
#include "fs/vfs/mount_priv.h"
#include "proc/cred.h"

#include <linux/capability.h>
#include <linux/fcntl.h>

void mount_drop_detached(struct mount *m)
{
	struct list doomed = LIST_INIT(doomed);

	mutex_lock(&mount_lock);
	if (m->is_detached) {
		m->is_detached = false;
		mount_tree_take_down(m, &doomed);
	}
	mutex_unlock(&mount_lock);
	mount_tree_release(&doomed);
}

/* A descriptor's file for a tree, whose first reference it takes over, also when it fails. */
static int open_detached(struct mount *tree, struct file **out)
{
	int err;

	tree->is_detached = true; /* nobody else knows it */
	err = file_open(out, tree, tree->root, O_PATH);
	if (err)
		mount_drop_detached(tree);
	else
		(*out)->mode |= FILE_HOLDS_TREE;
	return err;
}

int vfs_clone_tree(const struct path *p, bool is_recursive, struct file **out)
{
	struct mount *tree;
	int err = -EINVAL;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	mutex_lock(&mount_lock);
	if (p->mnt->ns == fs_context_current()->ns)
		err = mount_tree_copy(p->mnt, p->dentry,
			COPY_NS_FILES | (is_recursive ? COPY_PEER : COPY_ONE), &tree);
	mutex_unlock(&mount_lock);
	return err ? err : open_detached(tree, out);
}

int vfs_open_mount(
	struct super *s, const char *source, const struct mount_change *c, struct file **out)
{
	struct mount *m;
	int err = mount_create(s, s->root, source, &m);

	if (err)
		return err;
	m->flags = mount_change_flags(0, c);
	return open_detached(m, out);
}

int vfs_move_mount(struct path *from, struct path *to)
{
	int err = mount_move(from, to);

	return err == -ENOTDIR ? -EINVAL : err;
}
