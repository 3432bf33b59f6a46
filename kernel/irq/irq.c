// SPDX-License-Identifier: MIT
/*
 * Interrupt descriptors: which handlers belong to a number, and the bracket around every
 * interrupt.
 *
 * A descriptor is made when its number gets its first handler and is never freed. trap_irq marks
 * the descriptor running, walks its actions without the lock (handlers may call irq_disable), and
 * unmarks it; whoever changes the list first disables the line and waits, lock in hand, until
 * nobody is in there. Handlers take microseconds, so that wait is short and may spin.
 *
 * Disabling is lazy. irq_disable only counts; an interrupt that arrives while the count is not
 * zero is masked in hardware and remembered, and irq_enable has it handled. The usual disable and
 * enable without an interrupt between them cost no access to a slow controller, and an edge that
 * comes while the line is disabled, which a masked controller would forget, is not lost.
 *
 * An interrupt that nobody claims UNCLAIMED_LIMIT times in a row is a screaming line: it is
 * masked for good, because otherwise its CPU would do nothing else.
 *
 * Locks   desc->lock [D] RANK_IRQ_DESC. The table of descriptors only grows: release when an
 *         entry is set, acquire when it is read.
 */
#include "irq/irq.h"

#include "arch/arch.h"
#include "debug/log.h"
#include "debug/trace.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "mm/slab.h"
#include "sched/sched.h"
#include "sync/preempt.h"
#include "sync/rcu.h"
#include "sync/spinlock.h"

enum { UNCLAIMED_LIMIT = 10000 };

/*
 *   [I] immutable   [D] lock   [a] atomic
 */
struct irq_desc {
	struct irqlock lock;
	unsigned irq;		   /* [I] */
	struct list actions;	   /* [D] changed only while nr_running is 0 */
	uint32_t disable_depth;	   /* [D] */
	uint32_t nr_running;	   /* [D] CPUs that walk the actions */
	bool is_masked;		   /* [D] what the controller was told last */
	bool has_come;		   /* [D] while disabled */
	bool is_screaming;	   /* [D] masked for good */
	uint32_t nr_unclaimed_row; /* [D] */
	uint64_t nr_unclaimed;	   /* [D] */
	uint64_t count;		   /* [D] */
	struct deferred replay;	   /* handles what came while disabled */
};

static struct irq_desc **descs; /* [a] entries; by number */
static unsigned nr_descs;	/* [I] after irq_init */
static PERCPU(struct arch_frame *, current_frame);

void irq_init(void)
{
	nr_descs = arch_irq_count();
	descs = mem_alloc(nr_descs * sizeof(*descs), SLAB_ZERO);
	if (!descs)
		panic("irq: no memory for %u descriptors", nr_descs);
}

static struct irq_desc *desc_of(unsigned irq)
{
	return irq < nr_descs ? atomic_load_acquire(&descs[irq]) : NULL; /* pairs with desc_make */
}

/* ---- An interrupt arrives ---- */

/* The handlers' part, once the descriptor is marked running. Interrupts off. */
static bool run_actions(struct irq_desc *desc)
{
	bool is_claimed = false;

	list_for_each(action, &desc->actions, struct irq_action, link) {
		if (action->handler(desc->irq, action->ctx) == IRQ_HANDLED) {
			action->count++;
			is_claimed = true;
		}
	}
	return is_claimed;
}

static void mask_locked(struct irq_desc *desc) MUST_HOLD(desc->lock)
{
	if (!desc->is_masked) {
		desc->is_masked = true;
		arch_irq_mask(desc->irq);
	}
}

static void note_claim_locked(struct irq_desc *desc, bool is_claimed) MUST_HOLD(desc->lock)
{
	if (is_claimed) {
		desc->nr_unclaimed_row = 0;
		return;
	}
	desc->nr_unclaimed++;
	if (++desc->nr_unclaimed_row == UNCLAIMED_LIMIT) {
		desc->is_screaming = true;
		mask_locked(desc);
		log_err("irq: %u came %u times and nobody claimed it: masked for good", desc->irq,
			UNCLAIMED_LIMIT);
	}
}

