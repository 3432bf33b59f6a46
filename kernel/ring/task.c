// SPDX-License-Identifier: MIT
/*
 * A thread that uses rings: whose requests they are, and who lets the woken ones go on.
 *
 *     a wake-up (any context) -> ring_woken: the request is on the list of its owner
 *         the owner runs a program     THREAD_RING: on its way to user mode, soon
 *         it waits for completions     it is woken and sees to them
 *         it sleeps for something else a fiber does: "rescue"
 *
 * A request that could go on for ever is put back on the list after a while, and the list is gone through
 * a few times only: so its thread comes back to its program, and to its end. A fiber goes on with it.
 *
 * With IORING_SETUP_DEFER_TASKRUN the list is the ring's, and only who waits for its completions
 * looks at it. Who waits elsewhere, for the ring's eventfd or file, is told of the first that comes to the
 * list. How a thread ends, and its requests after it: leave.c.
 *
 * Locks   none of its own; the lists are taken whole, requests are worked on under ring->lock
 */
#include "fs/vfs/fdtable.h"
#include "lib/atomic.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "proc/ring_work.h"
#include "ring/ring_priv.h"
#include "sched/sched.h"
#include "sync/rcu.h"
#include "time/clock.h"
#include "time/timer.h"

enum {
	TAKE_AT_ONCE = 64,
	PASSES = 8, /* over a list to which requests come as others go on */
};

/* Why a request goes on. */
enum cause {
	WOKEN,
	WOKEN_TO_HANDOVER, /* and who woke it is about to wait */
	PUT_OFF,           /* it was tried often enough for once */
};

#define RESCUE_AGAIN_NS (10 * NS_PER_MS) /* when there was no memory */

static struct llist to_rescue; /* [a] tasks, each with a reference and counted as a request */
static struct llist to_announce; /* [a] rings, each with a reference: list_deferred */
static struct thread *rescuer; /* [a] which sees to both; made with the first task */

/* ---- Waking ---- */

/* The owner sleeps, or is about to: pairs with the fence of sched_set_blocked and wait_note_ring. */
static bool sleeps(struct thread *t)
{
	uint32_t state = atomic_load(&t->state);

	return state != THREAD_RUNNING && state != THREAD_READY;
}

void ring_task_ask_for_rescue(struct ring_task *task)
{
	if (atomic_xchg(&task->is_rescued, 1) == 0) {
		refcount_get(&task->refs);
		ring_task_visit(task);
		llist_push(&to_rescue, &task->rescue_link);
		(void)sched_wake(atomic_load(&rescuer));
	}
}

/* It waits for completions. Who woke a request of it may wait for what it does next: it is handed the CPU. */
static void wake_waiting(struct thread *t, enum cause cause)
{
	if (cause == WOKEN_TO_HANDOVER)
		(void)sched_wake_handover(t);
	else
		(void)sched_wake(t);
}

/* Any context, also with interrupts off and a wait queue locked; an RCU reader. */
static void notify(struct ring_task *task, bool is_patient, enum cause cause)
{
	bool is_waiting = atomic_load(&task->is_waiting);
	struct thread *t;

	if (UNLIKELY(ring_task_is_orphan(task) || (cause == PUT_OFF && !is_waiting))) {
		ring_task_ask_for_rescue(task);
		return;
	}
	t = task->user->thread;
	if (is_waiting) {
		wake_waiting(t, cause);
		return;
	}
	atomic_or(&t->flags, THREAD_RING);
	atomic_fence(); /* the flag, then the look at its state: pairs with sched_set_blocked */
	if (sleeps(t)) /* or is about to: perhaps the current thread, where an interrupt has found it */
		ring_task_ask_for_rescue(task);
	else if (!is_patient)
		thread_kick(t);
}

static void tell_program(struct ring *ring)
{
	if (ring->flags & IORING_SETUP_TASKRUN_FLAG)
		atomic_or(&ring->shared->sq_flags, IORING_SQ_TASKRUN);
}

/* Whether the ring's thread waits in it, and so sees to the ring's list. */
static bool is_awaited(const struct ring_task *task, const struct ring *ring)
{
	return atomic_load(&task->is_waiting) && READ_ONCE(task->awaited) == ring;
}

