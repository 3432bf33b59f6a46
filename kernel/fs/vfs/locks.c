// SPDX-License-Identifier: MIT
/*
 * File locks.
 *
 * An inode has a struct file_locks from its first lock to its last: two lists, flocks and records,
 * the latter in order of their start, those of one owner apart from each other. A request takes
 * what it covers out of its owner's records (cutting at most one in two), grows over neighbours
 * of its own type, and goes in as one record.
 *
 * Who must wait notes the owner that is in its way. Waiting is refused when following these notes
 * leads back to the asker (POSIX records only: the others' owners are not processes). Every
 * change of an inode's locks wakes all who wait there, and they try again. An owner that gives
 * something up takes its name out of their notes first: until they have tried again they wait for
 * nobody, and whoever asks meanwhile must not be told of a circle that is no more.
 *
 * Locks   locks_lock  RANK_FILE_LOCKS   all of it, for all files: locks are few, and deadlocks go
 *         from file to file
 * Spec    man 2 fcntl (advisory record locking, open file description locks), flock
 */
#include "fs/vfs/locks.h"

#include <linux/fcntl.h>

#include "fs/vfs/inode.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "sync/spinlock.h"

enum { DEADLOCK_DEPTH = 64 };

/*
 *   [L] locks_lock
 */
struct file_lock {
	struct list_node link; /* [L] in flocks or records */
	enum lock_kind kind;   /* [I] */
	short type;            /* [L] */
	int64_t start, end;    /* [L] */
	const void *owner;     /* [I] */
	int pid;               /* [I] */
};

struct file_locks {
	struct inode *inode;   /* [I] not counted: an inode with locks is open */
	struct list flocks;    /* [L] */
	struct list records;   /* [L] by start */
	struct list_node link; /* [L] in all */
	unsigned nr_waits;     /* [L] keep it, locks or not */
	struct waitq waitq;    /* told of every change */
};

static struct irqlock locks_lock = IRQLOCK_INIT(RANK_FILE_LOCKS, "file locks");
static struct list all = LIST_INIT(all);     /* [L] */
static struct list waits = LIST_INIT(waits); /* [L] struct lock_wait */

/* ---- An inode's locks ---- */

/* Makes inode->locks exist. Gives back what was not needed. */
static struct file_locks *locks_of(struct inode *i, struct file_locks **spare)
	MUST_HOLD(locks_lock)
{
	struct file_locks *l = i->locks;

	if (l || !*spare)
		return l;
	l = *spare;
	*spare = NULL;
	l->inode = i;
	list_init(&l->flocks);
	list_init(&l->records);
	l->nr_waits = 0;
	waitq_init(&l->waitq);
	list_add_tail(&all, &l->link);
	atomic_store_relaxed(&i->locks, (void *)l);
	return l;
}

static void free_if_unused(struct file_locks *l) MUST_HOLD(locks_lock)
{
	if (l->nr_waits || !list_is_empty(&l->flocks) || !list_is_empty(&l->records))
		return;
	atomic_store_relaxed(&l->inode->locks, NULL);
	list_remove(&l->link);
	mem_free(l);
}

static void changed(struct file_locks *l) MUST_HOLD(locks_lock)
{
	waitq_wake_all(&l->waitq, 0);
}

/* The owner gave up some of its locks. */
static void given_up(struct file_locks *l, const void *owner) MUST_HOLD(locks_lock)
{
	if (l->nr_waits)
		list_for_each (w, &waits, struct lock_wait, link)
			if (w->locks == l && w->blocker == owner)
				w->blocker = NULL;
	changed(l);
}

static void remove_lock(struct file_lock *lock) MUST_HOLD(locks_lock)
{
	list_remove(&lock->link);
	mem_free(lock);
}

/* ---- Conflicts ---- */

static bool overlaps(const struct file_lock *l, const struct lock_request *r)
{
	return l->start <= r->end && r->start <= l->end;
}

static bool is_own(const struct file_lock *l, const struct lock_request *r)
{
	return l->owner == r->owner && l->kind == r->kind;
}

static struct file_lock *find_conflict(struct file_locks *l, const struct lock_request *r)
	MUST_HOLD(locks_lock)
{
	struct list *list = r->kind == LOCK_FLOCK ? &l->flocks : &l->records;

	if (r->type == F_UNLCK)
		return NULL;
	list_for_each (it, list, struct file_lock, link)
		if (!is_own(it, r) && overlaps(it, r) &&
			(it->type == F_WRLCK || r->type == F_WRLCK))
			return it;
	return NULL;
}

/* Whom this owner waits for; NULL: nobody. */
static const void *blocker_of(const void *owner) MUST_HOLD(locks_lock)
{
	list_for_each (w, &waits, struct lock_wait, link)
		if (w->request->kind == LOCK_POSIX && w->request->owner == owner)
			return w->blocker;
	return NULL;
}

