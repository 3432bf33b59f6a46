// SPDX-License-Identifier: MIT
/*
 * IORING_SETUP_SQPOLL: a thread that takes entries out of queues as they come, so that a program
 * submits by writing memory alone.
 *
 *     entries? -> submit        woken requests? -> they go on        each ring in its turn
 *     neither for sq_thread_idle -> IORING_SQ_NEED_WAKEUP, sleep until somebody enters
 *
 * It is a fiber that stays, with what the thread had that made it: descriptors, place in the file
 * tree, credentials. The requests are its own (it has a ring_task), so they and it live as long as the
 * process, whichever thread ends. Woken ones are on the ring's list (task.c), and nobody else looks
 * there. IORING_SETUP_ATTACH_WQ: rings of a process may share one; each has a seat.
 *
 *     setup -> joining -> seats -> the ring's file is gone, and its requests are -> no seat
 *     no seat left, or the end of the process -> what is in flight is cancelled, over
 *
 * It blocks all signals: one that it sends to itself (SIGPIPE) goes nowhere, as on Linux. Its maker's mask is kept
 * for the programs that it starts (saved_sigmask).
 *
 * Filters of system calls hold for it as for its maker, and when that has ended as for those who are left
 * (security/seccomp.c).
 *
 * Locks   ring->lock for each turn; all_lock [g]: who there is; s->lock [s], within it: who comes, is it over
 * Spec    man 2 io_uring_setup; Linux: ring_sqpoll.*
 */
#include "fs/vfs/fdtable.h"
#include "lib/atomic.h"
#include "lib/cpumask.h"
#include "mm/slab.h"
#include "proc/cred.h"
#include "proc/proc.h"
#include "proc/ring_work.h"
#include "ring/tables.h"
#include "sched/sched.h"
#include "security/seccomp.h"
#include "time/clock.h"

enum {
	IDLE_MS_DEFAULT = 1000,
	ENTRIES_SHARED = 8, /* of each turn; of a ring alone all: its chains are whole */
	DEAD_LOOK_MS =
		10, /* how often it looks whether a ring whose file is gone can be left */
};

/*
 *   [I] by create, [I*] when it has begun    [a] atomic    [t] the fiber
 */
struct sqpoll {
	refcount refs; /* [a] its fiber, each ring */
	struct fiber_job job;
	struct list_node link;   /* [g] all */
	const struct proc *proc; /* [I] for comparing */
	struct thread *thread;   /* [a] one reference; NULL: has not begun */
	struct uthread *user;    /* [I*] the fiber's */
	struct ring_task *task;  /* [I*] whose requests they are */
	struct spinlock lock;
	struct ring_task *maker; /* [t] one reference, until it has begun */
	struct list joining;     /* [s] seats */
	struct list seats;       /* [t] */
	uint64_t idle_ns;        /* [t] the longest of the seats' */
	int cpu;                 /* [I] -1: any */
	const struct cred *cred; /* [I] one reference: whose thread it is, for RLIMIT_NPROC */
	bool is_stopping;        /* [a] */
	bool is_over;            /* [s] [a] it takes no entries any more */
};

/* One ring's place. */
struct ring_sqpoll {
	struct sqpoll *by;       /* [I] one reference */
	struct ring *ring;       /* [I] one reference, while it is on a list */
	struct list_node link;   /* joining, then seats */
	const struct cred *cred; /* [I] one reference: with which its entries are done */
	struct ring_use *use;    /* [t] on s->task's list while it has a seat; then NULL */
	uint64_t idle_ns;        /* [I] */
};

static struct spinlock all_lock = SPINLOCK_INIT(RANK_RING_THREADS, "ring threads");
static struct list all = LIST_INIT(all); /* [g] those that are not over */

static void put(struct sqpoll *s)
{
	if (!refcount_put(&s->refs))
		return;
	if (s->thread)
		thread_put(s->thread);
	mem_free(s);
}

static void wake(const struct sqpoll *s)
{
	struct thread *t = atomic_load(&s->thread);

	if (t)
		(void)sched_wake(t);
}

/* ---- A turn ---- */

static bool has_entries(const struct ring *ring)
{
	return !(READ_ONCE(ring->flags) & IORING_SETUP_R_DISABLED) &&
	       atomic_load(&ring->shared->sq_tail) != READ_ONCE(ring->sq_head);
}

