// SPDX-License-Identifier: MIT
/*
 * The rules of changing credentials.
 *
 * An id of -1 means "leave it" to the calls with several. A change of user ids from or to 0 moves
 * capabilities, unless the secure bits say that 0 is a user like any other (fix_caps).
 *
 * Spec    man 2 setuid, setreuid, setresuid, setfsuid; man 7 capabilities, "Effect of user ID
 *         changes on capabilities", "Programmatically adjusting capability sets"; man 2 prctl
 */
#include "proc/ids.h"

#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/securebits.h>

#include "lib/assert.h"
#include "mm/slab.h"
#include "proc/proc.h"

#define KEEP UINT32_MAX /* (uid_t)-1 */

/* Capabilities that go with fsuid 0. man 7 capabilities */
#define CAPS_OF_FILES                                                                          \
	(BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_FOWNER) | \
		BIT(CAP_FSETID) | BIT(CAP_LINUX_IMMUTABLE) | BIT(CAP_MKNOD) |                  \
		BIT(CAP_MAC_OVERRIDE))
#define CAP_ALL (BIT(CAP_LAST_CAP + 1) - 1)

/* ---- User ids ---- */

/* After the user ids of c changed from old's. */
static void fix_caps(struct cred *c, const struct cred *old)
{
	bool was_root = !old->uid || !old->euid || !old->suid;
	bool is_root = !c->uid || !c->euid || !c->suid;

	if (c->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (was_root && !is_root) {
		if (!(c->securebits & SECBIT_KEEP_CAPS)) {
			c->cap_permitted = 0;
			c->cap_effective = 0;
		}
		c->cap_ambient = 0;
	}
	if (!old->euid && c->euid)
		c->cap_effective = 0;
	if (old->euid && !c->euid)
		c->cap_effective = c->cap_permitted;
}

int ids_setuid(struct cred *c, uint32_t uid)
{
	const struct cred *old = cred_current();
	int err;

	if (uid == KEEP)
		return -EINVAL;
	if (capable(CAP_SETUID)) {
		err = cred_set_uid(c, uid);
		if (err)
			return err;
		c->suid = uid;
	} else if (uid != old->uid && uid != old->suid) {
		return -EPERM;
	}
	c->euid = c->fsuid = uid;
	fix_caps(c, old);
	return 0;
}

int ids_setreuid(struct cred *c, uint32_t ruid, uint32_t euid)
{
	const struct cred *old = cred_current();
	bool may = capable(CAP_SETUID);
	int err;

	if (ruid != KEEP) {
		if (ruid != old->uid && ruid != old->euid && !may)
			return -EPERM;
		err = cred_set_uid(c, ruid);
		if (err)
			return err;
	}
	if (euid != KEEP) {
		if (euid != old->uid && euid != old->euid && euid != old->suid && !may)
			return -EPERM;
		c->euid = euid;
	}
	if (ruid != KEEP || (euid != KEEP && euid != old->uid))
		c->suid = c->euid;
	c->fsuid = c->euid;
	fix_caps(c, old);
	return 0;
}

static bool is_mine(const struct cred *c, uint32_t uid)
{
	return uid == KEEP || uid == c->uid || uid == c->euid || uid == c->suid;
}

int ids_setresuid(struct cred *c, uint32_t ruid, uint32_t euid, uint32_t suid)
{
	const struct cred *old = cred_current();
	int err;

	if (!capable(CAP_SETUID) &&
		(!is_mine(old, ruid) || !is_mine(old, euid) || !is_mine(old, suid)))
		return -EPERM;
	if (ruid != KEEP) {
		err = cred_set_uid(c, ruid);
		if (err)
			return err;
	}
	if (euid != KEEP)
		c->euid = euid;
	if (suid != KEEP)
		c->suid = suid;
	c->fsuid = c->euid;
	fix_caps(c, old);
	return 0;
}

int ids_setfsuid(struct cred *c, uint32_t uid)
{
	const struct cred *old = cred_current();

	if (uid == KEEP)
		return -EINVAL;
	if (!is_mine(old, uid) && uid != old->fsuid && !capable(CAP_SETUID))
		return -EPERM;
	c->fsuid = uid;
	if (c->securebits & SECBIT_NO_SETUID_FIXUP)
		return 0;
	if (!old->fsuid && c->fsuid)
		c->cap_effective &= ~CAPS_OF_FILES;
	if (old->fsuid && !c->fsuid)
		c->cap_effective |= CAPS_OF_FILES & c->cap_permitted;
	return 0;
}

/* ---- Group ids ---- */

int ids_setgid(struct cred *c, uint32_t gid)
{
	const struct cred *old = cred_current();

	if (gid == KEEP)
		return -EINVAL;
	if (capable(CAP_SETGID))
		c->gid = c->sgid = gid;
	else if (gid != old->gid && gid != old->sgid)
		return -EPERM;
	c->egid = c->fsgid = gid;
	return 0;
}

int ids_setregid(struct cred *c, uint32_t rgid, uint32_t egid)
{
	const struct cred *old = cred_current();
	bool may = capable(CAP_SETGID);

	if (rgid != KEEP) {
		if (rgid != old->gid && rgid != old->egid && !may)
			return -EPERM;
		c->gid = rgid;
	}
	if (egid != KEEP) {
		if (egid != old->gid && egid != old->egid && egid != old->sgid && !may)
			return -EPERM;
		c->egid = egid;
	}
	if (rgid != KEEP || (egid != KEEP && egid != old->gid))
		c->sgid = c->egid;
	c->fsgid = c->egid;
	return 0;
}

static bool is_my_group(const struct cred *c, uint32_t gid)
{
	return gid == KEEP || gid == c->gid || gid == c->egid || gid == c->sgid;
}

int ids_setresgid(struct cred *c, uint32_t rgid, uint32_t egid, uint32_t sgid)
{
	const struct cred *old = cred_current();

	if (!capable(CAP_SETGID) &&
		(!is_my_group(old, rgid) || !is_my_group(old, egid) || !is_my_group(old, sgid)))
		return -EPERM;
	if (rgid != KEEP)
		c->gid = rgid;
	if (egid != KEEP)
		c->egid = egid;
	if (sgid != KEEP)
		c->sgid = sgid;
	c->fsgid = c->egid;
	return 0;
}

int ids_setfsgid(struct cred *c, uint32_t gid)
{
	const struct cred *old = cred_current();

	if (gid == KEEP)
		return -EINVAL;
	if (!is_my_group(old, gid) && gid != old->fsgid && !capable(CAP_SETGID))
		return -EPERM;
	c->fsgid = gid;
	return 0;
}

/* ---- Supplementary groups ---- */

/* Moves the root of the heap [root, nr) down to its place. */
static void sift(uint32_t *a, unsigned root, unsigned nr)
{
	for (;;) {
		unsigned child = 2 * root + 1;
		uint32_t swap;

		if (child >= nr)
			return;
		if (child + 1 < nr && a[child + 1] > a[child])
			child++;
		if (a[root] >= a[child])
			return;
		swap = a[root];
		a[root] = a[child];
		a[child] = swap;
		root = child;
	}
}

/* Heap sort: a list of 65,536 in the worst order is somebody's choice. */
static void sort(uint32_t *a, unsigned nr)
{
	for (unsigned i = nr / 2; i-- > 0;)
		sift(a, i, nr);
	for (unsigned end = nr; end > 1;) {
		uint32_t largest = a[0];

		end--;
		a[0] = a[end];
		a[end] = largest;
		sift(a, 0, end);
	}
}

void ids_set_groups(struct cred *c, uint32_t *groups, unsigned nr)
{
	sort(groups, nr);
	mem_free(c->groups);
	c->groups = groups;
	c->nr_groups = nr;
}

/* ---- Capabilities ---- */

int ids_capset(struct cred *c, uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	effective &= CAP_ALL;
	permitted &= CAP_ALL;
	inheritable &= CAP_ALL;
	if (!capable(CAP_SETPCAP) && (inheritable & ~(c->cap_inheritable | c->cap_permitted)))
		return -EPERM;
	if (inheritable & ~(c->cap_inheritable | c->cap_bounding))
		return -EPERM;
	if (permitted & ~c->cap_permitted)
		return -EPERM;
	if (effective & ~permitted)
		return -EPERM;
	c->cap_effective = effective;
	c->cap_permitted = permitted;
	c->cap_inheritable = inheritable;
	c->cap_ambient &= permitted & inheritable;
	return 0;
}

int64_t ids_set_securebits(uint64_t bits)
{
	const struct cred *old = cred_current();
	uint32_t locked = (old->securebits & SECURE_ALL_LOCKS) >> 1;
	struct cred *c;
	int err;

	if ((locked & (old->securebits ^ bits)) ||              /* a locked bit changes */
		(old->securebits & SECURE_ALL_LOCKS & ~bits) || /* a lock opens */
		(bits & ~(uint64_t)(SECURE_ALL_LOCKS | SECURE_ALL_BITS)) || /* unknown */
		!capable(CAP_SETPCAP))
		return -EPERM;
	err = cred_prepare(&c);
	if (err)
		return err;
	c->securebits = (uint32_t)bits;
	cred_commit(c);
	return 0;
}

int64_t ids_set_keep_caps(uint64_t on)
{
	struct cred *c;
	int err;

	if (on > 1)
		return -EINVAL;
	if (cred_current()->securebits & SECBIT_KEEP_CAPS_LOCKED)
		return -EPERM;
	err = cred_prepare(&c);
	if (err)
		return err;
	c->securebits &= ~(uint32_t)SECBIT_KEEP_CAPS;
	if (on)
		c->securebits |= SECBIT_KEEP_CAPS;
	cred_commit(c);
	return 0;
}

int64_t ids_drop_bounding(uint64_t cap)
{
	struct cred *c;
	int err;

	if (!capable(CAP_SETPCAP))
		return -EPERM;
	if (cap > CAP_LAST_CAP)
		return -EINVAL;
	err = cred_prepare(&c);
	if (err)
		return err;
	c->cap_bounding &= ~BIT(cap);
	cred_commit(c);
	return 0;
}

int64_t ids_ambient(uint64_t what, uint64_t cap, uint64_t a, uint64_t b)
{
	const struct cred *old = cred_current();
	uint64_t ambient = old->cap_ambient;
	struct cred *c;
	int err;

	if (a || b || cap > (what == PR_CAP_AMBIENT_CLEAR_ALL ? 0 : CAP_LAST_CAP))
		return -EINVAL;
	switch (what) {
	case PR_CAP_AMBIENT_IS_SET:
		return ambient >> cap & 1;
	case PR_CAP_AMBIENT_RAISE:
		if (!(old->cap_permitted & old->cap_inheritable & BIT(cap)) ||
			(old->securebits & SECBIT_NO_CAP_AMBIENT_RAISE))
			return -EPERM;
		ambient |= BIT(cap);
		break;
	case PR_CAP_AMBIENT_LOWER:
		ambient &= ~BIT(cap);
		break;
	case PR_CAP_AMBIENT_CLEAR_ALL:
		ambient = 0;
		break;
	default:
		return -EINVAL;
	}
	err = cred_prepare(&c);
	if (err)
		return err;
	c->cap_ambient = ambient;
	cred_commit(c);
	return 0;
}
