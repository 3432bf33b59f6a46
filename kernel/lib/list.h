// SPDX-License-Identifier: MIT
/*
 * Lists of objects that carry their own links.
 *
 * A struct list is the head, a struct list_node sits in each object, and the chain is circular
 * through the head, so no operation has a special case for an end. Everything is O(1) but
 * list_length and list_check. There is no lock in here: the owner of the list says which one.
 *
 *     struct list queue = LIST_INIT(queue);
 *     list_add_tail(&queue, &job->link);
 *     list_for_each(job, &queue, struct job, link)       // declares struct job *job
 *             ...
 *     job = list_pop_head(&queue, struct job, link);      // NULL when there is none
 *
 * A removed node has null links in every build: following them faults at once, and the node can
 * be asked whether it is linked. Debug builds also check both neighbours at each change.
 */
#pragma once

#include "lib/assert.h"
#include "lib/base.h"

struct list_node {
	struct list_node *next; /* null when on no list */
	struct list_node *prev;
};

struct list {
	struct list_node head; /* next is the first node, prev the last; itself when empty */
};

#define LIST_INIT(name)                                                                        \
	{                                                                                      \
		.head = { &(name).head, &(name).head }                                         \
	}

static inline void list_init(struct list *list)
{
	list->head.next = &list->head;
	list->head.prev = &list->head;
}

/* Needed only where list_node_is_linked() is asked before the first add. Zeroing is as good. */
static inline void list_node_init(struct list_node *node)
{
	node->next = NULL;
	node->prev = NULL;
}

static inline bool list_is_empty(const struct list *list)
{
	return list->head.next == &list->head;
}

static inline bool list_node_is_linked(const struct list_node *node)
{
	return node->next != NULL;
}

/* Puts `node`, which is on no list, before `pos`, which is on one. */
static inline void list_insert_before(struct list_node *pos, struct list_node *node)
{
	struct list_node *prev = pos->prev;

	debug_assert(prev->next == pos && pos != node && prev != node);
	node->next = pos;
	node->prev = prev;
	prev->next = node;
	pos->prev = node;
}

static inline void list_insert_after(struct list_node *pos, struct list_node *node)
{
	list_insert_before(pos->next, node);
}

static inline void list_add_tail(struct list *list, struct list_node *node)
{
	list_insert_before(&list->head, node);
}

static inline void list_add_head(struct list *list, struct list_node *node)
{
	list_insert_before(list->head.next, node);
}

/* Takes `node` off the list it is on, whichever that is. */
static inline void list_remove(struct list_node *node)
{
	debug_assert(list_node_is_linked(node));
	debug_assert(node->next->prev == node && node->prev->next == node);
	node->next->prev = node->prev;
	node->prev->next = node->next;
	list_node_init(node);
}

/* Moves all of `from` in front of `pos`, in order; `from` is empty afterwards. */
static inline void list_splice_before(struct list_node *pos, struct list *from)
{
	struct list_node *first = from->head.next, *last = from->head.prev;

	if (list_is_empty(from))
		return;
	first->prev = pos->prev;
	pos->prev->next = first;
	last->next = pos;
	pos->prev = last;
	list_init(from);
}

static inline void list_splice_tail(struct list *to, struct list *from)
{
	list_splice_before(&to->head, from);
}

static inline void list_splice_head(struct list *to, struct list *from)
{
	list_splice_before(to->head.next, from);
}

/* ---- From nodes to objects; each is null where there is none ---- */

static inline struct list_node *list_node_or_null(
	const struct list *list, struct list_node *node)
{
	return node == &list->head ? NULL : node;
}

#define list_object_or_null(list, node, type, member)                                          \
	({                                                                                     \
		struct list_node *list_node_ = list_node_or_null((list), (node));              \
		list_node_ ? container_of(list_node_, type, member) : (type *)NULL;            \
	})

#define list_first(list, type, member)                                                         \
	list_object_or_null((list), (list)->head.next, type, member)
#define list_last(list, type, member)                                                          \
	list_object_or_null((list), (list)->head.prev, type, member)
#define list_next(list, it, type, member)                                                      \
	list_object_or_null((list), (it)->member.next, type, member)
#define list_prev(list, it, type, member)                                                      \
	list_object_or_null((list), (it)->member.prev, type, member)

static inline struct list_node *list_pop_node(struct list *list)
{
	struct list_node *node = list_node_or_null(list, list->head.next);

	if (node)
		list_remove(node);
	return node;
}

/* Removes and gives the first object. */
#define list_pop_head(list, type, member)                                                      \
	({                                                                                     \
		struct list_node *list_popped_ = list_pop_node(list);                          \
		list_popped_ ? container_of(list_popped_, type, member) : (type *)NULL;        \
	})

/* ---- Walks: `it` is declared by the loop; `list` is evaluated at every step ---- */

#define list_for_each(it, list, type, member)                                                  \
	for (type *it = list_first(list, type, member); it;                                    \
		it = list_next(list, it, type, member))

/* The body may remove `it` (and nothing else) from the list. */
#define list_for_each_safe(it, list, type, member)                                             \
	for (type *it = list_first(list, type, member),                                        \
		  *it##_next = it ? list_next(list, it, type, member) : NULL;                  \
		it; it = it##_next, it##_next = it ? list_next(list, it, type, member) : NULL)

static inline size_t list_length(const struct list *list)
{
	size_t length = 0;

	for (const struct list_node *n = list->head.next; n != &list->head; n = n->next)
		length++;
	return length;
}

/* Every link is answered by its opposite: the whole invariant of a list. */
static inline void list_check(const struct list *list)
{
	const struct list_node *n = &list->head;

	do {
		assert(n->next && n->next->prev == n);
		n = n->next;
	} while (n != &list->head);
}
