// SPDX-License-Identifier: MIT
/*
 * Fibers: see fiber.h.
 *
 * A fiber waits on nothing but its own word `job`: who takes it off the idle list gives it the job
 * under the lock and then runs it, by a loan or by a wake-up. Idle fibers are used last in, first
 * out, so that those that have not been needed for long stay cold; more than a few end themselves.
 *
 * Who stands in line is taken by a fiber that has ended its job. Where there was no memory for the one that had the
 * place, nobody may end any: then an idle one is looked for, or a worker tries again to make one.
 *
 * Locks   proc->lock [p]
 */
#include "proc/fiber.h"

#include "fs/vfs/fdtable.h"
#include "fs/vfs/path.h"
#include "irq/work.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/vmspace.h"
#include "proc/proc_priv.h"
#include "proc/ring_work.h"
#include "proc/signal_priv.h"
#include "sched/loan.h"
#include "sched/sched.h"
#include "time/clock.h"
#include "time/timer.h"

enum {
	FIBERS_MAX = 256, /* of one process, less those beside: more jobs than that wait */
	IDLE_MAX = 8,
};

#define AGAIN_NS (10 * NS_PER_MS) /* when there was no memory */

/*
 *   [I] immutable    [p] proc->lock    [t] the fiber
 */
struct fiber {
	struct thread *thread; /* [I] */
	struct uthread *user;  /* [I] its disguise: thread->user */
	struct list_node link; /* [p] proc->idle_fibers */
	struct fiber_job *job; /* [p] read without: NULL, nothing to do */
	enum fiber_kind kind;  /* [p] of the job, whose memory may be gone */
	bool is_beside;        /* [p] by its job it is one of proc->nr_fibers_beside */
	bool is_over;          /* [p] no job will come */
};

/* ---- A job ---- */

/* The fiber takes on who it works for. The owner's fields may change under proc->lock only. */
static void put_on(struct uthread *u, const struct fiber_job *job)
{
	struct uthread *as = job->as;

	irqlock_lock(&as->proc->lock);
	u->files = as->files;
	fdtable_get(u->files);
	u->fs = as->fs;
	fs_context_get(u->fs);
	irqlock_unlock(&as->proc->lock);
	cred_set_own(u, job->cred ? job->cred : cred_get_of(as->thread));
	u->tid_nr = as->tid_nr;
	u->pid_nr = as->pid_nr;
	u->as = as;
	u->ipc_ns = as->ipc_ns;
	u->no_new_privs = as->no_new_privs;
	u->personality = as->personality;
	u->timer_slack_ns = as->timer_slack_ns;
}

void fiber_drop_cred(struct fiber_job *job)
{
	struct uthread *u = uthread_current();

	if (LIKELY(!job->cred))
		return;
	cred_set_own(u, cred_get_of(job->as->thread));
	cred_put(job->cred);
	job->cred = NULL;
}

static void take_off(struct uthread *u)
{
	struct fdtable *files = u->files;
	struct fs_context *fs = u->fs;
	const struct cred *cred = u->cred;

	u->as = NULL;
	cred_set_own(u, &cred_root);
	u->files = NULL;
	u->fs = NULL;
	cred_put(cred);
	fs_context_put(fs);
	fdtable_put(files);
}

static void work(struct fiber *f, struct fiber_job *job)
{
	put_on(f->user, job);
	job->run(job); /* which may be the end of the job's memory */
	take_off(f->user);
	atomic_and(&f->thread->flags, ~(uint32_t)(THREAD_SIGNAL | THREAD_KILLED));
}

/* ---- The life of a fiber ---- */

/* How many have the jobs for which others stand in line: at most FIBERS_MAX. */
static unsigned nr_in_line(const struct proc *p)
{
	return p->nr_fibers - p->nr_fibers_beside;
}

static void set_beside(struct fiber *f, struct proc *p, bool is_beside)
{
	p->nr_fibers_beside += (unsigned)is_beside - (unsigned)f->is_beside;
	f->is_beside = is_beside;
}

static bool has_room(const struct proc *p, enum fiber_kind kind)
{
	const struct fiber_line *line = &p->fiber_lines[kind];

	return !line->max || line->nr < line->max;
}

static void stand_in_line(struct proc *p, struct fiber_job *job)
{
	struct fiber_line *line = &p->fiber_lines[job->kind];

	job->turn = p->fiber_turn++;
	list_add_tail(&line->jobs, &job->link);
	line->nr_waiting++;
}

