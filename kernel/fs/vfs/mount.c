// SPDX-License-Identifier: MIT
/*
 * Mounts: their life, the hash in which walks find what is mounted where, the first root.
 *
 * A mount in a tree holds references on its parent and its mountpoint, and the tree holds one on
 * it. The hash is by parent and mountpoint; the newest comes first in its chain, so that it
 * covers an older one at the same place.
 *
 *     walk:  dentry has DENTRY_MOUNTED  ->  mount_find_rcu(mount, dentry)
 *
 * A second table has them by mountpoint alone: the mark goes with the last mount of a dentry,
 * which may be mounted on below many parents (copies, namespaces).
 *
 * How trees change (mount, umount, bind, move, pivot_root) is mount_ops.c's, and how changes spread
 * to other trees propagation.c's.
 *
 * Locks   mount_lock [M]  sleep, RANK_MOUNT. What walks look at is changed with dentry_lock held and
 *                         dentry_seq written as well.
 */
#include "fs/vfs/mount_priv.h"

#include "debug/log.h"
#include "fs/vfs/dentry_priv.h"
#include "fs/vfs/super_priv.h"
#include "lib/assert.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "mm/slab.h"

#include <linux/mount.h>

enum { MOUNT_BUCKETS = 256 };

struct mutex mount_lock;
struct mount_ns *mount_ns_first;
static struct mount *mount_hash[MOUNT_BUCKETS]; /* [M] */
static struct list mountpoints[MOUNT_BUCKETS];  /* [M] struct mount.point_link */
static uint32_t next_id = 1;                    /* [a] */

/* ---- Finding ---- */

static struct mount **bucket_of(const struct mount *parent, const struct dentry *d)
{
	return &mount_hash[hash_u64((uintptr_t)parent ^ (uintptr_t)d >> 3) % MOUNT_BUCKETS];
}

static struct list *mounts_at(const struct dentry *d)
{
	return &mountpoints[hash_pointer(d) % MOUNT_BUCKETS];
}

struct mount *mount_find_rcu(struct mount *parent, struct dentry *d)
{
	/* pairs with rcu_publish in mount_attach */
	struct mount *m = rcu_load(*bucket_of(parent, d));

	while (m && (m->parent != parent || m->mountpoint != d || m->parent == m))
		m = rcu_load(m->hash_next);
	return m;
}

bool mount_try_get(struct mount *m)
{
	return refcount_try_get(&m->refs);
}

bool mount_step_into(struct path *p)
{
	struct mount *m;
	uint32_t seq;

	if (LIKELY(!(p->dentry->flags & DENTRY_MOUNTED)))
		return false;
	rcu_read_lock();
	do {
		seq = seq_read_begin(&dentry_seq);
		m = mount_find_rcu(p->mnt, p->dentry);
		if (m && !mount_try_get(m))
			continue;
		if (!seq_read_retry(&dentry_seq, seq))
			break;
		if (m) {
			rcu_read_unlock();
			mount_put(m);
			rcu_read_lock();
		}
	} while (true);
	rcu_read_unlock();
	if (!m)
		return false;
	dentry_get(m->root);
	path_put(p);
	*p = (struct path){m, m->root};
	return true;
}

void mount_descend(struct path *p)
{
	while (mount_step_into(p))
		;
}

/* ---- Life ---- */

int mount_create(struct super *s, struct dentry *root, const char *source, struct mount **out)
{
	struct mount *m = mem_alloc(sizeof(*m), SLAB_ZERO);
	size_t size = strlen(source) + 1;

	if (!m)
		return -ENOMEM;
	m->source = mem_alloc(size, 0);
	if (!m->source) {
		mem_free(m);
		return -ENOMEM;
	}
	memcpy(m->source, source, size);
	refcount_init(&m->refs, 1);
	super_claim(s);
	m->super = s;
	dentry_get(root);
	m->root = root;
	m->parent = m;
	m->mountpoint = root;
	m->id = atomic_fetch_add_relaxed(&next_id, 1); /* only unique */
	list_init(&m->children);
	list_init(&m->slaves);
	propagation_init_mount(m);
	*out = m;
	return 0;
}

int mount_create_internal(struct super *s, struct mount **out)
{
	int err;

	assert(s->root);
	err = mount_create(s, s->root, s->fs ? s->fs->name : "none", out);
	super_release(s); /* the mount has its own */
	return err;
}

void mount_get(struct mount *m)
{
	refcount_get(&m->refs);
}

static void mount_free(struct rcu_head *head)
{
	struct mount *m = container_of(head, struct mount, rcu);

	mem_free(m->source);
	mem_free(m);
}

void mount_put(struct mount *m)
{
	struct super *s = m->super;

	if (!refcount_put(&m->refs))
		return;
	assert(m->parent == m && list_is_empty(&m->children));
	dentry_put(m->root);
	rcu_call(&m->rcu, mount_free);
	super_release(s);
}

/* ---- Writing ---- */

