// SPDX-License-Identifier: MIT
/*
 * Credentials and users.
 *
 * A struct cred never changes once it is a thread's. Changing one's credentials makes a copy
 * (cred_prepare), changes it, and installs it (cred_commit); other threads may be looking at the
 * old one under RCU, so it is freed after a grace period. The threads of a process have their
 * own each: that setuid() changes all of them is the C library's doing.
 *
 * A user is found by its uid in a small hash table and lives as long as a cred refers to it.
 *
 * Locks   users_lock (RANK_USERS): the table of users and their reference counts reaching zero.
 *         proc->lock [p] for the dumpable flag.
 * Spec    man 7 credentials, man 7 capabilities; man 2 prctl: PR_SET_DUMPABLE
 */
#include "proc/cred.h"

#include <linux/capability.h>
#include <linux/resource.h>

#include "lib/assert.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/proc.h"

enum { USER_BUCKETS = 64 };

static struct irqlock users_lock = IRQLOCK_INIT(RANK_USERS, "users");
static struct list_node
	*user_buckets[USER_BUCKETS]; /* users_lock; singly linked by link.next */

#define CAP_ALL (BIT(CAP_LAST_CAP + 1) - 1)

struct user user_root = {.refs = 1, .uid = 0};
struct cred cred_root = {
	.refs = 1,
	.cap_permitted = CAP_ALL,
	.cap_effective = CAP_ALL,
	.cap_bounding = CAP_ALL,
	.user = &user_root,
};

/* ---- Users ---- */

static struct list_node **user_bucket(uint32_t uid)
{
	return &user_buckets[hash_u64(uid) % USER_BUCKETS];
}

static struct user *user_lookup_locked(uint32_t uid)
{
	for (struct list_node *n = *user_bucket(uid); n; n = n->next) {
		struct user *u = container_of(n, struct user, link);

		if (u->uid == uid)
			return u;
	}
	return NULL;
}

int user_find(uint32_t uid, struct user **out)
{
	struct user *fresh, *u;

	if (uid == user_root.uid) {
		user_hold(&user_root);
		*out = &user_root;
		return 0;
	}
	fresh = mem_alloc(sizeof(*fresh), SLAB_ZERO);
	if (!fresh)
		return -ENOMEM;
	irqlock_lock(&users_lock);
	u = user_lookup_locked(uid);
	if (u) {
		refcount_get(&u->refs);
	} else {
		struct list_node **bucket = user_bucket(uid);

		u = fresh;
		fresh = NULL;
		refcount_init(&u->refs, 1);
		u->uid = uid;
		u->link.next = *bucket;
		*bucket = &u->link;
	}
	irqlock_unlock(&users_lock);
	mem_free(fresh);
	*out = u;
	return 0;
}

void user_hold(struct user *u)
{
	if (u != &user_root)
		refcount_get(&u->refs);
}

void user_release(struct user *u)
{
	struct list_node **at;

	if (u == &user_root)
		return;
	irqlock_lock(&users_lock);
	if (!refcount_put(&u->refs)) {
		irqlock_unlock(&users_lock);
		return;
	}
	for (at = user_bucket(u->uid); *at != &u->link; at = &(*at)->next)
		;
	*at = u->link.next;
	irqlock_unlock(&users_lock);
	mem_free(u);
}

bool user_charge(struct user *u, enum user_count what, uint64_t limit)
{
	if (atomic_fetch_add_relaxed(&u->count[what], 1) < limit)
		return true;
	atomic_sub_relaxed(&u->count[what], 1);
	return false;
}

void user_uncharge(struct user *u, enum user_count what)
{
	atomic_sub_relaxed(&u->count[what], 1);
}

bool user_charge_nr(struct user *u, enum user_count what, uint64_t nr, uint64_t limit)
{
	if (atomic_fetch_add_relaxed(&u->count[what], nr) + nr <= limit)
		return true;
	atomic_sub_relaxed(&u->count[what], nr);
	return false;
}

void user_uncharge_nr(struct user *u, enum user_count what, uint64_t nr)
{
	atomic_sub_relaxed(&u->count[what], nr);
}

struct user *user_get_current(void)
{
	struct user *u = cred_current()->user;

	user_hold(u);
	return u;
}

/* ---- Reading ---- */

const struct cred *cred_current(void)
{
	struct uthread *u = uthread_current();

	return u ? u->acting : &cred_root;
}

const struct cred *cred_act_with(const struct cred *c)
{
	struct uthread *u = uthread_current();
	const struct cred *old = u->acting;

	u->acting = c;
	return old;
}