static bool has_work(const struct sqpoll *s)
{
	if (atomic_load(&s->is_stopping) || !list_is_empty(&s->joining))
		return true;
	list_for_each (seat, &s->seats, struct ring_sqpoll, link) {
		if (!llist_is_empty(&seat->ring->woken) ||
			(has_entries(seat->ring) && !READ_ONCE(seat->ring->is_dead)))
			return true;
	}
	return false;
}

/* Whether there was something to do. */
static bool serve(struct sqpoll *s, struct ring *ring, unsigned nr)
{
	bool did = !llist_is_empty(&ring->woken);

	ring_run_woken(ring);
	if (!has_entries(ring))
		return did;
	mutex_lock(&ring->lock);
	if (!ring->is_dead)
		did |= ring_submit(ring, s->task, nr) > 0;
	ring_unlock(ring);
	waitq_wake_all(&ring->cq_wait, 0); /* who waits for room in the queue (SQ_WAIT, poll) */
	return did;
}

/* The ring's file is gone and so are its requests: nobody will push one to its list. */
static bool can_be_left(struct ring *ring)
{
	bool is_idle;

	if (LIKELY(!READ_ONCE(ring->is_dead)))
		return false;
	mutex_lock(&ring->lock);
	is_idle = !ring->nr_begun && list_is_empty(&ring->drained) &&
		  llist_is_empty(&ring->woken);
	ring_unlock(ring);
	return is_idle;
}

static void leave_seat(struct ring_sqpoll *seat)
{
	list_remove(&seat->link);
	ring_put(seat->ring); /* perhaps the seat's end */
}

static bool take_turn(struct sqpoll *s)
{
	bool is_alone = list_first(&s->seats, struct ring_sqpoll, link) ==
			list_last(&s->seats, struct ring_sqpoll, link);
	bool did = false;

	list_for_each_safe (seat, &s->seats, struct ring_sqpoll, link) {
		did |= serve(s, seat->ring, is_alone ? UINT32_MAX : ENTRIES_SHARED);
		if (can_be_left(seat->ring)) {
			ring_use_forget(seat->use);
			seat->use = NULL;
			leave_seat(seat);
		}
	}
	return did;
}

static void set_need_wakeup(struct sqpoll *s, bool is_needed)
{
	list_for_each (seat, &s->seats, struct ring_sqpoll, link) {
		uint32_t *flags = &seat->ring->shared->sq_flags;

		if (is_needed)
			atomic_or(flags, IORING_SQ_NEED_WAKEUP);
		else
			atomic_and(flags, ~(uint32_t)IORING_SQ_NEED_WAKEUP);
	}
}

static uint64_t next_look(const struct sqpoll *s)
{
	list_for_each (seat, &s->seats, struct ring_sqpoll, link) {
		if (READ_ONCE(seat->ring->is_dead))
			return clock_deadline_ns(DEAD_LOOK_MS * NS_PER_MS);
	}
	return WAIT_FOREVER;
}

/* The time of its end. */
static uint64_t sleep_until_entered(struct sqpoll *s)
{
	set_need_wakeup(s, true);
	for (;;) {
		uint64_t deadline_ns = next_look(s);

		atomic_store(&arch_current()->wait_flags, WAIT_BOUNDED);
		sched_set_blocked(); /* a fence: the flag, then the look; pairs with the program's */
		if (has_work(s)) {
			sched_set_running();
			break;
		}
		wait_switch(deadline_ns);
		if (deadline_ns != WAIT_FOREVER)
			break;
	}
	set_need_wakeup(s, false);
	return clock_monotonic_ns();
}

/* ---- The fiber ---- */

/* Those that joined get their seats. False: nobody has one, and it is over. */
static bool seat_all(struct sqpoll *s)
{
	if (LIKELY(!list_is_empty(&s->seats) && list_is_empty(&s->joining)))
		return true;
	for (;;) {
		struct ring_sqpoll *seat;

		spinlock_lock(&s->lock);
		seat = list_pop_head(&s->joining, struct ring_sqpoll, link);
		if (!seat && list_is_empty(&s->seats))
			atomic_store(&s->is_over, true);
		spinlock_unlock(&s->lock);
		if (!seat)
			break;
		list_add_tail(&s->seats, &seat->link);
		s->idle_ns = MAX(s->idle_ns, seat->idle_ns);
		ring_task_add_use(s->task, seat->ring, seat->use); /* what leave() looks at */
	}
	return !s->is_over;
}