static void leave_line(struct proc *p, struct fiber_job *job)
{
	list_remove(&job->link);
	p->fiber_lines[job->kind].nr_waiting--;
}

/* The one that waits longest of those that may begin. NULL: none. */
static struct fiber_job *find_next_job(const struct proc *p)
{
	struct fiber_job *next = NULL;

	for (unsigned kind = 0; kind < FIBER_KINDS; kind++) {
		struct fiber_job *job =
			list_first(&p->fiber_lines[kind].jobs, struct fiber_job, link);

		if (job && has_room(p, kind) && (!next || job->turn < next->turn))
			next = job;
	}
	return next;
}

static struct fiber_job *next_job(struct proc *p)
{
	struct fiber_job *job = find_next_job(p);

	if (job)
		leave_line(p, job);
	return job;
}

/* The fiber has the job, or NULL. */
static void give_job(struct proc *p, struct fiber *f, struct fiber_job *job)
{
	f->job = job;
	if (!job)
		return;
	f->kind = job->kind;
	job->fiber = f;
	p->fiber_lines[job->kind].nr++;
}

/* The job ends here for who wants to interrupt it. What comes next: a waiting job, idleness, or the end. */
static void be_idle(struct fiber *f, struct proc *p)
{
	irqlock_lock(&p->lock);
	p->fiber_lines[f->kind].nr--;
	if (nr_in_line(p) < FIBERS_MAX)
		set_beside(f, p, false);
	give_job(p, f, f->is_beside ? NULL : next_job(p));
	if (f->job) {
		assert(!f->is_beside);
	} else if (f->is_beside || p->are_fibers_ending || p->nr_idle_fibers >= IDLE_MAX) {
		f->is_over = true;
		set_beside(f, p, true); /* a new one may take its place */
	} else {
		list_add_head(&p->idle_fibers, &f->link);
		p->nr_idle_fibers++;
	}
	irqlock_unlock(&p->lock);
}

/*
 * `owes`: it had a lender when it became idle. Until that one is repaid no other lender gives it a job; one that it
 * has already it took from the line, or was woken for. A lender that comes with a job is the next one.
 */
static void wait_for_job(struct fiber *f, bool owes)
{
	atomic_store(&f->thread->wait_flags, WAIT_BOUNDED);
	for (;;) {
		sched_set_blocked();
		if (READ_ONCE(f->job) || READ_ONCE(f->is_over))
			break;
		if (owes)
			sched_repay();
		else
			sched_await_loan();
		owes = false;
	}
	sched_set_running();
	if (owes)
		sched_end_loan();
}

static void end(struct fiber *f, struct proc *p)
{
	vmspace_use(NULL);
	irqlock_lock(&p->lock);
	set_beside(f, p, false);
	p->nr_fibers--;
	irqlock_unlock(&p->lock);
	waitq_wake_all(&p->threads_gone, 0);
	thread_put(f->thread); /* the creator's reference */
	mem_free(f);
}

static void fiber_main(void *arg)
{
	struct fiber *f = arg;
	struct proc *p = f->user->proc;

	while (!f->is_over) {
		bool owes;

		if (LIKELY(f->job))
			work(f, f->job);
		owes = f->thread->lender != NULL;
		be_idle(f, p);
		wait_for_job(f, owes);
	}
	end(f, p);
}

static void release(struct thread *t)
{
	struct uthread *u = t->user;

	proc_put(u->proc);
	uthread_free(u);
}

/* Its name is that of the thread for which it was made. */
static int create(struct proc *p, const char *comm, struct fiber_job *job, struct fiber **out)
{
	struct fiber *f = mem_alloc(sizeof(*f), SLAB_ZERO);
	int err;

	if (!f)
		return -ENOMEM;
	err = uthread_create(&f->user);
	if (err)
		goto free_fiber;
	err = thread_create(&f->thread, "fiber", fiber_main, f);
	if (err)
		goto free_uthread;
	memcpy(f->user->comm, comm, sizeof(f->user->comm));
	f->user->thread = f->thread;
	f->user->sigmask = ~0ull;
	cred_set_own(f->user, &cred_root);
	proc_get(p);
	f->user->proc = p;
	f->thread->user = f->user;
	f->thread->release = release;
	f->thread->vm = p->vm;
	f->job = job;
	f->kind = job ? job->kind : FIBER_UNLIMITED;
	*out = f;
	return 0;

free_uthread:
	uthread_free(f->user);
free_fiber:
	mem_free(f);
	return err;
}

