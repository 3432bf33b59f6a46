// SPDX-License-Identifier: MIT
/*
 * mount(2), umount2(2), pivot_root(2), mount_setattr(2): what is asked of the tree of mounts.
 *
 * mount is five calls in one, told apart by flags in this order: remount (of the mount with
 * MS_BIND, else of the filesystem), bind, a change of propagation, move, a new filesystem.
 *
 * Locks   mount_lock around each change; under it the inode->lock of a mountpoint, so that the
 *         directory is not removed meanwhile
 * Spec    man 2 mount, umount, pivot_root, mount_setattr; man 8 mount; man 7 mount_namespaces
 */
#include "fs/vfs/mount_ops.h"

#include "fs/vfs/dentry_priv.h"
#include "fs/vfs/mount_priv.h"
#include "lib/string.h"
#include "proc/cred.h"

#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/mount.h>

#define MOUNT_FLAGS                                                                            \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME |           \
		MS_RELATIME | MS_NOSYMFOLLOW)
#define PROPAGATION_FLAGS (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)
#define ATIME_FLAGS       (MS_NOATIME | MS_RELATIME | MS_STRICTATIME)

/* man 2 umount */
enum {
	UMOUNT_FORCE = 1,
	UMOUNT_DETACH = 2,
	UMOUNT_EXPIRE = 4,
	UMOUNT_NO_FOLLOW = 8,
	UMOUNT_FLAGS = 15,
};

/* MS_NOUSER, whose definition shifts into the sign bit. */
#define KERNEL_ONLY (1ul << 31)

static bool may_mount(void)
{
	return capable(CAP_SYS_ADMIN);
}

static bool is_ours(const struct mount *m)
{
	return m->ns == fs_context_current()->ns;
}

static bool is_mount_root(const struct path *p)
{
	return p->dentry == p->mnt->root;
}

static bool is_dir(const struct dentry *d)
{
	return S_ISDIR(d->inode->mode);
}

/* ---- A place to mount at ---- */

/* The top of what is mounted at p, and its inode locked: nobody removes it. mount_lock is held. */
static int lock_place(struct path *p) NOT_ANALYSED /* locked only when it is 0 */
{
	mount_descend(p);
	mutex_lock(&p->dentry->inode->lock);
	if (!(p->dentry->flags & DENTRY_CANT_MOUNT))
		return 0;
	mutex_unlock(&p->dentry->inode->lock);
	return -ENOENT;
}

static void unlock_place(struct path *p) NOT_ANALYSED
{
	mutex_unlock(&p->dentry->inode->lock);
}

/* Hangs a tree at p, which is ours. mount_lock is held, the place locked. */
static int graft(struct mount *tree, struct path *p)
{
	if (is_dir(p->dentry) != is_dir(tree->root))
		return -ENOTDIR;
	return propagation_attach(tree, p->mnt, p->dentry);
}

/* ---- A new filesystem ---- */

static uint32_t flags_of_new(unsigned long flags)
{
	uint32_t f = flags & (MOUNT_FLAGS & ~MS_RELATIME);

	if (!(f & MS_NOATIME) && !(flags & MS_STRICTATIME))
		f |= MS_RELATIME;
	if (flags & MS_STRICTATIME)
		f &= ~(uint32_t)MS_NOATIME;
	return f;
}

static int add_mount(struct mount *m, struct path *p)
{
	int err;

	mutex_lock(&mount_lock);
	err = lock_place(p);
	if (err)
		goto unlock;
	if (!is_ours(p->mnt))
		err = -EINVAL;
	else if (p->mnt->super == m->super && p->mnt->root == p->dentry)
		err = -EBUSY; /* the same once more at the same place */
	else if (S_ISLNK(m->root->inode->mode))
		err = -EINVAL;
	else
		err = graft(m, p);
	unlock_place(p);
unlock:
	mutex_unlock(&mount_lock);
	return err;
}

static int mount_new(struct path *p, const char *source, const char *type, unsigned long flags,
	const char *data)
{
	const struct filesystem *fs;
	struct super *s;
	struct mount *m;
	int err;

	if (!type)
		return -EINVAL;
	fs = filesystem_find(type);
	if (!fs)
		return -ENODEV;
	err = fs->mount(fs, source, (unsigned)flags, data, &s);
	if (err)
		return err;
	err = mount_create(s, s->root, source ? source : "none", &m);
	super_release(s); /* the mount has its own; without one it ends here */
	if (err)
		return err;
	m->flags = flags_of_new(flags);
	err = add_mount(m, p);
	if (err)
		mount_put(m);
	return err;
}