static bool would_deadlock(const struct lock_request *r, const struct file_lock *blocker)
	MUST_HOLD(locks_lock)
{
	const void *owner = blocker->owner;

	if (r->kind != LOCK_POSIX || blocker->kind != LOCK_POSIX)
		return false;
	for (unsigned i = 0; owner && i < DEADLOCK_DEPTH; i++) {
		if (owner == r->owner)
			return true;
		owner = blocker_of(owner);
	}
	return false;
}

static int note_wait(struct file_locks *l, const struct lock_request *r,
	const struct file_lock *blocker, struct lock_wait *wait) MUST_HOLD(locks_lock)
{
	if (would_deadlock(r, blocker))
		return -EDEADLK;
	wait->request = r;
	wait->blocker = blocker->owner;
	if (!wait->locks) {
		wait->locks = l;
		l->nr_waits++;
		list_add_tail(&waits, &wait->link);
	}
	return -EAGAIN;
}

/* ---- Granting ---- */

static void insert_by_start(struct list *records, struct file_lock *lock)
{
	list_for_each (it, records, struct file_lock, link)
		if (it->start > lock->start) {
			list_insert_before(&it->link, &lock->link);
			return;
		}
	list_add_tail(records, &lock->link);
}

/* Bytes between are none: they can be one record. */
static bool touches(const struct file_lock *l, int64_t start, int64_t end)
{
	return (l->end == INT64_MAX || l->end + 1 >= start) &&
	       (end == INT64_MAX || l->start <= end + 1);
}

/* `it` loses [start, end], which it overlaps; *spare becomes its second half if it is cut in two. */
static void cut(struct list *records, struct file_lock *it, int64_t start, int64_t end,
	struct file_lock **spare) MUST_HOLD(locks_lock)
{
	if (it->start < start && it->end > end) {
		struct file_lock *rest = *spare;

		*spare = NULL;
		*rest = *it;
		rest->start = end + 1;
		it->end = start - 1;
		insert_by_start(records, rest);
	} else if (it->start < start) {
		it->end = start - 1;
	} else if (it->end > end) {
		it->start = end + 1;
		list_remove(&it->link);
		insert_by_start(records, it);
	} else {
		remove_lock(it);
	}
}

/* spare[0] becomes the record, spare[1] the rest of one that is cut in two. */
static void grant_record(struct file_locks *l, const struct lock_request *r,
	struct file_lock *spare[2]) MUST_HOLD(locks_lock)
{
	int64_t start = r->start, end = r->end;
	bool is_less = r->type == F_UNLCK;

	list_for_each_safe (it, &l->records, struct file_lock, link) {
		if (!is_own(it, r))
			continue;
		if (it->type == r->type && touches(it, start, end)) {
			start = MIN(start, it->start);
			end = MAX(end, it->end);
			remove_lock(it);
		} else if (it->start <= r->end && r->start <= it->end) {
			cut(&l->records, it, r->start, r->end, &spare[1]);
			is_less = true;
		}
	}
	if (r->type != F_UNLCK) {
		*spare[0] = (struct file_lock){.kind = r->kind,
			.type = r->type,
			.start = start,
			.end = end,
			.owner = r->owner,
			.pid = r->pid};
		insert_by_start(&l->records, spare[0]);
		spare[0] = NULL;
	}
	if (is_less)
		given_up(l, r->owner);
	else
		changed(l);
}

/* The open file's flock, if it has one. */
static struct file_lock *find_flock(struct file_locks *l, const void *owner)
	MUST_HOLD(locks_lock)
{
	list_for_each (it, &l->flocks, struct file_lock, link)
		if (it->owner == owner)
			return it;
	return NULL;
}

/*
 * man 2 flock: changing the type is no single step. The old lock goes first, and if another is in
 * the way it is lost.
 */
static int try_flock(struct file_locks *l, const struct lock_request *r, struct lock_wait *wait,
	struct file_lock *spare[2]) MUST_HOLD(locks_lock)
{
	struct file_lock *own = find_flock(l, r->owner), *blocker;

	if (own && own->type == r->type)
		return 0;
	if (own) {
		remove_lock(own);
		given_up(l, r->owner);
	}
	if (r->type == F_UNLCK)
		return 0;
	blocker = find_conflict(l, r);
	if (blocker)
		return wait ? note_wait(l, r, blocker, wait) : -EAGAIN;
	*spare[0] = (struct file_lock){.kind = r->kind,
		.type = r->type,
		.start = 0,
		.end = INT64_MAX,
		.owner = r->owner,
		.pid = r->pid};
	list_add_tail(&l->flocks, &spare[0]->link);
	spare[0] = NULL;
	return 0;
}

static int try_record(struct file_locks *l, const struct lock_request *r,
	struct lock_wait *wait, struct file_lock *spare[2]) MUST_HOLD(locks_lock)
{
	struct file_lock *blocker = find_conflict(l, r);

	if (blocker)
		return wait ? note_wait(l, r, blocker, wait) : -EAGAIN;
	grant_record(l, r, spare);
	return 0;
}

/* -EAGAIN: in the way, noted. *is_done false: the inode has no locks yet, and *fresh is NULL. */
static int try_once(const struct lock_request *r, struct lock_wait *wait,
	struct file_lock *spare[2], struct file_locks **fresh, bool *is_done)
{
	struct file_locks *l;
	int err = 0;

