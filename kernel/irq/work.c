// SPDX-License-Identifier: MIT
/*
 * The worker pool.
 *
 * One worker is active at a time: it takes items from the front of the queue and runs them.
 * When it blocks in an item, the scheduler tells us (work_note_blocking) and an idle worker
 * goes on with the next. So items start in order, cost one thread while they do not block, and
 * do not hold each other up when they do.
 *
 * A thread cannot be created where one blocks. Therefore a worker that is about to run an item
 * makes sure that there is an idle one to take over, and creates it first if not. If memory is
 * out, or MAX_WORKERS have blocked, the queue waits until one of them goes on. Idle workers
 * beyond MAX_SPARES end.
 *
 * Rejected: one pool per CPU. Nothing here is frequent enough; what is belongs in a deferred
 * call.
 *
 * Locks   pool.lock (RANK_WORK_QUEUE), under it thread and run queue locks by sched_wake.
 */
#include "irq/work.h"

#include "debug/log.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "mm/slab.h"
#include "sched/sched.h"
#include "sync/waitq.h"

enum { MAX_WORKERS = 32, MAX_SPARES = 2, MAX_ACTIVE = 1 };

/*
 *   [q] pool.lock      [w] the worker itself
 */
struct worker {
	struct list_node idle_link; /* [q] */
	struct thread *thread;      /* [w] */
	struct work *item;          /* [w] what it runs; NULL while idle */
	bool is_active;             /* [q] counted in pool.nr_active */
};

static struct {
	struct irqlock lock;
	struct list items;   /* [q] oldest first */
	struct list idle;    /* [q] last one first: its stack is warm */
	unsigned nr_workers; /* [q] those being created too */
	unsigned nr_idle;    /* [q] */
	unsigned nr_active;  /* [q] running an item and not blocked in it */
	struct waitq ended;  /* woken when an item has ended, or is cancelled */
} pool = {
	.lock = IRQLOCK_INIT(RANK_WORK_QUEUE, "work"),
	.items = LIST_INIT(pool.items),
	.idle = LIST_INIT(pool.idle),
	.ended = WAITQ_INIT(pool.ended),
};

/* The worker that the current thread is. */
static struct worker *this_worker(void)
{
	return arch_current()->arg;
}

/* If an item waits and nobody would take it: wakes somebody. */
static void kick_locked(void) MUST_HOLD(pool.lock)
{
	struct worker *worker;

	if (list_is_empty(&pool.items) || pool.nr_active >= MAX_ACTIVE)
		return;
	worker = list_pop_head(&pool.idle, struct worker, idle_link);
	if (worker) {
		pool.nr_idle--;
		(void)sched_wake(
			worker->thread); /* false: it has not slept yet, and looks again */
	}
}

/* ---- Workers ---- */

static void worker_main(void *arg);

/* Adds a worker; the caller has counted it. */
static void worker_create(void)
{
	struct worker *worker = mem_alloc(sizeof(*worker), SLAB_ZERO);
	int err = -ENOMEM;

	if (worker)
		err = thread_create(&worker->thread, "worker", worker_main, worker);
	if (!err) {
		atomic_or(&worker->thread->flags, THREAD_WORKER);
		thread_start(worker->thread);
		return;
	}
	mem_free(worker);
	irqlock_lock(&pool.lock);
	pool.nr_workers--;
	irqlock_unlock(&pool.lock);
	log_once(LOG_WARNING, "work: no memory for another worker (error %d)", err);
}

/* Waits for an item. False when there are enough idle workers without this one. */
static bool worker_idle(struct worker *worker) MUST_HOLD(pool.lock)
{
	if (pool.nr_idle >= MAX_SPARES)
		return false;
	list_add_head(&pool.idle, &worker->idle_link);
	pool.nr_idle++;
	sched_set_blocked();
	irqlock_unlock(&pool.lock);
	sched_switch();
	irqlock_lock(&pool.lock);
	if (list_node_is_linked(&worker->idle_link)) { /* nobody woke us: it happens */
		list_remove(&worker->idle_link);
		pool.nr_idle--;
	}
	return true;
}

