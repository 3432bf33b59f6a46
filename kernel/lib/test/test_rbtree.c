// SPDX-License-Identifier: MIT
/*
 * Red-black trees against a sorted array: the invariants, the order and the summaries are
 * checked after every step of long random runs, and after every order of inserting and erasing
 * 6 nodes.
 */
// LINK: lib/rbtree.c lib/random.c
#include "lib/rbtree.h"

#include "lib/assert.h"
#include "lib/random.h"
#include "lib/test.h"

struct item {
	int key;
	int serial;    /* tells equals apart */
	long deadline; /* what the summary is about */
	long least;    /* the least deadline in the subtree */
	struct rbtree_node node;
};

static struct item *item_of(const struct rbtree_node *node)
{
	return container_of((struct rbtree_node *)(uintptr_t)node, struct item, node);
}

static bool item_less(const struct rbtree_node *a, const struct rbtree_node *b)
{
	return item_of(a)->key < item_of(b)->key;
}

static int item_compare(const void *key, const struct rbtree_node *node)
{
	return *(const int *)key - item_of(node)->key;
}

static bool update_least(struct rbtree_node *node)
{
	struct item *item = item_of(node);
	long least = item->deadline;

	for (int side = RBTREE_LEFT; side <= RBTREE_RIGHT; side++)
		if (node->child[side])
			least = MIN(least, item_of(node->child[side])->least);
	if (item->least == least)
		return false;
	item->least = least;
	return true;
}

/* Same nodes in the same order, both ways, and the right summary at the root. */
static bool equals_array(const struct rbtree *tree, struct item **sorted, size_t count)
{
	struct rbtree_node *last = rbtree_last(tree);
	size_t at = 0;
	long least = 0;

	rbtree_check(tree, item_less);
	rbtree_for_each (item, tree, struct item, node) {
		if (at >= count || sorted[at] != item)
			return false;
		least = at ? MIN(least, item->deadline) : item->deadline;
		at++;
	}
	if (at != count)
		return false;
	for (; at; last = rbtree_prev(last))
		if (item_of(last) != sorted[--at])
			return false;
	return !last && (!count || !tree->update || item_of(tree->root)->least == least);
}

static void array_insert(struct item **sorted, size_t *count, struct item *item)
{
	size_t at = *count;

	for (; at > 0 && sorted[at - 1]->key > item->key; at--)
		sorted[at] = sorted[at - 1];
	sorted[at] = item;
	(*count)++;
}

static void array_remove(struct item **sorted, size_t *count, struct item *item)
{
	size_t at = 0;

	while (sorted[at] != item)
		at++;
	for ((*count)--; at < *count; at++)
		sorted[at] = sorted[at + 1];
}

static void random_run(rbtree_update *update, int items_used, int keys, uint64_t seed)
{
	enum { ITEMS = 200, STEPS = 4000 };
	static struct item items[ITEMS];
	struct item *sorted[ITEMS];
	struct rbtree tree = RBTREE_INIT(update);
	struct random random;
	size_t count = 0;

	random_seed(&random, seed);
	for (int i = 0; i < ITEMS; i++)
		items[i] = (struct item){.serial = i};
	for (int step = 0; step < STEPS; step++) {
		struct item *item = &items[random_below(&random, (uint64_t)items_used)];

		if (rbtree_node_is_linked(&item->node) && random_one_in(&random, 4)) {
			item->deadline = (long)random_below(&random, 1000);
			rbtree_update_from(&tree, &item->node);
		} else if (rbtree_node_is_linked(&item->node)) {
			rbtree_erase(&tree, &item->node);
			array_remove(sorted, &count, item);
		} else {
			item->key = (int)random_below(&random, (uint64_t)keys);
			item->deadline = (long)random_below(&random, 1000);
			rbtree_insert(&tree, &item->node, item_less);
			array_insert(sorted, &count, item);
		}
		REQUIRE(equals_array(&tree, sorted, count));
	}
}

TEST(rbtree, random_steps_agree_with_a_sorted_array)
{
	random_run(NULL, 200, 1000000, 1);
	random_run(NULL, 12, 1000000, 2);
}

TEST(rbtree, equal_keys_stay_in_order_of_arrival)
{
	random_run(NULL, 100, 5, 3); /* the array model puts a newcomer behind its equals */
	random_run(NULL, 50, 1, 4);
}

TEST(rbtree, summaries_are_right_after_every_step)
{
	random_run(update_least, 200, 1000000, 5);
	random_run(update_least, 12, 6, 6);
	random_run(update_least, 3, 100, 7);
}