int mount_want_write(struct mount *m)
{
	/* first seen by who makes it read-only, then looked: pairs with mount_set_flags */
	atomic_add(&m->writers, 1);
	if (LIKELY(!((READ_ONCE(m->flags) & MS_RDONLY) | (m->super->flags & SUPER_RDONLY))))
		return 0;
	mount_end_write(m);
	return -EROFS;
}

void mount_end_write(struct mount *m)
{
	(void)atomic_fetch_sub_release(
		&m->writers, 1); /* our writes come before a remount's look */
}

/* ---- Place in a tree ---- */

void mount_attach(struct mount *m, struct mount *parent, struct dentry *mountpoint)
{
	struct mount **slot = bucket_of(parent, mountpoint);

	assert(mutex_is_mine(&mount_lock) && m->parent == m);
	mount_get(parent);
	dentry_get(mountpoint);
	irqlock_lock(&dentry_lock);
	seq_write_begin(&dentry_seq);
	m->parent = parent;
	m->mountpoint = mountpoint;
	m->hash_next = *slot;
	rcu_publish(*slot, m); /* pairs with rcu_load in mount_find_rcu */
	atomic_or(&mountpoint->flags, DENTRY_MOUNTED);
	seq_write_end(&dentry_seq);
	irqlock_unlock(&dentry_lock);
	list_add_head(mounts_at(mountpoint), &m->point_link);
	list_add_tail(&parent->children, &m->child_link);
}

static bool is_mountpoint(const struct dentry *d)
{
	list_for_each (m, mounts_at(d), struct mount, point_link)
		if (m->mountpoint == d)
			return true;
	return false;
}

void mount_detach(struct mount *m)
{
	struct mount **slot;
	bool is_last;

	assert(mutex_is_mine(&mount_lock) && m->parent != m);
	m->old_parent = m->parent;
	m->old_mountpoint = m->mountpoint;
	list_remove(&m->point_link);
	is_last = !is_mountpoint(m->old_mountpoint);
	irqlock_lock(&dentry_lock);
	seq_write_begin(&dentry_seq);
	for (slot = bucket_of(m->parent, m->mountpoint); *slot != m; slot = &(*slot)->hash_next)
		;
	WRITE_ONCE(*slot, m->hash_next);
	m->parent = m;
	m->mountpoint = m->root;
	if (is_last)
		atomic_and(&m->old_mountpoint->flags, ~(uint32_t)DENTRY_MOUNTED);
	seq_write_end(&dentry_seq);
	irqlock_unlock(&dentry_lock);
	list_remove(&m->child_link);
}

void mount_set_flags(struct mount *m, uint32_t flags)
{
	WRITE_ONCE(m->flags, flags);
}

bool mount_super_has_writers(const struct super *s)
{
	if (mount_ns_first->root->super == s && atomic_load(&mount_ns_first->root->writers))
		return true;
	for (unsigned i = 0; i < MOUNT_BUCKETS; i++)
		for (struct mount *m = mount_hash[i]; m; m = m->hash_next)
			if (m->super == s && atomic_load(&m->writers))
				return true;
	return false;
}

bool mount_is_here(const struct dentry *d)
{
	return READ_ONCE(d->flags) & DENTRY_MOUNTED;
}

/* ---- Start ---- */

const struct filesystem *filesystem_find(const char *name)
{
	SET_FOREACH (const struct filesystem, fs, filesystems)
		if (str_equal(fs->name, name))
			return fs;
	return NULL;
}

/* The tree of a namespace begins with its root, which hangs nowhere. */
static int create_first_namespace(struct super *s)
{
	struct mount_ns *ns = mount_ns_create();
	struct mount *m;
	int err;

	if (!ns)
		return -ENOMEM;
	err = mount_create(s, s->root, "rootfs", &m);
	if (err) {
		mem_free(ns);
		return err;
	}
	super_release(s); /* the mount has its own */
	ns->root = m;
	mount_ns_adopt(ns, m);
	mount_ns_first = ns;
	return 0;
}

void vfs_init(void)
{
	const struct filesystem *fs;
	struct super *s;
	struct path root;
	int err;

	mutex_init(&mount_lock, RANK_MOUNT, "mounts");
	for (unsigned i = 0; i < MOUNT_BUCKETS; i++)
		list_init(&mountpoints[i]);
	inode_init_caches();
	dentry_init_cache();
	mount_ns_init();
	fs = filesystem_find("rootfs");
	if (!fs)
		panic("vfs: no file system can be the root");
	err = fs->mount(fs, "rootfs", 0, NULL, &s);
	if (!err)
		err = create_first_namespace(s);
	if (err)
		panic("vfs: no memory for the root (error %d)", err);
	root = (struct path){mount_ns_first->root, mount_ns_first->root->root};
	fs_context_kernel.ns = mount_ns_first;
	fs_context_set_root(&fs_context_kernel, &root);
	fs_context_set_cwd(&fs_context_kernel, &root);
}