	irqlock_lock(&locks_lock);
	l = r->type == F_UNLCK ? r->inode->locks : locks_of(r->inode, fresh);
	if (l) {
		err = r->kind == LOCK_FLOCK ? try_flock(l, r, wait, spare)
					    : try_record(l, r, wait, spare);
		free_if_unused(l);
	}
	*is_done = l || r->type == F_UNLCK;
	irqlock_unlock(&locks_lock);
	return err;
}

/* The inode's locks may come and go between our look and the lock: then we allocate, and try again. */
int locks_try(const struct lock_request *r, struct lock_wait *wait)
{
	int err, no_memory = r->kind == LOCK_FLOCK ? -ENOMEM : -ENOLCK;
	bool needs_no_lock = r->kind == LOCK_FLOCK && r->type == F_UNLCK, is_done = false;
	struct file_locks *fresh = NULL;
	struct file_lock *spare[2] = {NULL, NULL};

	if (r->type == F_UNLCK && !atomic_load_relaxed(&r->inode->locks))
		return 0;
	if (!needs_no_lock) {
		spare[0] = mem_alloc(sizeof(*spare[0]), 0);
		spare[1] = mem_alloc(sizeof(*spare[1]), 0);
	}
	err = needs_no_lock || (spare[0] && spare[1]) ? 0 : no_memory;
	while (!err && !is_done) {
		bool has_failed = false;

		if (r->type != F_UNLCK && !fresh && !atomic_load_relaxed(&r->inode->locks)) {
			fresh = mem_alloc(sizeof(*fresh), SLAB_ZERO);
			has_failed = !fresh;
		}
		err = try_once(r, wait, spare, &fresh, &is_done);
		if (has_failed && !is_done)
			err = no_memory;
	}
	mem_free(spare[0]);
	mem_free(spare[1]);
	mem_free(fresh);
	return err;
}

struct waitq *locks_waitq(struct lock_wait *wait)
{
	return &wait->locks->waitq;
}

void locks_end_wait(struct lock_wait *wait)
{
	if (!wait->locks)
		return;
	irqlock_lock(&locks_lock);
	list_remove(&wait->link);
	wait->locks->nr_waits--;
	free_if_unused(wait->locks);
	wait->locks = NULL;
	irqlock_unlock(&locks_lock);
}

void locks_test(struct lock_request *r)
{
	const struct file_lock *it = NULL;

	irqlock_lock(&locks_lock);
	if (r->inode->locks)
		it = find_conflict(r->inode->locks, r);
	r->type = F_UNLCK;
	if (it) {
		r->kind = it->kind;
		r->type = it->type;
		r->start = it->start;
		r->end = it->end;
		r->pid = it->pid;
	}
	irqlock_unlock(&locks_lock);
}

/* ---- Closing ---- */

static void remove_of(struct list *list, const void *owner) MUST_HOLD(locks_lock)
{
	list_for_each_safe (it, list, struct file_lock, link)
		if (it->owner == owner)
			remove_lock(it);
}

static void remove_all_of(struct inode *i, const void *owner)
{
	struct file_locks *l;

	irqlock_lock(&locks_lock);
	l = i->locks;
	if (l) {
		remove_of(&l->flocks, owner);
		remove_of(&l->records, owner);
		given_up(l, owner);
		free_if_unused(l);
	}
	irqlock_unlock(&locks_lock);
}

void locks_descriptor_closed(struct file *f, const void *table)
{
	remove_all_of(f->inode, table);
}

void locks_file_released(struct file *f)
{
	remove_all_of(f->inode, f);
}

/* ---- For /proc/locks ---- */

static void describe(struct lock_info *out, const struct inode *i, const struct file_lock *l)
{
	*out = (struct lock_info){.kind = l->kind,
		.type = l->type,
		.pid = l->pid,
		.dev = i->super->dev,
		.ino = i->ino,
		.start = l->start,
		.end = l->end};
}

static bool nth(unsigned n, struct lock_info *out) MUST_HOLD(locks_lock)
{
	list_for_each (l, &all, struct file_locks, link) {
		list_for_each (it, &l->flocks, struct file_lock, link)
			if (n-- == 0)
				return describe(out, l->inode, it), true;
		list_for_each (it, &l->records, struct file_lock, link)
			if (n-- == 0)
				return describe(out, l->inode, it), true;
	}
	list_for_each (w, &waits, struct lock_wait, link)
		if (n-- == 0) {
			const struct lock_request *r = w->request;
			const struct file_lock as_lock = {.kind = r->kind,
				.type = r->type,
				.start = r->start,
				.end = r->end,
				.pid = r->pid};

			describe(out, r->inode, &as_lock);
			out->is_waiting = true;
			return true;
		}
	return false;
}

bool locks_get_info(unsigned n, struct lock_info *out)
{
	bool found;

	irqlock_lock(&locks_lock);
	found = nth(n, out);
	irqlock_unlock(&locks_lock);
	return found;
}
