// SPDX-License-Identifier: MIT
/*
 * The end of a thread that used rings, and its requests after it.
 *
 *     the last thread of a process, or exec   cancels its requests, waits, and so do the orphans
 *     another one                             ends its calls that are on fibers; what is parked stays:
 *         its task becomes an orphan
 *         a request of it is woken            it ends with -ECANCELED, a timeout with what it has counted;
 *                                             it can be cancelled by others, as any
 *         the last request has ended          the task is buried
 *
 * That is what Linux does. A woken request is not tried again for an orphan: there is nobody whose
 * descriptors and credentials it would have.
 *
 * Wakers look at a task's thread without a lock, as RCU readers: become_orphan waits for them. The task
 * is buried by a worker, because the last request ends with its ring locked. Its woken requests end on a
 * worker, too: the rescuer waits for no ring. So another one frees it, when that has let go of its item.
 *
 * Locks   proc->lock [p]: the list of orphans; ring->lock around each ring's requests
 */
#include "fs/vfs/fdtable.h"
#include "irq/work.h"
#include "lib/atomic.h"
#include "mm/slab.h"
#include "proc/fiber.h"
#include "proc/proc.h"
#include "ring/ring_priv.h"
#include "sync/rcu.h"
#include "time/clock.h"

/* A call in line for a fiber may have begun when it was to end, and then wait. */
#define LOOK_AGAIN_NS (10 * NS_PER_MS)

static struct llist to_bury; /* [a] each with a reference */
static struct llist to_free; /* [a] nobody refers to them any more */
static struct work burial;

static bool is_idle(const struct ring_task *task)
{
	return atomic_load(&task->nr_requests) == 0;
}

static bool has_visitors(const struct ring_task *task)
{
	return atomic_load(&task->nr_visitors) != 0;
}

static void forget_rings(struct ring_task *task)
{
	while (!list_is_empty(&task->rings))
		ring_use_forget(list_first(&task->rings, struct ring_use, link));
}

static void cancel_own(struct ring_task *task)
{
	list_for_each (use, &task->rings, struct ring_use, link) {
		mutex_lock(&use->ring->lock);
		(void)ring_cancel_all(use->ring, task);
		ring_unlock(use->ring);
		ring_task_run(task, use->ring);
	}
}

/* ---- Visitors ---- */

void ring_task_visit(struct ring_task *task)
{
	(void)atomic_fetch_add(&task->nr_visitors, 1);
}

void ring_task_end_visit(struct ring_task *task)
{
	if (atomic_fetch_add(&task->nr_visitors, (uint32_t)-1) != 1)
		return;
	atomic_fence(); /* the count, then the look for who waits; pairs with waitq's */
	if (UNLIKELY(waitq_has_waiters(&task->idle)))
		waitq_wake_all(&task->idle, 0);
}

/* ---- Orphans ---- */

/*
 * Who woke a request before has told the thread, if it told anybody, or has asked for a rescue as that thread, which
 * is waited for; who does so later asks for one as an orphan. Its last request may end, and it be buried, as soon as
 * it is on the list.
 */
static void become_orphan(struct ring_task *task)
{
	struct proc *p = task->user->proc;

	refcount_get(&task->refs);
	proc_get(p); /* until its memory goes: whoever buries it looks at its process */
	irqlock_lock(&p->lock);
	list_add_tail(&p->ring_orphans, &task->orphan_link);
	p->nr_ring_orphans++;
	irqlock_unlock(&p->lock);
	atomic_store(&task->orphan_of, p);
	atomic_store(&task->is_waiting, 0);
	rcu_synchronize();
	while (has_visitors(task))
		(void)!WAIT_EVENT(&task->idle, WAIT_BOUNDED, clock_deadline_ns(LOOK_AGAIN_NS),
			!has_visitors(task));
	task->user = NULL;
	if (!llist_is_empty(&task->woken))
		ring_task_ask_for_rescue(task);
	if (is_idle(task))
		ring_task_bury(task);
	ring_task_put(task);
}

void ring_task_bury(struct ring_task *task)
{
	if (atomic_xchg(&task->is_buried, 1))
		return;
	refcount_get(&task->refs);
	llist_push(&to_bury, &task->burial_link);
	work_queue(&burial);
}

/* Not if somebody has counted again meanwhile, who then asks for it anew. */
static void bury_one(struct ring_task *task)
{
	struct proc *p = task->orphan_of;
	bool is_over;

	atomic_store(&task->is_buried, 0);
	atomic_fence(); /* before the look at the count */
	irqlock_lock(&p->lock);
	is_over = is_idle(task) && list_node_is_linked(&task->orphan_link);
	if (is_over) {
		list_remove(&task->orphan_link);
		list_node_init(&task->orphan_link);
		p->nr_ring_orphans--;
	}
	irqlock_unlock(&p->lock);
	if (is_over) {
		forget_rings(task);
		waitq_wake_all(&p->threads_gone, 0);
		ring_task_put(task); /* its thread's */
	}
	ring_task_put(task);
}