/* ---- Bind and move ---- */

/* A file of a younger namespace, which therefore cannot hold this one by another file in its tree. */
static bool is_young_namespace(const struct path *p)
{
	const struct mount_ns *ns = mount_ns_of(p->dentry);

	return ns && mount_ns_number(ns) > mount_ns_number(fs_context_current()->ns);
}

static int bind(struct path *p, const char *source, bool is_recursive)
{
	struct list doomed = LIST_INIT(doomed);
	struct path from;
	struct mount *tree;
	int err;

	if (!source || !*source)
		return -EINVAL;
	err = path_lookup(AT_FDCWD, source, LOOKUP_FOLLOW, &from);
	if (err)
		return err;
	mutex_lock(&mount_lock);
	err = lock_place(p);
	if (err)
		goto unlock;
	if (!is_ours(p->mnt) || (!is_ours(from.mnt) && !is_young_namespace(&from)))
		err = -EINVAL;
	else
		err = mount_tree_copy(from.mnt, from.dentry,
			COPY_NS_FILES | (is_recursive ? 0 : COPY_ONE), &tree);
	if (!err) {
		err = graft(tree, p);
		if (err)
			mount_tree_take_down(tree, &doomed);
	}
	unlock_place(p);
unlock:
	mutex_unlock(&mount_lock);
	mount_tree_release(&doomed);
	path_put(&from);
	return err;
}

/* Whether the tree has files of namespaces that could hold this one by a file in theirs. */
static bool has_older_namespace(struct mount *tree)
{
	for (struct mount *m = tree; m; m = mount_tree_next(m, tree))
		if (mount_ns_is_file(m->root) &&
			!is_young_namespace(&(struct path){m, m->root}))
			return true;
	return false;
}

static bool has_unbindable(struct mount *tree)
{
	for (struct mount *m = tree; m; m = mount_tree_next(m, tree))
		if (m->propagation & MS_UNBINDABLE)
			return true;
	return false;
}

static int check_move(const struct path *to, struct mount *m, const struct path *from)
{
	if (!is_ours(to->mnt) || !is_mount_root(from))
		return -EINVAL;
	if (!m->is_detached && (!is_ours(m) || m->parent == m))
		return -EINVAL;
	if (!m->is_detached && m->parent->propagation & MS_SHARED)
		return -EINVAL;
	if (to->mnt->propagation & MS_SHARED && has_unbindable(m))
		return -EINVAL;
	if (is_dir(to->dentry) != is_dir(m->root))
		return -EINVAL;
	if (has_older_namespace(m))
		return -ELOOP;
	for (struct mount *up = to->mnt;; up = up->parent) {
		if (up == m)
			return -ELOOP;
		if (up->parent == up)
			return 0;
	}
}

/* Out of its place; the references on the old place go to *old. */
static void detach_from(struct mount *m, struct path *old)
{
	mount_detach(m);
	*old = (struct path){m->old_parent, m->old_mountpoint};
	m->old_parent = NULL;
}

/* mount_lock is held, the place at `to` locked. */
static int move_locked(struct mount *m, struct path *to, struct path *old)
{
	int err;

	if (!m->is_detached)
		detach_from(m, old);
	err = propagation_attach(m, to->mnt, to->dentry);
	if (!err)
		m->is_detached = false; /* who held it for the descriptor is the tree now */
	else if (old->mnt)
		mount_attach(m, old->mnt, old->dentry);
	return err;
}

int mount_move(struct path *from, struct path *to)
{
	struct path old = {NULL, NULL};
	int err;

	mutex_lock(&mount_lock);
	err = lock_place(to);
	if (err)
		goto unlock;
	err = check_move(to, from->mnt, from);
	if (!err)
		err = move_locked(from->mnt, to, &old);
	unlock_place(to);
unlock:
	mutex_unlock(&mount_lock);
	if (old.mnt)
		path_put(&old);
	return err;
}

static int move(struct path *p, const char *source)
{
	struct path from;
	int err;

	if (!source || !*source)
		return -EINVAL;
	err = path_lookup(AT_FDCWD, source, LOOKUP_FOLLOW, &from);
	if (err)
		return err;
	err = mount_move(&from, p);
	path_put(&from);
	return err;
}