bool cred_in_group(const struct cred *c, uint32_t gid)
{
	unsigned low = 0, high = c->nr_groups;

	if (gid == c->fsgid)
		return true;
	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (c->groups[middle] == gid)
			return true;
		if (c->groups[middle] < gid)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

const struct cred *cred_get_of(struct thread *t)
{
	const struct cred *c;

	if (!t->user)
		return &cred_root;
	rcu_read_lock();
	do {
		c = rcu_load(t->user->cred);
	} while (!cred_try_get(c));
	rcu_read_unlock();
	return c;
}

/* ---- References ---- */

/* The count is the one thing about a cred that changes. */
static refcount *cred_refs(const struct cred *c)
{
	return (refcount *)&c->refs;
}

void cred_get(const struct cred *c)
{
	if (c != &cred_root)
		refcount_get(cred_refs(c));
}

bool cred_try_get(const struct cred *c)
{
	return c == &cred_root || refcount_try_get(cred_refs(c));
}

static void cred_free(struct rcu_head *head)
{
	struct cred *c = container_of(head, struct cred, rcu);

	user_release(c->user);
	mem_free(c->groups);
	mem_free(c);
}

void cred_put(const struct cred *c)
{
	if (c != &cred_root && refcount_put(cred_refs(c)))
		rcu_call(&((struct cred *)c)->rcu, cred_free);
}

/* ---- Changing one's own ---- */

int cred_prepare(struct cred **out)
{
	const struct cred *old = cred_current();
	struct cred *c = mem_alloc(sizeof(*c), 0);

	if (!c)
		return -ENOMEM;
	*c = *old;
	refcount_init(&c->refs, 1);
	if (old->nr_groups) {
		c->groups = mem_alloc(old->nr_groups * sizeof(c->groups[0]), 0);
		if (!c->groups) {
			mem_free(c);
			return -ENOMEM;
		}
		memcpy(c->groups, old->groups, old->nr_groups * sizeof(c->groups[0]));
	}
	user_hold(c->user);
	*out = c;
	return 0;
}

void cred_drop(struct cred *c)
{
	cred_free(&c->rcu);
}

int cred_set_uid(struct cred *c, uint32_t uid)
{
	struct user *u;
	int err;

	if (uid != c->uid) {
		err = user_find(uid, &u);
		if (err)
			return err;
		user_release(c->user);
		c->user = u;
		c->uid = uid;
	}
	return 0;
}

/* Whether what c may do is worth hiding from whoever could trace a process with `old`. */
static bool cred_gains(const struct cred *c, const struct cred *old)
{
	return c->euid != old->euid || c->egid != old->egid || c->fsuid != old->fsuid ||
	       c->fsgid != old->fsgid || (c->cap_permitted & ~old->cap_permitted);
}

int cred_count_process(const struct cred *c)
{
	uint64_t *count = &c->user->count[USER_PROCESSES];
	uint64_t now = atomic_fetch_add_relaxed(count, 1) + 1;

	if (now <= proc_rlimit(RLIMIT_NPROC) || c->user == &user_root ||
		cred_has_cap(c, CAP_SYS_RESOURCE) || cred_has_cap(c, CAP_SYS_ADMIN))
		return 0;
	atomic_sub_relaxed(count, 1);
	return -EAGAIN;
}

void cred_uncount_process(const struct cred *c)
{
	atomic_sub_relaxed(&c->user->count[USER_PROCESSES], 1);
}

bool cred_is_over_nproc(const struct cred *c)
{
	return c->user != &user_root &&
	       atomic_load_relaxed(&c->user->count[USER_PROCESSES]) > proc_rlimit(RLIMIT_NPROC);
}

void cred_set_own(struct uthread *u, const struct cred *c)
{
	rcu_publish(u->cred, c);
	u->acting = c;
}

void cred_commit(struct cred *c)
{
	struct uthread *u = uthread_current();
	const struct cred *old = u->cred;

	assert(u->acting == old);
	if (cred_gains(c, old)) {
		proc_set_flag(u->proc, PROC_DUMPABLE, false);
		u->parent_death_signal = 0;
	}
	if (c->user != old->user) {
		atomic_add_relaxed(&c->user->count[USER_PROCESSES], 1);
		atomic_sub_relaxed(&old->user->count[USER_PROCESSES], 1);
		u->is_over_nproc = cred_is_over_nproc(c);
	}
	cred_set_own(u, c);
	cred_put(old);
}
