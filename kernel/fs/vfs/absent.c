// SPDX-License-Identifier: MIT
/*
 * What names need of open files and credentials until those are in the tree: weak, so that the real
 * ones win; everybody is root and nothing can be opened. Goes when proc/cred.c and file.c are there.
 */
#include "fs/vfs/fdtable.h"
#include "fs/vfs/file.h"
#include "proc/cred.h"

static const struct cred everything = {
	.refs = 1, .cap_permitted = ~0ull, .cap_effective = ~0ull, .cap_bounding = ~0ull};

WEAK const struct cred *cred_current(void)
{
	return &everything;
}

WEAK bool cred_in_group(const struct cred *c, uint32_t gid)
{
	return c->fsgid == gid;
}

WEAK int inode_get_write(struct inode *i UNUSED)
{
	return -ENOSYS;
}

WEAK void inode_put_write(struct inode *i UNUSED)
{
}

WEAK void file_put(struct file *f UNUSED)
{
}

WEAK int file_create(struct file **out UNUSED, struct mount *m UNUSED, struct dentry *d UNUSED,
	unsigned flags UNUSED)
{
	return -ENOSYS;
}

WEAK int file_open(struct file **out UNUSED, struct mount *m UNUSED, struct dentry *d UNUSED,
	unsigned flags UNUSED)
{
	return -ENOSYS;
}

WEAK struct borrowed_file fd_borrow_path(int fd UNUSED)
{
	return (struct borrowed_file){0};
}
