// SPDX-License-Identifier: MIT
/*
 * Namespaces of mounts: a tree each, which processes share, leave for a copy (unshare), and enter
 * (setns) by a file that stands for it.
 *
 *     /proc/PID/ns/mnt --jump--> a file of nsfs: inode --private_data--> struct mount_ns
 *
 * The file holds its namespace, and whatever holds the file does, a bind mount too. So that no
 * ring of such holders can form, a namespace's file is mounted only in namespaces that are older
 * (`number` grows), and the copy that unshare makes leaves such mounts out.
 *
 * The end of a namespace may be the end of others whose files were mounted in it, to any depth. They
 * are therefore taken down one after another by whoever began (`dying`), never within each other.
 *
 * Locks   mount_lock [M]; dying_lock, for the list alone
 * Spec    man 7 mount_namespaces, namespaces; man 2 setns, ioctl_ns
 */
#include "fs/vfs/dentry_priv.h"
#include "fs/vfs/file.h"
#include "fs/vfs/mount_ops.h"
#include "fs/vfs/mount_priv.h"
#include "fs/vfs/permission_priv.h"
#include "debug/log.h"
#include "lib/atomic.h"
#include "lib/fmt.h"
#include "mm/slab.h"
#include "proc/cred.h"

#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/sched.h>

enum { NAME_SIZE = 32 };

uint64_t mount_max = 100000; /* [a] */

/* Linux: the numbers below are of the first namespaces of other kinds */
enum { FIRST_NUMBER = 0xf0000001u };

static uint32_t next_number = FIRST_NUMBER; /* [a] */
static struct irqlock dying_lock = IRQLOCK_INIT(RANK_FS_CONTEXTS, "dying mount namespaces");
static struct list dying = LIST_INIT(dying); /* [dying_lock] dying_link */
static bool is_burying;                      /* [dying_lock] somebody empties the list */

/* ---- Life ---- */

struct mount_ns *mount_ns_create(void)
{
	struct mount_ns *ns = mem_alloc(sizeof(*ns), SLAB_ZERO);

	if (!ns)
		return NULL;
	refcount_init(&ns->refs, 1);
	list_init(&ns->mounts);
	ns->number = atomic_fetch_add_relaxed(&next_number, 1); /* only unique, and growing */
	return ns;
}

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

static void take_down(struct mount_ns *ns)
{
	struct list doomed = LIST_INIT(doomed);

	mutex_lock(&mount_lock);
	mount_tree_take_down(ns->root, &doomed);
	mutex_unlock(&mount_lock);
	mount_tree_release(&doomed);
	mem_free(ns);
}

void mount_ns_get(struct mount_ns *ns)
{
	refcount_get(&ns->refs);
}

void mount_ns_put(struct mount_ns *ns)
{
	bool is_first;

	if (!refcount_put(&ns->refs))
		return;
	irqlock_lock(&dying_lock);
	list_add_tail(&dying, &ns->dying_link);
	is_first = !is_burying;
	is_burying = true;
	irqlock_unlock(&dying_lock);
	while (is_first) {
		irqlock_lock(&dying_lock);
		ns = list_pop_head(&dying, struct mount_ns, dying_link);
		is_burying = is_first = ns != NULL;
		irqlock_unlock(&dying_lock);
		if (ns)
			take_down(ns);
	}
}

/* ---- A copy of one's own: unshare ---- */

/* What a mount of the old tree became; NULL: it was left out. */
static struct mount *counterpart(
	struct mount *of, struct mount *old_root, struct mount *new_root)
{
	struct mount *a = old_root, *b = new_root;

