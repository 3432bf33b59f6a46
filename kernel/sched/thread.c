// SPDX-License-Identifier: MIT
/*
 * The life of a thread: creation, start, end, and who frees it.
 *
 *     thread_create -> BLOCKED -> thread_start -> ... -> thread_exit -> DEAD -> thread_put
 *
 * A thread has two references at first: its creator's and its own. Its own is dropped by the
 * thread that runs after it (sched_arrive), because until then the CPU stands on its stack. So
 * whoever drops the last one knows that the stack is free.
 *
 * Freeing may sleep (the stack is unmapped), dropping may not. The last thread_put therefore
 * puts the thread on a list that a worker empties; thread_join, which may sleep, frees at once.
 *
 * Locks   threads_lock [A] (RANK_THREADS) the list of all threads; taken last of the
 * scheduler's.
 */
#include "debug/log.h"
#include "irq/work.h"
#include "irq/ipi.h"
#include "lib/string.h"
#include "mm/kmap.h"
#include "mm/slab.h"
#include "sched/runq_priv.h"

static struct irqlock threads_lock = IRQLOCK_INIT(RANK_THREADS, "threads");
static struct list threads = LIST_INIT(threads); /* [A] */
static unsigned nr_threads;                      /* [A] */
uint64_t thread_max = 1 << 18;                   /* [a] until the size of memory is known */
static uint32_t next_id;                         /* [A] */

static struct slab_cache *thread_cache; /* [I] */
static struct slab_cache *fpu_cache;    /* [I] */
static struct thread boot_thread;

static struct llist dead; /* [a] no reference left, stack left */
static void reap_work_fn(struct work *w);
static struct work reap_work = WORK_INIT(reap_work_fn);

static const struct sched_params default_params = {.policy = SCHED_CLASS_FAIR};

/* ---- Creation ---- */

static void thread_init(struct thread *t, const char *name)
{
	size_t len = MIN(strlen(name), sizeof(t->name) - 1);

	memcpy(t->name, name, len);
	t->name[len] = '\0';
	irqlock_init(&t->lock, RANK_THREAD, "thread");
	waitq_init(&t->exited);
	list_init(&t->held_mutexes);
	cpumask_fill(&t->affinity);
	t->base = default_params;
	thread_apply_params(t, &default_params);
	t->cpu = arch_cpu()->id;
}

/* Makes t known. -EAGAIN if there are too many. */
static int threads_add(struct thread *t)
{
	int err = 0;

	irqlock_lock(&threads_lock);
	if (nr_threads >= READ_ONCE(thread_max)) {
		err = -EAGAIN;
	} else {
		t->id = next_id++;
		nr_threads++;
		list_add_tail(&threads, &t->all_link);
	}
	irqlock_unlock(&threads_lock);
	return err;
}

static void threads_remove(struct thread *t)
{
	irqlock_lock(&threads_lock);
	list_remove(&t->all_link);
	nr_threads--;
	irqlock_unlock(&threads_lock);
}

/* What every thread runs first: the second half of the switch that brought it here. */
static void thread_main(void *arg)
{
	struct thread *t = arg;

	sched_arrive();
	sched_irq_restore(true);
	t->entry(t->arg);
	thread_exit(0);
}

int thread_create(struct thread **out, const char *name, void (*entry)(void *), void *arg)
{
	struct thread *t = slab_alloc(thread_cache, SLAB_ZERO);
	int err;

	if (!t)
		return -ENOMEM;
	err = kstack_alloc(&t->kstack_bottom, &t->kstack_top);
	if (err)
		goto free_thread;
	thread_init(t, name);
	t->entry = entry;
	t->arg = arg;
	t->state = THREAD_BLOCKED; /* its first; from here on thread_set_state() */
	refcount_init(&t->refs, 2);
	arch_context_init(&t->ctx, t->kstack_bottom, t->kstack_top, thread_main, t);
	err = threads_add(t);
	if (err)
		goto free_stack;
	*out = t;
	return 0;

free_stack:
	kstack_free(t->kstack_bottom);
free_thread:
	slab_free(thread_cache, t);
	return err;
}

void thread_start(struct thread *t)
{
	(void)sched_wake(t); /* false: a wake-up from elsewhere has started it already */
}

int thread_spawn(const char *name, void (*entry)(void *), void *arg)
{
	struct thread *t;
	int err = thread_create(&t, name, entry, arg);

	if (err)
		return err;
	thread_start(t);
	thread_put(t);
	return 0;
}

/* ---- The end ---- */

void thread_exit(int status)
{
	struct thread *me = arch_current();

	assert(!(me->flags & THREAD_IDLE));
	if (me->fpu)
		thread_fpu_end();
	me->exit_status = status;
	arch_irq_disable();
	thread_set_state(me, THREAD_DEAD);
	waitq_wake_all(&me->exited, 0);
	sched_leave(LEAVE_DEAD, false);
	panic("sched: dead thread %s runs", me->name);
}

static void thread_free(struct thread *t)
{
	assert(thread_state_get(t) == THREAD_DEAD && !t->fpu);
	threads_remove(t);
	if (t->release)
		t->release(t);
	if (t == &boot_thread)
		return; /* part of the image, like its stack */
	kstack_free(t->kstack_bottom);
	slab_free(thread_cache, t);
}

void thread_discard(struct thread *t)
{
	bool is_mine = thread_claim(t);

	assert(is_mine); /* nobody else knows it well enough to wake it */
	thread_set_state(t, THREAD_DEAD);
	if (t->fpu) {
		slab_free(fpu_cache, t->fpu);
		t->fpu = NULL;
	}
	thread_free(t);
}

