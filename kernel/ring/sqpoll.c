// SPDX-License-Identifier: MIT
/*
 * IORING_SETUP_SQPOLL: a thread that takes entries out of the queue as they come, so that a program
 * submits by writing memory alone.
 *
 *     entries? -> submit        woken requests? -> they go on
 *     neither for sq_thread_idle -> IORING_SQ_NEED_WAKEUP, sleep until somebody enters
 *
 * It is a fiber of the process that made the ring, which works for the thread that did: the requests
 * are that thread's, with its descriptors and credentials, and end with it. Woken ones are on the
 * ring's own list (task.c), and nobody else looks there.
 *
 * Locks   ring->lock for each turn
 * Spec    man 2 io_uring_setup
 */
#include "lib/atomic.h"
#include "lib/cpumask.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "ring/tables.h"
#include "sched/sched.h"
#include "time/clock.h"

enum { IDLE_MS_DEFAULT = 1000, ENTRIES_EACH_TURN = 64 };

/*
 *   [I] by create    [a] atomic
 */
struct ring_sqpoll {
	struct fiber_job job;
	struct ring *ring;      /* [I] one reference, until it is over */
	struct ring_task *task; /* [I] likewise; the thread counts as a request of it */
	struct thread *thread;  /* [a] one reference; NULL: does not run yet */
	uint64_t idle_ns;       /* [I] */
	int cpu;                /* [I] -1: any */
	bool is_stopping;       /* [a] */
	bool is_over;           /* [a] it takes no entries any more */
};

/* ---- Its work ---- */

static bool has_entries(const struct ring *ring)
{
	return !(READ_ONCE(ring->flags) & IORING_SETUP_R_DISABLED) &&
	       atomic_load(&ring->shared->sq_tail) != READ_ONCE(ring->sq_head);
}

static bool has_work(const struct ring_sqpoll *s)
{
	return has_entries(s->ring) || !llist_is_empty(&s->ring->woken) ||
	       atomic_load(&s->is_stopping);
}

/* Whether there was something to do. */
static bool take_turn(struct ring_sqpoll *s)
{
	struct ring *ring = s->ring;
	bool did = !llist_is_empty(&ring->woken);

	ring_run_woken(ring);
	if (!has_entries(ring))
		return did;
	mutex_lock(&ring->lock);
	if (!ring->is_dead)
		did |= ring_submit(ring, s->task, ENTRIES_EACH_TURN) > 0;
	ring_unlock(ring);
	waitq_wake_all(&ring->cq_wait, 0); /* who waits for room in the queue (SQ_WAIT, poll) */
	return did;
}

/* The time of its end. */
static uint64_t sleep_until_entered(struct ring_sqpoll *s)
{
	uint32_t *flags = &s->ring->shared->sq_flags;

	atomic_or(flags, IORING_SQ_NEED_WAKEUP);
	atomic_store(&arch_current()->wait_flags, WAIT_BOUNDED);
	for (;;) {
		sched_set_blocked(); /* a fence: the flag, then the look; pairs with the program's */
		if (has_work(s))
			break;
		sched_switch();
	}
	sched_set_running();
	atomic_and(flags, ~(uint32_t)IORING_SQ_NEED_WAKEUP);
	return clock_monotonic_ns();
}

static void bind(const struct ring_sqpoll *s)
{
	struct cpumask mask;

	if (s->cpu < 0)
		return;
	mask = cpumask_of((unsigned)s->cpu);
	(void)!sched_set_affinity(arch_current(), &mask); /* it is online: check */
}

static void run(struct fiber_job *job)
{
	struct ring_sqpoll *s = container_of(job, struct ring_sqpoll, job);
	uint64_t last = clock_monotonic_ns();
	struct ring_task *task = s->task;
	struct ring *ring = s->ring;

	thread_get(arch_current());
	atomic_store(&s->thread, arch_current());
	bind(s);
	while (!atomic_load(&s->is_stopping)) {
		if (take_turn(s))
			last = clock_monotonic_ns();
		else if (clock_monotonic_ns() - last < s->idle_ns)
			sched_yield();
		else
			last = sleep_until_entered(s);
	}
	atomic_store(&s->is_over, true);
	atomic_or(&ring->shared->sq_flags, IORING_SQ_NEED_WAKEUP);
	waitq_wake_all(&ring->cq_wait, 0);
	ring_task_count(task, -1);
	ring_task_put(task);
	ring_put(ring);
}

/* ---- Life ---- */

static int check(const struct io_uring_params *p, int *cpu)
{
	*cpu = -1;
	if (!(p->flags & IORING_SETUP_SQ_AFF))
		return 0;
	if (p->sq_thread_cpu >= cpu_count())
		return -EINVAL;
	*cpu = (int)p->sq_thread_cpu;
	return 0;
}

int ring_sqpoll_start(
	struct ring *ring, struct ring_task *task, const struct io_uring_params *p)
{
	unsigned ms = p->sq_thread_idle ? p->sq_thread_idle : IDLE_MS_DEFAULT;
	struct ring_sqpoll *s;
	int cpu, err = check(p, &cpu);

	if (!err)
		err = ring_task_use(task, ring);
	if (err)
		return err;
	s = mem_alloc(sizeof(*s), SLAB_ZERO);
	if (!s)
		return -ENOMEM;
	s->cpu = cpu;
	s->idle_ns = ms * NS_PER_MS;
	s->job = (struct fiber_job){.run = run, .as = task->user};
	s->ring = ring;
	ring_get(ring);
	s->task = task;
	refcount_get(&task->refs);
	ring_task_count(task, 1);
	ring->sqpoll = s;
	err = fiber_start(&s->job);
	if (!err)
		return 0;
	ring->sqpoll = NULL;
	ring_task_count(task, -1);
	ring_task_put(task);
	ring_put(ring);
	mem_free(s);
	return err;
}

void ring_sqpoll_wake(struct ring *ring)
{
	struct thread *t = ring->sqpoll ? atomic_load(&ring->sqpoll->thread) : NULL;

	if (t)
		(void)sched_wake(t);
}

void ring_sqpoll_stop(struct ring *ring, const struct ring_task *task)
{
	if (!ring->sqpoll || (task && ring->sqpoll->task != task))
		return;
	atomic_store(&ring->sqpoll->is_stopping, true);
	ring_sqpoll_wake(ring);
}

bool ring_sqpoll_is_over(const struct ring *ring)
{
	return atomic_load(&ring->sqpoll->is_over);
}

bool ring_sqpoll_has_left(const struct ring *ring, const struct ring_task *task)
{
	return ring->sqpoll->task == task && ring_sqpoll_is_over(ring);
}

void ring_sqpoll_fini(struct ring *ring)
{
	if (!ring->sqpoll)
		return;
	if (ring->sqpoll->thread)
		thread_put(ring->sqpoll->thread);
	mem_free(ring->sqpoll);
}