/* ---- Starting jobs ---- */

enum how { FOUND_IDLE, MAY_CREATE, HAS_QUEUED, IS_FULL };
enum kind { LENT, WOKEN, BESIDE };

/*
 * For a lender one that owes the CPU to nobody: a second lender would take the place of the first, which is then never
 * repaid. Else any: one that owes has given up its last job, and would not look at the lines again before it sleeps.
 */
static struct fiber *take_idle(struct proc *p, enum kind kind)
{
	list_for_each (f, &p->idle_fibers, struct fiber, link) {
		if (UNLIKELY(kind == LENT && atomic_load(&f->thread->lender)))
			continue;
		list_remove(&f->link);
		p->nr_idle_fibers--;
		return f;
	}
	return NULL;
}

/* Before it has the job, or anybody can find it by that. Its thread, with a reference. */
static struct thread *begin(struct fiber *f, enum kind kind)
{
	struct thread *t = f->thread;

	thread_get(t);
	if (kind == LENT)
		sched_begin_loan(t);
	f->is_beside = kind == BESIDE;
	return t;
}

/*
 * Takes an idle fiber, or a place for a new one, or a place in the line, where nobody lends the CPU. The fiber may be
 * awake still: it does the job at once, and its process may end. What remains then is its thread, of which we give a
 * reference.
 */
static enum how find(struct proc *p, struct fiber_job *job, enum kind kind, struct thread **out)
{
	enum how how = FOUND_IDLE;
	struct fiber *f = NULL;
	bool may_begin;

	irqlock_lock(&p->lock);
	may_begin = kind == BESIDE || has_room(p, job->kind);
	p->nr_fibers_beside += kind == BESIDE;
	if (may_begin)
		f = take_idle(p, kind);
	if (f) {
		*out = begin(f, kind);
		give_job(p, f, job);
	} else if (kind == BESIDE || (may_begin && nr_in_line(p) < FIBERS_MAX)) {
		p->nr_fibers++;
		p->fiber_lines[job->kind].nr++;
		how = MAY_CREATE;
	} else if (kind == LENT) {
		how = IS_FULL;
	} else {
		stand_in_line(p, job);
		how = HAS_QUEUED;
	}
	job->fiber = f;
	irqlock_unlock(&p->lock);
	return how;
}

static struct llist stuck; /* [a] processes, each with a reference */
static void go_on_with_stuck(struct work *w);
static struct work going_on = WORK_INIT(go_on_with_stuck);

/*
 * A place has become free, and no fiber will look at the lines because of it: an idle one is given what may begin now.
 * The thread of that one, with a reference. Without one it is tried later to make one.
 */
static struct thread *serve_lines(struct proc *p)
{
	struct fiber *f;
	struct thread *t;

	if (!find_next_job(p))
		return NULL;
	f = take_idle(p, WOKEN);
	if (f) {
		t = begin(f, WOKEN);
		give_job(p, f, next_job(p));
		return t;
	}
	if (!p->is_stuck) {
		p->is_stuck = true;
		proc_get(p);
		llist_push(&stuck, &p->stuck_link);
	}
	return NULL;
}

/*
 * A new fiber did not come. The job does not wait for one of those that are there: they may wait for what
 * it is to do, or stay for ever (a ring's submission thread). But others that stand in line do because of its place.
 */
static void give_up_place(struct proc *p, enum fiber_kind job_kind, enum kind kind)
{
	struct thread *t;

	irqlock_lock(&p->lock);
	p->nr_fibers_beside -= kind == BESIDE;
	p->fiber_lines[job_kind].nr--;
	p->nr_fibers--;
	t = serve_lines(p);
	irqlock_unlock(&p->lock);
	waitq_wake_all(&p->threads_gone, 0);
	if (t) {
		(void)sched_wake(t);
		thread_put(t);
	} else if (!llist_is_empty(&stuck)) {
		(void)work_queue(&going_on);
	}
}

static int create_for(struct fiber_job *job, enum kind kind, struct thread **out)
{
	struct proc *p = job->as->proc;
	struct fiber *f;
	int err = create(p, job->as->comm, job, &f);

	if (err) {
		give_up_place(p, job->kind, kind);
		return err;
	}
	*out = begin(f, kind);
	irqlock_lock(&p->lock);
	job->fiber = f;
	irqlock_unlock(&p->lock);
	return 0;
}