/* Whether somebody is to hear of the news before there is a completion, which tells others itself. */
static bool has_listener(const struct ring_task *task, struct ring *ring)
{
	if (READ_ONCE(ring->eventfd))
		return true;
	if (LIKELY(is_awaited(task, ring)))
		return false;
	atomic_fence(); /* the list, then the look for waiters; pairs with op_park, item_refresh */
	return waitq_has_waiters(&ring->cq_wait);
}

/* By the rescuer: the waker's queue is locked, and those of who waits here may be inside or outside it. */
static void ask_to_announce(struct ring *ring)
{
	if (atomic_xchg(&ring->is_announced, 1))
		return;
	ring_get(ring);
	llist_push(&to_announce, &ring->announcing);
	(void)sched_wake(atomic_load(&rescuer));
}

static void list_deferred(
	struct ring_task *task, struct ring *ring, struct req *r, enum cause cause)
{
	bool is_first = llist_push(&ring->woken, &r->work);

	tell_program(ring);
	if (is_first && UNLIKELY(has_listener(task, ring)))
		ask_to_announce(ring);
	if (atomic_load(&task->is_waiting))
		wake_waiting(task->user->thread, cause);
}

static void list_for_owner(
	struct ring_task *task, struct ring *ring, struct req *r, enum cause cause)
{
	if (ring->sqpoll) {
		llist_push(&ring->woken, &r->work);
		ring_sqpoll_wake(ring);
		return;
	}
	if (ring->flags & IORING_SETUP_DEFER_TASKRUN) {
		list_deferred(task, ring, r, cause);
		return;
	}
	if (!llist_push(&task->woken, &r->work) && !atomic_load(&task->is_waiting))
		return; /* who pushed the first has told it */
	tell_program(ring);
	notify(task, ring->flags & IORING_SETUP_COOP_TASKRUN, cause);
}

static void put_on_list(struct req *r, enum cause cause)
{
	if (atomic_xchg(&r->is_listed, 1))
		return;
	rcu_read_lock(); /* the thread may be ending: become_orphan */
	list_for_owner(r->task, r->ring, r, cause);
	rcu_read_unlock();
}

void req_list_for_owner(struct req *r)
{
	put_on_list(r, WOKEN);
}

/* Under the waker's lock, which keeps the request from ending meanwhile. */
void req_woken(struct op *op, bool is_handover)
{
	put_on_list(req_of(op), is_handover ? WOKEN_TO_HANDOVER : WOKEN);
}

/* Off its queue, or as if it had been woken there; so it can be cancelled like one that was. */
int64_t req_try_later(struct req *r)
{
	(void)op_park_alone(&r->op);
	atomic_store(&r->op.state, OP_WOKEN);
	put_on_list(r, PUT_OFF);
	return OP_PARKED;
}

/* wait_hand_over: the current thread, marked blocked, is about to sleep. */
static void hand_over(struct thread *t)
{
	struct ring_task *task = t->user ? t->user->ring_task : NULL;

	if (task && !task->is_waiting && !llist_is_empty(&task->woken))
		ring_task_ask_for_rescue(task);
}

/* ---- Going on ---- */

static void run_list(struct llist_node *chain) NOT_ANALYSED
{
	struct ring *held = NULL;

	llist_for_each_safe(r, llist_reverse(chain), struct req, work)
	{
		struct ring *ring = r->ring;

		if (ring != held) {
			if (held) {
				ring_unlock(held);
				ring_put(held);
			}
			ring_get(ring);
			mutex_lock(&ring->lock);
			held = ring;
		}
		atomic_store(&r->is_listed, 0);
		req_continue(r);
	}
	if (held) {
		ring_unlock(held);
		ring_put(held);
	}
}

/* Who comes to the list when it is empty tells of it: nothing is lost that is left there. */
static void run_woken(struct llist *list, bool is_until_empty)
{
	struct llist_node *chain;

	for (unsigned pass = 0; pass < PASSES || is_until_empty; pass++) {
		chain = llist_take_all(list);
		if (!chain)
			break;
		run_list(chain);
	}
}

void ring_run_woken(struct ring *ring)
{
	run_woken(&ring->woken, READ_ONCE(ring->is_dead));
}

/*
 * Whether the ring's own list is for this task: requests go on in the memory of who submitted them, and
 * a ring may be shared with other processes.
 */
static bool has_list(const struct ring_task *task, const struct ring *ring)
{
	if (!ring)
		return false;
	if (ring->sqpoll)
		return ring_sqpoll_is_for(ring, task);
	/* without an owner only when it has ended: what is there was cancelled, and needs no memory */
	return ring->owner == task || (!ring->owner && READ_ONCE(ring->is_dead));
}

