// SPDX-License-Identifier: MIT
/*
 * Questions about a path already found, for sys/stat.c.
 */
#pragma once

#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "lib/base.h"

struct cred;

/* What statx says of the mount. */
struct mount_facts {
	uint32_t id;
	bool is_root;
};

/* path_lookup with the rights of somebody else. */
MUST_CHECK int path_lookup_as(
	const struct cred *c, int dirfd, const char *name, unsigned flags, struct path *out);
/* access(2) of what was found: mode of R_OK, W_OK, X_OK. 0, -EACCES, -EROFS. */
MUST_CHECK int path_may_access(const struct cred *c, const struct path *p, unsigned mode);
/* A symlink's target, cut, without a NUL: its length there, -EINVAL (not a link), -EACCES, -EFAULT. */
MUST_CHECK int64_t path_read_link(const struct path *p, uptr to, size_t size);
MUST_CHECK int path_statfs(const struct path *p, struct kstatfs *out);
uint64_t path_statfs_flags(const struct path *p); /* ST_* */
