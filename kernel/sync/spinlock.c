// SPDX-License-Identifier: MIT
/*
 * Spinlocks and irqlocks: tickets (sync/ticket.h), with preemption or interrupts held off
 * around them and the checker told in debug kernels.
 *
 * A free lock is taken by one locked instruction and released by one plain store; everything
 * that waits is out of line in ticket_lock_slowly. Order at release: first the lock, then
 * interrupts, then preemption, so that a reschedule asked for meanwhile happens with nothing
 * held.
 *
 * Rejected: queued (MCS) locks. They spread the waiters' cache lines, which pays when many CPUs
 * fight over one lock; no lock here should be such a place, and tickets are a quarter of the
 * code.
 */
#include "sync/spinlock.h"

#include "lib/assert.h"
#include "sync/preempt.h"

NOINLINE void ticket_lock_slowly(struct ticket *t)
{
	uint16_t number;

	if (arch_cpu_is_virtual()) {
		while (!ticket_try_lock(t))
			arch_cpu_relax();
		return;
	}
	number = atomic_fetch_add_relaxed(&t->next, (uint16_t)1);
	/* pairs with the release in ticket_unlock */
	while (atomic_load_acquire(&t->owner) != number)
		arch_cpu_relax();
}

/* ---- struct spinlock ---- */

void spinlock_init(struct spinlock *l, enum lock_rank rank, const char *name)
{
	*l = (struct spinlock)SPINLOCK_INIT((uint16_t)rank, name);
}

void spinlock_lock_nested(struct spinlock *l, uint64_t key) NOT_ANALYSED
{
	debug_assert(!in_interrupt());
	preempt_disable();
	lock_check_acquire(l, l->name, l->rank, key, CALLER);
	ticket_lock(&l->ticket);
	lock_check_acquired(l);
}

void spinlock_lock(struct spinlock *l) NOT_ANALYSED
{
	debug_assert(!in_interrupt());
	preempt_disable();
	lock_check_acquire(l, l->name, l->rank, 0, CALLER);
	ticket_lock(&l->ticket);
	lock_check_acquired(l);
}

bool spinlock_try_lock(struct spinlock *l) NOT_ANALYSED
{
	debug_assert(!in_interrupt());
	preempt_disable();
	if (!ticket_try_lock(&l->ticket)) {
		preempt_enable();
		return false;
	}
	lock_check_acquired_try(l, l->name, l->rank, CALLER);
	return true;
}

void spinlock_unlock(struct spinlock *l) NOT_ANALYSED
{
	lock_check_release(l);
	ticket_unlock(&l->ticket);
	preempt_enable();
}

bool spinlock_is_mine(const struct spinlock *l)
{
	return lock_check_is_held(l);
}

/* ---- struct irqlock ---- */

void irqlock_init(struct irqlock *l, enum lock_rank rank, const char *name)
{
	*l = (struct irqlock)IRQLOCK_INIT((uint16_t)rank, name);
}

void irqlock_lock_nested(struct irqlock *l, uint64_t key) NOT_ANALYSED
{
	bool were_enabled = arch_irq_save();

	preempt_disable();
	lock_check_acquire(l, l->name, l->rank, key, CALLER);
	ticket_lock(&l->ticket);
	lock_check_acquired(l);
	l->were_enabled = were_enabled;
}

/* Apart, so that taking a free lock needs no registers saved for a call. */
static NOINLINE void irqlock_lock_slowly(struct irqlock *l, bool were_enabled) NOT_ANALYSED
{
	ticket_lock_slowly(&l->ticket);
	lock_check_acquired(l);
	l->were_enabled = were_enabled;
}

void irqlock_lock(struct irqlock *l) NOT_ANALYSED
{
	bool were_enabled = arch_irq_save();

	preempt_disable();
	lock_check_acquire(l, l->name, l->rank, 0, CALLER);
	if (UNLIKELY(!ticket_try_lock(&l->ticket))) {
		irqlock_lock_slowly(l, were_enabled);
		return;
	}
	lock_check_acquired(l);
	l->were_enabled = were_enabled;
}

bool irqlock_try_lock(struct irqlock *l) NOT_ANALYSED
{
	bool were_enabled = arch_irq_save();

	preempt_disable();
	if (!ticket_try_lock(&l->ticket)) {
		preempt_enable_no_resched(); /* nothing can have asked since interrupts went off
					      */
		arch_irq_restore(were_enabled);
		return false;
	}
	lock_check_acquired_try(l, l->name, l->rank, CALLER);
	l->were_enabled = were_enabled;
	return true;
}

void irqlock_unlock(struct irqlock *l) NOT_ANALYSED
{
	bool were_enabled = l->were_enabled; /* the next holder overwrites it */

	lock_check_release(l);
	ticket_unlock(&l->ticket);
	if (were_enabled) {
		arch_irq_enable();
		preempt_enable();
	} else {
		preempt_enable_no_resched();
	}
}

void irqlock_lock_noirq_nested(struct irqlock *l, uint64_t key) NOT_ANALYSED
{
	debug_assert(!arch_irq_enabled());
	preempt_disable();
	lock_check_acquire(l, l->name, l->rank, key, CALLER);
	ticket_lock(&l->ticket);
	lock_check_acquired(l);
}

void irqlock_lock_noirq(struct irqlock *l) NOT_ANALYSED
{
	debug_assert(!arch_irq_enabled());
	preempt_disable();
	lock_check_acquire(l, l->name, l->rank, 0, CALLER);
	ticket_lock(&l->ticket);
	lock_check_acquired(l);
}

void irqlock_unlock_noirq(struct irqlock *l) NOT_ANALYSED
{
	lock_check_release(l);
	ticket_unlock(&l->ticket);
	preempt_enable_no_resched();
}

bool irqlock_is_mine(const struct irqlock *l)
{
	return lock_check_is_held(l);
}
