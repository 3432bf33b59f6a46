// SPDX-License-Identifier: MIT
/*
 * Tables of System V objects.
 *
 * Indexes go round in a window that is half as large again as what is in use, so that ids stay small and an
 * index is not used again at once. Linux: the same numbers (test shm.an_id_is_not_given_again_soon).
 *
 * Spec    man 7 sysvipc
 */
#include "ipc/sysv.h"

#include <linux/capability.h>
#include <linux/ipc.h>

#include "mm/slab.h"
#include "proc/cred.h"

enum {
	WINDOW_MIN = 64,                          /* Linux: indexes go to there at least */
	SEQUENCES = INT32_MAX >> SYSV_INDEX_BITS, /* of sequence numbers */
	INDEX_MASK = SYSV_INDEXES - 1,
};

void sysv_table_init(struct sysv_table *t, const char *name)
{
	mutex_init(&t->lock, RANK_SYSV, name);
	idr_init(&t->objects, 0, SYSV_INDEXES - 1, &mem_allocator);
	rbtree_init(&t->keys, NULL);
	t->nr = 0;
	t->sequence = 0;
	t->last_index = t->wanted_id = -1;
}

/* ---- Keys ---- */

static const struct sysv_object *object_of(const struct rbtree_node *node)
{
	return container_of((struct rbtree_node *)node, struct sysv_object, link);
}

static bool is_key_less(const struct rbtree_node *a, const struct rbtree_node *b)
{
	return object_of(a)->key < object_of(b)->key;
}

static int compare_key(const void *key, const struct rbtree_node *node)
{
	int wanted = *(const int *)key, is = object_of(node)->key;

	return wanted < is ? -1 : wanted > is;
}

int sysv_look_up_locked(struct sysv_table *t, int key, unsigned flags, struct sysv_object **out)
{
	struct sysv_object *o = NULL;

	if (key != IPC_PRIVATE) {
		o = rbtree_object(
			rbtree_find(&t->keys, &key, compare_key), struct sysv_object, link);
		if (!o && !(flags & IPC_CREAT))
			return -ENOENT;
	}
	if (o && (flags & IPC_CREAT) && (flags & IPC_EXCL))
		return -EEXIST;
	*out = o;
	return 0;
}

void sysv_forget_key_locked(struct sysv_table *t, struct sysv_object *o)
{
	if (o->key != IPC_PRIVATE)
		rbtree_erase(&t->keys, &o->link);
	o->key = IPC_PRIVATE;
}

/* ---- Ids ---- */

/* An index in the window, after the last one if there is any. */
static int take_next_index(struct sysv_table *t, struct sysv_object *o, uint64_t *index)
{
	uint64_t window = MIN(MAX(t->nr * 3 / 2, (unsigned)WINDOW_MIN), (unsigned)SYSV_INDEXES);
	int err;

	err = idr_alloc_from(&t->objects, o, t->objects.next, index);
	if (!err && *index >= window) {
		idr_free(&t->objects, *index);
		err = -ENOSPC;
	}
	if (err == -ENOSPC)
		err = idr_alloc(&t->objects, o, index);
	if (err)
		return err;
	t->objects.next = *index + 1;
	if ((int)*index <= t->last_index)
		t->sequence = (t->sequence + 1) % SEQUENCES;
	t->last_index = (int)*index;
	return 0;
}

static int take_id(struct sysv_table *t, struct sysv_object *o)
{
	int sequence, err;
	uint64_t index;

	if (t->wanted_id < 0) {
		err = take_next_index(t, o, &index);
		sequence = t->sequence;
	} else { /* kernel.shm_next_id and its like: this one, and once */
		err = idr_alloc_from(
			&t->objects, o, (unsigned)t->wanted_id & INDEX_MASK, &index);
		sequence = t->wanted_id >> SYSV_INDEX_BITS;
		t->wanted_id = -1;
	}
	if (!err)
		o->id = sequence << SYSV_INDEX_BITS | (int)index;
	return err;
}

int sysv_add_locked(
	struct sysv_table *t, struct sysv_object *o, int key, uint32_t rights, uint64_t most)
{
	const struct cred *c = cred_current();
	int err;

	if (t->nr >= most)
		return -ENOSPC;
	err = take_id(t, o);
	if (err)
		return err;
	o->uid = o->cuid = c->euid;
	o->gid = o->cgid = c->egid;
	o->rights = rights & SYSV_RIGHTS;
	o->key = key;
	if (key != IPC_PRIVATE)
		rbtree_insert(&t->keys, &o->link, is_key_less);
	t->nr++;
	return 0;
}

void sysv_remove_locked(struct sysv_table *t, struct sysv_object *o)
{
	sysv_forget_key_locked(t, o);
	idr_free(&t->objects, (unsigned)o->id & INDEX_MASK);
	t->nr--;
}

struct sysv_object *sysv_find_index_locked(struct sysv_table *t, int id)
{
	return id < 0 ? NULL : idr_lookup(&t->objects, (unsigned)id & INDEX_MASK);
}

struct sysv_object *sysv_find_locked(struct sysv_table *t, int id)
{
	struct sysv_object *o = sysv_find_index_locked(t, id);

	return o && o->id == id ? o : NULL;
}

struct sysv_object *sysv_next_locked(struct sysv_table *t, uint64_t *index)
{
	return idr_find(&t->objects, index);
}

int sysv_highest_index_locked(struct sysv_table *t)
{
	uint64_t highest = 0;

	for (uint64_t index = 0; sysv_next_locked(t, &index); index++)
		highest = index;
	return (int)highest;
}

/* ---- Who may ---- */

int sysv_check_rights(const struct sysv_object *o, unsigned rights)
{
	const struct cred *c = cred_current();
	unsigned asked = rights >> 6 | rights >> 3 | rights, granted = o->rights;

	if (c->euid == o->uid || c->euid == o->cuid)
		granted >>= 6;
	else if (cred_in_group(c, o->gid) || cred_in_group(c, o->cgid))
		granted >>= 3;
	return asked & ~granted & 07 && !capable(CAP_IPC_OWNER) ? -EACCES : 0;
}

int sysv_check_owner(const struct sysv_object *o, unsigned cap)
{
	uint32_t uid = cred_current()->euid;

	return uid == o->uid || uid == o->cuid || capable(cap) ? 0 : -EPERM;
}

int sysv_find_allowed_locked(
	struct sysv_table *t, int id, unsigned rights, struct sysv_object **out)
{
	*out = sysv_find_locked(t, id);
	return *out ? sysv_check_rights(*out, rights) : -EINVAL;
}

int sysv_find_owned_locked(struct sysv_table *t, int id, unsigned cap, struct sysv_object **out)
{
	*out = sysv_find_locked(t, id);
	return *out ? sysv_check_owner(*out, cap) : -EINVAL;
}

int sysv_set_owner(struct sysv_object *o, uint32_t uid, uint32_t gid, uint32_t rights)
{
	if (uid == UINT32_MAX || gid == UINT32_MAX)
		return -EINVAL;
	o->uid = uid;
	o->gid = gid;
	o->rights = rights & SYSV_RIGHTS;
	return 0;
}
