// SPDX-License-Identifier: MIT
/*
 * io_uring_enter: submits, and waits for completions.
 *
 * Who waits sees to the woken requests itself, and sleeps until there are as many completions as it
 * wants: a completion wakes it only then (waiter_wake), so that a batch costs one switch.
 *
 * Spec    man 2 io_uring_enter
 */
#include <linux/fcntl.h>

#include "fs/vfs/fdtable.h"
#include "lib/atomic.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "ring/tables.h"
#include "sched/sched.h"
#include "sys/sigmask.h"
#include "sys/syscall.h"
#include "time/clock.h"
#include "uaccess/uaccess.h"

/* ---- Waiting ---- */

struct ring_waiter {
	struct waiter waiter;
	struct thread *thread;
	struct ring *ring;
	uint32_t target;   /* of ring->cq_tail */
	uint32_t timeouts; /* ring->nr_timeouts as the wait began: the next one ends it */
};

/* Nobody takes its entries any more: there may be no further completion. */
static bool is_orphan(const struct ring *ring)
{
	return ring->sqpoll && ring_sqpoll_is_over(ring);
}

/* man 2 io_uring_enter, IORING_OP_TIMEOUT: one that runs out ends a wait for more completions. */
static bool has_run_out(const struct ring_waiter *w)
{
	return READ_ONCE(w->ring->nr_timeouts) != w->timeouts;
}

static bool is_reached(const struct ring_waiter *w)
{
	return has_run_out(w) || (int32_t)(READ_ONCE(w->ring->cq_tail) - w->target) >= 0 ||
	       !list_is_empty(&w->ring->overflow) || is_orphan(w->ring);
}

static bool waiter_wake(struct waiter *w, uint64_t key UNUSED)
{
	struct ring_waiter *rw = container_of(w, struct ring_waiter, waiter);

	if (!is_reached(rw))
		return false;
	(void)sched_wake(rw->thread);
	return true;
}

/* One sleep: until the target, the time, a signal, or work to do. */
static int sleep_once(struct ring_task *task, struct ring_waiter *w, uint64_t deadline_ns)
{
	int err = 0;

	waitq_add(&w->ring->cq_wait, &w->waiter);
	atomic_store(&arch_current()->wait_flags, WAIT_SIGNAL);
	sched_set_blocked();
	if (wait_is_interrupted(WAIT_SIGNAL))
		err = -EINTR;
	if (err || is_reached(w) || ring_task_has_work(task, w->ring))
		sched_set_running();
	else
		wait_switch(deadline_ns);
	waitq_remove(&w->ring->cq_wait, &w->waiter);
	if (!err && deadline_ns != WAIT_FOREVER && clock_monotonic_ns() >= deadline_ns)
		err = -ETIME;
	return err;
}

/*
 * Lets woken requests go on, and says whether nr completions are there, or as many as there is room for: of
 * two sizes (IORING_SETUP_CQE_MIXED), that may be one less than the queue has places.
 */
static bool are_there(struct ring_task *task, struct ring *ring, unsigned nr)
{
	ring_task_run(task, ring);
	if (UNLIKELY(!list_is_empty(&ring->overflow))) {
		mutex_lock(&ring->lock);
		ring_flush_overflow(ring);
		ring_unlock(ring);
	}
	return ring_nr_ready(ring) >= nr || !list_is_empty(&ring->overflow);
}

/* Whether nothing is to be done, not even to say that nothing is (IORING_SQ_TASKRUN). */
static bool is_all_there(struct ring_task *task, struct ring *ring, unsigned nr)
{
	return ring_nr_ready(ring) >= nr && list_is_empty(&ring->overflow) &&
	       !(ring->flags & IORING_SETUP_TASKRUN_FLAG) && !ring_task_has_work(task, ring);
}

/* Why it ended before all were there: -EINTR, -ETIME, -EOWNERDEAD. */
static int wait_for(
	struct ring_task *task, struct ring *ring, unsigned nr, uint64_t deadline_ns)
{
	struct ring_waiter w = {
		.waiter = {.wake = waiter_wake}, .thread = arch_current(), .ring = ring};
	int err = 0;

