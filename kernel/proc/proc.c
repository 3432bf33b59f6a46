// SPDX-License-Identifier: MIT
/*
 * Processes and the user halves of threads as objects: memory, references, finding them.
 *
 * References to a struct proc: one of the tree, from birth until its parent has waited for it; one of
 * each of its threads, until the last reference to the thread is gone; and whoever holds one for a
 * moment. What a process owns (memory, descriptors, actions) goes when its last thread ends, so
 * a zombie is this structure alone.
 *
 * Locks   proc_tree_lock [T], proc->lock [p]: see proc.h
 */
#include "proc/proc.h"

#include "fs/vfs/fdtable.h"
#include "mm/oom.h"
#include "mm/slab.h"
#include "mm/vmspace.h"
#include "proc/proc_priv.h"
#include "proc/ring_work.h"
#include "sched/sched.h"
#include "security/seccomp.h"
#include "time/clock.h"

bool (*proc_wants_trace)(int pid); /* [I] after start */

static struct slab_cache *proc_cache;    /* [I] */
static struct slab_cache *uthread_cache; /* [I] */

void proc_init(void)
{
	int err = slab_cache_create(&proc_cache, "proc", sizeof(struct proc), 0);

	if (!err)
		err = slab_cache_create(&uthread_cache, "uthread", sizeof(struct uthread), 0);
	if (err)
		panic("proc: no memory for the caches (error %d)", err);
	pid_init();
	rlimit_init();
	oom_init();
}

/* ---- Memory ---- */

int proc_create(struct proc **out)
{
	struct proc *p = slab_alloc(proc_cache, SLAB_ZERO);

	if (!p)
		return -ENOMEM;
	refcount_init(&p->refs, 1);
	irqlock_init(&p->lock, RANK_PROC, "proc");
	list_init(&p->children);
	list_init(&p->threads);
	list_init(&p->idle_fibers);
	list_init(&p->submitters);
	list_init(&p->ring_orphans);
	for (unsigned kind = 0; kind < FIBER_KINDS; kind++)
		list_init(&p->fiber_lines[kind].jobs);
	waitq_init(&p->child_exit);
	waitq_init(&p->vfork_done);
	waitq_init(&p->threads_gone);
	p->start_ns = clock_monotonic_ns();
	*out = p;
	return 0;
}

void proc_discard(struct proc *p)
{
	slab_free(proc_cache, p);
}

void proc_get(struct proc *p)
{
	refcount_get(&p->refs);
}

void proc_put(struct proc *p)
{
	if (!refcount_put(&p->refs))
		return;
	assert(list_is_empty(&p->threads) && list_is_empty(&p->children) && !p->vm);
	if (p->zombie_cred)
		cred_put(p->zombie_cred);
	pid_put(p->pid);
	slab_free(proc_cache, p);
}

int uthread_create(struct uthread **out)
{
	struct uthread *u = slab_alloc(uthread_cache, SLAB_ZERO);

	if (!u)
		return -ENOMEM;
	sigpending_init(&u->pending);
	*out = u;
	return 0;
}

void uthread_free(struct uthread *u)
{
	slab_free(uthread_cache, u);
}

/* The thread has ended, and nobody refers to it any more. */
void uthread_release(struct thread *t)
{
	struct uthread *u = t->user;

	cred_put(u->cred);
	seccomp_release(u);
	proc_put(u->proc);
	uthread_free(u);
}

/* ---- Finding ---- */

struct proc *proc_of_pid_locked(struct pid *p)
{
	return list_first(&p->users[PID_PROCESS], struct proc, pid_link);
}

/* proc_tree_lock is held; pid may be NULL. */
static int get_proc_locked(struct pid *pid, struct proc **out)
{
	*out = pid ? proc_of_pid_locked(pid) : NULL;
	if (!*out)
		return -ESRCH;
	proc_get(*out);
	return 0;
}

int proc_find(int nr, struct proc **out)
{
	int err;

	irqlock_lock(&proc_tree_lock);
	err = get_proc_locked(pid_lookup_locked(nr), out);
	irqlock_unlock(&proc_tree_lock);
	return err;
}

int uthread_find(int tid, struct thread **out)
{
	struct uthread *u = NULL;
	struct pid *pid;

	irqlock_lock(&proc_tree_lock);
	pid = pid_lookup_locked(tid);
	if (pid)
		u = list_first(&pid->users[PID_THREAD], struct uthread, tid_link);
	if (u)
		thread_get(u->thread);
	irqlock_unlock(&proc_tree_lock);
	if (!u)
		return -ESRCH;
	*out = u->thread;
	return 0;
}

int proc_get_by_pid(struct pid *pid, struct proc **out)
{
	int err;

	irqlock_lock(&proc_tree_lock);
	err = get_proc_locked(pid, out);
	irqlock_unlock(&proc_tree_lock);
	return err;
}

int proc_find_by_tid(int tid, struct proc **out)
{
	struct thread *t;
	int err = uthread_find(tid, &t);

	if (err)
		return proc_find(
			tid, out); /* its first thread has ended, others live; or a zombie */
	*out = t->user->proc;
	proc_get(*out);
	thread_put(t);
	return 0;
}

int proc_get_thread(struct proc *p, struct thread **out)
{
	struct uthread *u;

	irqlock_lock(&p->lock);
	u = list_first(&p->threads, struct uthread, proc_link);
	if (u)
		thread_get(u->thread);
	irqlock_unlock(&p->lock);
	if (!u)
		return -ESRCH;
	*out = u->thread;
	return 0;
}

struct fdtable *proc_get_files(struct proc *p)
{
	struct fdtable *files = NULL;

	irqlock_lock(&p->lock);
	list_for_each (u, &p->threads, struct uthread, proc_link) {
		files = u->files;
		if (files) {
			fdtable_get(files);
			break;
		}
	}
	irqlock_unlock(&p->lock);
	return files;
}

