// SPDX-License-Identifier: MIT
/*
 * Credentials of a new program: set-user-ID and set-group-ID bits, and the capability rules of exec.
 *
 * Nothing changes for most programs; then no new credentials are made (x->cred stays NULL).
 *
 * Spec    man 7 capabilities, "Transformation of capabilities during execve()", "Capabilities and
 *         execution of programs by root", "Ambient"; man 2 execve; man 2 prctl: PR_SET_NO_NEW_PRIVS
 */
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/securebits.h>
#include <linux/stat.h>

#include "fs/vfs/path.h"
#include "lib/string.h"
#include "proc/exec_priv.h"

/* What the file gives. man 7 capabilities, "File capabilities" */
struct file_caps {
	bool is_set, is_effective;
	uint64_t permitted, inheritable;
};

/* The attribute's content, little endian: revision and flags, then two words for each set. */
static int read_file_caps(struct file *f, struct file_caps *out)
{
	struct vfs_ns_cap_data raw;
	const struct inode_ops *ops = f->inode->ops;
	int64_t n;

	*out = (struct file_caps){0};
	if (!ops->getxattr)
		return 0;
	n = ops->getxattr(f->inode, "security.capability", &raw, sizeof(raw));
	if (n == -ENODATA || n == -EOPNOTSUPP)
		return 0;
	if (n < 0)
		return (int)n;
	switch (n < (int64_t)sizeof(raw.magic_etc) ? 0
						   : raw.magic_etc & VFS_CAP_REVISION_MASK) {
	case VFS_CAP_REVISION_2:
		if (n != XATTR_CAPS_SZ_2)
			return -EINVAL;
		break;
	case VFS_CAP_REVISION_3:
		if (n != XATTR_CAPS_SZ_3)
			return -EINVAL;
		if (raw.rootid)
			return 0; /* another namespace's */
		break;
	default:
		return -EINVAL;
	}
	out->is_set = true;
	out->is_effective = raw.magic_etc & VFS_CAP_FLAGS_EFFECTIVE;
	out->permitted = raw.data[0].permitted | (uint64_t)raw.data[1].permitted << 32;
	out->inheritable = raw.data[0].inheritable | (uint64_t)raw.data[1].inheritable << 32;
	return 0;
}

static void set_ids(struct cred *c, const struct inode *i)
{
	uint32_t mode = i->mode;

	if (mode & S_ISUID)
		c->euid = i->uid;
	if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		c->egid = i->gid;
}

/* Root's files have all capabilities, unless SECBIT_NOROOT says otherwise. */
static void add_root_caps(const struct cred *c, struct file_caps *caps)
{
	if (c->securebits & SECBIT_NOROOT)
		return;
	if (caps->is_set && c->uid != 0 && c->euid == 0)
		return; /* a set-user-ID-root program with capabilities gets only those */
	if (c->euid == 0 || c->uid == 0) {
		caps->permitted = caps->inheritable = UINT64_MAX;
		if (c->euid == 0)
			caps->is_effective = true;
	}
}

/* Whether another process could change the root or the working directory under the program. */
static bool is_place_shared(struct uthread *u)
{
	unsigned own = 0;

	irqlock_lock(&u->proc->lock);
	list_for_each (each, &u->proc->threads, struct uthread, proc_link)
		own += each->fs == u->fs;
	irqlock_unlock(&u->proc->lock);
	return atomic_load(&u->fs->nr_threads) > own;
}

/* P'(permitted) and its kin. `old` is what the caller has. */
static int transform(struct cred *c, const struct cred *old, struct file_caps *caps,
	bool is_confined, bool *is_secure)
{
	bool has_file_caps = caps->is_set, changes_id, gains;

	c->cap_permitted = (old->cap_bounding & caps->permitted) |
			   (old->cap_inheritable & caps->inheritable);
	if (has_file_caps && caps->is_effective && (caps->permitted & ~c->cap_permitted))
		return -EPERM; /* man 7 capabilities, "Safety checking for capability-dumb binaries" */
	add_root_caps(c, caps);
	c->cap_permitted = (old->cap_bounding & caps->permitted) |
			   (old->cap_inheritable & caps->inheritable);
	changes_id = c->euid != old->uid || c->egid != old->gid;
	gains = c->cap_permitted & ~old->cap_permitted;
	if ((changes_id || gains) && (is_confined || is_place_shared(uthread_current()))) {
		if (is_confined || !capable(CAP_SETUID)) {
			c->euid = c->uid;
			c->egid = c->gid;
		}
		c->cap_permitted &= old->cap_permitted;
	}
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
	if (has_file_caps || changes_id)
		c->cap_ambient = 0;
	c->cap_permitted |= c->cap_ambient;
	c->cap_effective = caps->is_effective ? c->cap_permitted : c->cap_ambient;
	c->securebits &= ~(uint32_t)SECBIT_KEEP_CAPS;
	gains = c->cap_permitted & ~c->cap_ambient;
	*is_secure = changes_id || (c->uid != 0 && (caps->is_effective || gains));
	return 0;
}

static bool is_same(const struct cred *a, const struct cred *b)
{
	return a->euid == b->euid && a->suid == b->suid && a->fsuid == b->fsuid &&
	       a->egid == b->egid && a->sgid == b->sgid && a->fsgid == b->fsgid &&
	       a->cap_permitted == b->cap_permitted && a->cap_effective == b->cap_effective &&
	       a->cap_ambient == b->cap_ambient && a->securebits == b->securebits;
}

int exec_cred_prepare(struct exec *x)
{
	struct uthread *u = uthread_current();
	const struct cred *old = u->cred;
	struct file *f = x->program.file;
	struct file_caps caps = {0};
	struct cred next = *old, *made;
	bool is_confined = u->no_new_privs;
	int err;

	next.euid = old->euid;
	if (!(f->mount->flags & MS_NOSUID)) {
		if (!is_confined)
			set_ids(&next, f->inode);
		err = read_file_caps(f, &caps);
		if (err)
			return err;
	}
	err = transform(&next, old, &caps, is_confined, &x->is_secure);
	if (err || is_same(&next, old))
		return err;
	err = cred_prepare(&made);
	if (err)
		return err;
	next.refs = made->refs;
	next.groups = made->groups;
	*made = next;
	x->cred = made;
	return 0;
}