bool ring_task_has_work(struct ring_task *task, struct ring *ring)
{
	return !llist_is_empty(&task->woken) ||
	       (has_list(task, ring) && !llist_is_empty(&ring->woken));
}

void ring_task_run(struct ring_task *task, struct ring *ring)
{
	if (ring && (ring->flags & IORING_SETUP_TASKRUN_FLAG))
		atomic_and(&ring->shared->sq_flags, ~(uint32_t)IORING_SQ_TASKRUN);
	run_woken(&task->woken, false);
	if (has_list(task, ring))
		ring_run_woken(ring);
}

void ring_task_begin_wait(struct ring_task *task, const struct ring *ring)
{
	WRITE_ONCE(task->awaited, ring);
	atomic_store(&task->is_waiting, 1);
}

/* What came while nobody was told goes on, or somebody is told of what is left of it. */
void ring_task_end_wait(struct ring_task *task, struct ring *ring)
{
	atomic_store(&task->is_waiting, 0);
	WRITE_ONCE(task->awaited, NULL);
	ring_task_run(task, ring);
	if (ring->flags & IORING_SETUP_DEFER_TASKRUN &&
		UNLIKELY(!llist_is_empty(&ring->woken)) && has_listener(task, ring))
		ask_to_announce(ring);
}

/* ring_hooks.run */
static void run_current(void)
{
	struct uthread *u = uthread_current();

	/* before the look at the list: who adds to it sets the flag again */
	atomic_and(&u->thread->flags, ~(uint32_t)THREAD_RING);
	if (!u->ring_task)
		return;
	ring_task_run(u->ring_task, NULL);
	if (LIKELY(llist_is_empty(&u->ring_task->woken)))
		return;
	/* somebody feeds it as fast as it goes on: the program has its turn, and a fiber the rest */
	atomic_and(&u->thread->flags, ~(uint32_t)THREAD_RING);
	ring_task_ask_for_rescue(u->ring_task);
}

static void drop_rescue(struct ring_task *task)
{
	ring_task_end_visit(task);
	ring_task_put(task);
}

static void rescue_now(struct ring_task *task)
{
	atomic_store(&task->is_rescued, 0); /* before the look at the list */
	ring_task_run(task, NULL);
	drop_rescue(task);
}

/* On a fiber. */
static void rescue(struct fiber_job *job)
{
	rescue_now(container_of(job, struct ring_task, rescue));
}

/* On a worker: there is nobody to be, and what was woken ends. */
static void rescue_orphan(struct work *w)
{
	rescue_now(container_of(w, struct ring_task, orphan_rescue));
}

/* False: there is no memory for a fiber. */
static bool start_rescue(struct ring_task *task)
{
	if (ring_task_is_orphan(task)) { /* not here: a ring's lock may be held for long */
		(void)work_queue(&task->orphan_rescue);
		return true;
	}
	if (llist_is_empty(&task->woken)) {
		atomic_store(&task->is_rescued, 0);
		atomic_fence(); /* who pushed before has found a rescue on its way */
		if (llist_is_empty(&task->woken) || atomic_xchg(&task->is_rescued, 1)) {
			drop_rescue(task);
			return true;
		}
	}
	/* in line behind calls it would wait for them, and they perhaps for it */
	return fiber_start_beside(&task->rescue) == 0;
}

/* False: some must be tried again. */
static bool start_rescues(void)
{
	bool is_done = true;

	llist_for_each_safe(task, llist_take_all(&to_rescue), struct ring_task, rescue_link)
	{
		if (start_rescue(task))
			continue;
		llist_push(&to_rescue, &task->rescue_link);
		is_done = false;
	}
	return is_done;
}

static void announce_all(void)
{
	llist_for_each_safe(ring, llist_take_all(&to_announce), struct ring, announcing)
	{
		atomic_store(&ring->is_announced, 0); /* what comes from now on is told again */
		ring_announce(ring);
		ring_put(ring);
	}
}

static bool has_nothing_to_do(void)
{
	return llist_is_empty(&to_rescue) && llist_is_empty(&to_announce);
}

/*
 * A thread of its own, because wake-ups come with a wait queue locked, when nothing but a thread can
 * be woken.
 */
