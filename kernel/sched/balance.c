// SPDX-License-Identifier: MIT
/*
 * Which CPU a thread runs on.
 *
 *     at wake-up   the CPU it ran on if that is idle, else an idle one, else the least loaded
 *     when idle    a CPU takes a waiting thread from another before it sleeps
 *     when busy    a CPU whose slice ends, with others waiting, gives one to a CPU with at
 * least two fewer; CPUs with one thread or none need no timer for this
 *
 * Load is the number of threads that run or wait. Weighing them was rejected: it moves
 * heavy threads between caches for a fairness across CPUs that nobody has missed yet.
 *
 * Looking at another CPU's queue without its lock is a hint; every move is made under both
 * locks, lower CPU number first. At a wake-up at most SCAN_CPUS_MAX queues are looked at.
 */
#include "irq/ipi.h"
#include "sched/runq_priv.h"

static unsigned load_of(unsigned cpu)
{
	const struct runq *rq = runq_of(cpu);

	return READ_ONCE(rq->nr_ready) + (READ_ONCE(rq->running) != rq->idle);
}

/* ---- At wake-up ---- */

/* Makes an idle CPU ours to send work to: two wakers should not choose the same. */
static bool claim_idle(unsigned cpu)
{
	return cpumask_test(&sched_idle_cpus, cpu) &&
	       cpumask_test_and_clear_atomic(&sched_idle_cpus, cpu);
}

static unsigned claim_any_idle(const struct thread *t, unsigned from)
{
	struct cpumask idle = cpumask_and(&sched_idle_cpus, &t->affinity);

	if (cpumask_is_empty(&idle))
		return MAX_CPUS;
	for (unsigned turn = 0; turn < 2; turn++) {
		unsigned cpu = cpumask_find(&idle, turn ? 0 : from);

		for (; cpu < MAX_CPUS; cpu = cpumask_find(&idle, cpu + 1))
			if (claim_idle(cpu))
				return cpu;
	}
	return MAX_CPUS;
}

/* How bad a CPU is for t: for RT what it would displace, for others how many are there. */
static unsigned badness(const struct thread *t, unsigned cpu)
{
	const struct runq *rq = runq_of(cpu);

	if (t->rank <= RANK_OF_FAIR)
		return load_of(cpu);
	if (READ_ONCE(rq->running) == rq->idle)
		return 0;
	return READ_ONCE(rq->fair.running) ? 1 : 2;
}

unsigned balance_choose_cpu(const struct thread *t)
{
	unsigned nr = cpu_count(), prev = READ_ONCE(t->cpu), best = MAX_CPUS;
	unsigned least = UINT32_MAX, cpu;

	if (nr == 1)
		return 0;
	if (thread_may_run_on(t, prev) && claim_idle(prev))
		return prev;
	cpu = claim_any_idle(t, prev);
	if (cpu != MAX_CPUS)
		return cpu;
	cpu = prev;
	for (unsigned i = 0, seen = 0; i < nr && seen < SCAN_CPUS_MAX; i++) {
		if (thread_may_run_on(t, cpu)) {
			unsigned bad = badness(t, cpu);

			seen++;
			if (bad < least) {
				least = bad;
				best = cpu;
			}
		}
		cpu = cpu + 1 < nr ? cpu + 1 : 0;
	}
	/* none only while set_affinity changes the mask: it moves t when it has finished */
	return best != MAX_CPUS ? best : prev;
}

unsigned balance_idle_cpu_for(const struct thread *t)
{
	atomic_fence(); /* t is queued before we look; pairs with the idle loop's */
	if (cpumask_is_empty(&sched_idle_cpus))
		return MAX_CPUS;
	return claim_any_idle(t, 0);
}

/* ---- Moving ---- */

static void lock_both(struct runq *a, struct runq *b) NOT_ANALYSED
{
	struct runq *lower = a->cpu->id < b->cpu->id ? a : b;
	struct runq *upper = lower == a ? b : a;

	irqlock_lock_noirq(&lower->lock);
	irqlock_lock_noirq_nested(&upper->lock, upper->cpu->id);
}

static void unlock_both(struct runq *a, struct runq *b) NOT_ANALYSED
{
	struct runq *lower = a->cpu->id < b->cpu->id ? a : b;
	struct runq *upper = lower == a ? b : a;

	irqlock_unlock_noirq(&upper->lock);
	irqlock_unlock_noirq(&lower->lock);
}

/*
 * A thread that waits on rq and may run on `cpu`: the best RT one, else the least urgent. Looks
 * at SCAN_THREADS_MAX of each class at most, as two queues are locked.
 */
static struct thread *movable(struct runq *rq, unsigned cpu)
{
	unsigned tries = SCAN_THREADS_MAX;
	struct rbtree_node *node;

	for (unsigned prio = RT_PRIORITIES;
		(rq->rt.bitmap[0] | rq->rt.bitmap[1]) && tries && prio-- > 0;)
		list_for_each (t, &rq->rt.lists[prio], struct thread, run_link) {
			if (tries == 0)
				break;
			tries--;
			if (thread_may_run_on(t, cpu))
				return t;
		}
	tries = SCAN_THREADS_MAX;
	for (node = rbtree_last(&rq->fair.waiting); node && tries--; node = rbtree_prev(node)) {
		struct thread *t = thread_of_fair(container_of(node, struct fair_entity, node));

		if (thread_may_run_on(t, cpu))
			return t;
	}
	tries = SCAN_THREADS_MAX;
	list_for_each (t, &rq->idle_class, struct thread, run_link) {
		if (tries-- == 0)
			break;
		if (thread_may_run_on(t, cpu))
			return t;
	}
	return NULL;
}

/* Moves one thread if `from` has at least `difference` more than `to`. Whether to send an IPI.
 */
static bool move_one(
	struct runq *from, struct runq *to, unsigned difference, bool *send) NOT_ANALYSED
{
	struct thread *t = NULL;

	*send = false;
	lock_both(from, to);
	if (load_of(from->cpu->id) >= load_of(to->cpu->id) + difference)
		t = movable(from, to->cpu->id);
	if (t) {
		runq_part(from, t);
		runq_join(to, t);
		to->nr_steals++;
		*send = runq_consider(to, t);
	}
	unlock_both(from, to);
	return t != NULL;
}

bool balance_steal(struct runq *rq)
{
	unsigned nr = cpu_count(), cpu = rq->cpu->id;
	bool send;

	for (unsigned i = 1; i < nr; i++) {
		cpu = cpu + 1 < nr ? cpu + 1 : 0;
		if (READ_ONCE(runq_of(cpu)->nr_ready) && move_one(runq_of(cpu), rq, 1, &send))
			return true;
	}
	return false;
}

void balance_push(struct runq *rq)
{
	unsigned nr = cpu_count(), me = rq->cpu->id, target = me, least = UINT32_MAX;
	bool send;

	for (unsigned cpu = 0; cpu < nr; cpu++) {
		unsigned load = load_of(cpu);

		if (load < least) {
			least = load;
			target = cpu;
		}
	}
	if (target != me && move_one(rq, runq_of(target), 2, &send) && send)
		ipi_reschedule(target);
}
