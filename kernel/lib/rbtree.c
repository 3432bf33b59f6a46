// SPDX-License-Identifier: MIT
/*
 * Red-black trees.
 *
 *     1. every node is red or black, and the root is black
 *     2. a red node has no red child
 *     3. every path from a node down to a null has the same number of black nodes
 *
 * So the longest path is at most twice the shortest. Left and right are child[0] and child[1]
 * and `side` says which one a step is about, so each case is written once instead of mirrored.
 *
 * Summaries: a change first updates the path from the lowest changed place to the root, then
 * rebalances. A rotation keeps the set of nodes below its top, so only its two nodes need
 * an update and nothing above them does.
 *
 * Spec    Cormen, Leiserson, Rivest, Stein: Introduction to Algorithms, 3rd ed., chapter 13
 */
#include "lib/rbtree.h"

#include "lib/assert.h"

#define RBTREE_BLACK  BIT(0)
#define RBTREE_LINKED BIT(1) /* tells a red root in the making from a node in no tree */
#define RBTREE_BITS   (RBTREE_BLACK | RBTREE_LINKED)

static_assert(_Alignof(struct rbtree_node) > RBTREE_BITS, "the bits fit below the pointer");

static struct rbtree_node *parent_of(const struct rbtree_node *node)
{
	return (struct rbtree_node *)(node->parent_bits & ~RBTREE_BITS);
}

static void set_parent(struct rbtree_node *node, struct rbtree_node *parent)
{
	node->parent_bits = (uintptr_t)parent | (node->parent_bits & RBTREE_BITS);
}

/* A missing child counts as black. */
static bool is_red(const struct rbtree_node *node)
{
	return node && !(node->parent_bits & RBTREE_BLACK);
}

static void paint_red(struct rbtree_node *node)
{
	node->parent_bits &= ~RBTREE_BLACK;
}

static void paint_black(struct rbtree_node *node)
{
	node->parent_bits |= RBTREE_BLACK;
}

static int side_of(const struct rbtree_node *node, const struct rbtree_node *parent)
{
	return parent->child[RBTREE_LEFT] == node ? RBTREE_LEFT : RBTREE_RIGHT;
}

/* Puts `new`, which may be null, where `old` hangs below `parent` (null: at the root). */
static void replace_child(struct rbtree *tree, struct rbtree_node *parent,
	struct rbtree_node *old, struct rbtree_node *new)
{
	if (parent)
		parent->child[side_of(old, parent)] = new;
	else
		tree->root = new;
	if (new)
		set_parent(new, parent);
}

/* ---- Summaries ---- */

static void update_one(struct rbtree *tree, struct rbtree_node *node)
{
	if (tree->update)
		(void)tree->update(node);
}

/* From `node` to the root without stopping: several nodes of the path may have changed. */
static void update_path(struct rbtree *tree, struct rbtree_node *node)
{
	if (!tree->update)
		return;
	for (; node; node = parent_of(node))
		(void)tree->update(node);
}

void rbtree_update_from(struct rbtree *tree, struct rbtree_node *node)
{
	debug_assert(rbtree_node_is_linked(node));
	if (!tree->update)
		return;
	while (node && tree->update(node))
		node = parent_of(node);
}

/* ---- Balance ---- */

/*
 * Moves `top` down to `side`; its other child rises in its place:
 *
 *        top                 rise
 *       /   \               /    \
 *      a    rise    ->    top     c        (side left; right is the mirror)
 *          /    \        /   \
 *         b      c      a     b
 */
static void rotate(struct rbtree *tree, struct rbtree_node *top, int side)
{
	struct rbtree_node *rise = top->child[!side];
	struct rbtree_node *inner = rise->child[side];

	replace_child(tree, parent_of(top), top, rise);
	rise->child[side] = top;
	set_parent(top, rise);
	top->child[!side] = inner;
	if (inner)
		set_parent(inner, top);
	update_one(tree, top);
	update_one(tree, rise);
}

