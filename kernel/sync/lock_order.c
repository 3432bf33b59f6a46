// SPDX-License-Identifier: MIT
/*
 * The rules of lock order on one list of held locks; see sync/lock_rank.h for the order itself.
 *
 *     A holder may wait for a lock whose rank is above every rank it holds, or equal to the
 *     highest one if it states a key above the keys of all held locks of that rank.
 *
 * The list keeps the order of acquisition. With the rule above that is also the order of ranks,
 * except for locks got by an attempt that cannot wait (try_lock), which may come in any order;
 * so the check looks at all entries, not just at the last.
 */
#include "sync/lock_order_priv.h"

enum lock_problem lock_order_check(const struct held_list *list, const struct held_lock *want,
	const struct held_lock **culprit)
{
	for (unsigned i = 0; i < list->nr; i++) {
		const struct held_lock *held = &list->held[i];

		*culprit = held;
		if (held->lock == want->lock)
			return LOCK_ALREADY_HELD;
		if (held->rank > want->rank)
			return LOCK_WRONG_RANK;
		if (held->rank == want->rank && want->key == 0)
			return LOCK_SAME_RANK;
		if (held->rank == want->rank && want->key <= held->key)
			return LOCK_WRONG_KEY;
	}
	*culprit = NULL;
	return list->nr < MAX_HELD_LOCKS ? LOCK_FINE : LOCK_TOO_MANY;
}

void lock_order_add(struct held_list *list, const struct held_lock *lock)
{
	list->held[list->nr] = *lock;
	list->nr++;
}

struct held_lock *lock_order_find(struct held_list *list, const void *lock)
{
	/* from the end: the one that is looked for is nearly always the last */
	for (unsigned i = list->nr; i > 0; i--)
		if (list->held[i - 1].lock == lock)
			return &list->held[i - 1];
	return NULL;
}

enum lock_problem lock_order_remove(struct held_list *list, const void *lock)
{
	struct held_lock *held = lock_order_find(list, lock);

	if (!held)
		return LOCK_NOT_HELD;
	for (list->nr--; held < &list->held[list->nr]; held++)
		held[0] = held[1];
	return LOCK_FINE;
}

const char *lock_problem_text(enum lock_problem problem)
{
	switch (problem) {
	case LOCK_FINE:
		return "fine";
	case LOCK_ALREADY_HELD:
		return "it is held by this holder already";
	case LOCK_WRONG_RANK:
		return "a lock of a higher rank is held";
	case LOCK_SAME_RANK:
		return "a lock of the same rank is held and no order among them was stated";
	case LOCK_WRONG_KEY:
		return "a lock of the same rank that should come later is held";
	case LOCK_TOO_MANY:
		return "too many locks are held";
	case LOCK_NOT_HELD:
		return "it is not held by this holder";
	}
	return "unknown";
}