/* The thread that waits for it may end from now on: the job is as the fiber itself. */
static bool begin(struct sqpoll *s)
{
	struct ring_task *maker = s->maker;
	int err = ring_task_get(&s->task);

	s->user = uthread_current();
	s->job.as = s->user;
	thread_get(arch_current());
	s->user->saved_sigmask = maker->user->sigmask;
	seccomp_join(s->user, maker->user);
	atomic_store(&s->thread, arch_current());
	ring_task_end_visit(maker);
	ring_task_put(maker);
	return !err;
}

static void bind(const struct sqpoll *s)
{
	struct cpumask mask;

	if (s->cpu < 0)
		return;
	mask = cpumask_of((unsigned)s->cpu);
	(void)!sched_set_affinity(arch_current(), &mask); /* it is online: check */
}

static void serve_all(struct sqpoll *s)
{
	struct cpumask was = arch_current()->affinity;
	uint64_t last = clock_monotonic_ns();

	bind(s);
	while (seat_all(s) && !atomic_load(&s->is_stopping)) {
		if (take_turn(s))
			last = clock_monotonic_ns();
		else if (clock_monotonic_ns() - last < s->idle_ns)
			sched_yield();
		else
			last = sleep_until_entered(s);
	}
	if (s->cpu >= 0)
		(void)!sched_set_affinity(arch_current(), &was);
}

static void end(struct sqpoll *s)
{
	struct ring_sqpoll *seat;

	list_for_each (it, &s->seats, struct ring_sqpoll, link)
		it->use = NULL; /* leave() forgets it */
	spinlock_lock(&all_lock);
	spinlock_lock(&s->lock);
	atomic_store(&s->is_over, true);
	while ((seat = list_pop_head(&s->joining, struct ring_sqpoll, link)) != NULL)
		list_add_tail(&s->seats, &seat->link);
	spinlock_unlock(&s->lock);
	list_remove(&s->link);
	spinlock_unlock(&all_lock);
	set_need_wakeup(s, true);
	list_for_each (it, &s->seats, struct ring_sqpoll, link)
		waitq_wake_all(&it->ring->cq_wait, 0);
	if (s->task)
		ring_hooks->leave(s->user);
	list_for_each_safe (it, &s->seats, struct ring_sqpoll, link)
		leave_seat(it);
	seccomp_part(s->user);
	cred_uncount_process(s->cred);
	cred_put(s->cred);
	put(s);
}

static void run(struct fiber_job *job)
{
	struct sqpoll *s = container_of(job, struct sqpoll, job);

	if (begin(s))
		serve_all(s);
	end(s);
}

/* ---- Its beginning ---- */

static int choose_cpu(const struct io_uring_params *p, int *cpu)
{
	*cpu = -1;
	if (!(p->flags & IORING_SETUP_SQ_AFF))
		return 0;
	if (p->sq_thread_cpu >= cpu_count())
		return -EINVAL;
	*cpu = (int)p->sq_thread_cpu;
	return 0;
}

static void add_to_all(struct sqpoll *s)
{
	spinlock_lock(&all_lock);
	list_add_tail(&all, &s->link);
	spinlock_unlock(&all_lock);
}

static void remove_from_all(struct sqpoll *s)
{
	spinlock_lock(&all_lock);
	list_remove(&s->link);
	spinlock_unlock(&all_lock);
}

/* A thread of its own, for which the first seat waits. */
static int start(
	struct ring_sqpoll *seat, struct ring_task *maker, const struct io_uring_params *p)
{
	struct sqpoll *s;
	int cpu, err = choose_cpu(p, &cpu);

	if (!err)
		err = cred_count_process(seat->cred);
	if (err)
		return err;
	s = mem_alloc(sizeof(*s), SLAB_ZERO);
	if (!s) {
		cred_uncount_process(seat->cred);
		return -ENOMEM;
	}
	refcount_init(&s->refs, 2);
	spinlock_init(&s->lock, RANK_RING_THREAD, "ring thread");
	list_init(&s->joining);
	list_init(&s->seats);
	s->cpu = cpu;
	cred_get(seat->cred);
	s->cred = seat->cred;
	s->proc = proc_current();
	s->job = (struct fiber_job){.run = run, .as = maker->user};
	refcount_get(&maker->refs);
	s->maker = maker;
	ring_task_visit(maker);
	ring_get(seat->ring);
	list_add_tail(&s->joining, &seat->link);
	seat->by = s;
	add_to_all(s);
	err = fiber_start_beside(&s->job);
	if (!err)
		return 0;
	remove_from_all(s);
	cred_uncount_process(s->cred);
	cred_put(s->cred);
	seat->by = NULL;
	ring_put(seat->ring);
	ring_task_end_visit(maker);
	ring_task_put(maker);
	mem_free(s);
	return err;
}

