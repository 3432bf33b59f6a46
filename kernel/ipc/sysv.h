// SPDX-License-Identifier: MIT
/*
 * What the three kinds of System V's objects have in common: numbers, keys, and who may.
 *
 * An id is an index in the kind's table, with a sequence number above it that goes up each time the index comes
 * round: an id that is kept too long names nothing, and not another object. A key is a name that programs agree
 * on; an object without one (IPC_PRIVATE), or that has been removed, is found by its id alone.
 *
 * Locks   table->lock [L]  mutex, RANK_SYSV: the table, and what changes of its objects.
 *         It may be taken under an address space's lock, so nothing is copied from or to a program under it.
 * Spec    man 7 sysvipc; man 2 shmget, semget, msgget for what a key and flags ask
 */
#pragma once

#include "lib/base.h"
#include "lib/idr.h"
#include "lib/rbtree.h"
#include "sync/mutex.h"

enum {
	SYSV_INDEX_BITS = 15, /* Linux: IPCMNI_SHIFT; programs see it in ids */
	SYSV_INDEXES = 1 << SYSV_INDEX_BITS,
	SYSV_RIGHTS = 0777,
};

struct sysv_object {
	int id;                 /* [L] [I] once it is in the table */
	int key;                /* [L] IPC_PRIVATE: none */
	uint32_t uid, gid;      /* [L] the owner's */
	uint32_t cuid, cgid;    /* [L] [I] once it is in the table: the creator's */
	uint32_t rights;        /* [L] nine bits, as of a file */
	struct rbtree_node link; /* [L] in keys, while it has one */
};

struct sysv_table {
	struct mutex lock;
	struct idr objects; /* [L] by index */
	struct rbtree keys; /* [L] */
	unsigned nr;        /* [L] */
	int sequence;       /* [L] of the next id */
	int last_index;     /* [L] given last; -1 */
	int wanted_id;      /* [L] the next object's, or from its index on; -1: any */
};

void sysv_table_init(struct sysv_table *t, const char *name);

/*
 * What a key and flags (IPC_CREAT, IPC_EXCL) ask for: 0 and the object, or NULL in *out: one is to be made.
 * -ENOENT, -EEXIST.
 */
MUST_CHECK int sysv_look_up_locked(struct sysv_table *t, int key, unsigned flags,
	struct sysv_object **out) MUST_HOLD(t->lock);
/* Of the current thread's user, with this key; gets an id. -ENOMEM, -ENOSPC: no more than `most`. */
MUST_CHECK int sysv_add_locked(struct sysv_table *t, struct sysv_object *o, int key,
	uint32_t rights, uint64_t most) MUST_HOLD(t->lock);
void sysv_remove_locked(struct sysv_table *t, struct sysv_object *o) MUST_HOLD(t->lock);
/* It has none from now on. */
void sysv_forget_key_locked(struct sysv_table *t, struct sysv_object *o) MUST_HOLD(t->lock);

/* By its id; NULL. */
struct sysv_object *sysv_find_locked(struct sysv_table *t, int id) MUST_HOLD(t->lock);
/* By the index of this id, whatever its sequence number; NULL. */
struct sysv_object *sysv_find_index_locked(struct sysv_table *t, int id) MUST_HOLD(t->lock);
/* The first at or after *index, which becomes its index; NULL: no more. */
struct sysv_object *sysv_next_locked(struct sysv_table *t, uint64_t *index) MUST_HOLD(t->lock);
/* The highest index in use; 0 also where there is none. */
int sysv_highest_index_locked(struct sysv_table *t) MUST_HOLD(t->lock);

/* Whether the current thread has all of these rights, whose three groups of bits mean the same: -EACCES. */
MUST_CHECK int sysv_check_rights(const struct sysv_object *o, unsigned rights);
/* Whether it is the owner's or the creator's, or has the capability: -EPERM. */
MUST_CHECK int sysv_check_owner(const struct sysv_object *o, unsigned cap);
/* By its id, with one of these asked. -EINVAL: there is none. */
MUST_CHECK int sysv_find_allowed_locked(struct sysv_table *t, int id, unsigned rights,
	struct sysv_object **out) MUST_HOLD(t->lock);
MUST_CHECK int sysv_find_owned_locked(struct sysv_table *t, int id, unsigned cap,
	struct sysv_object **out) MUST_HOLD(t->lock);
/* IPC_SET. -EINVAL: ids that nobody can have. */
MUST_CHECK int sysv_set_owner(
	struct sysv_object *o, uint32_t uid, uint32_t gid, uint32_t rights);
