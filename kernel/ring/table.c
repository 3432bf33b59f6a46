// SPDX-License-Identifier: MIT
/*
 * Tables of registered things: what files.c and buffers.c have in common.
 *
 * A slot has a node. Requests that use it have references of it, so that the slot can get another one,
 * or none, at any time; the node ends with the last of them, and then its tag is posted.
 *
 * Locks   ring->lock [l]
 */
#include "mm/kmap.h"
#include "mm/phys.h"
#include "mm/slab.h"
#include "ring/tables.h"

enum { MEM_ALLOC_MOST = 4 << 20 /* mm/slab.h */ };

struct ring_node *ring_node_create(bool is_file, void *what, uint64_t tag)
{
	struct ring_node *node = mem_alloc(sizeof(*node), 0);

	if (!node)
		return NULL;
	node->refs = 1;
	node->is_file = is_file;
	node->tag = tag;
	if (is_file)
		node->file = what;
	else
		node->buffer = what;
	return node;
}

void ring_node_put(struct ring *ring, struct ring_node *node)
{
	if (--node->refs)
		return;
	if (node->is_file)
		file_put(node->file);
	else
		ring_buffer_put(node->buffer);
	if (node->tag && !ring->is_dead)
		(void)ring_post(ring, node->tag, 0, 0, NULL, true);
	mem_free(node);
}

struct ring_node *ring_table_get(struct ring_table *t, uint32_t index)
{
	struct ring_node *node = ring_table_look(t, index);

	if (node)
		node->refs++;
	return node;
}

int ring_table_create(struct ring_table *t, unsigned nr)
{
	size_t size = nr * sizeof(struct ring_node *);
	void *nodes;
	int err = 0;

	if (size > MEM_ALLOC_MOST) {
		err = kmap_alloc(&nodes, size, "ring table");
	} else {
		nodes = mem_alloc(size, SLAB_ZERO);
		err = nodes ? 0 : -ENOMEM;
	}
	if (err)
		return err;
	*t = (struct ring_table){.nodes = nodes, .nr = nr, .alloc_to = nr};
	return 0;
}

bool ring_table_clear(struct ring *ring, struct ring_table *t, unsigned index)
{
	struct ring_node *node = t->nodes[index];

	if (!node)
		return false;
	t->nodes[index] = NULL;
	t->alloc_next = index;
	ring_node_put(ring, node);
	return true;
}

void ring_table_set(
	struct ring *ring, struct ring_table *t, unsigned index, struct ring_node *node)
{
	(void)ring_table_clear(ring, t, index);
	t->nodes[index] = node;
	t->alloc_next = index + 1;
}

void ring_table_forget_tags(struct ring_table *t)
{
	for (unsigned i = 0; i < t->nr; i++) {
		if (t->nodes[i])
			t->nodes[i]->tag = 0;
	}
}

void ring_table_destroy(struct ring *ring, struct ring_table *t)
{
	struct ring_table old = *t;

	*t = (struct ring_table){0};
	for (unsigned i = 0; i < old.nr; i++)
		(void)ring_table_clear(ring, &old, i);
	if (old.nodes && !is_direct_map(old.nodes))
		kmap_free(old.nodes);
	else
		mem_free(old.nodes);
}

int ring_read_tag(uptr tags, unsigned index, uint64_t *tag)
{
	*tag = 0;
	if (uptr_is_null(tags))
		return 0;
	return user_get(*tag, uptr_add(tags, index * sizeof(*tag)));
}
