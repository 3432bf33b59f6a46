// SPDX-License-Identifier: MIT
/*
 * Read-copy-update: readers of a published structure take no lock; what a writer unlinked is
 * freed only after every reader that could have seen it is gone.
 *
 * A reader holds preemption off, so "every CPU has switched threads, idled, or run user code
 * since" ends a grace period. Idle CPUs are not woken for it: idling is a quiescent state that
 * lasts. Readers never sleep.
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

#define rcu_load(p)	  atomic_load_acquire(&(p))    /* pairs with rcu_publish */
#define rcu_publish(p, v) atomic_store_release(&(p), v) /* pairs with rcu_load */

/* Calls head->fn(head) after a grace period, from a worker thread that may sleep. Any context. */
void rcu_call(struct rcu_head *head, void (*fn)(struct rcu_head *head));
/* Returns after a grace period; sleeps. */
void rcu_synchronize(void);
/* Returns after every callback queued before the call has run; sleeps. */
void rcu_barrier(void);

/* ---- For the scheduler and idle ---- */
void rcu_init(void);		/* needs threads */
void rcu_note_switch(void);	/* this CPU passed a quiescent state; irqs off */
void rcu_idle_enter(void);	/* from here until exit this CPU holds up nobody; irqs off */
void rcu_idle_exit(void);