static void worker_run(struct worker *worker, struct work *w) MUST_HOLD(pool.lock)
{
	bool needs_spare = pool.nr_idle == 0 && pool.nr_workers < MAX_WORKERS;

	worker->item = w;
	worker->is_active = true;
	pool.nr_active++;
	pool.nr_workers += needs_spare;
	atomic_store(&w->state, WORK_RUNNING);
	irqlock_unlock(&pool.lock);

	if (needs_spare)
		worker_create();
	w->fn(w);

	irqlock_lock(&pool.lock);
	worker->item = NULL;
	worker->is_active = false;
	pool.nr_active--;
	if (w->state == WORK_RUNNING_AND_QUEUED) {
		list_add_tail(&pool.items, &w->link);
		atomic_store(&w->state, WORK_QUEUED);
	} else {
		atomic_store(&w->state, WORK_IDLE); /* w may be gone from here on */
	}
	waitq_wake_all(&pool.ended, 0);
}

static void worker_main(void *arg)
{
	struct worker *worker = arg;
	bool stays = true;

	irqlock_lock(&pool.lock);
	while (stays) {
		struct work *w = NULL;

		if (pool.nr_active < MAX_ACTIVE)
			w = list_pop_head(&pool.items, struct work, link);
		if (w)
			worker_run(worker, w);
		else
			stays = worker_idle(worker);
	}
	pool.nr_workers--;
	irqlock_unlock(&pool.lock);
	atomic_and(&worker->thread->flags, ~(uint32_t)THREAD_WORKER);
	thread_put(worker->thread);
	mem_free(worker);
}

void work_note_blocking(void)
{
	struct worker *worker = this_worker();

	if (!worker->item)
		return;
	irqlock_lock(&pool.lock);
	if (worker->is_active) {
		worker->is_active = false;
		pool.nr_active--;
		kick_locked();
	}
	irqlock_unlock(&pool.lock);
}

void work_note_running(void)
{
	struct worker *worker = this_worker();

	if (!worker->item)
		return;
	irqlock_lock(&pool.lock);
	if (!worker->is_active) {
		worker->is_active = true;
		pool.nr_active++; /* perhaps one too many, until somebody's item ends */
	}
	irqlock_unlock(&pool.lock);
}

/* ---- Items ---- */

bool work_queue(struct work *w)
{
	bool is_new = true;

	irqlock_lock(&pool.lock);
	switch ((enum work_state)w->state) {
	case WORK_IDLE:
		list_add_tail(&pool.items, &w->link);
		atomic_store(&w->state, WORK_QUEUED);
		kick_locked();
		break;
	case WORK_RUNNING:
		atomic_store(&w->state, WORK_RUNNING_AND_QUEUED);
		break;
	case WORK_QUEUED:
	case WORK_RUNNING_AND_QUEUED:
		is_new = false;
		break;
	}
	irqlock_unlock(&pool.lock);
	return is_new;
}

static bool is_own_item(const struct work *w)
{
	return (arch_current()->flags & THREAD_WORKER) && this_worker()->item == w;
}

void work_flush(struct work *w)
{
	assert(!is_own_item(w));
	/* ends by its condition only */
	(void)WAIT_EVENT(
		&pool.ended, WAIT_BOUNDED, WAIT_FOREVER, atomic_load(&w->state) == WORK_IDLE);
}

void work_cancel(struct work *w)
{
	irqlock_lock(&pool.lock);
	if (w->state == WORK_QUEUED) {
		list_remove(&w->link);
		atomic_store(&w->state, WORK_IDLE);
		waitq_wake_all(&pool.ended, 0); /* others may flush it */
	} else if (w->state == WORK_RUNNING_AND_QUEUED) {
		atomic_store(&w->state, WORK_RUNNING);
	}
	irqlock_unlock(&pool.lock);
	if (!is_own_item(w))
		work_flush(w);
}

void work_init_system(void)
{
	pool.nr_workers = 1;
	worker_create();
	if (pool.nr_workers == 0)
		panic("work: no memory for the first worker");
}
