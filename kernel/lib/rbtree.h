// SPDX-License-Identifier: MIT
/*
 * Ordered trees of objects that carry their own links (red-black).
 *
 * The order is a function given at insertion; among equals the newcomer goes last. A tree can
 * keep a summary of each subtree in its nodes (the least virtual runtime, the widest gap): the
 * owner gives an update function, and every change calls it for exactly the nodes whose subtree
 * changed, children first.
 *
 * No lock in here: the owner of the tree says which one. Nothing allocates or fails.
 * insert, erase, find: at most 2 log2(n + 1) steps; next and prev: O(1) on average.
 */
#pragma once

#include "lib/base.h"

enum { RBTREE_LEFT, RBTREE_RIGHT };

struct rbtree_node {
	struct rbtree_node *child[2]; /* by RBTREE_LEFT and RBTREE_RIGHT */
	uintptr_t parent_bits;        /* the parent and two bits (rbtree.c); 0: in no tree */
};

/*
 * Recomputes the summary in `node` from the node itself and its two children.
 * Returns whether it changed: if not, the nodes above need no update.
 */
typedef bool rbtree_update(struct rbtree_node *node);

/* Whether `a` belongs before `b`. */
typedef bool rbtree_less(const struct rbtree_node *a, const struct rbtree_node *b);

/* Where `key` stands: < 0 before `node`, 0 at it, > 0 after it. */
typedef int rbtree_compare(const void *key, const struct rbtree_node *node);

struct rbtree {
	struct rbtree_node *root;
	rbtree_update *update; /* [I] null when nothing is summarised */
};

#define RBTREE_INIT(update_)                                                                   \
	{                                                                                      \
		.update = (update_)                                                            \
	}

static inline void rbtree_init(struct rbtree *tree, rbtree_update *update)
{
	tree->root = NULL;
	tree->update = update;
}

static inline bool rbtree_is_empty(const struct rbtree *tree)
{
	return !tree->root;
}

static inline void rbtree_node_init(struct rbtree_node *node)
{
	*node = (struct rbtree_node){0};
}

/* True between insert and erase; the node must have been initialised or zeroed before. */
static inline bool rbtree_node_is_linked(const struct rbtree_node *node)
{
	return node->parent_bits != 0;
}

void rbtree_insert(struct rbtree *tree, struct rbtree_node *node, rbtree_less *less);

/*
 * For owners that descend by themselves: makes `node` the `side` child of `parent`, which has
 * none there (parent null: the tree is empty), and restores balance and summaries.
 */
void rbtree_attach(
	struct rbtree *tree, struct rbtree_node *parent, int side, struct rbtree_node *node);

/*
 * For a copy of a whole tree, from the root down: puts `node` at `side` of `parent` (null: the tree
 * is empty) with the colour of `like`, whose place in the other tree this is. No balancing and no
 * update: the owner copies the summaries too. Until all are there, only child links may be followed.
 */
void rbtree_attach_like(struct rbtree *tree, struct rbtree_node *parent, int side,
	struct rbtree_node *node, const struct rbtree_node *like);

void rbtree_erase(struct rbtree *tree, struct rbtree_node *node);

/* After a change of what `node` itself adds to the summaries; its place must still be right. */
void rbtree_update_from(struct rbtree *tree, struct rbtree_node *node);

/* ---- Each is null where there is none ---- */

struct rbtree_node *rbtree_first(const struct rbtree *tree);
struct rbtree_node *rbtree_last(const struct rbtree *tree);
struct rbtree_node *rbtree_next(const struct rbtree_node *node);
struct rbtree_node *rbtree_prev(const struct rbtree_node *node);

/* The first node at or after `key` (the first of equals). */
struct rbtree_node *rbtree_lower_bound(
	const struct rbtree *tree, const void *key, rbtree_compare *compare);

/* The first node equal to `key`. */
struct rbtree_node *rbtree_find(
	const struct rbtree *tree, const void *key, rbtree_compare *compare);

#define rbtree_object(node, type, member)                                                      \
	({                                                                                     \
		struct rbtree_node *rbtree_node_ = (node);                                     \
		rbtree_node_ ? container_of(rbtree_node_, type, member) : (type *)NULL;        \
	})

/* In order; declares `it`. The body may not change the tree. */
#define rbtree_for_each(it, tree, type, member)                                                \
	for (type *it = rbtree_object(rbtree_first(tree), type, member); it;                   \
		it = rbtree_object(rbtree_next(&it->member), type, member))

/*
 * Asserts everything that must be true: links answer each other, the root is black, a red node
 * has black children, every path has the same number of black nodes, the order holds by `less`,
 * and no summary changes when it is computed again. O(n).
 */
void rbtree_check(const struct rbtree *tree, rbtree_less *less);
