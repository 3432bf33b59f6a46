// SPDX-License-Identifier: MIT
/*
 * EEVDF: each entity asks for one request of CPU time after the other, and of those that have
 * not had more than their share, the one whose request falls due first runs.
 *
 * Virtual time passes at 1 / (sum of weights) of real time; an entity that is served for d ns
 * advances by d * 1024 / weight. The average of all virtual run times, by weight, is where an
 * ideal machine would have everybody:
 *
 *     average = sum(weight * vruntime) / sum(weight)
 *     lag     = average - vruntime                   what is owed; the sum over all is zero
 *     eligible   lag >= 0
 *     deadline   vruntime at the start of the request + request / weight
 *
 * Taking the earliest deadline among the eligible keeps everybody within one request of the
 * ideal. A request once begun loses the CPU only to an earlier deadline: whoever runs is soon
 * ahead of its share, and would otherwise lose the CPU at every wake-up. Who leaves takes its
 * lag along and gets it back when it returns, so neither sleeping nor moving to another CPU
 * gains or loses a share. Joining moves the average; fair_place() makes up for that, so that
 * the lag after joining is the lag that was owed.
 *
 * The waiting are in one tree by deadline, each node knowing the least vruntime below it: the
 * search goes left as long as somebody there is eligible. The average is kept as a sum relative
 * to `base`, which moves along at each joining and whenever somebody gets BASE_LAG_MAX ahead of
 * it, so that products stay far from 2^63: a weight is below 2^17 and a virtual distance about
 * 2^30 (the lightest may be 2^29 from the average), hence room for 2^16 entities of the heaviest.
 *
 * Virtual times are compared by their difference and may wrap.
 *
 * Spec  Stoica, Abdel-Wahab: "Earliest Eligible Virtual Deadline First: A Flexible and Accurate
 *       Mechanism for Proportional Share Resource Allocation", TR-95-22, 1995
 */
#include "sched/fair.h"

#include "lib/assert.h"

/* round(1024 * 1.25^-nice): a step of nice is a quarter more or less. Checked by test_fair.c. */
/* clang-format off */
static const uint32_t nice_weights[NICE_MAX - NICE_MIN + 1] = {
	/* -20 */ 88818, 71054, 56843, 45475, 36380,
	/* -15 */ 29104, 23283, 18626, 14901, 11921,
	/* -10 */ 9537, 7629, 6104, 4883, 3906,
	/*  -5 */ 3125, 2500, 2000, 1600, 1280,
	/*   0 */ 1024, 819, 655, 524, 419,
	/*   5 */ 336, 268, 215, 172, 137,
	/*  10 */ 110, 88, 70, 56, 45,
	/*  15 */ 36, 29, 23, 18, 15,
};
/* clang-format on */

#define BASE_LAG_MAX ((int64_t)BIT(30))