	ring_task_begin_wait(task, ring);
	w.timeouts = READ_ONCE(ring->nr_timeouts);
	while (!are_there(task, ring, nr) && !has_run_out(&w) && !err) {
		w.target = atomic_load_relaxed(&ring->shared->cq_head) + nr;
		err = is_orphan(ring) ? -EOWNERDEAD : sleep_once(task, &w, deadline_ns);
	}
	ring_task_end_wait(task, ring);
	return err;
}

/* ---- What to wait for ---- */

struct wait_args {
	uint64_t deadline_ns, min_deadline_ns; /* WAIT_FOREVER: none */
	uptr sigmask;
	size_t sigmask_size;
};

/* Linux: any numbers, which are added; what has passed already is over at once. */
static uint64_t wait_ns(const struct __kernel_timespec *t)
{
	int64_t ns;

	if (__builtin_mul_overflow(t->tv_sec, (int64_t)NS_PER_SEC, &ns) ||
		__builtin_add_overflow(ns, t->tv_nsec, &ns))
		return t->tv_sec < 0 ? 0 : WAIT_FOREVER;
	return (uint64_t)MAX(ns, 0);
}

/* The null pointer means for ever. -EFAULT. */
static int read_wait_ns(uptr at, uint64_t *ns)
{
	struct __kernel_timespec t;

	*ns = WAIT_FOREVER;
	if (uptr_is_null(at))
		return 0;
	if (user_get(t, at))
		return -EFAULT;
	*ns = wait_ns(&t);
	return 0;
}

static int set_times(struct wait_args *w, unsigned flags, uint64_t ns, uint32_t min_usec)
{
	if (ns != WAIT_FOREVER)
		w->deadline_ns = flags & IORING_ENTER_ABS_TIMER ? ns : clock_deadline_ns(ns);
	if (min_usec)
		w->min_deadline_ns = clock_deadline_ns((uint64_t)min_usec * NS_PER_US);
	return 0;
}

/* IORING_ENTER_EXT_ARG_REG: what is to be waited for stands in registered memory. */
static int read_registered_args(
	struct wait_args *w, struct ring *ring, unsigned flags, uptr arg, size_t size)
{
	struct io_uring_reg_wait a;
	uint64_t ns = WAIT_FOREVER;
	int err = size != sizeof(a) ? -EINVAL : ring_region_get_wait(ring, arg.addr, &a);

	if (!err && a.flags & ~(uint32_t)IORING_REG_WAIT_TS)
		err = -EINVAL;
	if (err)
		return err;
	if (a.flags & IORING_REG_WAIT_TS)
		ns = wait_ns(&a.ts);
	w->sigmask = UPTR(a.sigmask);
	w->sigmask_size = a.sigmask_sz;
	return set_times(w, flags, ns, a.min_wait_usec);
}

static int read_args(
	struct wait_args *w, struct ring *ring, unsigned flags, uptr arg, size_t size)
{
	struct ring_getevents_arg a;
	uint64_t ns;
	int err;

	*w = (struct wait_args){.deadline_ns = WAIT_FOREVER, .min_deadline_ns = WAIT_FOREVER};
	if (!(flags & IORING_ENTER_EXT_ARG)) {
		w->sigmask = arg;
		w->sigmask_size = size;
		return 0;
	}
	if (flags & IORING_ENTER_EXT_ARG_REG)
		return read_registered_args(w, ring, flags, arg, size);
	if (size != sizeof(a))
		return -EINVAL;
	if (user_get(a, arg))
		return -EFAULT;
	w->sigmask = UPTR(a.sigmask);
	w->sigmask_size = a.sigmask_sz;
	err = read_wait_ns(UPTR(a.ts), &ns);
	return err ? err : set_times(w, flags, ns, a.min_wait_usec);
}

/* With a minimal time: all that were asked for until then, and one from then on. */
static int wait_with(
	struct ring_task *task, struct ring *ring, unsigned nr, const struct wait_args *w)
{
	int err = -ETIME;

	if (w->min_deadline_ns != WAIT_FOREVER && nr > 1) {
		err = wait_for(task, ring, nr, MIN(w->min_deadline_ns, w->deadline_ns));
		if (err != -ETIME || w->deadline_ns <= w->min_deadline_ns)
			return err;
		nr = 1;
	}
	return wait_for(task, ring, nr, w->deadline_ns);
}