/* ---- Changes of what is there ---- */

static int change_propagation(struct path *p, unsigned long flags)
{
	unsigned type = flags & PROPAGATION_FLAGS;
	int err = 0;

	if (!is_mount_root(p) ||
		flags & ~(unsigned long)(PROPAGATION_FLAGS | MS_REC | MS_SILENT) ||
		type & (type - 1))
		return -EINVAL;
	mutex_lock(&mount_lock);
	if (!is_ours(p->mnt))
		err = -EINVAL;
	for (struct mount *m = err ? NULL : p->mnt; m; m = mount_tree_next(m, p->mnt)) {
		propagation_change(m, type);
		if (!(flags & MS_REC))
			break;
	}
	mutex_unlock(&mount_lock);
	return err;
}

/* Read-only is refused while somebody writes. The flag is set first: see mount_want_write. */
static int set_mount_flags(struct mount *m, uint32_t flags)
{
	uint32_t old = m->flags;

	mount_set_flags(m, flags);
	atomic_fence(); /* pairs with the atomic_add in mount_want_write */
	if (flags & MS_RDONLY && !(old & MS_RDONLY) && atomic_load(&m->writers)) {
		mount_set_flags(m, old);
		return -EBUSY;
	}
	return 0;
}

static uint32_t flags_of_remount(const struct mount *m, unsigned long flags)
{
	uint32_t f = flags_of_new(flags);

	/* what says nothing about access times leaves them: man 2 mount */
	if (!(flags & (ATIME_FLAGS | MS_NODIRATIME)))
		f = (f & ~(uint32_t)(MS_NOATIME | MS_RELATIME | MS_NODIRATIME)) |
		    (m->flags & (MS_NOATIME | MS_RELATIME | MS_NODIRATIME));
	return f;
}

static int remount_mount(struct path *p, unsigned long flags)
{
	int err;

	if (!is_mount_root(p))
		return -EINVAL;
	mutex_lock(&mount_lock);
	if (!is_ours(p->mnt))
		err = -EINVAL;
	else
		err = set_mount_flags(p->mnt, flags_of_remount(p->mnt, flags));
	mutex_unlock(&mount_lock);
	return err;
}

int super_reconfigure(struct super *s, unsigned flags, const char *data)
{
	uint32_t old = s->flags;
	int err = 0;

	s->flags = (old & ~(uint32_t)SUPER_RDONLY) | (flags & MS_RDONLY ? SUPER_RDONLY : 0);
	atomic_fence(); /* pairs with the atomic_add in mount_want_write */
	if (flags & MS_RDONLY && !(old & SUPER_RDONLY) && mount_super_has_writers(s))
		err = -EBUSY;
	if (!err && s->ops->remount)
		err = s->ops->remount(s, flags, data);
	if (err)
		s->flags = old;
	return err;
}

static int remount_super(struct path *p, unsigned long flags, const char *data)
{
	int err = -EINVAL;

	if (!is_mount_root(p))
		return err;
	mutex_lock(&mount_lock);
	if (is_ours(p->mnt))
		err = super_reconfigure(p->mnt->super, (unsigned)flags, data);
	if (!err)
		mount_set_flags(p->mnt, flags_of_remount(p->mnt, flags));
	mutex_unlock(&mount_lock);
	return err;
}

int vfs_mount(const char *source, const char *target, const char *fs, unsigned long flags,
	const char *data)
{
	struct path p;
	int err;

	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~MS_MGC_MSK;
	err = path_lookup(AT_FDCWD, target, LOOKUP_FOLLOW, &p);
	if (err)
		return err;
	if (flags & KERNEL_ONLY)
		err = -EINVAL;
	else if (!may_mount())
		err = -EPERM;
	else if ((flags & (MS_REMOUNT | MS_BIND)) == (MS_REMOUNT | MS_BIND))
		err = remount_mount(&p, flags);
	else if (flags & MS_REMOUNT)
		err = remount_super(&p, flags, data);
	else if (flags & MS_BIND)
		err = bind(&p, source, flags & MS_REC);
	else if (flags & PROPAGATION_FLAGS)
		err = change_propagation(&p, flags);
	else if (flags & MS_MOVE)
		err = move(&p, source);
	else
		err = mount_new(&p, source, fs, flags, data);
	path_put(&p);
	return err;
}

/* ---- Unmounting ---- */