/* Wrapping arithmetic on virtual times. */
static int64_t vtime_add(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t vtime_diff(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

static struct fair_entity *entity_of(const struct rbtree_node *node)
{
	return container_of((struct rbtree_node *)node, struct fair_entity, node);
}

static bool deadline_less(const struct rbtree_node *a, const struct rbtree_node *b)
{
	return vtime_diff(entity_of(a)->deadline, entity_of(b)->deadline) < 0;
}

static bool min_vruntime_update(struct rbtree_node *node)
{
	struct fair_entity *e = entity_of(node);
	int64_t least = e->vruntime;

	for (int side = 0; side < 2; side++) {
		const struct rbtree_node *child = node->child[side];

		if (child && vtime_diff(entity_of(child)->min_vruntime, least) < 0)
			least = entity_of(child)->min_vruntime;
	}
	if (e->min_vruntime == least)
		return false;
	e->min_vruntime = least;
	return true;
}

void fair_init(struct fair_queue *q)
{
	*q = (struct fair_queue){0};
	rbtree_init(&q->waiting, min_vruntime_update);
}

uint32_t fair_weight_of_nice(int nice)
{
	assert(nice >= NICE_MIN && nice <= NICE_MAX);
	return nice_weights[nice - NICE_MIN];
}

void fair_set_weight(struct fair_entity *e, uint32_t weight)
{
	assert(weight > 0);
	if (e->weight)
		e->lag = e->lag * (int64_t)e->weight / (int64_t)weight;
	e->weight = weight;
	e->inverse = ((uint64_t)NICE_WEIGHT_ZERO << 32) / weight;
}

/* ---- The average ---- */

/* The weights of everybody. */
static int64_t total_load(const struct fair_queue *q)
{
	return (int64_t)q->load + (q->running ? q->running->weight : 0);
}

/* weight * (vruntime - base), summed over everybody; the weights in *load. */
static int64_t total(const struct fair_queue *q, int64_t *load)
{
	int64_t sum = q->sum;

	*load = total_load(q);
	if (q->running)
		sum += (int64_t)q->running->weight * vtime_diff(q->running->vruntime, q->base);
	return sum;
}

/* Rounds down, as the comparison in is_eligible does. */
static int64_t floor_div(int64_t n, int64_t d)
{
	return n / d - (n % d < 0);
}

int64_t fair_average(const struct fair_queue *q)
{
	int64_t load, sum;

	if (!q->nr_waiting) /* exact however far it has run from base, and the usual case */
		return q->running ? q->running->vruntime : q->base;
	sum = total(q, &load);
	return vtime_add(q->base, floor_div(sum, load));
}

static void move_base(struct fair_queue *q, int64_t to)
{
	q->sum -= (int64_t)q->load * vtime_diff(to, q->base);
	q->base = to;
}

static bool is_eligible(const struct fair_queue *q, int64_t vruntime, int64_t sum, int64_t load)
{
	return vtime_diff(vruntime, q->base) * load <= sum;
}

/* ---- Joining and leaving ---- */

static void insert(struct fair_queue *q, struct fair_entity *e)
{
	if (UNLIKELY(vtime_diff(e->vruntime, q->base) > BASE_LAG_MAX))
		move_base(q, e->vruntime); /* nobody has joined for long */
	q->nr_waiting++;
	q->load += e->weight;
	q->sum += (int64_t)e->weight * vtime_diff(e->vruntime, q->base);
	e->min_vruntime = e->vruntime;
	rbtree_insert(&q->waiting, &e->node, deadline_less);
}

static void erase(struct fair_queue *q, struct fair_entity *e)
{
	rbtree_erase(&q->waiting, &e->node);
	q->sum -= (int64_t)e->weight * vtime_diff(e->vruntime, q->base);
	q->load -= e->weight;
	q->nr_waiting--;
}

void fair_place(struct fair_queue *q, struct fair_entity *e)
{
	int64_t load = total_load(q), lag = e->lag;

	move_base(q, fair_average(q));
	/* joining takes weight / (load + weight) of the lag away again: ask for that much more
	 */
	if (load)
		lag = lag * (load + e->weight) / load;
	e->vruntime = vtime_add(q->base, -lag);
	e->deadline = vtime_add(e->vruntime, fair_virtual(e, FAIR_REQUEST_NS));
	insert(q, e);
}

void fair_leave(struct fair_queue *q, struct fair_entity *e)
{
	int64_t limit = 2 * fair_virtual(e, FAIR_REQUEST_NS);
	int64_t average = fair_average(q);
	int64_t lag = vtime_diff(average, e->vruntime);

	/* late charging may have overdrawn by more than the theory allows: forgive the rest */
	e->lag = MAX(-limit, MIN(lag, limit));
	if (e == q->running)
		q->running = NULL;
	else
		erase(q, e);
	if (!q->running && !q->nr_waiting)
		q->base = average; /* virtual time does not run backwards for the next one */
}

/* ---- Choosing ---- */

static struct fair_entity *earliest_eligible(const struct fair_queue *q)
{
	int64_t load, sum = total(q, &load);
	const struct rbtree_node *node = q->waiting.root;

	while (node) {
		const struct rbtree_node *left = node->child[RBTREE_LEFT];

		if (left && is_eligible(q, entity_of(left)->min_vruntime, sum, load))
			node = left;
		else if (is_eligible(q, entity_of(node)->vruntime, sum, load))
			return entity_of(node);
		else
			node = node->child[RBTREE_RIGHT];
	}
	return NULL;
}

struct fair_entity *fair_pick(const struct fair_queue *q)
{
	struct fair_entity *best, *running = q->running;

	if (!running)
		return fair_pick_other(q);
	best = q->nr_waiting ? earliest_eligible(q) : NULL;
	return best && fair_preempts(q, best) ? best : running;
}

struct fair_entity *fair_pick_other(const struct fair_queue *q)
{
	struct fair_entity *best;

	if (q->nr_waiting <= 1) /* nothing to choose from */
		return rbtree_object(q->waiting.root, struct fair_entity, node);
	best = earliest_eligible(q);
	if (!best) /* only while one runs: else the least vruntime is at or before the average */
		best = entity_of(rbtree_first(&q->waiting));
	return best;
}

bool fair_preempts(const struct fair_queue *q, const struct fair_entity *e)
{
	const struct fair_entity *running = q->running;
	int64_t load, sum = total(q, &load);

	if (!is_eligible(q, e->vruntime, sum, load))
		return false;
	if (vtime_diff(e->deadline, running->deadline) < 0)
		return true;
	/* a request that has been begun is finished: only a new one has to be eligible */
	return vtime_diff(running->deadline, running->vruntime) >=
		       fair_virtual(running, FAIR_REQUEST_NS) &&
	       !is_eligible(q, running->vruntime, sum, load);
}

void fair_take(struct fair_queue *q, struct fair_entity *e)
{
	assert(!q->running);
	erase(q, e);
	q->running = e;
}

void fair_put(struct fair_queue *q)
{
	struct fair_entity *e = q->running;

	q->running = NULL;
	insert(q, e);
}

void fair_renew(struct fair_queue *q, bool gives_up)
{
	struct fair_entity *e = q->running;

	if (gives_up || vtime_diff(e->vruntime, e->deadline) >= 0)
		e->deadline = vtime_add(e->vruntime, fair_virtual(e, FAIR_REQUEST_NS));
}

uint64_t fair_request_left(const struct fair_queue *q)
{
	int64_t left = vtime_diff(q->running->deadline, q->running->vruntime);

	if (left <= 0)
		return 0;
	if (q->running->weight == NICE_WEIGHT_ZERO)
		return (uint64_t)left;
	return (uint64_t)left * q->running->weight / NICE_WEIGHT_ZERO + 1;
}

void fair_check(const struct fair_queue *q)
{
	unsigned nr = 0;
	uint64_t load = 0;
	int64_t sum = 0;

	rbtree_check(&q->waiting, deadline_less);
	rbtree_for_each (e, &q->waiting, struct fair_entity, node) {
		assert(e != q->running && e->weight > 0);
		nr++;
		load += e->weight;
		sum += (int64_t)e->weight * vtime_diff(e->vruntime, q->base);
	}
	assert(nr == q->nr_waiting && load == q->load && sum == q->sum);
}
