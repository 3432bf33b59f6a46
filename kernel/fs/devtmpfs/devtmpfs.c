// SPDX-License-Identifier: MIT
/*
 * The tree of device nodes: one instance of tmpfs that drivers fill and programs mount.
 *
 * Every mount shows the same instance. Drivers come before anybody mounts, so the instance is made
 * by the first node. The kernel mounts it nowhere by itself.
 *
 * Locks   devtmpfs_lock  RANK_RENAME   one node at a time is made or removed
 * Spec    Linux: drivers/base/Kconfig, DEVTMPFS
 */

#include "abi/stat.h"
#include "dev/char/chardev.h"
#include "fs/tmpfs/tmpfs.h"
#include "fs/vfs/inode.h"
#include "lib/string.h"
#include "sync/mutex.h"

enum { COMPONENT_MAX = 64 };

static const struct filesystem devtmpfs;
static struct super *instance; /* [I] after devtmpfs_init */
static struct mutex devtmpfs_lock;

void devtmpfs_init(void)
{
	mutex_init(&devtmpfs_lock, RANK_RENAME, "device nodes");
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
	struct inode *i;
	int err;

	mutex_lock(&devtmpfs_lock);
	err = open_parent(name, &dir, &last);
	if (!err) {
		err = tmpfs_new_inode(instance, NULL, mode, dev, &i);
		if (!err)
			err = tmpfs_add_name(dir, last, i);
		dentry_put(dir);
	}
	mutex_unlock(&devtmpfs_lock);
	return err;
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
	mutex_unlock(&devtmpfs_lock);
	return err;
}

static int mount(const struct filesystem *fs UNUSED, const char *source UNUSED,
	unsigned flags UNUSED, const char *data UNUSED, struct super **out)
{
	super_get(instance);
	*out = instance;
	return 0;
}

static const struct filesystem devtmpfs = {.name = "devtmpfs", .mount = mount};
SET_ADD(filesystems, devtmpfs);
