// SPDX-License-Identifier: MIT
/*
 * The rules of changing credentials: who may become whom, and what that does to capabilities. Each
 * works on a copy from cred_prepare: 0, or an error that leaves the copy to be dropped.
 */
#pragma once

#include "lib/base.h"
#include "proc/cred.h"

enum { GROUPS_MAX = 65536 /* man 2 getgroups: NGROUPS_MAX */ };

MUST_CHECK int ids_setuid(struct cred *c, uint32_t uid);
MUST_CHECK int ids_setreuid(struct cred *c, uint32_t ruid, uint32_t euid);
MUST_CHECK int ids_setresuid(struct cred *c, uint32_t ruid, uint32_t euid, uint32_t suid);
MUST_CHECK int ids_setfsuid(struct cred *c, uint32_t uid);
MUST_CHECK int ids_setgid(struct cred *c, uint32_t gid);
MUST_CHECK int ids_setregid(struct cred *c, uint32_t rgid, uint32_t egid);
MUST_CHECK int ids_setresgid(struct cred *c, uint32_t rgid, uint32_t egid, uint32_t sgid);
MUST_CHECK int ids_setfsgid(struct cred *c, uint32_t gid);
/* Takes over `groups` (mem_alloc), sorts them. */
void ids_set_groups(struct cred *c, uint32_t *groups, unsigned nr);
MUST_CHECK int ids_capset(
	struct cred *c, uint64_t effective, uint64_t permitted, uint64_t inheritable);

/* prctl's: each commits by itself. Results and errors are the option's. */
int64_t ids_set_securebits(uint64_t bits);
int64_t ids_set_keep_caps(uint64_t on);
int64_t ids_drop_bounding(uint64_t cap);
int64_t ids_ambient(uint64_t what, uint64_t cap, uint64_t a, uint64_t b);
