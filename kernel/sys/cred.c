// SPDX-License-Identifier: MIT
/*
 * System calls of identity: user and group ids, groups, capabilities.
 *
 * Each makes a copy of the credentials, changes it by its rule (proc/ids.c) and commits it, or drops it.
 *
 * Spec    man 2: getuid, setuid, setreuid, setresuid, setfsuid and the group ones; getgroups,
 *         setgroups, capget
 */
#include <linux/capability.h>

#include "lib/string.h"
#include "mm/slab.h"
#include "proc/ids.h"
#include "proc/proc.h"
#include "sys/syscall.h"

/* ---- Reading ---- */

SYSCALL0(getuid)
{
	return cred_current()->uid;
}

SYSCALL0(geteuid)
{
	return cred_current()->euid;
}

SYSCALL0(getgid)
{
	return cred_current()->gid;
}

SYSCALL0(getegid)
{
	return cred_current()->egid;
}

static int put_three(uptr r, uptr e, uptr s, uint32_t rid, uint32_t eid, uint32_t sid)
{
	if (user_put(r, rid) || user_put(e, eid) || user_put(s, sid))
		return -EFAULT;
	return 0;
}

SYSCALL3(getresuid, uptr, ruid, uptr, euid, uptr, suid)
{
	const struct cred *c = cred_current();

	return put_three(ruid, euid, suid, c->uid, c->euid, c->suid);
}

SYSCALL3(getresgid, uptr, rgid, uptr, egid, uptr, sgid)
{
	const struct cred *c = cred_current();

	return put_three(rgid, egid, sgid, c->gid, c->egid, c->sgid);
}

/* ---- Changing ---- */

/* Commits what a rule made of the copy, or drops it. */
static int finish(struct cred *c, int err)
{
	if (err)
		cred_drop(c);
	else
		cred_commit(c);
	return err;
}

SYSCALL1(setuid, uint32_t, uid)
{
	struct cred *c;
	int err = cred_prepare(&c);

	return err ? err : finish(c, ids_setuid(c, uid));
}

SYSCALL2(setreuid, uint32_t, ruid, uint32_t, euid)
{
	struct cred *c;
	int err = cred_prepare(&c);

	return err ? err : finish(c, ids_setreuid(c, ruid, euid));
}

SYSCALL3(setresuid, uint32_t, ruid, uint32_t, euid, uint32_t, suid)
{
	struct cred *c;
	int err = cred_prepare(&c);

	return err ? err : finish(c, ids_setresuid(c, ruid, euid, suid));
}

SYSCALL1(setgid, uint32_t, gid)
{
	struct cred *c;
	int err = cred_prepare(&c);

	return err ? err : finish(c, ids_setgid(c, gid));
}

SYSCALL2(setregid, uint32_t, rgid, uint32_t, egid)
{
	struct cred *c;
	int err = cred_prepare(&c);

	return err ? err : finish(c, ids_setregid(c, rgid, egid));
}

SYSCALL3(setresgid, uint32_t, rgid, uint32_t, egid, uint32_t, sgid)
{
	struct cred *c;
	int err = cred_prepare(&c);

	return err ? err : finish(c, ids_setresgid(c, rgid, egid, sgid));
}

/* man 2 setfsuid: the old one comes back whether it worked or not. */
SYSCALL1(setfsuid, uint32_t, uid)
{
	uint32_t old = cred_current()->fsuid;
	struct cred *c;

	if (uid != old && cred_prepare(&c) == 0)
		(void)finish(c, ids_setfsuid(c, uid));
	return old;
}

SYSCALL1(setfsgid, uint32_t, gid)
{
	uint32_t old = cred_current()->fsgid;
	struct cred *c;

	if (gid != old && cred_prepare(&c) == 0)
		(void)finish(c, ids_setfsgid(c, gid));
	return old;
}

/* ---- Groups ---- */

