// SPDX-License-Identifier: MIT
/*
 * Futexes: threads that wait until somebody says that a word of their memory changed. The words
 * are the program's; the kernel has queues by address.
 *
 * A waiter lies wherever its operation does (ops/futex.c) and is told by a function call.
 */
#pragma once

#include "lib/base.h"
#include "lib/list.h"
#include "lib/rbtree.h"
#include "uaccess/uaccess.h"

struct futex_bucket;
struct thread;

/* Which word: private to an address space, or a place in a shared object. */
struct futex_key {
	uintptr_t object; /* struct vmspace or struct page_source: compared, never followed */
	uint64_t word;    /* the address, or the byte in the object */
};

/*
 *   [b] the bucket's lock to write; `bucket` is read without: NULL means woken
 *   [I] immutable while queued      [x] ipc/futex_pi.c: pi_lock
 */
struct futex_waiter {
	struct rbtree_node node;                                /* [b] */
	uint64_t turn;                                          /* [b] who came first has the least */
	struct futex_bucket *bucket;                            /* [b] NULL: on none */
	struct futex_key key;                                   /* [b] requeueing changes it */
	void (*wake)(struct futex_waiter *w, bool is_handover); /* [I] bucket locked */
	uint32_t bitset;                                        /* [I] */

	/* Priority-inheritance locks: a wake-up means that the lock is this thread's now. */
	bool is_pi;                     /* [b] waits for such a lock */
	bool is_bequeathed;             /* [b] its owner ended: the waiter writes the word */
	const struct futex_key *target; /* [I] FUTEX_WAIT_REQUEUE_PI: the lock; else NULL */
	struct thread *thread;          /* [I] */
	struct thread *owner;           /* [x] one reference while is_pi */
	struct list_node owner_link;    /* [x] */
};

/* -EINVAL: not aligned; -EFAULT. */
MUST_CHECK int futex_key_get(uptr at, bool is_private, struct futex_key *out);
static inline bool futex_key_equal(const struct futex_key *a, const struct futex_key *b)
{
	return a->object == b->object && a->word == b->word;
}

/* ---- Plain futexes ---- */

/* Queues w, whose key, bitset and wake are set, if the word at `at` is `expected`: else -EAGAIN. */
MUST_CHECK int futex_queue(struct futex_waiter *w, uptr at, uint32_t expected);
/* Takes w off; false: it has been woken, or was never queued, and nobody looks at it any more. */
bool futex_unqueue(struct futex_waiter *w);
/* Whether it was woken, which futex_unqueue would say too; waits for a waker that is at it. */
bool futex_is_woken(const struct futex_waiter *w);
/* Notes that the current thread is about to wait. */
void futex_note_wait(void);
/*
 * How many were woken: at most nr, or one if that is less (Linux: thread.futex_wake_of_less_than_one_wakes_one).
 * -EINVAL: somebody waits for a PI lock there.
 */
int futex_wake(const struct futex_key *key, int nr, uint32_t bitset);
/*
 * Wakes nr_wake waiters of `from` and moves nr_requeue others to `to`; if expected is not NULL, only
 * while the word at `at` is that (-EAGAIN). Returns how many of both.
 */
int futex_requeue(const struct futex_key *from, const struct futex_key *to, unsigned nr_wake,
	unsigned nr_requeue, uptr at, const uint32_t *expected);
/* FUTEX_WAKE_OP's change of a word: whether its old value is as `code` asks. -EFAULT, -ENOSYS. */
int futex_change_word(uptr at, uint32_t code);

#ifdef DEBUG
/* How many the buckets count: 0 when nobody waits. */
uint64_t futex_nr_waiters(void);
#endif

/* ---- Locks with an owner in the word: ipc/futex_pi.c ---- */

enum { FUTEX_PI_LOCKED = 0, FUTEX_PI_QUEUED = 1 };
/* FUTEX_PI_LOCKED, FUTEX_PI_QUEUED (not with is_try), or man 2 futex's errors. w->key is set. */
MUST_CHECK int futex_pi_lock(struct futex_waiter *w, uptr at, bool is_try);
MUST_CHECK int futex_pi_unlock(uptr at, const struct futex_key *key);
/* After a wake-up: writes the word if the owner left that to us. -EAGAIN: somebody was faster. */
MUST_CHECK int futex_pi_inherit(struct futex_waiter *w, uptr at);
/* FUTEX_CMP_REQUEUE_PI from `from_at` to the lock at `to_at`. */
int futex_pi_requeue(const struct futex_key *from, uptr from_at, uint32_t expected,
	const struct futex_key *to, uptr to_at, unsigned nr_requeue);
/* t's scheduling parameters were set: who has the lock that it waits for runs accordingly. */
void futex_pi_params_changed(struct thread *t);
/* A waiter taken off its queue owes its owner nothing any more. Bucket locked. */
void futex_pi_forget(struct futex_waiter *w);
/* The current thread ends: its locks go to their waiters. */
void futex_pi_exit(void);

/* ---- For proc/ ---- */

/* exit and exec: wakes one waiter of the word that CLONE_CHILD_CLEARTID named, after 0 was
 * written. */
void futex_wake_user(uptr at);
/*
 * exit and exec of the current thread, while it has its memory: marks the locks on its robust
 * list, and those with priority inheritance that it holds, with FUTEX_OWNER_DIED, and wakes a
 * waiter each.
 */
void robust_list_exit(void);