/* Users beside the tree and whoever asks. */
static bool is_busy(const struct mount *m, uint32_t known)
{
	return !list_is_empty(&m->children) || refcount_read(&m->refs) > known;
}

static void note_if_busy(struct mount *copy, void *ctx)
{
	bool *busy = ctx;

	/* a copy with mounts below it stays; it does not hold up the others: Linux */
	if (list_is_empty(&copy->children) && refcount_read(&copy->refs) > 1)
		*busy = true;
}

static void take_down_copy(struct mount *copy, void *ctx)
{
	if (list_is_empty(&copy->children))
		mount_tree_take_down(copy, ctx);
}

static int umount_checked(struct mount *m, int flags, struct list *doomed)
{
	bool busy = false;

	if (!is_ours(m) || m->parent == m)
		return -EINVAL; /* gone meanwhile, or the root of all */
	if (flags & UMOUNT_EXPIRE) {
		if (is_busy(m, 2))
			return -EBUSY;
		if (!m->expiry) {
			m->expiry = 1;
			return -EAGAIN;
		}
	}
	if (!(flags & UMOUNT_DETACH)) {
		busy = is_busy(m, 2);
		propagation_for_each_copy(m, note_if_busy, &busy);
		if (busy)
			return -EBUSY;
	}
	propagation_for_each_copy(m, take_down_copy, doomed);
	mount_tree_take_down(m, doomed);
	return 0;
}

static bool is_current_root(const struct mount *m)
{
	struct path root;
	bool is_it;

	fs_context_get_root(fs_context_current(), &root);
	is_it = root.mnt == m;
	path_put(&root);
	return is_it;
}

static int umount_path(struct path *p, int flags)
{
	struct list doomed = LIST_INIT(doomed);
	int err;

	if (!may_mount())
		return -EPERM;
	if (!is_mount_root(p) || !is_ours(p->mnt))
		return -EINVAL;
	if (flags & UMOUNT_EXPIRE &&
		(is_current_root(p->mnt) || flags & (UMOUNT_FORCE | UMOUNT_DETACH)))
		return -EINVAL;
	if (is_current_root(p->mnt) && !(flags & UMOUNT_DETACH))
		return remount_super(
			p, MS_RDONLY, NULL); /* the root becomes read-only: Linux */
	mutex_lock(&mount_lock);
	err = umount_checked(p->mnt, flags, &doomed);
	mutex_unlock(&mount_lock);
	mount_tree_release(&doomed);
	return err;
}

int vfs_umount(const char *target, int flags)
{
	struct path p;
	int err;

	if (flags & ~UMOUNT_FLAGS)
		return -EINVAL;
	err = path_lookup(AT_FDCWD, target, flags & UMOUNT_NO_FOLLOW ? 0 : LOOKUP_FOLLOW, &p);
	if (err)
		return err;
	err = umount_path(&p, flags);
	path_put(&p);
	return err;
}

/* ---- A new root ---- */

static bool is_reachable(const struct path *p, const struct path *root)
{
	const struct mount *m = p->mnt;
	const struct dentry *d = p->dentry;

	for (; m != root->mnt; m = m->parent) {
		if (m->parent == m)
			return false;
		d = m->mountpoint;
	}
	return dentry_is_below(d, root->dentry);
}

static int check_pivot(const struct path *new, const struct path *old, const struct path *root)
{
	if (old->mnt->propagation & MS_SHARED || new->mnt->parent->propagation &MS_SHARED ||
		root->mnt->parent->propagation &MS_SHARED)
		return -EINVAL;
	if (!is_ours(root->mnt) || !is_ours(new->mnt))
		return -EINVAL;
	if (new->dentry->flags & DENTRY_UNLINKED)
		return -ENOENT;
	if (new->mnt == root->mnt || old->mnt == root->mnt)
		return -EBUSY;
	if (!is_mount_root(root) || root->mnt->parent == root->mnt)
		return -EINVAL;
	if (!is_mount_root(new) || new->mnt->parent == new->mnt)
		return -EINVAL;
	if (!is_reachable(old, new) || !is_reachable(new, root))
		return -EINVAL;
	return 0;
}

