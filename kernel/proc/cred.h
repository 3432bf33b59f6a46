// SPDX-License-Identifier: MIT
/*
 * Credentials: immutable and counted. Changing them installs a new set in the thread.
 */
#pragma once

#include "lib/base.h"
#include "lib/refcount.h"
#include "sync/rcu.h"

struct cred {
	refcount refs;
	uint32_t uid, euid, suid, fsuid, gid, egid, sgid, fsgid;
	uint64_t cap_inheritable, cap_permitted, cap_effective, cap_bounding, cap_ambient;
	uint32_t securebits;
	unsigned nr_groups;
	uint32_t *groups; /* sorted; memory of its own, or NULL */
	struct rcu_head rcu;
};
extern const struct cred cred_root; /* of init and of kernel threads */

const struct cred *cred_current(void); /* of the running thread; valid while it runs */
void cred_get(const struct cred *c);
void cred_put(const struct cred *c);
/* A copy to change, then commit as the current thread's. */
MUST_CHECK int cred_prepare(struct cred **out);
void cred_commit(struct cred *c);
bool cred_has_cap(const struct cred *c, unsigned cap);
static inline bool capable(unsigned cap)
{
	return cred_has_cap(cred_current(), cap);
}
bool cred_in_group(const struct cred *c, uint32_t gid);
