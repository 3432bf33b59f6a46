// SPDX-License-Identifier: MIT
/*
 * Timers: per CPU a tree by expiry, and one hardware deadline for the first of it.
 *
 * The hardware is armed only when something is due before what it is armed for. It is not taken
 * back when a timer is stopped or a slice ends early: then it fires for nothing, once, and is
 * armed for what is due next. Programming it costs as much as a context switch (under a
 * hypervisor much more), so what happens thousands of times a second must not touch it. Only an
 * idle CPU takes it back, because there the interrupt would cost a wake-up.
 *
 * The scheduler's slice end is no timer in the tree but one number beside it: it changes at
 * each switch, under a run queue lock that comes after the timer lock.
 *
 * A CPU that works is interrupted every ten milliseconds, and where the interrupt finds it is how
 * user and system time are told apart (irq/irq.c, docs/decisions/0017). This goes on until it finds the CPU idle, so that
 * neither falling asleep nor waking up touches the hardware for it, and an idle CPU is left alone.
 *
 * Moving between CPUs: a timer's lock is that of the CPU it was started on, timer->cpu, which
 * changes only under the old CPU's lock; who finds that it changed looks again.
 *
 * Locks   timer_base.lock (RANK_TIMER), one at a time, never while a callback runs.
 */
#include "time/timer.h"

#include "arch/arch.h"
#include "debug/trace.h"
#include "lib/assert.h"
#include "sched/sched.h"
#include "sync/spinlock.h"
#include "time/clock.h"

enum {
	TIMERS_PER_INTERRUPT = 64, /* then other interrupts get a chance */
	SAMPLE_NS = 10 * NS_PER_MS,
};

/*
 *   [T] lock      [c] its CPU only, interrupts off
 */
struct timer_base {
	struct irqlock lock;
	struct rbtree tree;    /* [T] */
	struct timer *running; /* [T] whose callback runs now */
	uint64_t first_ns;     /* [T] to write; its CPU reads it as a hint */
	uint64_t slice_ns;     /* [c] the scheduler's; UINT64_MAX: none */
	uint64_t sample_ns;    /* [c] timer_sample_busy; UINT64_MAX: none */
	uint64_t armed_ns;     /* [c] what the hardware waits for; UINT64_MAX: nothing */
};

static PERCPU(struct timer_base, timer_base);

static struct timer *timer_of(const struct rbtree_node *node)
{
	return container_of((struct rbtree_node *)node, struct timer, node);
}

static bool expires_less(const struct rbtree_node *a, const struct rbtree_node *b)
{
	return timer_of(a)->expires_ns < timer_of(b)->expires_ns;
}

void timer_init_cpu(void)
{
	struct timer_base *base = &percpu(timer_base);

	irqlock_init(&base->lock, RANK_TIMER, "timer");
	rbtree_init(&base->tree, NULL);
	base->running = NULL;
	base->first_ns = UINT64_MAX;
	base->slice_ns = UINT64_MAX;
	base->sample_ns = UINT64_MAX;
	base->armed_ns = UINT64_MAX;
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
	*t = (struct timer){.fn = fn, .cpu = arch_cpu()->id};
}

/* ---- The hardware ---- */

static void arm_for(struct timer_base *base, uint64_t ns)
{
	if (LIKELY(ns >= base->armed_ns))
		return;
	base->armed_ns = ns;
	arch_timer_arm(clock_counter_at(ns));
}

void timer_set_slice(uint64_t expires_ns)
{
	struct timer_base *base = &percpu(timer_base);

	base->slice_ns = expires_ns;
	arm_for(base, expires_ns);
}

/* What the hardware has to be armed for. */
static uint64_t next_of(const struct timer_base *base)
{
	uint64_t next = MIN(READ_ONCE(base->first_ns), base->slice_ns);

	return MIN(next, base->sample_ns);
}

void timer_sample_busy(void)
{
	struct timer_base *base = &percpu(timer_base);

	if (LIKELY(base->sample_ns != UINT64_MAX))
		return;
	base->sample_ns = clock_monotonic_ns() + SAMPLE_NS;
	arm_for(base, base->sample_ns);
}

void timer_prepare_idle(void)
{
	struct timer_base *base = &percpu(timer_base);
	uint64_t next = next_of(base);

	if (base->armed_ns == next)
		return;
	base->armed_ns = UINT64_MAX;
	if (next == UINT64_MAX)
		arch_timer_cancel();
	else
		arm_for(base, next);
}