static void rescuer_main(void *arg UNUSED)
{
	for (;;) {
		atomic_store(&arch_current()->wait_flags, WAIT_BOUNDED);
		sched_set_blocked();
		if (has_nothing_to_do())
			sched_switch();
		else
			sched_set_running();
		announce_all();
		if (!start_rescues())
			(void)!sleep_ns(RESCUE_AGAIN_NS);
	}
}

static int make_rescuer(void)
{
	struct thread *t, *nobody = NULL;
	int err;

	if (atomic_load(&rescuer))
		return 0;
	err = thread_create(&t, "ring", rescuer_main, NULL);
	if (err)
		return -ENOMEM;
	if (atomic_cmpxchg(&rescuer, &nobody, t))
		thread_start(t);
	else
		thread_discard(t); /* another one was faster */
	return 0;
}

/* ---- Life ---- */

void ring_task_put(struct ring_task *task)
{
	if (!refcount_put(&task->refs))
		return;
	if (UNLIKELY(task->orphan_of != NULL))
		ring_orphan_free(task);
	else
		mem_free(task);
}

int ring_task_create(struct ring_task **out)
{
	struct uthread *u = uthread_current();
	struct ring_task *task;

	if (make_rescuer())
		return -ENOMEM;
	task = mem_alloc(sizeof(*task), SLAB_ZERO);
	if (!task)
		return -ENOMEM;
	refcount_init(&task->refs, 1);
	task->user = u;
	task->thread = u->thread;
	task->pid_nr = u->pid_nr;
	task->rescue.run = rescue;
	task->rescue.as = u;
	task->orphan_rescue.fn = rescue_orphan;
	waitq_init(&task->idle);
	list_init(&task->rings);
	fdtable_get(u->files);
	task->files = u->files;
	*out = u->ring_task = task;
	return 0;
}

void ring_task_count(struct ring_task *task, int by)
{
	uint32_t was = atomic_fetch_add(&task->nr_requests, (uint32_t)by);

	if (was + (uint32_t)by)
		return;
	atomic_fence(); /* the count, then the look for who waits; pairs with waitq's */
	if (UNLIKELY(waitq_has_waiters(&task->idle)))
		waitq_wake_all(&task->idle, 0);
	if (UNLIKELY(ring_task_is_orphan(task)))
		ring_task_bury(task);
}

void ring_task_uncount(struct ring_task *task)
{
	refcount_get(&task->refs); /* its thread may end as soon as the last one is gone */
	ring_task_count(task, -1);
	ring_task_put(task);
}

/* The owner itself takes many at once, and gives back to what it has taken: no two CPUs meet there. */
void ring_task_take(struct ring_task *task)
{
	if (UNLIKELY(!task->nr_spare)) {
		ring_task_count(task, TAKE_AT_ONCE);
		task->nr_spare = TAKE_AT_ONCE;
	}
	task->nr_spare--;
}

void ring_task_give_back(struct ring_task *task)
{
	if (LIKELY(!task->is_leaving && task->thread == arch_current())) {
		task->nr_spare++;
		return;
	}
	ring_task_uncount(task);
}

void ring_use_forget(struct ring_use *use)
{
	list_remove(&use->link);
	ring_put(use->ring);
	mem_free(use);
}

void ring_task_add_use(struct ring_task *task, struct ring *ring, struct ring_use *use)
{
	ring_get(ring);
	use->ring = ring;
	list_add_head(&task->rings, &use->link);
	ring_workers_begin(ring);
}

int ring_task_use(struct ring_task *task, struct ring *ring)
{
	struct ring_use *use;

	list_for_each_safe (it, &task->rings, struct ring_use, link) {
		if (it->ring == ring)
			return 0;
		if (READ_ONCE(it->ring->is_dead) && list_is_empty(&it->ring->active))
			ring_use_forget(it);
	}
	use = mem_alloc(sizeof(*use), 0);
	if (!use)
		return -ENOMEM;
	ring_task_add_use(task, ring, use);
	return 0;
}

/* ---- Hooks ---- */

static void set_files(struct uthread *u, struct fdtable *files)
{
	struct ring_task *task = u->ring_task;
	struct fdtable *old = task->files;

	fdtable_get(files);
	task->files = files;
	fdtable_put(old);
}

static void end(struct proc *p)
{
	ring_sqpoll_end(p);
	ring_orphans_end(p);
}

static const struct ring_hooks hooks = {
	.run = run_current, .leave = ring_task_leave, .end = end, .set_files = set_files};

void ring_task_init(void)
{
	wait_hand_over = hand_over;
	ring_hooks = &hooks;
}
