// SPDX-License-Identifier: MIT
/*
 * Radix trees with 64 slots a node.
 *
 *     key   |  63..60  |  59..54  | ... |  11..6  |  5..0  |
 *     shift |    60    |    54    | ... |    6    |    0   |
 *
 * A node with shift s covers 2^(s + 6) keys and picks a slot by bits s to s + 5; at shift 0 the
 * slots are the items. The root is as tall as the largest key has needed since the tree was
 * last that small: it grows by putting a new root above, whose slot 0 is the old one.
 *
 * What is true between calls (radix_check):
 *     1. a node's `used` has the bits of exactly its slots that are not null, and is not 0
 *     2. its `full` has the bits of its items (shift 0), or of its children that are all full,
 *        and of slots_past_the_end()
 *     3. a child's shift is 6 less, and its parent and slot lead back to it
 *     4. the root has no parent, and uses a slot other than 0 unless its shift is 0
 */
#include "lib/radix.h"

#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/bits.h"

enum {
	RADIX_BITS = 6,
	RADIX_SLOTS = 1 << RADIX_BITS,
	KEY_BITS = 64,
};

struct radix_node {
	uint64_t used; /* bit i: slots[i] is not null */
	uint64_t full; /* bit i: there is no free key below slots[i] */
	struct radix_node *parent;
	uint8_t shift;
	uint8_t slot; /* where it hangs in its parent */
	void *slots[RADIX_SLOTS];
};

static unsigned slot_of(uint64_t key, const struct radix_node *node)
{
	return (key >> node->shift) & (RADIX_SLOTS - 1);
}

/* Whether `key` is too large for a tree whose root has this shift. */
static bool is_beyond(uint64_t key, unsigned shift)
{
	return shift + RADIX_BITS < KEY_BITS && key >> (shift + RADIX_BITS) != 0;
}

/* The first key below `slot` of `node`, given any key below `node`. */
static uint64_t slot_start(uint64_t key, const struct radix_node *node, unsigned slot)
{
	unsigned above = node->shift + RADIX_BITS;
	uint64_t prefix = above < KEY_BITS ? key >> above << above : 0;

	return prefix | (uint64_t)slot << node->shift;
}

/* The slots that no key has: in the topmost possible node, those from 2^64 on. Never free. */
static uint64_t slots_past_the_end(unsigned shift)
{
	return shift + RADIX_BITS > KEY_BITS ? ~0ull << (1u << (KEY_BITS - shift)) : 0;
}

/* ---- Nodes and their links ---- */

static struct radix_node *node_create(struct radix *radix, unsigned shift)
{
	struct radix_node *node =
		radix->allocator->alloc(radix->allocator, sizeof(struct radix_node));

	if (!node)
		return NULL;
	node->shift = (uint8_t)shift;
	node->full = slots_past_the_end(shift);
	return node;
}

static void node_free(struct radix *radix, struct radix_node *node)
{
	radix->allocator->free(radix->allocator, node, sizeof(*node));
}

static void slot_fill(struct radix_node *node, unsigned slot, void *what)
{
	atomic_store_release(&node->slots[slot], what); /* pairs with radix_lookup_rcu */
	node->used |= BIT(slot);
}

static void slot_empty(struct radix_node *node, unsigned slot)
{
	atomic_store_relaxed(&node->slots[slot], NULL); /* nothing to order: radix_lookup_rcu */
	node->used &= ~BIT(slot);
}

static void child_attach(struct radix_node *node, unsigned slot, struct radix_node *child)
{
	slot_fill(node, slot, child);
	child->parent = node;
	child->slot = (uint8_t)slot;
	if (child->full == ~0ull)
		node->full |= BIT(slot);
}

/* A key in `slot` was taken: tells every node above that became full by it. */
static void mark_full(struct radix_node *node, unsigned slot)
{
	node->full |= BIT(slot);
	while (node->full == ~0ull && node->parent) {
		slot = node->slot;
		node = node->parent;
		node->full |= BIT(slot);
	}
}