/* One round of the handlers; lock taken and released inside. Interrupts off. */
static void handle(struct irq_desc *desc)
{
	bool is_claimed;

	irqlock_lock(&desc->lock);
	if (desc->disable_depth) {
		desc->has_come = true;
		mask_locked(desc);
		irqlock_unlock(&desc->lock);
		return;
	}
	desc->nr_running++;
	irqlock_unlock(&desc->lock);

	is_claimed = run_actions(desc);

	irqlock_lock(&desc->lock);
	desc->nr_running--;
	desc->count++;
	note_claim_locked(desc, is_claimed);
	irqlock_unlock(&desc->lock);
}

/*
 * Nobody has asked for this number: masked, or its CPU might do nothing else. Who asks for it at
 * this moment may have unmasked it before; either we see the new descriptor, or its maker unmasks
 * after us (pairs with the exchange in desc_make).
 */
static struct irq_desc *mask_unknown(unsigned irq)
{
	struct irq_desc *desc;

	log_once(LOG_WARNING, "irq: %u has no handler: masked", irq);
	arch_irq_mask(irq);
	atomic_fence();
	desc = desc_of(irq);
	if (desc) {
		irqlock_lock(&desc->lock);
		if (!desc->is_masked)
			arch_irq_unmask(irq);
		irqlock_unlock(&desc->lock);
	}
	return desc;
}

void trap_irq(unsigned irq)
{
	struct irq_desc *desc = desc_of(irq);

	assert(!arch_irq_enabled());
	trace_point("irq: %llu", irq, 0, 0);
	if (UNLIKELY(!desc))
		desc = mask_unknown(irq);
	if (LIKELY(desc))
		handle(desc);
	arch_irq_eoi(irq);
}

/* The deferred half of irq_enable: what came while disabled is handled as if it came now. */
static void replay(struct deferred *d)
{
	struct irq_desc *desc = container_of(d, struct irq_desc, replay);

	arch_irq_disable();
	arch_preempt_add(PREEMPT_IRQ);
	handle(desc);
	arch_preempt_add(-(int32_t)PREEMPT_IRQ);
	arch_irq_enable();
}

/* ---- Handlers come and go ---- */

static struct irq_desc *desc_make(unsigned irq)
{
	struct irq_desc *desc, *old = NULL;

	desc = mem_alloc(sizeof(*desc), SLAB_ZERO);
	if (!desc)
		return NULL;
	irqlock_init(&desc->lock, RANK_IRQ_DESC, "irq_desc");
	list_init(&desc->actions);
	desc->irq = irq;
	desc->is_masked = true; /* how the architecture leaves a line nobody asked for */
	desc->disable_depth = 1; /* the missing handler's */
	desc->replay = (struct deferred)DEFERRED_INIT(replay);
	if (atomic_cmpxchg(&descs[irq], &old, desc)) /* release; pairs with desc_of */
		return desc;
	mem_free(desc);
	return old;
}

/* Disables the line and waits until no CPU walks its actions. Returns with the lock held. */
static void quiesce_lock(struct irq_desc *desc) ACQUIRES(desc->lock)
{
	irqlock_lock(&desc->lock);
	desc->disable_depth++;
	while (desc->nr_running) {
		irqlock_unlock(&desc->lock);
		arch_cpu_relax();
		irqlock_lock(&desc->lock);
	}
}

static void enable_locked(struct irq_desc *desc) MUST_HOLD(desc->lock)
{
	assert(desc->disable_depth > 0);
	if (--desc->disable_depth || desc->is_screaming)
		return;
	if (desc->is_masked) {
		desc->is_masked = false;
		arch_irq_unmask(desc->irq);
	}
	if (desc->has_come) {
		desc->has_come = false;
		deferred_call(&desc->replay);
	}
}

int irq_add(unsigned irq, struct irq_action *action, irq_handler h, void *ctx, const char *name)
{
	struct irq_desc *desc;

	if (irq >= nr_descs)
		return -EINVAL;
	desc = desc_of(irq);
	if (!desc)
		desc = desc_make(irq);
	if (!desc)
		return -ENOMEM;

	*action = (struct irq_action){ .handler = h, .ctx = ctx, .name = name };
	quiesce_lock(desc);
	if (list_is_empty(&desc->actions)) {
		desc->disable_depth--; /* the missing handler's */
		desc->nr_unclaimed_row = 0;
		desc->is_screaming = false;
		desc->has_come = false; /* before anyone asked: noise */
	}
	list_add_tail(&desc->actions, &action->link);
	enable_locked(desc);
	irqlock_unlock(&desc->lock);
	return 0;
}

