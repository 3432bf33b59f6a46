// SPDX-License-Identifier: MIT
/*
 * Trees of mounts as wholes: walked, copied, taken down.
 *
 * Locks   mount_lock around everything, but for the puts in mount_tree_release
 * Spec    man 7 mount_namespaces
 */
#include "fs/vfs/dentry_priv.h"
#include "fs/vfs/mount_priv.h"
#include "lib/assert.h"

#include <linux/mount.h>

struct mount *mount_tree_next(struct mount *m, struct mount *root)
{
	struct mount *next = list_first(&m->children, struct mount, child_link);

	if (next)
		return next;
	for (; m != root; m = m->parent) {
		next = list_next(&m->parent->children, m, struct mount, child_link);
		if (next)
			return next;
	}
	return NULL;
}

struct mount *mount_tree_next_beside(struct mount *m, struct mount *root)
{
	for (; m != root; m = m->parent) {
		struct mount *next =
			list_next(&m->parent->children, m, struct mount, child_link);

		if (next)
			return next;
	}
	return NULL;
}

/* ---- Copying ---- */

static int clone(struct mount *old, struct dentry *root, unsigned how, struct mount **out)
{
	struct mount *m;
	int err = mount_create(old->super, root, old->source, &m);

	if (err)
		return err;
	m->flags = old->flags;
	propagation_copy(m, old, how);
	*out = m;
	return 0;
}

static void drop_unseen(struct mount *top)
{
	struct list doomed = LIST_INIT(doomed);

	mount_tree_take_down(top, &doomed);
	mount_tree_release(
		&doomed); /* nobody has seen them, and no filesystem ends with a copy */
}

static bool may_copy(const struct mount *m, unsigned how)
{
	if (m->propagation & MS_UNBINDABLE && !(how & COPY_UNBINDABLE))
		return false;
	return how & COPY_NS_FILES || !mount_ns_is_file(m->root);
}

int mount_tree_copy(struct mount *tree, struct dentry *root, unsigned how, struct mount **out)
{
	struct mount *top, *above = tree, *parent, *next = NULL;
	int err;

	if (!may_copy(tree, how))
		return -EINVAL;
	err = clone(tree, root, how, &top);
	if (err)
		return err;
	parent = top; /* always the copy of `above` */
	if (!(how & COPY_ONE))
		next = list_first(&tree->children, struct mount, child_link);
	for (struct mount *m = next, *copy; m; m = next) {
		if (!may_copy(m, how) ||
			(m->parent == tree && !dentry_is_below(m->mountpoint, root))) {
			next = mount_tree_next_beside(m, tree);
			continue;
		}
		for (; above != m->parent; above = above->parent)
			parent = parent->parent;
		err = clone(m, m->root, how, &copy);
		if (err) {
			drop_unseen(top);
			return err;
		}
		mount_attach(copy, parent, m->mountpoint);
		parent = copy;
		above = m;
		next = mount_tree_next(m, tree);
	}
	*out = top;
	return 0;
}

/* ---- Taking down ---- */

void mount_tree_take_down(struct mount *tree, struct list *doomed)
{
	struct list order = LIST_INIT(order);

	for (struct mount *m = tree; m; m = mount_tree_next(m, tree)) {
		if (m->ns) {
			list_remove(&m->ns_link);
			m->ns->nr_mounts--;
			m->ns->changes++;
			m->ns = NULL;
		}
		list_add_head(&order, &m->ns_link); /* children before parents */
	}
	list_for_each (m, &order, struct mount, ns_link) {
		if (m->parent != m)
			mount_detach(m);
		propagation_change(m, MS_PRIVATE);
	}
	list_splice_tail(doomed, &order);
}

void mount_tree_release(struct list *doomed)
{
	struct mount *m;

	while ((m = list_pop_head(doomed, struct mount, ns_link))) {
		struct mount *parent = m->old_parent;

		if (parent) {
			m->old_parent = NULL;
			dentry_put(m->old_mountpoint);
			mount_put(parent);
		}
		mount_put(m); /* the tree's */
	}
}
