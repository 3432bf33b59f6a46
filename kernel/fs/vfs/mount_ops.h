// SPDX-License-Identifier: MIT
/*
 * Changes of mounts beyond those of path.h, for sys/mount.c.
 */
#pragma once

#include "fs/vfs/path.h"
#include "lib/base.h"

/* mount_setattr(2), decoded: MOUNT_ATTR_* of <linux/mount.h>. */
struct mount_change {
	uint64_t set, clear;
	uint64_t propagation; /* MS_SHARED ..., or 0 */
	bool is_recursive;
};
/* -EPERM, -EINVAL (not a mount's root, not ours), -EBUSY. */
MUST_CHECK int vfs_mount_setattr(const struct path *p, const struct mount_change *c);
