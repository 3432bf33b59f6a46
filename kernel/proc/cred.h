// SPDX-License-Identifier: MIT
/*
 * Credentials: immutable and counted. Changing them installs a new set in the thread.
 *
 * A user is what is counted by real user id (RLIMIT_NPROC and its like); every cred refers to its
 * uid's.
 */
#pragma once

#include "lib/base.h"
#include "lib/list.h"
#include "lib/refcount.h"
#include "sync/rcu.h"

/* What one real user id has of things that are limited. */
enum user_count {
	USER_PROCESSES, /* threads: RLIMIT_NPROC */
	USER_SIGNALS,	/* queued: RLIMIT_SIGPENDING */
	USER_PIPE_PAGES,
	USER_INOTIFY_INSTANCES,
	USER_INOTIFY_WATCHES,
	USER_EPOLL_WATCHES,
	USER_FILES_IN_FLIGHT,
	USER_PINNED_PAGES, /* by rings: RLIMIT_MEMLOCK */
	USER_LOCKED_SEGMENTS, /* their pages, by SHM_LOCK: RLIMIT_MEMLOCK again */
	USER_COUNTS,
};
struct user {
	refcount refs;
	uint32_t uid;		     /* [I] */
	uint64_t count[USER_COUNTS]; /* [a] */
	struct list_node link;	     /* proc/cred.c: users_lock */
};
extern struct user user_root;
/* The uid's, with a reference; made when there is none. -ENOMEM. Any context. */
MUST_CHECK int user_find(uint32_t uid, struct user **out);
void user_hold(struct user *u); /* not user_get: that copies from a program */
void user_release(struct user *u);
/* One more of what, if it has less than limit of them. */
MUST_CHECK bool user_charge(struct user *u, enum user_count what, uint64_t limit);
void user_uncharge(struct user *u, enum user_count what);
/* Many at once: all, or none when that would be more than limit. */
MUST_CHECK bool user_charge_nr(struct user *u, enum user_count what, uint64_t nr, uint64_t limit);
void user_uncharge_nr(struct user *u, enum user_count what, uint64_t nr);
/* The current thread's, with a reference. */
struct user *user_get_current(void);

struct cred {
	refcount refs;
	uint32_t uid, euid, suid, fsuid, gid, egid, sgid, fsgid;
	uint64_t cap_inheritable, cap_permitted, cap_effective, cap_bounding, cap_ambient;
	uint32_t securebits;
	unsigned nr_groups;
	uint32_t *groups; /* sorted; memory of its own, or NULL */
	struct user *user; /* uid's; one reference */
	struct rcu_head rcu;
};
extern struct cred cred_root; /* of init and of kernel threads */

const struct cred *cred_current(
	void); /* the running thread acts with them; valid while it runs */
void cred_get(const struct cred *c);
void cred_put(const struct cred *c);
/* Found under RCU: false when it is going away. */
MUST_CHECK bool cred_try_get(const struct cred *c);
/* A copy to change, then commit as the current thread's, or drop. */
MUST_CHECK int cred_prepare(struct cred **out);
void cred_commit(struct cred *c); /* takes over the reference */
/* One more thread of its user, or -EAGAIN (man 2 getrlimit: RLIMIT_NPROC); and one less. */
MUST_CHECK int cred_count_process(const struct cred *c);
void cred_uncount_process(const struct cred *c);
/* Whether its user has more processes than RLIMIT_NPROC of the current one allows. */
bool cred_is_over_nproc(const struct cred *c);
void cred_drop(struct cred *c);
MUST_CHECK int cred_set_uid(struct cred *c, uint32_t uid); /* the real one: with its user. -ENOMEM */
static inline bool cred_has_cap(const struct cred *c, unsigned cap)
{
	return c->cap_effective >> cap & 1;
}
static inline bool capable(unsigned cap)
{
	return cred_has_cap(cred_current(), cap);
}
bool cred_in_group(const struct cred *c, uint32_t gid);
/*
 * The current thread does things with c, which stays the caller's, until it says otherwise; what it did them with
 * before. To others it is who it was: they judge a thread by its own (cred_get_of).
 */
const struct cred *cred_act_with(const struct cred *c);

struct thread;
struct uthread;
/* Of a thread that has none, or a fiber: these are its own, with one reference. */
void cred_set_own(struct uthread *u, const struct cred *c);
/* Another thread's own, with a reference: it may change them at any time. */
const struct cred *cred_get_of(struct thread *t);
