// SPDX-License-Identifier: MIT
/*
 * The dentry cache from inside fs/vfs: keys, lookups without references, moves.
 */
#pragma once

#include "fs/vfs/inode.h"
#include "lib/base.h"
#include "sync/seqlock.h"
#include "sync/spinlock.h"

/* One component of a path, not terminated. */
struct name_key {
	const char *text;
	uint64_t first; /* its first 8 bytes, zeroes behind it */
	uint32_t len;
	uint32_t hash;
};

/*
 * Counts every change that can mislead a walk which holds no references: a dentry that moves, a
 * mount that comes or goes. Written with dentry_lock held. A walk that finds it changed begins
 * again.
 */
extern struct seqcount dentry_seq;
extern struct irqlock dentry_lock; /* RANK_DENTRY */

/*
 * A look at several dentries, under RCU. What was seen is believed if nothing moved meanwhile (tree_end_look);
 * else one looks again, and after so many looks with the lock, so that no storm of renames starves anybody:
 *
 *     for (unsigned looks = 0; !is_true; looks++) {
 *             is_locked = looks >= TREE_LOOKS;
 *             seq = tree_look(is_locked);
 *             ...
 *             is_true = tree_end_look(is_locked, seq);
 *     }
 */
enum { TREE_LOOKS = 8 };
static inline uint32_t tree_look(bool is_locked) NOT_ANALYSED /* tree_end_look unlocks */
{
	if (LIKELY(!is_locked))
		return seq_read_begin(&dentry_seq);
	irqlock_lock(&dentry_lock);
	return 0;
}
static inline bool tree_end_look(bool is_locked, uint32_t seq) NOT_ANALYSED
{
	if (LIKELY(!is_locked))
		return !seq_read_retry(&dentry_seq, seq);
	irqlock_unlock(&dentry_lock);
	return true;
}

/* The bits of dentry.refs beside the count. */
enum {
	DENTRY_REF_KEPT =
		1 << 27, /* one of the references is the tree's own (SUPER_KEEPS_NAMES) */
	DENTRY_REF_LRU = 1 << 28,  /* on the list of unused ones (perhaps used again) */
	DENTRY_REF_DROP = 1 << 29, /* free it when the count becomes 0 */
	DENTRY_REF_DEAD = 1 << 30, /* being freed: no new references */
	DENTRY_REF_COUNT = (1 << 27) - 1,
};

void dentry_init_cache(void);

/*
 * Hashes the component at `text` up to the next '/' or the end, and returns where it stopped.
 * Words are read, so begin and end say where the path's memory is. out->len may be over NAME_MAX.
 */
const char *name_key_scan(
	struct name_key *out, const char *begin, const char *text, const char *end);
static inline void name_key_init(struct name_key *out, const char *name, size_t len)
{
	(void)name_key_scan(out, name, name, name + len);
}

/*
 * The cached child without a reference: under RCU, to be believed when dentry_seq did not change.
 */
struct dentry *dentry_find_rcu(struct dentry *parent, const struct name_key *key);
/* The same with a reference, right in itself. */
struct dentry *dentry_find_key(struct dentry *parent, const struct name_key *key);
/* A reference to what was found under RCU; false: it is being freed. */
MUST_CHECK bool dentry_try_get(struct dentry *d);

/* A negative dentry that nobody finds yet: one reference, and one on the parent. */
MUST_CHECK int dentry_create(
	struct dentry *parent, const struct name_key *key, struct dentry **out);
/* Makes it findable; the directory's inode->lock is held and the name is not cached. */
void dentry_add_to_cache(struct dentry *d);
static inline bool dentry_is_cached(const struct dentry *d)
{
	return READ_ONCE(d->hash_slot) != NULL;
}

/*
 * d takes the place and name of target, which leaves the cache; locks of both directories held.
 */
void dentry_move(struct dentry *d, struct dentry *target);
void dentry_exchange(struct dentry *a, struct dentry *b); /* two positive ones change places */
bool dentry_is_below(
	const struct dentry *d, const struct dentry *ancestor); /* or the same; rename_lock */

/* Drops every name of a filesystem that nobody mounts any more. */
void dentry_drop_tree(struct dentry *root);

/* Whether the caller's is the only one: for the order of events. */
bool dentry_is_last_reference(const struct dentry *d);

static inline bool dentry_keeps_names(const struct dentry *d)
{
	return d->super->flags & SUPER_KEEPS_NAMES;
}