/* `node` is red and fine below; makes rule 2 true above it. */
static void balance_insert(struct rbtree *tree, struct rbtree_node *node)
{
	struct rbtree_node *parent, *grand, *uncle;

	while ((parent = parent_of(node)) && is_red(parent)) {
		int side;

		grand = parent_of(parent); /* exists: the root is never red */
		side = side_of(parent, grand);
		uncle = grand->child[!side];
		if (is_red(uncle)) {
			paint_black(parent);
			paint_black(uncle);
			paint_red(grand);
			node = grand;
			continue;
		}
		if (parent->child[!side] == node) { /* bent: straighten it first */
			rotate(tree, parent, side);
			parent = node;
		}
		paint_black(parent);
		paint_red(grand);
		rotate(tree, grand, !side);
		break;
	}
	paint_black(tree->root);
}

/* Paths through `node`, null or black, below `parent` lack one black: makes rule 3 true. */
static void balance_erase(
	struct rbtree *tree, struct rbtree_node *node, struct rbtree_node *parent)
{
	while (parent && !is_red(node)) {
		int side = side_of(node, parent);
		struct rbtree_node *sibling = parent->child[!side]; /* exists, by rule 3 */

		if (is_red(sibling)) {
			paint_black(sibling);
			paint_red(parent);
			rotate(tree, parent, side);
			sibling = parent->child[!side];
		}
		if (!is_red(sibling->child[0]) && !is_red(sibling->child[1])) {
			paint_red(sibling);
			node = parent;
			parent = parent_of(node);
			continue;
		}
		if (!is_red(sibling->child[!side])) {
			paint_black(sibling->child[side]);
			paint_red(sibling);
			rotate(tree, sibling, !side);
			sibling = parent->child[!side];
		}
		if (is_red(parent))
			paint_red(sibling);
		else
			paint_black(sibling);
		paint_black(parent);
		paint_black(sibling->child[!side]);
		rotate(tree, parent, side);
		return;
	}
	if (node)
		paint_black(node);
}

/* ---- Insert and erase ---- */

void rbtree_attach(
	struct rbtree *tree, struct rbtree_node *parent, int side, struct rbtree_node *node)
{
	debug_assert(parent ? !parent->child[side] : !tree->root);
	*node = (struct rbtree_node){.parent_bits = (uintptr_t)parent | RBTREE_LINKED};
	if (parent)
		parent->child[side] = node;
	else
		tree->root = node;
	/* not rbtree_update_from(): a summary left in the node by chance must not stop it */
	update_one(tree, node);
	if (parent)
		rbtree_update_from(tree, parent);
	balance_insert(tree, node);
}

void rbtree_attach_like(struct rbtree *tree, struct rbtree_node *parent, int side,
	struct rbtree_node *node, const struct rbtree_node *like)
{
	debug_assert(parent ? !parent->child[side] : !tree->root);
	*node = (struct rbtree_node){
		.parent_bits = (uintptr_t)parent | (like->parent_bits & RBTREE_BITS)};
	if (parent)
		parent->child[side] = node;
	else
		tree->root = node;
}

void rbtree_insert(struct rbtree *tree, struct rbtree_node *node, rbtree_less *less)
{
	struct rbtree_node *parent = NULL;
	int side = RBTREE_LEFT;

	for (struct rbtree_node *at = tree->root; at; at = at->child[side]) {
		parent = at;
		side = less(node, at) ? RBTREE_LEFT : RBTREE_RIGHT;
	}
	rbtree_attach(tree, parent, side, node);
}

/* Puts `heir`, the node after `node`, in its place; returns where the heir was missing from. */
static struct rbtree_node *replace_by_heir(
	struct rbtree *tree, struct rbtree_node *node, struct rbtree_node *heir)
{
	struct rbtree_node *below = parent_of(heir);

	if (below == node) {
		below = heir;
	} else {
		replace_child(tree, below, heir, heir->child[RBTREE_RIGHT]);
		heir->child[RBTREE_RIGHT] = node->child[RBTREE_RIGHT];
		set_parent(heir->child[RBTREE_RIGHT], heir);
	}
	heir->child[RBTREE_LEFT] = node->child[RBTREE_LEFT];
	set_parent(heir->child[RBTREE_LEFT], heir);
	heir->parent_bits = node->parent_bits; /* the colour too */
	replace_child(tree, parent_of(node), node, heir);
	return below;
}