/* With arguments that say how long and under which signals, or too few completions. */
static NOINLINE int64_t wait_for_events(struct ring_task *task, struct ring *ring, unsigned nr,
	unsigned flags, uptr arg, size_t size)
{
	struct wait_args w;
	int err = read_args(&w, ring, flags, arg, size);
	if (!err)
		err = sigmask_use(w.sigmask, w.sigmask_size);
	if (err)
		return err;
	nr = MIN(nr, ring->q.cq_entries);
	if (!is_all_there(task, ring, nr))
		err = wait_with(task, ring, nr, &w);
	sigmask_end(err == -EINTR);
	return ring_nr_ready(ring) ? 0 : err;
}

static inline int64_t get_events(struct ring_task *task, struct ring *ring, unsigned nr,
	unsigned flags, uptr arg, size_t size)
{
	if (LIKELY(!(flags & IORING_ENTER_EXT_ARG) && uptr_is_null(arg) &&
		    is_all_there(task, ring, nr)))
		return 0;
	return wait_for_events(task, ring, nr, flags, arg, size);
}

/* ---- The call ---- */

static int find_ring(struct ring_task *task, unsigned fd, unsigned flags, struct file **out)
{
	if (!(flags & IORING_ENTER_REGISTERED_RING))
		return fd_get_file(uthread_current()->files, (int)fd, false, out);
	if (fd >= RING_FDS)
		return -EINVAL;
	*out = task->fds[fd];
	if (!*out)
		return -EBADF;
	file_get(*out);
	return 0;
}

static int64_t submit(struct ring_task *task, struct ring *ring, unsigned nr)
{
	int64_t n;

	if (UNLIKELY(ring->owner && ring->owner != task))
		return -EEXIST;
	n = ring_task_use(task, ring);
	if (n)
		return n;
	mutex_lock(&ring->lock);
	n = ring_submit(ring, task, nr);
	ring_unlock(ring);
	return n;
}

/* By the head that the program sees: it moves later than our own. */
static bool has_room(const struct ring *ring)
{
	const struct ring_shared *s = ring->shared;

	return atomic_load(&s->sq_tail) - atomic_load(&s->sq_head) < ring->q.sq_entries;
}

/* With a submission thread: wakes it, waits for room; it takes the entries by itself. */
static NOINLINE int64_t let_submit(struct ring *ring, unsigned nr, unsigned flags)
{
	if (ring_sqpoll_is_over(ring))
		return -EOWNERDEAD;
	if (flags & IORING_ENTER_SQ_WAKEUP)
		ring_sqpoll_wake(ring);
	if (flags & IORING_ENTER_SQ_WAIT &&
		WAIT_EVENT(&ring->cq_wait, WAIT_SIGNAL, WAIT_FOREVER,
			has_room(ring) || ring_sqpoll_is_over(ring)))
		return -EINTR;
	return nr;
}

static int64_t enter(struct ring_task *task, struct ring *ring, unsigned to_submit,
	unsigned min, unsigned flags, uptr arg, size_t size)
{
	int64_t n = 0, events;

	if (READ_ONCE(ring->flags) & IORING_SETUP_R_DISABLED)
		return -EBADFD;
	if (ring->sqpoll) {
		n = let_submit(ring, to_submit, flags);
		if (n < 0)
			return n;
	} else if (to_submit) {
		n = submit(task, ring, to_submit);
		if (n != to_submit)
			return n;
	}
	if (!(flags & IORING_ENTER_GETEVENTS))
		return n;
	if (ring->flags & IORING_SETUP_DEFER_TASKRUN && ring->owner != task)
		return n ? n : -EEXIST;
	events = get_events(task, ring, min, flags, arg, size);
	return n ? n : events;
}

SYSCALL6(io_uring_enter, unsigned, fd, unsigned, to_submit, unsigned, min_complete, unsigned,
	flags, uptr, arg, size_t, size)
{
	struct ring_task *task;
	struct ring *ring;
	struct file *f;
	int64_t n;

	if (flags & ~(unsigned)RING_ENTER_FLAGS)
		return -EINVAL;
	n = ring_task_get(&task);
	if (!n)
		n = find_ring(task, fd, flags, &f);
	if (n)
		return n;
	ring = ring_of_file(f);
	n = ring ? enter(task, ring, to_submit, min_complete, flags, arg, size) : -EOPNOTSUPP;
	file_put(f);
	return n;
}
