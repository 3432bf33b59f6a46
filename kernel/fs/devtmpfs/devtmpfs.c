// SPDX-License-Identifier: MIT
/*
 * The tree of device nodes: one instance of tmpfs that drivers fill and programs mount.
 *
 * Every mount shows the same instance. Drivers come before anybody mounts, so the instance is made
 * by the first node. The kernel mounts it nowhere by itself.
 *
 * Locks   devtmpfs_lock  RANK_RENAME   one node at a time is made or removed
 *         nodes_lock     RANK_CHARDEV  the list that /sys shows
 * Spec    Linux: drivers/base/Kconfig, DEVTMPFS
 */

#include "abi/stat.h"
#include "dev/char/chardev.h"
#include "fs/tmpfs/tmpfs.h"
#include "fs/vfs/inode.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "sync/mutex.h"
#include "sync/spinlock.h"

enum { COMPONENT_MAX = 64 };

static const struct filesystem devtmpfs;
static struct super *instance; /* [I] after devtmpfs_init */
static struct mutex devtmpfs_lock;
static struct irqlock nodes_lock;
static struct list nodes; /* nodes_lock: struct device_node, for /sys */

void devtmpfs_init(void)
{
	mutex_init(&devtmpfs_lock, RANK_RENAME, "device nodes");
	irqlock_init(&nodes_lock, RANK_CHARDEV, "list of device nodes");
	list_init(&nodes);
	if (tmpfs_create_super(&devtmpfs, 0, "mode=755", &instance))
		panic("devtmpfs: no memory");
}

/* The folder of this name, made if need be, with a reference. */
static int open_folder(struct dentry *dir, const char *name, struct dentry **out)
{
	struct inode *i;
	int err;

	*out = dentry_find(dir, name, strlen(name));
	if (*out)
		return S_ISDIR((*out)->inode->mode) ? 0 : (dentry_put(*out), -ENOTDIR);
	err = tmpfs_new_inode(instance, NULL, S_IFDIR | 0755, 0, &i);
	if (!err)
		err = tmpfs_add_name(dir, name, i);
	if (err)
		return err;
	*out = dentry_find(dir, name, strlen(name));
	return *out ? 0 : -ENOENT;
}

/* The folder that the last component of path is in, with a reference, and that component. */
static int open_parent(const char *path, struct dentry **dir, const char **last)
{
	char component[COMPONENT_MAX];
	const char *slash;

	*dir = instance->root;
	dentry_get(*dir);
	for (; (slash = strchr(path, '/')); path = slash + 1) {
		struct dentry *next;
		int err = -ENAMETOOLONG;

		if ((size_t)(slash - path) < sizeof(component)) {
			memcpy(component, path, (size_t)(slash - path));
			component[slash - path] = '\0';
			err = open_folder(*dir, component, &next);
		}
		dentry_put(*dir);
		if (err)
			return err;
		*dir = next;
	}
	*last = path;
	return 0;
}

int devtmpfs_create_node(const char *name, uint32_t mode, uint32_t dev)
{
	struct dentry *dir;
	const char *last;
	struct device_node *node = mem_alloc(sizeof(*node), 0);
	struct inode *i;
	int err;

	if (!node)
		return -ENOMEM;
	mutex_lock(&devtmpfs_lock);
	err = open_parent(name, &dir, &last);
	if (!err) {
		err = tmpfs_new_inode(instance, NULL, mode, dev, &i);
		if (!err)
			err = tmpfs_add_name(dir, last, i);
		dentry_put(dir);
	}
	if (err) {
		mem_free(node);
	} else {
		node->mode = mode;
		node->dev = dev;
		(void)str_copy(node->name, name, sizeof(node->name));
		irqlock_lock(&nodes_lock);
		list_add_tail(&nodes, &node->link);
		irqlock_unlock(&nodes_lock);
	}
	mutex_unlock(&devtmpfs_lock);
	return err;
}

static void forget_node(const char *name)
{
	struct device_node *gone = NULL;

	irqlock_lock(&nodes_lock);
	list_for_each (node, &nodes, struct device_node, link)
		if (strcmp(node->name, name) == 0)
			gone = node;
	if (gone)
		list_remove(&gone->link);
	irqlock_unlock(&nodes_lock);
	mem_free(gone);
}

bool devtmpfs_get_node(unsigned n, struct device_node *out)
{
	bool is_there = false;

	irqlock_lock(&nodes_lock);
	list_for_each (node, &nodes, struct device_node, link)
		if (n-- == 0) {
			*out = *node;
			is_there = true;
			break;
		}
	irqlock_unlock(&nodes_lock);
	return is_there;
}

int devtmpfs_remove_node(const char *name)
{
	struct dentry *dir;
	const char *last;
	int err;

	mutex_lock(&devtmpfs_lock);
	err = open_parent(name, &dir, &last);
	if (!err) {
		err = tmpfs_remove_name(dir, last);
		dentry_put(dir);
	}
	if (!err)
		forget_node(name);
	mutex_unlock(&devtmpfs_lock);
	return err;
}

static int mount(const struct filesystem *fs UNUSED, const char *source UNUSED,
	unsigned flags UNUSED, const char *data UNUSED, struct super **out)
{
	super_claim(instance);
	*out = instance;
	return 0;
}

static const struct filesystem devtmpfs = {.name = "devtmpfs", .mount = mount};
SET_ADD(filesystems, devtmpfs);