static void mark_free(struct radix_node *node, unsigned slot)
{
	bool was_full;

	do {
		was_full = node->full == ~0ull;
		node->full &= ~BIT(slot);
		slot = node->slot;
		node = node->parent;
	} while (was_full && node);
}

/* Frees `node` and what is above it as far as empty, then roots with nothing beyond slot 0. */
static void prune(struct radix *radix, struct radix_node *node)
{
	while (node && !node->used) {
		struct radix_node *parent = node->parent;

		if (parent)
			slot_empty(parent, node->slot);
		else
			atomic_store_relaxed(&radix->root, NULL);
		node_free(radix, node);
		node = parent;
	}
	while (radix->root && radix->root->shift && radix->root->used == BIT(0)) {
		struct radix_node *old = radix->root;

		atomic_store_release(&radix->root, (struct radix_node *)old->slots[0]);
		radix->root->parent = NULL;
		node_free(radix, old);
	}
}

/* ---- One key ---- */

/* The lowest node that exists on the way to `key`; null if the key is beyond the tree. */
static struct radix_node *descend(const struct radix *radix, uint64_t key)
{
	struct radix_node *node = radix->root;

	if (!node || is_beyond(key, node->shift))
		return NULL;
	while (node->shift) {
		struct radix_node *child = node->slots[slot_of(key, node)];

		if (!child)
			break;
		node = child;
	}
	return node;
}

static void **item_slot(const struct radix *radix, uint64_t key)
{
	struct radix_node *node = descend(radix, key);

	return node && !node->shift ? &node->slots[slot_of(key, node)] : NULL;
}

void *radix_lookup(const struct radix *radix, uint64_t key)
{
	void **slot = item_slot(radix, key);

	return slot ? *slot : NULL;
}

void *radix_lookup_rcu(const struct radix *radix, uint64_t key)
{
	const struct radix_node *node = atomic_load_acquire(&radix->root);

	if (!node || is_beyond(key, node->shift))
		return NULL;
	for (;;) {
		void *slot = atomic_load_acquire(&node->slots[slot_of(key, node)]);

		if (!node->shift || !slot)
			return slot;
		node = slot;
	}
}

void *radix_replace(struct radix *radix, uint64_t key, void *item)
{
	void **slot = item_slot(radix, key);
	void *old = slot ? *slot : NULL;

	assert(item);
	if (old)
		*slot = item;
	return old;
}

/* Makes the tree tall enough for `key`. On failure it may be taller than it must be: prune. */
static int grow(struct radix *radix, uint64_t key)
{
	if (!radix->root) {
		unsigned shift = 0;

		while (is_beyond(key, shift))
			shift += RADIX_BITS;
		atomic_store_release(&radix->root, node_create(radix, shift));
		return radix->root ? 0 : -ENOMEM;
	}
	while (is_beyond(key, radix->root->shift)) {
		struct radix_node *top = node_create(radix, radix->root->shift + RADIX_BITS);

		if (!top)
			return -ENOMEM;
		child_attach(top, 0, radix->root);
		atomic_store_release(&radix->root, top); /* pairs with radix_lookup_rcu */
	}
	return 0;
}

int radix_insert(struct radix *radix, uint64_t key, void *item)
{
	struct radix_node *node, *child;
	int err;

	assert(item);
	err = grow(radix, key);
	if (err)
		goto undo;
	for (node = descend(radix, key); node->shift; node = child) {
		child = node_create(radix, node->shift - RADIX_BITS);
		if (!child) {
			err = -ENOMEM;
			goto undo;
		}
		child_attach(node, slot_of(key, node), child);
	}
	if (node->slots[slot_of(key, node)])
		return -EEXIST; /* so nothing was created */
	slot_fill(node, slot_of(key, node), item);
	mark_full(node, slot_of(key, node));
	return 0;

undo:
	/* after a failed grow there is no way down to key: then only roots are too many */
	prune(radix, descend(radix, key));
	return err;
}

