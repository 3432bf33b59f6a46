// SPDX-License-Identifier: MIT
/*
 * What is asked of a path already found: access, readlink, statfs.
 *
 * Spec    man 2 access, readlink, statfs
 */
#include "fs/vfs/attr_query.h"

#include "fs/vfs/permission_priv.h"
#include "lib/string.h"
#include "mm/slab.h"

#include <linux/limits.h>
#include <linux/mount.h>

/* man 2 statfs: f_flags */
enum {
	ST_RDONLY = 1,
	ST_NOSUID = 2,
	ST_NODEV = 4,
	ST_NOEXEC = 8,
	ST_VALID = 0x20, /* the field is filled at all */
	ST_NOATIME = 1024,
	ST_NODIRATIME = 2048,
	ST_RELATIME = 4096,
	ST_NOSYMFOLLOW = 8192,
};

int path_may_access(const struct cred *c, const struct path *p, unsigned mode)
{
	struct inode *i = p->dentry->inode;
	int err;

	if (mode & MAY_EXEC && S_ISREG(i->mode) &&
		(p->mnt->flags & MS_NOEXEC || i->super->flags & SUPER_NO_EXEC))
		return -EACCES;
	err = inode_permission_as(c, i, mode);
	if (err || !(mode & MAY_WRITE) || S_ISCHR(i->mode) || S_ISBLK(i->mode) ||
		S_ISFIFO(i->mode) || S_ISSOCK(i->mode))
		return err;
	return p->mnt->flags & MS_RDONLY ? -EROFS : 0;
}

int64_t path_read_link(const struct path *p, uptr to, size_t size)
{
	struct inode *i = p->dentry->inode;
	size_t len;
	char *text;
	int n, err;

	if (!S_ISLNK(i->mode) || (!i->link && !i->ops->readlink))
		return -EINVAL;
	inode_accessed(p->mnt, i, 0);
	if (i->link) {
		len = MIN(strlen(i->link), size);
		err = user_write(to, i->link, len);
		return err ? err : (int64_t)len;
	}
	text = mem_alloc(PATH_MAX, 0);
	if (!text)
		return -ENOMEM;
	n = i->ops->readlink(i, text, PATH_MAX);
	if (n >= 0) {
		n = (int)MIN((size_t)n, size);
		err = user_write(to, text, (size_t)n);
		if (err)
			n = err;
	}
	mem_free(text);
	return n;
}

int path_statfs(const struct path *p, struct kstatfs *out)
{
	struct super *s = p->dentry->super;

	*out = (struct kstatfs){
		.type = s->magic,
		.block_size = s->block_size,
		.fsid = s->dev,
		.name_max = NAME_MAX,
	};
	return s->ops->statfs ? s->ops->statfs(s, out) : 0;
}

uint64_t path_statfs_flags(const struct path *p)
{
	uint32_t f = p->mnt->flags;

	return ST_VALID |
	       (f & MS_RDONLY || p->dentry->super->flags & SUPER_RDONLY ? ST_RDONLY : 0) |
	       (f & MS_NOSUID ? ST_NOSUID : 0) | (f & MS_NODEV ? ST_NODEV : 0) |
	       (f & MS_NOEXEC ? ST_NOEXEC : 0) | (f & MS_NOATIME ? ST_NOATIME : 0) |
	       (f & MS_NODIRATIME ? ST_NODIRATIME : 0) | (f & MS_RELATIME ? ST_RELATIME : 0) |
	       (f & MS_NOSYMFOLLOW ? ST_NOSYMFOLLOW : 0);
}