	while (a && b) {
		if (a == of)
			return b;
		a = mount_tree_next(a, old_root);
		while (a && mount_ns_is_file(a->root)) /* left out, and what covers it */
			a = mount_tree_next_beside(a, old_root);
		b = mount_tree_next(b, new_root);
	}
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
	ns = mount_ns_create();
	if (!ns)
		return -ENOMEM;
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

/* ---- Entering another: setns ---- */

int fs_context_enter_mounts(struct fs_context *fs, struct mount_ns *ns)
{
	struct path root, cwd;

	if (!capable(CAP_SYS_ADMIN) || !capable(CAP_SYS_CHROOT))
		return -EPERM;
	if (fs_context_is_shared(fs))
		return -EINVAL;
	mutex_lock(&mount_lock);
	root = (struct path){ns->root, ns->root->root};
	path_get(&root);
	mutex_unlock(&mount_lock);
	mount_descend(&root); /* what is seen at "/" */
	cwd = root;
	path_get(&cwd);
	mount_ns_get(ns);
	fs_context_move(fs, ns, &root, &cwd);
	return 0;
}

struct mount_ns *fs_context_get_mounts(struct fs_context *fs)
{
	struct mount_ns *ns;

	irqlock_lock(&fs->lock);
	ns = fs->ns;
	mount_ns_get(ns);
	irqlock_unlock(&fs->lock);
	return ns;
}

uint32_t mount_ns_number(const struct mount_ns *ns)
{
	return ns->number;
}

/* ---- Files that stand for them ---- */

static void nsfs_evict(struct inode *i)
{
	if (i->private_data)
		mount_ns_put(i->private_data);
}

static int64_t nsfs_ioctl(struct file *f UNUSED, unsigned cmd, uintptr_t arg UNUSED)
{
	switch (cmd) {
	case NS_GET_NSTYPE:
		return CLONE_NEWNS;
	case NS_GET_USERNS:
		return -EPERM; /* Linux: of a namespace whose owner may not be seen */
	case NS_GET_PARENT:
	case NS_GET_OWNER_UID:
		return -EINVAL;
	default:
		return -ENOTTY;
	}
}

/* Nobody may write to them or change what they are. */
static int nsfs_permission(struct inode *i UNUSED, unsigned mask)
{
	return mask & MAY_WRITE ? -EPERM : 0;
}

static int nsfs_setattr(struct inode *i UNUSED, const struct iattr *attr UNUSED)
{
	return -EPERM;
}

static const struct super_ops nsfs_super_ops = {.evict = nsfs_evict};
static const struct inode_ops nsfs_inode_ops = {
	.permission = nsfs_permission, .setattr = nsfs_setattr};
static const struct file_ops nsfs_file_ops = {.ioctl = nsfs_ioctl};
static const struct filesystem nsfs = {.name = "nsfs"};
static struct mount *nsfs_mount; /* [I] */

static int create_dentry(
	struct super *s, uint32_t mode, struct inode **inode, struct dentry **out)
{
	int err = inode_create(s, &nsfs_inode_ops, mode, inode);

	if (err)
		return err;
	(*inode)->fops = &nsfs_file_ops;
	return dentry_create_root(s, *inode, out);
}

void mount_ns_init(void)
{
	struct inode *i;
	struct super *s;

	if (super_create(&nsfs, &nsfs_super_ops, NSFS_MAGIC, SUPER_INTERNAL, &s) ||
		create_dentry(s, S_IFDIR | 0755, &i, &s->root) ||
		mount_create_internal(s, &nsfs_mount))
		panic("vfs: no memory for the files of namespaces");
}

bool mount_ns_is_file(const struct dentry *d)
{
	return d->super == nsfs_mount->super;
}

struct mount_ns *mount_ns_of(const struct dentry *d)
{
	return mount_ns_is_file(d) ? d->inode->private_data : NULL;
}

struct mount_ns *mount_ns_of_file(const struct file *f)
{
	return mount_ns_of(f->dentry);
}

int mount_ns_get_path(struct mount_ns *ns, struct path *out)
{
	char *name = mem_alloc(NAME_SIZE, 0);
	struct inode *i;
	int err;

	if (!name)
		return -ENOMEM;
	snformat(name, NAME_SIZE, "mnt:[%u]", ns->number);
	err = create_dentry(nsfs_mount->super, S_IFREG | 0444, &i, &out->dentry);
	if (err) {
		mem_free(name);
		return err;
	}
	mount_ns_get(ns);
	i->private_data = ns;
	i->link = name;
	i->ino = ns->number;
	mount_get(nsfs_mount);
	out->mnt = nsfs_mount;
	return 0;
}
