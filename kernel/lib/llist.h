// SPDX-License-Identifier: MIT
/*
 * Lock-free single list: any number of CPUs push, and one takes everything at once.
 *
 * There is no taking of one node, so the ABA problem does not exist. A pushed node belongs to
 * the list until the take that returns it; what was written to the object before the push is
 * seen by the taker.
 *
 *     if (llist_push(&cpu->inbox, &msg->link))    // true: it was empty, so wake the taker
 *             arch_ipi(...);
 *
 *     llist_for_each_safe(msg, llist_take_all(&cpu->inbox), struct msg, link)
 *             ...                                   // newest first; msg may be freed
 */
#pragma once

#include "lib/atomic.h"
#include "lib/base.h"

struct llist_node {
	struct llist_node *next; /* [list] the one pushed before; null at the end */
};

struct llist {
	struct llist_node *first; /* [a] release on push, acquire on take */
};

/* Any context. Returns whether the list was empty before. */
static inline bool llist_push(struct llist *list, struct llist_node *node)
{
	struct llist_node *first = atomic_load_relaxed(&list->first);

	do {
		node->next = first;
		/* pairs with the acquire in llist_take_all() */
	} while (!atomic_cmpxchg_release(&list->first, &first, node));
	return first == NULL;
}

/* A hint: another CPU may push or take at any moment. */
static inline bool llist_is_empty(const struct llist *list)
{
	return atomic_load_relaxed(&list->first) == NULL;
}

/* Any context. Empties the list; returns its chain, newest first, now the caller's own. */
static inline struct llist_node *llist_take_all(struct llist *list)
{
	if (llist_is_empty(list))
		return NULL;
	/* pairs with the release in llist_push() */
	return atomic_xchg_acquire(&list->first, (struct llist_node *)NULL);
}

/* Turns a taken chain round: oldest first. */
static inline struct llist_node *llist_reverse(struct llist_node *chain)
{
	struct llist_node *reversed = NULL;

	while (chain) {
		struct llist_node *next = chain->next;

		chain->next = reversed;
		reversed = chain;
		chain = next;
	}
	return reversed;
}

#define llist_object(node, type, member)                                                       \
	({                                                                                     \
		struct llist_node *llist_node_ = (node);                                       \
		llist_node_ ? container_of(llist_node_, type, member) : (type *)NULL;          \
	})

/* Each object of a taken chain; declares `it`. The body may free it or push it elsewhere. */
#define llist_for_each_safe(it, chain, type, member)                                           \
	for (type *it = llist_object((chain), type, member),                                   \
		  *it##_next = it ? llist_object(it->member.next, type, member) : NULL;        \
		it; it = it##_next,                                                            \
		  it##_next = it ? llist_object(it->member.next, type, member) : NULL)
