// SPDX-License-Identifier: MIT
/*
 * Extended attributes of tmpfs: a list in memory.
 *
 * Linux 6.1's tmpfs keeps trusted.* and security.*, and refuses the rest, user.* too. Who may read or
 * set which is fs/vfs/xattr.c's business.
 *
 * Locks   inode->lock, taken by the VFS around each function
 * Spec    man 7 xattr
 */
#include <linux/xattr.h>

#include "fs/tmpfs/tmpfs_priv.h"
#include "lib/string.h"
#include "mm/slab.h"

struct tmpfs_xattr {
	struct list_node link;
	char *name; /* behind the value */
	size_t size;
	uint8_t value[];
};

static bool is_kept(const char *name)
{
	return str_has_prefix(name, XATTR_TRUSTED_PREFIX) ||
	       str_has_prefix(name, XATTR_SECURITY_PREFIX);
}

static struct list *list_of(const struct inode *i)
{
	struct tmpfs_node *n = tmpfs_node(i);

	if (!n->xattrs.head.next)
		list_init(&n->xattrs);
	return &n->xattrs;
}

static struct tmpfs_xattr *find(const struct inode *i, const char *name)
{
	list_for_each (x, list_of(i), struct tmpfs_xattr, link)
		if (str_equal(x->name, name))
			return x;
	return NULL;
}

int64_t tmpfs_getxattr(struct inode *i, const char *name, void *buf, size_t size)
{
	const struct tmpfs_xattr *x;

	if (!is_kept(name))
		return -EOPNOTSUPP;
	x = find(i, name);
	if (!x)
		return -ENODATA;
	if (!size)
		return (int64_t)x->size;
	if (size < x->size)
		return -ERANGE;
	memcpy(buf, x->value, x->size);
	return (int64_t)x->size;
}

static struct tmpfs_xattr *new_xattr(const char *name, const void *value, size_t size)
{
	size_t name_size = strlen(name) + 1;
	struct tmpfs_xattr *x = mem_alloc(sizeof(*x) + size + name_size, 0);

	if (!x)
		return NULL;
	x->size = size;
	x->name = (char *)x->value + size;
	memcpy(x->value, value, size);
	memcpy(x->name, name, name_size);
	return x;
}

/* value NULL removes it. */
int tmpfs_setxattr(
	struct inode *i, const char *name, const void *value, size_t size, unsigned flags)
{
	struct tmpfs_xattr *old, *x = NULL;

	if (!is_kept(name))
		return -EOPNOTSUPP;
	old = find(i, name);
	if (old && flags & XATTR_CREATE)
		return -EEXIST;
	if (!old && (!value || flags & XATTR_REPLACE))
		return -ENODATA;
	if (value) {
		x = new_xattr(name, value, size);
		if (!x)
			return -ENOMEM;
	}
	if (old) {
		list_remove(&old->link);
		mem_free(old);
	}
	if (x)
		list_add_head(list_of(i), &x->link);
	inode_touch(i, IATTR_CTIME);
	return 0;
}

int64_t tmpfs_listxattr(struct inode *i, char *buf, size_t size)
{
	size_t used = 0;

	list_for_each (x, list_of(i), struct tmpfs_xattr, link) {
		size_t len = strlen(x->name) + 1;

		if (size && used + len > size)
			return -ERANGE;
		if (size)
			memcpy(buf + used, x->name, len);
		used += len;
	}
	return (int64_t)used;
}

void tmpfs_free_xattrs(struct tmpfs_node *n)
{
	struct tmpfs_xattr *x;

	if (!n->xattrs.head.next)
		return;
	while ((x = list_pop_head(&n->xattrs, struct tmpfs_xattr, link)))
		mem_free(x);
}