const struct cred *proc_get_cred(struct proc *p)
{
	const struct cred *c;
	struct uthread *u;

	irqlock_lock(&p->lock); /* holds preemption off: a reader of RCU too */
	u = list_first(&p->threads, struct uthread, proc_link);
	do {
		c = u ? rcu_load(u->cred) : p->zombie_cred;
	} while (!cred_try_get(c));
	irqlock_unlock(&p->lock);
	return c;
}

struct vmspace *proc_get_vm(struct proc *p)
{
	struct vmspace *vm;

	irqlock_lock(&p->lock);
	vm = p->vm;
	if (vm)
		vmspace_get(vm);
	irqlock_unlock(&p->lock);
	return vm;
}

void proc_for_each(void (*fn)(struct proc *p, void *ctx), void *ctx)
{
	for (int nr = 1;; nr++) {
		struct proc *p = NULL;
		struct pid *pid;

		irqlock_lock(&proc_tree_lock);
		for (pid = pid_next_locked(&nr); pid; nr++, pid = pid_next_locked(&nr)) {
			p = proc_of_pid_locked(pid);
			if (p)
				break;
		}
		if (p)
			proc_get(p);
		irqlock_unlock(&proc_tree_lock);
		if (!p)
			return;
		fn(p, ctx);
		proc_put(p);
	}
}

/* ---- Small changes ---- */

void proc_set_flag(struct proc *p, uint32_t flags, bool on)
{
	irqlock_lock(&p->lock);
	if (on)
		p->flags |= flags;
	else
		p->flags &= ~flags;
	irqlock_unlock(&p->lock);
}

const struct ring_hooks *ring_hooks; /* [I] after start */

void uthread_set_files(struct uthread *u, struct fdtable *files)
{
	struct fdtable *old;

	if (u->ring_task)
		ring_hooks->set_files(u, files);
	irqlock_lock(&u->proc->lock);
	old = u->files;
	u->files = files;
	irqlock_unlock(&u->proc->lock);
	fdtable_put(old);
}

int uthread_unshare_files(struct uthread *u)
{
	uint32_t of_its_own = u->ring_task ? 2 : 1; /* its rings keep one for themselves */
	struct fdtable *own;
	int err;

	if (refcount_read(&u->files->refs) == of_its_own)
		return 0;
	err = fdtable_copy(u->files, &own);
	if (!err)
		uthread_set_files(u, own);
	return err;
}

void proc_enter_group_locked(struct proc *p, struct pid *group)
{
	if (p->group)
		pid_detach_locked(p->group, &p->group_link);
	p->group = group;
	pid_attach_locked(group, PID_GROUP, &p->group_link);
}

void proc_enter_session_locked(struct proc *p, struct pid *session)
{
	if (p->session)
		pid_detach_locked(p->session, &p->session_link);
	p->session = session;
	pid_attach_locked(session, PID_SESSION, &p->session_link);
}

/* ---- Times ---- */

/*
 * The scheduler knows a thread's time exactly, and not how much of it was spent in the kernel:
 * reading the counter at every entry would cost more than most system calls. Interrupts look
 * where they arrive, at least a hundred times a second (time/timer.c), and the time is split as
 * they found it.
 */
void uthread_get_times(struct thread *t, uint64_t *user_ns, uint64_t *system_ns)
{
	uint64_t total = sched_cpu_time_ns(t);
	uint64_t user = READ_ONCE(t->samples[SAMPLE_USER]);
	uint64_t system = READ_ONCE(t->samples[SAMPLE_KERNEL]);

	*system_ns = system ? total / (user + system) * system : 0;
	*user_ns = total - *system_ns;
}

void proc_times_add(struct proc_times *to, const struct proc_times *t)
{
	to->user_ns += t->user_ns;
	to->system_ns += t->system_ns;
	to->min_faults += t->min_faults;
	to->maj_faults += t->maj_faults;
	to->voluntary += t->voluntary;
	to->involuntary += t->involuntary;
	to->max_resident_kib = MAX(to->max_resident_kib, t->max_resident_kib);
	to->io.rchar += t->io.rchar;
	to->io.wchar += t->io.wchar;
	to->io.syscr += t->io.syscr;
	to->io.syscw += t->io.syscw;
}

void uthread_add_times(struct thread *t, struct proc_times *to)
{
	uint64_t user_ns, system_ns, nr_switches = READ_ONCE(t->nr_switches);
	uint64_t nr_preempted = READ_ONCE(t->nr_preempted);

	uthread_get_times(t, &user_ns, &system_ns);
	proc_times_add(to, &(struct proc_times){
				   .user_ns = user_ns,
				   .system_ns = system_ns,
				   .min_faults = t->user->min_faults,
				   .maj_faults = t->user->maj_faults,
				   .involuntary = nr_preempted,
				   .voluntary = nr_switches - MIN(nr_preempted, nr_switches),
				   .io = t->user->io,
			   });
}

/* mm notes the peak when it takes pages away, not at each that comes. */
uint64_t proc_peak_kib(const struct vmspace *vm)
{
	uint64_t now = READ_ONCE(vm->nr_resident), peak = READ_ONCE(vm->peak_resident);

	return MAX(now, peak) * (PAGE_SIZE / KIB);
}

void proc_get_times(struct proc *p, struct proc_times *out)
{
	irqlock_lock(&p->lock);
	*out = p->times;
	list_for_each (u, &p->threads, struct uthread, proc_link)
		uthread_add_times(u->thread, out);
	if (p->vm)
		out->max_resident_kib = MAX(out->max_resident_kib, proc_peak_kib(p->vm));
	irqlock_unlock(&p->lock);
}