void *radix_erase(struct radix *radix, uint64_t key)
{
	struct radix_node *node = descend(radix, key);
	void *item;

	if (!node || node->shift)
		return NULL;
	item = node->slots[slot_of(key, node)];
	if (!item)
		return NULL;
	slot_empty(node, slot_of(key, node));
	mark_free(node, slot_of(key, node));
	prune(radix, node);
	return item;
}

/* ---- Searches ----
 *
 * Both go down by `key`; where the wanted slots at or after the key's own have run out, they go
 * up and on to the next slot, and then `key` becomes the first one of the slot they step into.
 */

/* The first of the slots in `wanted` at or after `from`; RADIX_SLOTS if none. */
static unsigned next_slot(uint64_t wanted, unsigned from)
{
	if (from < RADIX_SLOTS)
		wanted &= ~0ull << from;
	return from < RADIX_SLOTS && wanted ? bits_lowest(wanted) : RADIX_SLOTS;
}

void *radix_find(const struct radix *radix, uint64_t *key)
{
	struct radix_node *node = radix->root;
	unsigned from;

	if (!node || is_beyond(*key, node->shift))
		return NULL;
	from = slot_of(*key, node);
	for (;;) {
		unsigned slot = next_slot(node->used, from);

		if (slot == RADIX_SLOTS) {
			if (!node->parent)
				return NULL;
			from = node->slot + 1u;
			node = node->parent;
			continue;
		}
		if (slot != slot_of(*key, node))
			*key = slot_start(*key, node, slot);
		if (!node->shift)
			return node->slots[slot];
		node = node->slots[slot];
		from = slot_of(*key, node);
	}
}

bool radix_find_free(const struct radix *radix, uint64_t from, uint64_t *out)
{
	struct radix_node *node = radix->root;
	unsigned at;

	*out = from;
	if (!node || is_beyond(from, node->shift))
		return true;
	at = slot_of(from, node);
	for (;;) {
		unsigned slot = next_slot(~node->full, at);

		if (slot == RADIX_SLOTS && node->parent) {
			at = node->slot + 1u;
			node = node->parent;
			continue;
		}
		if (slot == RADIX_SLOTS) { /* the first key that the tree is too small for */
			unsigned above = node->shift + RADIX_BITS;

			*out = above < KEY_BITS ? 1ull << above : 0;
			return above < KEY_BITS;
		}
		if (slot != slot_of(*out, node))
			*out = slot_start(*out, node, slot);
		if (!node->shift || !node->slots[slot])
			return true;
		node = node->slots[slot];
		at = slot_of(*out, node);
	}
}

/* ---- The whole tree ---- */

void radix_clear(struct radix *radix)
{
	struct radix_node *node = radix->root;

	/* depth first by the parent links; a node goes when its used slots are spent */
	while (node) {
		if (node->shift && node->used) {
			unsigned slot = bits_lowest(node->used);

			node->used &= ~BIT(slot);
			node = node->slots[slot];
		} else {
			struct radix_node *parent = node->parent;

			node_free(radix, node);
			node = parent;
		}
	}
	radix->root = NULL;
}

static void check_node(const struct radix_node *node)
{
	assert(node->used);
	for (unsigned slot = 0; slot < RADIX_SLOTS; slot++) {
		const struct radix_node *child = node->shift ? node->slots[slot] : NULL;
		bool is_used = node->used & BIT(slot), is_full = node->full & BIT(slot);

		assert(is_used == (node->slots[slot] != NULL));
		if (slots_past_the_end(node->shift) & BIT(slot)) {
			assert(is_full && !is_used);
			continue;
		}
		if (!node->shift)
			assert(is_full == is_used);
		else
			assert(is_full == (child && child->full == ~0ull));
		if (!child)
			continue;
		assert(child->shift == node->shift - RADIX_BITS);
		assert(child->parent == node && child->slot == slot);
		check_node(child); /* at most 11 deep */
	}
}

void radix_check(const struct radix *radix)
{
	if (!radix->root)
		return;
	assert(!radix->root->parent);
	assert(!radix->root->shift || radix->root->used != BIT(0));
	check_node(radix->root);
}