static int start(struct fiber_job *job, enum kind kind)
{
	struct thread *t;
	enum how how = find(job->as->proc, job, kind, &t);

	if (how == HAS_QUEUED)
		return 0;
	if (how == IS_FULL)
		return -EBUSY;
	if (how == MAY_CREATE) {
		int err = create_for(job, kind, &t);

		if (err)
			return err;
	}
	if (kind == LENT)
		sched_lend(t);
	else
		(void)sched_wake(t);
	thread_put(t);
	return 0;
}

int fiber_lend(struct fiber_job *job)
{
	return start(job, LENT);
}

int fiber_start(struct fiber_job *job)
{
	return start(job, WOKEN);
}

int fiber_start_beside(struct fiber_job *job)
{
	return start(job, BESIDE);
}

bool fiber_interrupt(struct fiber_job *job, bool is_kill)
{
	struct proc *p = job->as->proc;
	struct fiber *f;

	irqlock_lock(&p->lock);
	f = job->fiber;
	if (!f)
		leave_line(p, job);
	else if (is_kill)
		thread_kill(f->thread);
	else
		signal_prod(f->thread);
	irqlock_unlock(&p->lock);
	return !f;
}

/* ---- Limits ---- */

unsigned fiber_limit(enum fiber_kind kind)
{
	return READ_ONCE(proc_current()->fiber_lines[kind].max);
}

/*
 * A new fiber, without a job, as if it had ended one: it takes one from the lines. False: none may begin, or there is no
 * memory, or no place.
 */
static bool add_fiber(struct proc *p)
{
	const struct fiber_job *job;
	char comm[sizeof(((struct uthread *)0)->comm)];
	struct fiber *f;
	bool has_place;

	irqlock_lock(&p->lock);
	job = find_next_job(p);
	has_place = job && nr_in_line(p) < FIBERS_MAX;
	p->nr_fibers += has_place;
	p->fiber_lines[FIBER_UNLIMITED].nr += has_place;
	if (has_place)
		memcpy(comm, job->as->comm, sizeof(comm));
	irqlock_unlock(&p->lock);
	if (!has_place)
		return false;
	if (create(p, comm, NULL, &f)) {
		give_up_place(p, FIBER_UNLIMITED, WOKEN);
		return false;
	}
	(void)sched_wake(f->thread);
	return true;
}

void fiber_set_limit(enum fiber_kind kind, unsigned max)
{
	struct uthread *u = uthread_current();
	struct fiber_line *line = &u->proc->fiber_lines[kind];
	unsigned nr_waiting;

	irqlock_lock(&u->proc->lock);
	nr_waiting = max > line->max ? MIN(line->nr_waiting, max - line->max) : 0;
	line->max = max;
	irqlock_unlock(&u->proc->lock);
	while (nr_waiting-- && add_fiber(u->proc))
		;
}

/* On a worker: after a while there may be memory. If there is none they are back on the list. */
static void go_on_with_stuck(struct work *w UNUSED)
{
	(void)!sleep_ns(AGAIN_NS);
	llist_for_each_safe(p, llist_take_all(&stuck), struct proc, stuck_link)
	{
		irqlock_lock(&p->lock);
		p->is_stuck = false;
		irqlock_unlock(&p->lock);
		(void)add_fiber(p);
		proc_put(p);
	}
}

/* ---- The end ---- */

static bool are_gone(struct proc *p)
{
	return READ_ONCE(p->nr_fibers) == 0;
}

void fibers_end(struct proc *p)
{
	p->fiber_lines[FIBER_BOUNDED].max = p->fiber_lines[FIBER_UNBOUNDED].max = 0;
	if (LIKELY(are_gone(p) && list_is_empty(&p->ring_orphans)))
		return;
	if (ring_hooks)
		ring_hooks->end(p);
	irqlock_lock(&p->lock);
	p->are_fibers_ending = true;
	for (;;) {
		struct fiber *f = list_pop_head(&p->idle_fibers, struct fiber, link);

		if (!f)
			break;
		p->nr_idle_fibers--;
		f->is_over = true;
		(void)sched_wake(f->thread);
	}
	irqlock_unlock(&p->lock);
	(void)!WAIT_EVENT(&p->threads_gone, WAIT_BOUNDED, WAIT_FOREVER, are_gone(p));
	p->are_fibers_ending = false; /* exec: the new program may have some */
}

bool fiber_is_current(void)
{
	struct thread *t = arch_current();

	return t->release == release;
}

unsigned fiber_count(struct proc *p)
{
	return READ_ONCE(p->nr_fibers);
}
