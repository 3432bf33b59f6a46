// SPDX-License-Identifier: MIT
/*
 * FIFO and RR: a list of waiting threads for each priority, and a bitmap of the lists that are
 * not empty. A thread that loses its CPU goes to the front of its list, one whose turn is over
 * or that yields, wakes or changes priority to the end (POSIX.1-2024 2.8.4, SCHED_FIFO).
 *
 * Locks   the run queue's
 */
#include "sched/runq_priv.h"

enum { BITS_PER_WORD = 64 };

void rt_init(struct rt_queue *q)
{
	for (unsigned i = 0; i < RT_PRIORITIES; i++)
		list_init(&q->lists[i]);
	q->bitmap[0] = 0;
	q->bitmap[1] = 0;
}

void rt_add(struct rt_queue *q, struct thread *t, bool is_first)
{
	unsigned prio = (unsigned)t->params.priority;

	if (is_first)
		list_add_head(&q->lists[prio], &t->run_link);
	else
		list_add_tail(&q->lists[prio], &t->run_link);
	q->bitmap[prio / BITS_PER_WORD] |= 1ull << (prio % BITS_PER_WORD);
}

void rt_remove(struct rt_queue *q, struct thread *t)
{
	unsigned prio = (unsigned)t->params.priority;

	list_remove(&t->run_link);
	if (list_is_empty(&q->lists[prio]))
		q->bitmap[prio / BITS_PER_WORD] &= ~(1ull << (prio % BITS_PER_WORD));
}

struct thread *rt_first(const struct rt_queue *q)
{
	for (unsigned word = ARRAY_LEN(q->bitmap); word-- > 0;) {
		unsigned bit;

		if (LIKELY(!q->bitmap[word]))
			continue;
		bit = BITS_PER_WORD - 1 - (unsigned)__builtin_clzll(q->bitmap[word]);
		return list_first(
			&q->lists[word * BITS_PER_WORD + bit], struct thread, run_link);
	}
	return NULL;
}

bool rt_has_peer(const struct rt_queue *q, const struct thread *t)
{
	return !list_is_empty(&q->lists[t->params.priority]);
}
