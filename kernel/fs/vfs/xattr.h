// SPDX-License-Identifier: MIT
/*
 * Extended attributes: who may read and set which; filesystems store them.
 */
#pragma once

#include "fs/vfs/path.h"
#include "lib/base.h"

/* value NULL removes. flags: XATTR_CREATE, XATTR_REPLACE. Linux's errors: man 2 setxattr. */
MUST_CHECK int vfs_setxattr(
	const struct path *p, const char *name, const void *value, size_t size, unsigned flags);
/* The length of the value; size 0 asks for it only. */
MUST_CHECK int64_t vfs_getxattr(const struct path *p, const char *name, void *buf, size_t size);
/* Names with their NULs; of trusted.* only for who may read them. */
MUST_CHECK int64_t vfs_listxattr(const struct path *p, char *buf, size_t size);