TEST(rbtree, every_order_of_six_inserts_and_erases)
{
	enum { N = 6, ORDERS = 720 };
	struct item items[N];

	for (int order = 0; order < ORDERS * ORDERS;
		order += 7) { /* 7: a sample of both orders */
		struct rbtree tree = RBTREE_INIT(update_least);
		int keys[N], victims[N], in = order % ORDERS, out = order / ORDERS;

		for (int i = 0; i < N; i++)
			keys[i] = victims[i] = i;
		for (int left = N; left > 1; in /= left, out /= left, left--) {
			int a = in % left, b = out % left, t = keys[a];

			keys[a] = keys[left - 1];
			keys[left - 1] = t;
			t = victims[b];
			victims[b] = victims[left - 1];
			victims[left - 1] = t;
		}
		for (int i = 0; i < N; i++) {
			items[i] = (struct item){.key = keys[i], .deadline = keys[i] * 5 % 7};
			rbtree_insert(&tree, &items[i].node, item_less);
			rbtree_check(&tree, item_less);
		}
		for (int i = 0; i < N; i++) {
			rbtree_erase(&tree, &items[victims[i]].node);
			rbtree_check(&tree, item_less);
		}
		REQUIRE(rbtree_is_empty(&tree));
	}
}

TEST(rbtree, find_and_lower_bound_give_the_first_of_equals)
{
	int keys[] = {10, 20, 20, 20, 30};
	struct item items[ARRAY_LEN(keys)];
	struct rbtree tree = RBTREE_INIT(NULL);
	int five = 5, twenty = 20, twenty_five = 25, forty = 40;

	EXPECT(!rbtree_first(&tree));
	EXPECT(!rbtree_find(&tree, &five, item_compare));
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		items[i] = (struct item){.key = keys[i]};
		rbtree_insert(&tree, &items[i].node, item_less);
	}
	EXPECT(rbtree_lower_bound(&tree, &five, item_compare) == &items[0].node);
	EXPECT(rbtree_lower_bound(&tree, &twenty, item_compare) == &items[1].node);
	EXPECT(rbtree_lower_bound(&tree, &twenty_five, item_compare) == &items[4].node);
	EXPECT(!rbtree_lower_bound(&tree, &forty, item_compare));
	EXPECT(rbtree_find(&tree, &twenty, item_compare) == &items[1].node);
	EXPECT(!rbtree_find(&tree, &twenty_five, item_compare));
}

TEST(rbtree, height_stays_within_the_bound)
{
	enum { N = 1 << 14, BOUND = 2 * 15 }; /* 2 log2(n + 1) */
	static struct item items[N];
	struct rbtree tree = RBTREE_INIT(NULL);
	int height = 0;

	for (int i = 0; i < N; i++) { /* ascending: the worst order for a plain tree */
		items[i] = (struct item){.key = i};
		rbtree_insert(&tree, &items[i].node, item_less);
	}
	for (struct rbtree_node *n = tree.root; n; n = n->child[RBTREE_RIGHT])
		height++;
	EXPECT_LE(height, BOUND);
	rbtree_check(&tree, item_less);
}

static struct rbtree_node *copy_below(struct rbtree *tree, struct rbtree_node *parent, int side,
	const struct rbtree_node *like, struct item *copies)
{
	struct item *copy = &copies[item_of(like)->serial];

	*copy = *item_of(like);
	rbtree_attach_like(tree, parent, side, &copy->node, like);
	for (int s = RBTREE_LEFT; s <= RBTREE_RIGHT; s++)
		if (like->child[s])
			(void)copy_below(tree, &copy->node, s, like->child[s], copies);
	return &copy->node;
}

TEST(rbtree, a_copy_from_the_root_down_is_the_same_tree)
{
	enum { N = 300 };
	static struct item items[N], copies[N];
	struct item *sorted[N];
	struct rbtree tree = RBTREE_INIT(update_least), copy = RBTREE_INIT(update_least);
	struct random random;

	random_seed(&random, 5);
	for (int i = 0; i < N; i++) {
		items[i] = (struct item){.key = i * 7 % N,
			.serial = i,
			.deadline = (long)random_below(&random, 1000)};
		rbtree_insert(&tree, &items[i].node, item_less);
	}
	(void)copy_below(&copy, NULL, RBTREE_LEFT, tree.root, copies);
	for (int i = 0; i < N; i++)
		sorted[copies[i].key] = &copies[i];
	EXPECT(equals_array(&copy, sorted, N));
	for (int i = 0; i < N; i += 2)
		rbtree_erase(&copy, &sorted[i]->node);
	rbtree_check(&copy, item_less);
	rbtree_check(&tree, item_less);
}
