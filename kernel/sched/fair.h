// SPDX-License-Identifier: MIT
/*
 * The fair class of one run queue: EEVDF, earliest eligible virtual deadline first.
 *
 * Pure arithmetic on numbers that the caller supplies: no clock, no lock, no thread, so that a
 * host program can test it (test/test_fair.c). The caller holds the run queue's lock.
 *
 *     fair_place(q, e)     e joins: it slept, is new, or came from another queue
 *     fair_take(q, e)      the queue's best, returned by fair_pick, becomes the running one
 *     fair_charge(q, ns)   the running one was served
 *     fair_put(q)          the running one goes back among those that wait, still runnable
 *     fair_leave(q, e)     e sleeps, ends or goes to another queue; its lag goes with it
 */
#pragma once

#include "lib/base.h"
#include "lib/rbtree.h"

enum {
	NICE_MIN = -20,
	NICE_MAX = 19,
	NICE_WEIGHT_ZERO = 1024, /* the weight of nice 0: its virtual time is real time */
};

#define FAIR_REQUEST_NS 3000000ull /* what one asks for at a time, in its own CPU time */

/*
 * One who shares the CPU. All fields belong to the lock of the queue it is on.
 */
struct fair_entity {
	struct rbtree_node node; /* by deadline, then first come */
	uint32_t weight;
	uint64_t inverse;     /* 2^32 * NICE_WEIGHT_ZERO / weight */
	int64_t vruntime;     /* weighted ns served */
	int64_t deadline;     /* virtual time by which its request should be served */
	int64_t min_vruntime; /* of its subtree */
	int64_t lag;          /* virtual ns owed to it; while it is on no queue */
};

struct fair_queue {
	struct rbtree waiting; /* without `running` */
	struct fair_entity *running;
	unsigned nr_waiting;
	uint64_t load; /* weights of the waiting */
	int64_t base;  /* origin of `sum`; near the average, follows it */
	int64_t sum;   /* of weight * (vruntime - base) of the waiting */
};

void fair_init(struct fair_queue *q);

uint32_t fair_weight_of_nice(int nice);
/* For an entity on no queue; keeps the service (not the virtual time) that is owed to it. */
void fair_set_weight(struct fair_entity *e, uint32_t weight);

void fair_place(struct fair_queue *q, struct fair_entity *e);
void fair_leave(struct fair_queue *q, struct fair_entity *e);

/* The one to run now, `running` among the candidates if there is one; NULL when q is empty. */
struct fair_entity *fair_pick(const struct fair_queue *q);
/* The best of those that wait, though `running` might be better: for yielding. */
struct fair_entity *fair_pick_other(const struct fair_queue *q);
void fair_take(struct fair_queue *q, struct fair_entity *e);
void fair_put(struct fair_queue *q);
/* `running` asks for its next request if the last one has been served, or is given up. */
void fair_renew(struct fair_queue *q, bool gives_up);
/* Whether e, which waits, should run instead of `running`. */
bool fair_preempts(const struct fair_queue *q, const struct fair_entity *e);
/*
 * `to`, of the same weight and on no queue, continues on the running one's seat: its place in
 * virtual time and the rest of its request. Each keeps for the other what it was owed.
 */
static inline void fair_give_seat(struct fair_queue *q, struct fair_entity *to)
{
	struct fair_entity *from = q->running;
	int64_t lag = to->lag;

	to->vruntime = from->vruntime;
	to->deadline = from->deadline;
	from->lag = lag;
	q->running = to;
}

/* Real nanoseconds of the running one, in its virtual time. */
static inline int64_t fair_virtual(const struct fair_entity *e, uint64_t ns)
{
	if (LIKELY(e->weight == NICE_WEIGHT_ZERO))
		return (int64_t)ns;
	return (int64_t)(((unsigned __int128)ns * e->inverse) >> 32);
}

static inline void fair_charge(struct fair_queue *q, uint64_t ns)
{
	struct fair_entity *e = q->running;

	e->vruntime =
		(int64_t)((uint64_t)e->vruntime + (uint64_t)fair_virtual(e, ns)); /* wraps */
}

/* Real nanoseconds until the running one has been served its request; 0 when it has. */
uint64_t fair_request_left(const struct fair_queue *q);
/* The weighted average of all virtual run times: who is not beyond it is eligible. */
int64_t fair_average(const struct fair_queue *q);
/* Asserts what must be true of a queue. O(n). */
void fair_check(const struct fair_queue *q);