SYSCALL2(getgroups, int, size, uptr, list)
{
	const struct cred *c = cred_current();

	if (size < 0)
		return -EINVAL;
	if (size) {
		if ((unsigned)size < c->nr_groups)
			return -EINVAL;
		if (user_write(list, c->groups, c->nr_groups * sizeof(c->groups[0])))
			return -EFAULT;
	}
	return c->nr_groups;
}

SYSCALL2(setgroups, int, size, uptr, list)
{
	uint32_t *groups = NULL;
	struct cred *c;
	int err;

	if (!capable(CAP_SETGID))
		return -EPERM;
	if ((unsigned)size > GROUPS_MAX)
		return -EINVAL;
	if (size) {
		groups = mem_alloc((size_t)size * sizeof(groups[0]), 0);
		if (!groups)
			return -ENOMEM;
		if (user_read(groups, list, (size_t)size * sizeof(groups[0]))) {
			mem_free(groups);
			return -EFAULT;
		}
	}
	err = cred_prepare(&c);
	if (err) {
		mem_free(groups);
		return err;
	}
	ids_set_groups(c, groups, (unsigned)size);
	cred_commit(c);
	return 0;
}

/* ---- Capabilities ---- */

/* The number of words in each set by the caller's version; unknown: ours is written. man 2 capget */
static int read_cap_version(uptr header, struct __user_cap_header_struct *h, unsigned *words)
{
	uint32_t ours = _LINUX_CAPABILITY_VERSION_3;

	if (user_get(*h, header))
		return -EFAULT;
	switch (h->version) {
	case _LINUX_CAPABILITY_VERSION_1:
		*words = _LINUX_CAPABILITY_U32S_1;
		return 0;
	case _LINUX_CAPABILITY_VERSION_2:
	case _LINUX_CAPABILITY_VERSION_3:
		*words = _LINUX_CAPABILITY_U32S_3;
		return 0;
	}
	return user_put(header, ours) ? -EFAULT : -EINVAL;
}

SYSCALL2(capget, uptr, header, uptr, data)
{
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	struct __user_cap_header_struct h;
	const struct cred *c;
	unsigned words;
	int err = read_cap_version(header, &h, &words);

	if (err) /* man 2 capget: asking for the version only */
		return err == -EINVAL && uptr_is_null(data) ? 0 : err;
	if (h.pid < 0)
		return -EINVAL;
	if (h.pid && h.pid != uthread_current()->tid_nr) {
		struct thread *t;

		err = uthread_find(h.pid, &t);
		if (err)
			return err;
		c = cred_get_of(t);
		thread_put(t);
	} else {
		c = cred_current();
		cred_get(c);
	}
	for (unsigned i = 0; i < ARRAY_LEN(sets); i++) {
		sets[i].effective = (uint32_t)(c->cap_effective >> 32 * i);
		sets[i].permitted = (uint32_t)(c->cap_permitted >> 32 * i);
		sets[i].inheritable = (uint32_t)(c->cap_inheritable >> 32 * i);
	}
	cred_put(c);
	if (uptr_is_null(data))
		return 0;
	return user_write(data, sets, words * sizeof(sets[0]));
}

SYSCALL2(capset, uptr, header, uptr, data)
{
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	struct __user_cap_header_struct h;
	uint64_t effective = 0, permitted = 0, inheritable = 0;
	struct cred *c;
	unsigned words;
	int err = read_cap_version(header, &h, &words);

	if (err)
		return err;
	if (h.pid && h.pid != uthread_current()->pid_nr)
		return -EPERM; /* nobody sets another's */
	memset(sets, 0, sizeof(sets));
	if (user_read(sets, data, words * sizeof(sets[0])))
		return -EFAULT;
	for (unsigned i = 0; i < words; i++) {
		effective |= (uint64_t)sets[i].effective << 32 * i;
		permitted |= (uint64_t)sets[i].permitted << 32 * i;
		inheritable |= (uint64_t)sets[i].inheritable << 32 * i;
	}
	err = cred_prepare(&c);
	return err ? err : finish(c, ids_capset(c, effective, permitted, inheritable));
}