/* All three paths have references. */
static int pivot(struct path *new, struct path *old, const struct path *root)
{
	struct path root_place, new_place;
	int err;

	mutex_lock(&mount_lock);
	err = lock_place(old);
	if (err)
		goto unlock;
	err = check_pivot(new, old, root);
	if (!err) {
		detach_from(new->mnt, &new_place);
		detach_from(root->mnt, &root_place);
		mount_attach(root->mnt, old->mnt, old->dentry);
		mount_attach(new->mnt, root_place.mnt, root_place.dentry);
		new->mnt->ns->changes++;
	}
	unlock_place(old);
unlock:
	mutex_unlock(&mount_lock);
	if (err)
		return err;
	fs_context_replace_everywhere(root, new);
	path_put(&new_place);
	path_put(&root_place);
	return 0;
}

int vfs_pivot_root(const char *new_root, const char *put_old)
{
	struct path new, old, root;
	int err;

	if (!may_mount())
		return -EPERM;
	err = path_lookup(AT_FDCWD, new_root, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &new);
	if (err)
		return err;
	err = path_lookup(AT_FDCWD, put_old, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &old);
	if (!err) {
		fs_context_get_root(fs_context_current(), &root);
		err = pivot(&new, &old, &root);
		path_put(&root);
		path_put(&old);
	}
	path_put(&new);
	return err;
}

/* ---- mount_setattr ---- */

static uint32_t flags_of_attr(uint64_t attr)
{
	return (attr & MOUNT_ATTR_RDONLY ? MS_RDONLY : 0) |
	       (attr & MOUNT_ATTR_NOSUID ? MS_NOSUID : 0) |
	       (attr & MOUNT_ATTR_NODEV ? MS_NODEV : 0) |
	       (attr & MOUNT_ATTR_NOEXEC ? MS_NOEXEC : 0) |
	       (attr & MOUNT_ATTR_NODIRATIME ? MS_NODIRATIME : 0) |
	       (attr & MOUNT_ATTR_NOSYMFOLLOW ? MS_NOSYMFOLLOW : 0);
}

uint32_t mount_change_flags(uint32_t flags, const struct mount_change *c)
{
	flags = (flags & ~flags_of_attr(c->clear)) | flags_of_attr(c->set);
	if (!(c->clear & MOUNT_ATTR__ATIME))
		return flags;
	flags &= ~(uint32_t)(MS_NOATIME | MS_RELATIME);
	switch (c->set & MOUNT_ATTR__ATIME) {
	case MOUNT_ATTR_RELATIME:
		return flags | MS_RELATIME;
	case MOUNT_ATTR_NOATIME:
		return flags | MS_NOATIME;
	default:
		return flags;
	}
}

/*
 * Read-only, each mount at once or none: the flag is set first and writers are looked for then, as
 * a write that begins between the two must see one or be seen (mount_want_write). Those that were
 * not read-only before are put onto *changed.
 */
static int make_tree_readonly(struct mount *top, bool is_recursive, struct mount **changed)
{
	for (struct mount *m = top; m; m = is_recursive ? mount_tree_next(m, top) : NULL) {
		if (m->flags & MS_RDONLY)
			continue;
		if (set_mount_flags(m, m->flags | MS_RDONLY))
			return -EBUSY;
		m->changed_next = *changed;
		*changed = m;
	}
	return 0;
}

/* mount_lock is held. */
static int change_tree(struct mount *top, const struct mount_change *c)
{
	struct mount *changed = NULL;

	if (c->set & MOUNT_ATTR_RDONLY &&
		make_tree_readonly(top, c->is_recursive, &changed) != 0) {
		for (struct mount *m = changed; m; m = m->changed_next)
			mount_set_flags(m, m->flags & ~(uint32_t)MS_RDONLY);
		return -EBUSY;
	}
	for (struct mount *m = top; m; m = c->is_recursive ? mount_tree_next(m, top) : NULL) {
		mount_set_flags(m, mount_change_flags(m->flags, c));
		if (c->propagation)
			propagation_change(m, (unsigned)c->propagation);
	}
	return 0;
}

/* In this namespace's tree, or in one that a descriptor holds. mount_lock is held. */
static bool may_change(const struct mount *m)
{
	const struct mount *top = m;

	while (top->parent != top)
		top = top->parent;
	return is_ours(m) || top->is_detached;
}

int vfs_mount_setattr(const struct path *p, const struct mount_change *c)
{
	int err;

	if (!may_mount())
		return -EPERM;
	if (!is_mount_root(p))
		return -EINVAL;
	mutex_lock(&mount_lock);
	err = may_change(p->mnt) ? change_tree(p->mnt, c) : -EINVAL;
	mutex_unlock(&mount_lock);
	return err;
}