void irq_remove(unsigned irq, struct irq_action *action)
{
	struct irq_desc *desc = desc_of(irq);

	assert(desc);
	quiesce_lock(desc);
	list_remove(&action->link);
	if (list_is_empty(&desc->actions)) {
		desc->disable_depth++;
		mask_locked(desc);
	}
	enable_locked(desc);
	irqlock_unlock(&desc->lock);
}

void irq_disable(unsigned irq)
{
	struct irq_desc *desc = desc_of(irq);

	assert(desc);
	irqlock_lock(&desc->lock);
	desc->disable_depth++;
	irqlock_unlock(&desc->lock);
}

void irq_enable(unsigned irq)
{
	struct irq_desc *desc = desc_of(irq);

	assert(desc);
	irqlock_lock(&desc->lock);
	enable_locked(desc);
	irqlock_unlock(&desc->lock);
}

int irq_set_cpu(unsigned irq, unsigned cpu)
{
	struct irq_desc *desc = desc_of(irq);
	int err;

	if (!desc || cpu >= cpu_count())
		return -EINVAL;
	quiesce_lock(desc);
	err = arch_irq_set_cpu(irq, cpu);
	enable_locked(desc);
	irqlock_unlock(&desc->lock);
	return err;
}

/* ---- Questions ---- */

uint64_t irq_count_total(unsigned irq)
{
	struct irq_desc *desc = desc_of(irq);

	return desc ? READ_ONCE(desc->count) : 0;
}

uint64_t irq_count_unclaimed(unsigned irq)
{
	struct irq_desc *desc = desc_of(irq);

	return desc ? READ_ONCE(desc->nr_unclaimed) : 0;
}

void irq_for_each(void (*fn)(unsigned irq, const char *name, uint64_t count, void *ctx), void *ctx)
{
	for (unsigned irq = 0; irq < nr_descs; irq++) {
		struct irq_desc *desc = desc_of(irq);

		if (!desc)
			continue;
		irqlock_lock(&desc->lock);
		list_for_each(action, &desc->actions, struct irq_action, link)
			fn(irq, action->name, action->count, ctx);
		irqlock_unlock(&desc->lock);
	}
}

/* ---- The bracket around every interrupt ---- */

static PERCPU(struct irq_samples, busy); /* [c] */

struct arch_frame *irq_frame(void)
{
	return percpu(current_frame);
}

/* Whose time it was, for the thread and for the CPU: proc/proc.c, /proc/stat. */
static void take_sample(bool is_user)
{
	struct thread *t = arch_current();

	t->samples[is_user]++;
	if (t->flags & THREAD_IDLE)
		return;
	if (is_user)
		percpu(busy).user++;
	else
		percpu(busy).kernel++;
}

void irq_get_samples(unsigned cpu, struct irq_samples *out)
{
	*out = *percpu_of(busy, cpus[cpu]);
}

struct arch_frame *trap_interrupt_enter(struct arch_frame *f)
{
	struct arch_frame **current = &percpu(current_frame), *outer = *current;

	*current = f;
	arch_preempt_add(PREEMPT_IRQ);
	rcu_idle_exit(); /* the handler may be a reader */
	take_sample(arch_frame_is_user(f));
	return outer;
}

/*
 * On entry   interrupts off, the handlers have run and told their controllers
 * Then       1. out of the interrupt, as far as nesting is concerned
 *            2. deferred calls, interrupts on, preemption off (not inside themselves)
 *            3. another thread, if one is wanted and nothing holds preemption off
 */
void trap_interrupt_exit(struct arch_frame *outer)
{
	percpu(current_frame) = outer;
	arch_preempt_add(-(int32_t)PREEMPT_IRQ);
	if (in_interrupt())
		return;
	if (deferred_is_pending())
		deferred_run();
	if (preempt_is_enabled() && preempt_resched_wanted())
		sched_preempt_irq();
}