void thread_reap(void)
{
	llist_for_each_safe(t, llist_take_all(&dead), struct thread, dead_link) thread_free(t);
}

static void reap_work_fn(struct work *w UNUSED)
{
	thread_reap();
}

void thread_get(struct thread *t)
{
	refcount_get(&t->refs);
}

void thread_put(struct thread *t)
{
	if (refcount_put(&t->refs) && llist_push(&dead, &t->dead_link))
		(void)work_queue(&reap_work); /* already queued is as good */
}

int thread_join(struct thread *t)
{
	int status;

	(void)WAIT_EVENT(&t->exited, WAIT_BOUNDED, WAIT_FOREVER,
		thread_state_get(t) == THREAD_DEAD); /* ends by its condition only */
	status = t->exit_status;
	if (refcount_put(&t->refs))
		thread_free(t);
	return status;
}

void thread_kick(struct thread *t)
{
	/* Whoever moves meanwhile passes through the kernel, and looks at its flags there. */
	if (t != arch_current() && thread_state_get(t) == THREAD_RUNNING)
		ipi_reschedule(READ_ONCE(t->cpu));
}

void thread_kill(struct thread *t)
{
	atomic_or(&t->flags, THREAD_KILLED);
	atomic_fence(); /* the flag before wait_flags: pairs with wait_prepare and wait_sleep */
	if ((atomic_load_relaxed(&t->wait_flags) & WAIT_KILLABLE) && sched_wake(t))
		return;
	thread_kick(t); /* it runs, and will look at the flag */
}

/* ---- Vector state ---- */

int thread_fpu_begin(void)
{
	struct thread *me = arch_current();
	void *area = slab_alloc(fpu_cache, SLAB_ZERO);

	assert(!me->fpu);
	if (!area)
		return -ENOMEM;
	arch_fpu_init(area);
	preempt_disable(); /* the area and the registers appear together */
	me->fpu = area;
	arch_fpu_restore(area);
	preempt_enable();
	return 0;
}

int thread_fpu_create(struct thread *t, bool is_copy)
{
	void *area = slab_alloc(fpu_cache, 0);

	assert(!t->fpu);
	if (!area)
		return -ENOMEM;
	if (is_copy)
		arch_fpu_copy_current(area);
	else
		arch_fpu_init(area);
	t->fpu = area;
	return 0;
}

void thread_fpu_end(void)
{
	struct thread *me = arch_current();
	void *area = me->fpu;

	assert(area);
	WRITE_ONCE(me->fpu, NULL); /* from the next switch on nothing is saved */
	slab_free(fpu_cache, area);
}

/* ---- For reports ---- */

const char *thread_state_name(uint32_t state)
{
	static const char *const names[] = {
		[THREAD_READY] = "ready",
		[THREAD_RUNNING] = "running",
		[THREAD_BLOCKING] = "blocking",
		[THREAD_BLOCKED] = "blocked",
		[THREAD_CHANGING] = "changing",
		[THREAD_DEAD] = "dead",
	};

	return state < ARRAY_LEN(names) ? names[state] : "?";
}

void thread_for_each(void (*fn)(struct thread *t, void *ctx), void *ctx)
{
	irqlock_lock(&threads_lock);
	list_for_each (t, &threads, struct thread, all_link)
		fn(t, ctx);
	irqlock_unlock(&threads_lock);
}

unsigned thread_count(void)
{
	return READ_ONCE(nr_threads);
}

/* ---- Start ---- */

struct thread *thread_boot_init(struct cpu *cpu)
{
	struct thread *t = &boot_thread;

	thread_init(t, "boot");
	t->cpu = cpu->id;
	t->state = THREAD_RUNNING;
	t->kstack_bottom = arch_layout.boot_stack_bottom;
	t->kstack_top = arch_layout.boot_stack_top;
	refcount_init(&t->refs, 1);
	return t;
}

static void idle_main(void *arg UNUSED)
{
	arch_irq_disable();
	sched_idle_loop();
}

int sched_create_idle(struct cpu *cpu, struct thread **out)
{
	char name[] = "idle/000";
	struct thread *t;
	int err;

	for (unsigned i = sizeof(name) - 2, id = cpu->id; name[i] != '/'; i--, id /= 10)
		name[i] = (char)('0' + id % 10);
	err = thread_create(&t, name, idle_main, NULL);
	if (err)
		return err;
	t->flags = THREAD_IDLE;
	t->params.policy = SCHED_CLASS_IDLE;
	t->rank = RANK_OF_IDLE_THREAD;
	t->cpu = cpu->id;
	t->affinity = cpumask_of(cpu->id);
	thread_set_state(t, THREAD_CHANGING);
	thread_set_state(t, THREAD_READY); /* never queued: taken when nothing else is there */
	*out = t;
	return 0;
}

void sched_forget_idle(struct thread *idle)
{
	thread_set_state(idle, THREAD_DEAD);
	threads_remove(idle);
}

void thread_init_system(void)
{
	struct thread *idle;
	int err;

	assert(arch_current() == &boot_thread); /* sched_init() has run */
	err = slab_cache_create(
		&thread_cache, "thread", sizeof(struct thread), _Alignof(struct thread));
	if (!err)
		err = slab_cache_create(&fpu_cache, "fpu", arch_fpu_size(), ARCH_FPU_ALIGN);
	if (!err)
		err = threads_add(&boot_thread);
	if (!err)
		err = sched_create_idle(arch_cpu(), &idle);
	if (err)
		panic("sched: no memory for the first threads (error %d)", err);
	sched_init_cpu(arch_cpu(), idle);
}
