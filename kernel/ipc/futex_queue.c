// SPDX-License-Identifier: MIT
/*
 * Who waits for which word: ipc/futex_priv.h says how.
 *
 * A waiter has a number, its turn, which only grows in a bucket. Word and turn together are the order of the
 * tree, so a walk that let go of the lock finds its place again whoever has left meanwhile, and never comes to
 * those who queued after it began: a waiter that is woken and waits again is not woken twice by one walk.
 *
 * Most buckets have one waiter at most, and a tree of one costs more than the rest of a wait: who comes to an
 * empty bucket lies beside the tree until somebody joins it.
 *
 * Locks   bucket->lock (RANK_FUTEX), two in the order of their addresses
 */
#include "arch/arch.h"
#include "ipc/futex_priv.h"
#include "lib/atomic.h"
#include "lib/hash.h"

enum {
	FUTEX_BUCKETS = 256,
	SECTION = 64 /* waiters that are looked at before interrupts may come */
};

static struct futex_bucket buckets[FUTEX_BUCKETS] = {
	[0 ... FUTEX_BUCKETS - 1] = {.lock = IRQLOCK_INIT(RANK_FUTEX, "futex")}};

struct futex_bucket *futex_bucket_of(const struct futex_key *key)
{
	return &buckets[hash_u64(key->object ^ key->word << 4) % FUTEX_BUCKETS];
}

void futex_lock_two(struct futex_bucket *a, struct futex_bucket *b) NOT_ANALYSED
{
	if (a > b) {
		futex_lock_two(b, a);
		return;
	}
	irqlock_lock(&a->lock);
	if (a != b)
		irqlock_lock_nested(&b->lock, 1);
}

void futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b) NOT_ANALYSED
{
	if (a > b) {
		futex_unlock_two(b, a);
		return;
	}
	if (a != b)
		irqlock_unlock(&b->lock);
	irqlock_unlock(&a->lock);
}

#ifdef DEBUG
uint64_t futex_nr_waiters(void)
{
	uint64_t nr = 0;

	for (unsigned i = 0; i < FUTEX_BUCKETS; i++)
		nr += atomic_load_relaxed(&buckets[i].nr_waiters);
	return nr;
}
#endif

/* ---- The order ---- */

static struct futex_waiter *waiter_of(struct rbtree_node *node)
{
	return container_of(node, struct futex_waiter, node);
}

static bool is_of(const struct futex_waiter *w, const struct futex_key *key)
{
	return futex_key_equal(&w->key, key);
}

/* Whether w belongs behind who came for the word at this turn, or is that one. */
static bool is_from(const struct futex_waiter *w, const struct futex_key *key, uint64_t turn)
{
	if (w->key.object != key->object)
		return w->key.object > key->object;
	if (w->key.word != key->word)
		return w->key.word > key->word;
	return w->turn >= turn;
}

/* The first of the word who came at this turn or later. */
static struct futex_waiter *first_from(
	struct futex_bucket *b, const struct futex_key *key, uint64_t turn)
{
	struct futex_waiter *found = NULL;

	if (b->lone)
		return is_of(b->lone, key) && b->lone->turn >= turn ? b->lone : NULL;
	for (struct rbtree_node *at = b->waiters.root; at;) {
		struct futex_waiter *w = waiter_of(at);
		bool is_left = is_from(w, key, turn);

		if (is_left)
			found = w;
		at = at->child[is_left ? RBTREE_LEFT : RBTREE_RIGHT];
	}
	return found && is_of(found, key) ? found : NULL;
}

struct futex_waiter *futex_first(struct futex_bucket *b, const struct futex_key *key)
{
	return first_from(b, key, 0);
}

struct futex_waiter *futex_next(const struct futex_waiter *w)
{
	struct futex_waiter *next = NULL;

	if (rbtree_node_is_linked(&w->node)) /* not alone */
		next = rbtree_object(rbtree_next(&w->node), struct futex_waiter, node);
	return next && is_of(next, &w->key) ? next : NULL;
}

/* ---- Walks ---- */

void futex_section_begin(struct futex_bucket *b, struct futex_walk *walk)
{
	if (!walk->has_begun) {
		walk->has_begun = true;
		walk->end = b->next_turn;
	}
	walk->nr_left = SECTION;
}

struct futex_waiter *futex_section_next(struct futex_bucket *b, struct futex_walk *walk)
{
	struct futex_waiter *w = first_from(b, walk->key, walk->turn);

	if (!w || w->turn >= walk->end) {
		walk->turn = walk->end;
		return NULL;
	}
	if (!walk->nr_left) {
		walk->turn = w->turn;
		return NULL;
	}
	walk->nr_left--;
	walk->turn = w->turn + 1;
	return w;
}

/* ---- Coming and going ---- */

static void insert_in_tree(struct futex_bucket *b, struct futex_waiter *w)
{
	struct rbtree_node *parent = NULL;
	int side = RBTREE_LEFT;

	for (struct rbtree_node *at = b->waiters.root; at; at = at->child[side]) {
		parent = at;
		side = is_from(waiter_of(at), &w->key, w->turn) ? RBTREE_LEFT : RBTREE_RIGHT;
	}
	rbtree_attach(&b->waiters, parent, side, &w->node);
}

void futex_add_counted(struct futex_bucket *b, struct futex_waiter *w)
{
	w->turn = b->next_turn++;
	w->bucket = b;
	rbtree_node_init(&w->node);
	if (LIKELY(!b->lone && !b->waiters.root)) {
		b->lone = w;
		return;
	}
	if (b->lone)
		insert_in_tree(b, b->lone);
	b->lone = NULL;
	insert_in_tree(b, w);
}

void futex_add(struct futex_bucket *b, struct futex_waiter *w)
{
	atomic_add(&b->nr_waiters, 1);
	futex_add_counted(b, w);
}

void futex_remove(struct futex_bucket *b, struct futex_waiter *w)
{
	if (LIKELY(b->lone == w))
		b->lone = NULL;
	else
		rbtree_erase(&b->waiters, &w->node);
	atomic_sub_relaxed(&b->nr_waiters, 1);
}

void futex_wake_waiter(struct futex_bucket *b, struct futex_waiter *w, bool is_handover)
{
	futex_remove(b, w);
	if (UNLIKELY(w->is_pi))
		futex_pi_forget(w);
	w->wake(w, is_handover);
	/* the last access: pairs with the acquire in futex_unqueue */
	atomic_store_release(&w->bucket, (struct futex_bucket *)NULL);
}

void futex_move(struct futex_bucket *from, struct futex_bucket *to, struct futex_waiter *w,
	const struct futex_key *key)
{
	futex_remove(from, w);
	w->key = *key;
	futex_add(to, w);
}
