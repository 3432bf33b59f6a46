// SPDX-License-Identifier: MIT
/*
 * Trees of mounts as wholes: walked, copied, taken down; and namespaces, which own one each.
 *
 * Locks   mount_lock around everything, but for the puts in mount_tree_release
 * Spec    man 7 mount_namespaces
 */
#include "fs/vfs/dentry_priv.h"
#include "fs/vfs/mount_priv.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "mm/slab.h"
#include "proc/cred.h"

#include <linux/capability.h>
#include <linux/mount.h>

uint64_t mount_max = 100000; /* [a] */

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

/* The same, past everything below m. */
static struct mount *next_beside(struct mount *m, struct mount *root)
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

int mount_tree_copy(struct mount *tree, struct dentry *root, unsigned how, struct mount **out)
{
	struct mount *top, *above = tree, *parent, *next = NULL;
	int err;

	if (!(how & COPY_UNBINDABLE) && tree->propagation & MS_UNBINDABLE)
		return -EINVAL;
	err = clone(tree, root, how, &top);
	if (err)
		return err;
	parent = top; /* always the copy of `above` */
	if (!(how & COPY_ONE))
		next = list_first(&tree->children, struct mount, child_link);
	for (struct mount *m = next, *copy; m; m = next) {
		if ((m->propagation & MS_UNBINDABLE && !(how & COPY_UNBINDABLE)) ||
			(m->parent == tree && !dentry_is_below(m->mountpoint, root))) {
			next = next_beside(m, tree);
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

/* ---- Namespaces ---- */

int mount_ns_may_grow(struct mount_ns *ns, struct mount *tree)
{
	uint32_t nr = 0;

	for (struct mount *m = tree; m; m = mount_tree_next(m, tree))
		nr++;
	return nr + (uint64_t)ns->nr_mounts > READ_ONCE(mount_max) ? -ENOSPC : 0;
}

void mount_ns_adopt(struct mount_ns *ns, struct mount *tree)
{
	for (struct mount *m = tree; m; m = mount_tree_next(m, tree)) {
		if (m->ns)
			continue;
		m->ns = ns;
		list_add_tail(&ns->mounts, &m->ns_link);
		ns->nr_mounts++;
	}
	ns->changes++;
}

void mount_ns_put(struct mount_ns *ns)
{
	struct list doomed = LIST_INIT(doomed);

	if (!refcount_put(&ns->refs))
		return;
	mutex_lock(&mount_lock);
	mount_tree_take_down(ns->root, &doomed);
	mutex_unlock(&mount_lock);
	mount_tree_release(&doomed);
	mem_free(ns);
}

/* What a mount of the old tree became: both are walked in step. */
static struct mount *counterpart(
	struct mount *of, struct mount *old_root, struct mount *new_root)
{
	struct mount *a = old_root, *b = new_root;

	for (; a && b; a = mount_tree_next(a, old_root), b = mount_tree_next(b, new_root))
		if (a == of)
			return b;
	return NULL;
}

/* The same place in the copy; with references. */
static void translate(
	const struct path *p, struct mount *old_root, struct mount *new_root, struct path *out)
{
	struct mount *m = counterpart(p->mnt, old_root, new_root);

	*out = m ? (struct path){m, p->dentry} : *p;
	path_get(out);
}

int fs_context_unshare_mounts(struct fs_context *fs)
{
	struct mount_ns *ns, *old = fs->ns;
	struct path root, cwd;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	ns = mem_alloc(sizeof(*ns), SLAB_ZERO);
	if (!ns)
		return -ENOMEM;
	refcount_init(&ns->refs, 1);
	list_init(&ns->mounts);
	mutex_lock(&mount_lock);
	err = mount_tree_copy(old->root, old->root->root, COPY_UNBINDABLE, &ns->root);
	if (!err) {
		mount_ns_adopt(ns, ns->root);
		translate(&fs->root, old->root, ns->root, &root);
		translate(&fs->cwd, old->root, ns->root, &cwd);
	}
	mutex_unlock(&mount_lock);
	if (err) {
		mem_free(ns);
		return err;
	}
	fs_context_move(fs, ns, &root, &cwd);
	return 0;
}