/* The thread of the ring that is named, with a reference; NULL: of another process. -ENXIO, -EINVAL. */
static int find(const struct io_uring_params *p, struct sqpoll **out)
{
	const struct ring *other;
	struct file *f;
	int err = 0;

	*out = NULL;
	if (!(p->flags & IORING_SETUP_ATTACH_WQ))
		return 0;
	if (fd_get_file(uthread_current()->files, (int)p->wq_fd, false, &f))
		return -ENXIO;
	other = ring_of_file(f);
	if (!other || !other->sqpoll) {
		err = -EINVAL;
	} else if (other->sqpoll->by->proc == proc_current()) {
		*out = other->sqpoll->by;
		refcount_get(&(*out)->refs);
	}
	file_put(f);
	return err;
}

static int join(struct ring_sqpoll *seat, struct sqpoll *s)
{
	int err = 0;

	seat->by = s;
	spinlock_lock(&s->lock);
	if (s->is_over) {
		err = -ENXIO;
	} else {
		ring_get(seat->ring);
		list_add_tail(&s->joining, &seat->link);
	}
	spinlock_unlock(&s->lock);
	if (!err)
		wake(s);
	return err;
}

/* All that it will need, so that one who joins does not fail when nobody can be told any more. NULL: no memory. */
static struct ring_sqpoll *make_seat(struct ring *ring, uint64_t idle_ns)
{
	struct ring_sqpoll *seat = mem_alloc(sizeof(*seat), SLAB_ZERO);

	if (!seat)
		return NULL;
	seat->use = mem_alloc(sizeof(*seat->use), 0);
	if (!seat->use) {
		mem_free(seat);
		return NULL;
	}
	seat->ring = ring;
	seat->idle_ns = idle_ns;
	seat->cred = cred_current();
	cred_get(seat->cred);
	return seat;
}

int ring_sqpoll_start(
	struct ring *ring, struct ring_task *task, const struct io_uring_params *p)
{
	unsigned ms = p->sq_thread_idle ? p->sq_thread_idle : IDLE_MS_DEFAULT;
	struct ring_sqpoll *seat;
	struct sqpoll *s;
	int err = find(p, &s);

	if (err)
		return err;
	seat = make_seat(ring, ms * NS_PER_MS);
	if (!seat) {
		if (s)
			put(s);
		return -ENOMEM;
	}
	ring->sqpoll = seat;
	err = s ? join(seat, s) : start(seat, task, p);
	if (err)
		ring_sqpoll_fini(ring);
	return err;
}

/* ---- What others ask of it ---- */

void ring_sqpoll_wake(struct ring *ring)
{
	if (ring->sqpoll)
		wake(ring->sqpoll->by);
}

bool ring_sqpoll_is_over(const struct ring *ring)
{
	return atomic_load(&ring->sqpoll->by->is_over);
}

bool ring_sqpoll_is_for(const struct ring *ring, const struct ring_task *task)
{
	return ring->sqpoll->by->task == task;
}

int ring_sqpoll_cpu(const struct ring *ring)
{
	const struct thread *t = ring->sqpoll ? atomic_load(&ring->sqpoll->by->thread) : NULL;

	return t && !ring_sqpoll_is_over(ring) ? (int)READ_ONCE(t->cpu) : -1;
}

const struct cred *ring_sqpoll_get_cred(const struct ring *ring)
{
	const struct cred *c = ring->sqpoll->cred;

	if (c == cred_current())
		return NULL;
	cred_get(c);
	return c;
}

void ring_sqpoll_fini(struct ring *ring)
{
	struct ring_sqpoll *seat = ring->sqpoll;

	ring->sqpoll = NULL;
	if (!seat)
		return;
	if (seat->by)
		put(seat->by);
	cred_put(seat->cred);
	mem_free(seat->use);
	mem_free(seat);
}

void ring_sqpoll_end(const struct proc *p)
{
	spinlock_lock(&all_lock);
	list_for_each (s, &all, struct sqpoll, link) {
		if (s->proc == p) {
			atomic_store(&s->is_stopping, true);
			wake(s);
		}
	}
	spinlock_unlock(&all_lock);
}
