// SPDX-License-Identifier: MIT
/*
 * Read-copy-update: readers of a published structure take no lock; what a writer unlinked is
 * freed only after every reader that could have seen it is gone.
 *
 * A reader holds preemption off, so "every CPU has switched threads, idled, or run user code
 * since" ends a grace period. Idle CPUs are not woken for it: idling is a quiescent state that
 * lasts. Readers never sleep.
 *
 * An NMI is no place for a reader: it does not end the idle state as interrupts do, so a grace
 * period may end under it. What NMI code reads must never be freed, or be this CPU's own.
 */
#pragma once

#include "lib/atomic.h"
#include "lib/base.h"
#include "sync/preempt.h"

struct rcu_head {
	struct rcu_head *next;
	void (*fn)(struct rcu_head *head);
};

static inline void rcu_read_lock(void)
{
	preempt_disable();
}

static inline void rcu_read_unlock(void)
{
	preempt_enable();
}

#define rcu_load(p)       atomic_load_acquire(&(p))     /* pairs with rcu_publish */
#define rcu_publish(p, v) atomic_store_release(&(p), v) /* pairs with rcu_load */

/*
 * Calls head->fn(head) after a grace period, from a thread that may sleep; a callback may queue
 * again. Any context, with nothing of RANK_WAITQ or above held.
 */
void rcu_call(struct rcu_head *head, void (*fn)(struct rcu_head *head));
/* Returns after a grace period; sleeps. Not from a callback. */
void rcu_synchronize(void);
/* Returns after every callback queued before the call has run; sleeps. Not from a callback. */
void rcu_barrier(void);
void rcu_init(void); /* needs threads */

/* ---- For the scheduler, idle and interrupt entry; interrupts off ---- */

extern PERCPU(uint32_t, rcu_wanted);
extern PERCPU(uint32_t, rcu_is_idle);
void rcu_report_quiescent(void);
void rcu_leave_idle(void);

/* This CPU passed a quiescent state: it switches threads. One load when nobody waits for it. */
static inline void rcu_note_switch(void)
{
	/* pairs with the store in ask_cpu: later readers see what was unlinked before it */
	if (UNLIKELY(atomic_load_acquire(&percpu(rcu_wanted))))
		rcu_report_quiescent();
}

/* From here until rcu_idle_exit this CPU runs no reader and is not disturbed. */
void rcu_idle_enter(void);

/*
 * By the idle loop, and first of all by every interrupt, whose handler may be a reader: the
 * idle loop, which an interrupt wakes, enters again. Harmless when not idle.
 */
static inline void rcu_idle_exit(void)
{
	if (UNLIKELY(atomic_load_relaxed(&percpu(rcu_is_idle))))
		rcu_leave_idle();
}