static struct rbtree_node *furthest(struct rbtree_node *node, int side)
{
	while (node && node->child[side])
		node = node->child[side];
	return node;
}

void rbtree_erase(struct rbtree *tree, struct rbtree_node *node)
{
	struct rbtree_node *parent, *child; /* around the place that loses a node */
	bool lost_black;

	debug_assert(rbtree_node_is_linked(node));
	if (node->child[RBTREE_LEFT] && node->child[RBTREE_RIGHT]) {
		struct rbtree_node *heir = furthest(node->child[RBTREE_RIGHT], RBTREE_LEFT);

		child = heir->child[RBTREE_RIGHT];
		lost_black = !is_red(heir);
		parent = replace_by_heir(tree, node, heir);
	} else {
		child = node->child[node->child[RBTREE_LEFT] ? RBTREE_LEFT : RBTREE_RIGHT];
		lost_black = !is_red(node);
		parent = parent_of(node);
		replace_child(tree, parent, node, child);
	}
	rbtree_node_init(node);
	update_path(tree, parent);
	if (lost_black)
		balance_erase(tree, child, parent);
}

/* ---- Walks and searches ---- */

struct rbtree_node *rbtree_first(const struct rbtree *tree)
{
	return furthest(tree->root, RBTREE_LEFT);
}

struct rbtree_node *rbtree_last(const struct rbtree *tree)
{
	return furthest(tree->root, RBTREE_RIGHT);
}

/* The next one on `side`: the nearest below, else the first ancestor that lies there. */
static struct rbtree_node *neighbour(const struct rbtree_node *node, int side)
{
	struct rbtree_node *parent;

	debug_assert(rbtree_node_is_linked(node));
	if (node->child[side])
		return furthest(node->child[side], !side);
	while ((parent = parent_of(node)) && parent->child[side] == node)
		node = parent;
	return parent;
}

struct rbtree_node *rbtree_next(const struct rbtree_node *node)
{
	return neighbour(node, RBTREE_RIGHT);
}

struct rbtree_node *rbtree_prev(const struct rbtree_node *node)
{
	return neighbour(node, RBTREE_LEFT);
}

struct rbtree_node *rbtree_lower_bound(
	const struct rbtree *tree, const void *key, rbtree_compare *compare)
{
	struct rbtree_node *at = tree->root, *best = NULL;

	while (at) {
		if (compare(key, at) <= 0) {
			best = at;
			at = at->child[RBTREE_LEFT];
		} else {
			at = at->child[RBTREE_RIGHT];
		}
	}
	return best;
}

struct rbtree_node *rbtree_find(
	const struct rbtree *tree, const void *key, rbtree_compare *compare)
{
	struct rbtree_node *node = rbtree_lower_bound(tree, key, compare);

	return node && compare(key, node) == 0 ? node : NULL;
}

/* ---- The invariants ---- */

/* The number of black nodes from `node` down to a null, asserted to be one number. */
static unsigned check_subtree(const struct rbtree *tree, struct rbtree_node *node)
{
	unsigned left, right;

	if (!node)
		return 0;
	assert(rbtree_node_is_linked(node));
	for (int side = RBTREE_LEFT; side <= RBTREE_RIGHT; side++) {
		assert(!node->child[side] || parent_of(node->child[side]) == node);
		assert(!is_red(node) || !is_red(node->child[side]));
	}
	left = check_subtree(tree, node->child[RBTREE_LEFT]);
	right = check_subtree(tree, node->child[RBTREE_RIGHT]);
	assert(left == right);
	assert(!tree->update || !tree->update(node));
	return left + !is_red(node);
}

void rbtree_check(const struct rbtree *tree, rbtree_less *less)
{
	struct rbtree_node *node = rbtree_first(tree), *next;

	assert(!is_red(tree->root));
	assert(!tree->root || !parent_of(tree->root));
	(void)check_subtree(tree, tree->root); /* depth: at most 2 log2(n + 1) */
	for (; node && (next = rbtree_next(node)); node = next)
		assert(!less(next, node));
}