static void free_one(struct ring_task *task)
{
	work_flush(&task->orphan_rescue); /* which was the last to refer to it, perhaps */
	proc_put(task->orphan_of);
	mem_free(task);
}

static void bury(struct work *w UNUSED)
{
	llist_for_each_safe(task, llist_take_all(&to_bury), struct ring_task, burial_link)
		bury_one(task);
	llist_for_each_safe(task, llist_take_all(&to_free), struct ring_task, burial_link)
		free_one(task);
}

static struct work burial = WORK_INIT(bury);

void ring_orphan_free(struct ring_task *task)
{
	llist_push(&to_free, &task->burial_link);
	work_queue(&burial);
}

/* The first one becomes the last. It is not idle before ring_task_count(-1). NULL: it is already. */
static struct ring_task *hold_next_orphan(struct proc *p)
{
	struct ring_task *task;

	irqlock_lock(&p->lock);
	task = list_pop_head(&p->ring_orphans, struct ring_task, orphan_link);
	if (task)
		list_add_tail(&p->ring_orphans, &task->orphan_link);
	if (task && is_idle(task))
		task = NULL;
	if (task) {
		refcount_get(&task->refs);
		ring_task_count(task, 1);
	}
	irqlock_unlock(&p->lock);
	return task;
}

/* Each of them once: they may have submitted to different rings. */
static void cancel_orphans(struct proc *p)
{
	for (unsigned left = READ_ONCE(p->nr_ring_orphans); left; left--) {
		struct ring_task *task = hold_next_orphan(p);

		if (!task)
			continue;
		cancel_own(task);
		ring_task_count(task, -1);
		ring_task_put(task);
	}
}

void ring_orphans_end(struct proc *p)
{
	while (!list_is_empty(&p->ring_orphans)) {
		cancel_orphans(p);
		(void)!WAIT_EVENT(&p->threads_gone, WAIT_BOUNDED,
			clock_deadline_ns(LOOK_AGAIN_NS), list_is_empty(&p->ring_orphans));
	}
}

/* ---- The end of a thread ---- */

/* Fibers, too, wait: a submission thread is one, and its requests end with it. */
static bool ends_with_all(const struct uthread *u)
{
	const struct proc *p = u->proc;

	return fiber_is_current() || READ_ONCE(p->nr_live) <= 1 ||
	       READ_ONCE(p->flags) & PROC_EXITING;
}

/* Woken requests come to us; what fibers have ends by itself. */
static void end_all(struct ring_task *task)
{
	while (!is_idle(task) || has_visitors(task)) {
		cancel_own(task);
		(void)!WAIT_EVENT(&task->idle, WAIT_BOUNDED, clock_deadline_ns(LOOK_AGAIN_NS),
			(is_idle(task) && !has_visitors(task)) ||
				!llist_is_empty(&task->woken));
	}
}

/* Whether one is left. Each ring's lock is taken once after is_leaving was set: see ring_task. */
static bool end_calls_once(struct ring_task *task)
{
	bool is_one_left = false;

	list_for_each (use, &task->rings, struct ring_use, link) {
		mutex_lock(&use->ring->lock);
		is_one_left |= ring_cancel_calls(use->ring, task);
		ring_unlock(use->ring);
	}
	ring_task_run(task, NULL);
	return is_one_left;
}

static void end_calls(struct ring_task *task)
{
	while (!is_idle(task) || has_visitors(task)) {
		bool is_one_left = end_calls_once(task);

		if (!is_one_left && !has_visitors(task))
			break;
		(void)!WAIT_EVENT(&task->idle, WAIT_BOUNDED, clock_deadline_ns(LOOK_AGAIN_NS),
			(is_idle(task) || !is_one_left) && !has_visitors(task));
	}
}

static void close_ring_fds(struct ring_task *task)
{
	for (unsigned i = 0; i < RING_FDS; i++) {
		if (task->fds[i])
			file_put(task->fds[i]);
		task->fds[i] = NULL;
	}
}

void ring_task_leave(struct uthread *u)
{
	struct ring_task *task = u->ring_task;

	task->is_leaving = true;
	ring_task_count(task, -(int)task->nr_spare);
	task->nr_spare = 0;
	atomic_store(&task->is_waiting, 1);
	close_ring_fds(task);
	if (ends_with_all(u))
		end_all(task);
	else
		end_calls(task);
	u->ring_task = NULL;
	fdtable_put(task->files);
	task->files = NULL;
	if (!is_idle(task)) {
		become_orphan(task);
		return;
	}
	forget_rings(task);
	ring_task_put(task);
}
