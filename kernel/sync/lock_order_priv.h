// SPDX-License-Identifier: MIT
/*
 * The rules of lock order on one list of held locks: pure, so that a host test can try them
 * all. lock_check.c applies them to the lists of CPUs and threads.
 */
#pragma once

#include "sync/lock_check.h"

enum lock_problem {
	LOCK_FINE,
	LOCK_ALREADY_HELD, /* by this very holder: would wait for itself */
	LOCK_WRONG_RANK,   /* one of a higher rank is held */
	LOCK_SAME_RANK,    /* one of the same rank is held, and no order was stated */
	LOCK_WRONG_KEY,    /* one of the same rank and no smaller key is held */
	LOCK_TOO_MANY,     /* MAX_HELD_LOCKS: the order is too deep to be right */
	LOCK_NOT_HELD,     /* released by somebody who does not hold it */
};

/* Whether `want` may be waited for at this moment. *culprit is the held lock that forbids it, or NULL. */
enum lock_problem lock_order_check(const struct held_list *list, const struct held_lock *want,
	const struct held_lock **culprit);
/* Adds it; the caller has looked at LOCK_TOO_MANY. */
void lock_order_add(struct held_list *list, const struct held_lock *lock);
/* Removes it wherever it is: locks need not be released in reverse order. */
enum lock_problem lock_order_remove(struct held_list *list, const void *lock);
struct held_lock *lock_order_find(struct held_list *list, const void *lock);
const char *lock_problem_text(enum lock_problem problem);
