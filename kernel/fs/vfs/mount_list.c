// SPDX-License-Identifier: MIT
/*
 * The mounts of a namespace one after another, for who shows them (/proc/PID/mounts).
 */
#include "fs/vfs/mount_priv.h"
#include "fs/vfs/super_priv.h"

void mount_for_each_beside(struct mount *m, void (*fn)(struct mount *m, void *ctx), void *ctx)
{
	mutex_lock(&mount_lock);
	if (m->ns)
		list_for_each (each, &m->ns->mounts, struct mount, ns_link)
			fn(each, ctx);
	mutex_unlock(&mount_lock);
}
