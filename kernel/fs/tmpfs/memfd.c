// SPDX-License-Identifier: MIT
/*
 * memfd_create: a file of an instance that nobody mounts, with no link.
 *
 * inode->link keeps what /proc shows: "memfd:NAME". Without MFD_ALLOW_SEALING the file
 * begins with F_SEAL_SEAL, so that no seal can be added.
 *
 * Spec    man 2 memfd_create
 */
#include <linux/fcntl.h>
#include <linux/memfd.h>

#include "abi/stat.h"
#include "fs/tmpfs/tmpfs_priv.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/cred.h"
#include "sync/mutex.h"

static const char prefix[] = "memfd:";
static const struct filesystem memfd_filesystem = {.name = "tmpfs"};

/* [I] once made; made by the first call */
static struct mount *memfd_mount;
static struct mutex memfd_mount_lock;

void tmpfs_init_memfd(void)
{
	mutex_init(&memfd_mount_lock, RANK_MOUNT, "memfd mount");
}

static int get_mount(struct mount **out)
{
	struct super *s;
	int err = 0;

	mutex_lock(&memfd_mount_lock);
	if (!memfd_mount) {
		err = tmpfs_create_super(
			&memfd_filesystem, SUPER_INTERNAL, "size=0,nr_inodes=0", &s);
		if (!err)
			err = mount_create_internal(s, &memfd_mount);
	}
	*out = memfd_mount;
	mutex_unlock(&memfd_mount_lock);
	return err;
}

int tmpfs_open_memfd(const char *name, unsigned flags, struct file **out)
{
	struct dentry *d;
	struct mount *m;
	struct inode *i;
	char *text;
	int err;

	err = get_mount(&m);
	if (err)
		return err;
	text = mem_alloc(strlen(name) + sizeof(prefix), 0);
	if (!text)
		return -ENOMEM;
	snformat(text, strlen(name) + sizeof(prefix), "%s%s", prefix, name);
	err = tmpfs_new_inode(m->super, NULL, S_IFREG | 0777, 0, &i);
	if (err) {
		mem_free(text);
		return err;
	}
	i->link = text;
	i->uid = cred_current()->fsuid;
	i->gid = cred_current()->fsgid;
	i->nlink = 0;
	if (flags & MFD_ALLOW_SEALING)
		tmpfs_node(i)->seals = 0;
	err = dentry_create_root(m->super, i, &d);
	if (err)
		return err;
	err = file_open(out, m, d, O_RDWR | O_LARGEFILE);
	dentry_put(d);
	return err;
}