/* ---- The tree ---- */

static struct timer_base *base_of(uint32_t cpu)
{
	return percpu_of(timer_base, cpus[cpu]);
}

/* Locks the base that t belongs to. */
static struct timer_base *lock_base(struct timer *t) NOT_ANALYSED /* returns it locked */
{
	for (;;) {
		uint32_t cpu = READ_ONCE(t->cpu);
		struct timer_base *base = base_of(cpu);

		irqlock_lock(&base->lock);
		if (t->cpu == cpu && t->state != TIMER_MOVING)
			return base;
		irqlock_unlock(&base->lock);
		arch_cpu_relax();
	}
}

static void set_first(struct timer_base *base)
{
	struct rbtree_node *first = rbtree_first(&base->tree);

	WRITE_ONCE(base->first_ns, first ? timer_of(first)->expires_ns : UINT64_MAX);
}

static void tree_remove(struct timer_base *base, struct timer *t)
{
	rbtree_erase(&base->tree, &t->node);
	t->state = TIMER_IDLE;
	if (t->expires_ns == base->first_ns)
		set_first(base);
}

void timer_start(struct timer *t, uint64_t expires_ns) NOT_ANALYSED
{
	bool were_enabled = arch_irq_save(); /* stay on this CPU */
	struct timer_base *here = &percpu(timer_base), *base = lock_base(t);

	if (t->state == TIMER_ARMED)
		tree_remove(base, t);
	if (base != here && base->running != t) {
		t->state = TIMER_MOVING;
		WRITE_ONCE(t->cpu, arch_cpu()->id);
		irqlock_unlock(&base->lock);
		base = here;
		irqlock_lock(&base->lock);
	}
	t->expires_ns = expires_ns;
	t->state = TIMER_ARMED;
	rbtree_insert(&base->tree, &t->node, expires_less);
	if (expires_ns < base->first_ns)
		WRITE_ONCE(base->first_ns, expires_ns);
	irqlock_unlock(&base->lock);
	if (base == here)
		arm_for(base, expires_ns);
	/* else its callback runs there now, and that CPU arms itself when it is done */
	arch_irq_restore(were_enabled);
}

bool timer_stop(struct timer *t) NOT_ANALYSED
{
	struct timer_base *base = lock_base(t);
	bool was_armed = t->state == TIMER_ARMED;

	if (was_armed)
		tree_remove(base, t);
	irqlock_unlock(&base->lock);
	return was_armed;
}

bool timer_stop_sync(struct timer *t) NOT_ANALYSED
{
	bool was_armed = false;

	for (;;) {
		struct timer_base *base = lock_base(t);
		bool is_running = base->running == t;

		if (t->state == TIMER_ARMED) {
			tree_remove(base, t);
			was_armed = true;
		}
		irqlock_unlock(&base->lock);
		if (!is_running)
			return was_armed;
		arch_cpu_relax();
	}
}

/* ---- The interrupt ---- */

/* Runs the first timer if its time has come. */
static bool run_first(struct timer_base *base, uint64_t now)
{
	struct timer *t;

	irqlock_lock(&base->lock);
	if (base->first_ns > now) {
		irqlock_unlock(&base->lock);
		return false;
	}
	t = timer_of(rbtree_first(&base->tree));
	tree_remove(base, t);
	base->running = t;
	irqlock_unlock(&base->lock);

	t->fn(t); /* t may be gone afterwards */

	irqlock_lock(&base->lock);
	base->running = NULL;
	irqlock_unlock(&base->lock);
	return true;
}

void trap_timer(void)
{
	struct timer_base *base = &percpu(timer_base);
	uint64_t now = clock_monotonic_ns();
	unsigned left = TIMERS_PER_INTERRUPT;

	trace_point("timer: fires at %llu us", now / NS_PER_US, 0, 0);
	base->armed_ns = UINT64_MAX;
	while (left-- && run_first(base, now))
		;
	if (base->slice_ns <= now) {
		base->slice_ns = UINT64_MAX;
		sched_slice_end();
	}
	if (base->sample_ns <= now) { /* the interrupt was the sample */
		bool is_idle = arch_current()->flags & THREAD_IDLE;

		base->sample_ns = is_idle ? UINT64_MAX : now + SAMPLE_NS;
		if (!is_idle)
			sched_sample();
	}
	arm_for(base, next_of(base));
}
