// SPDX-License-Identifier: MIT
/*
 * Loans: see loan.h. t->lender is written by the lender before t runs, and taken back by t alone, so
 * whoever finds it empty has been repaid. It may then end at once, although nobody has woken it (others
 * do, too, for reasons of their own): so t claims the lender, or takes a reference, before.
 *
 * Locks   none: t->lender is atomic
 */
#include "sched/loan.h"

#include "lib/atomic.h"
#include "sched/runq_priv.h"
#include "sync/lock_check.h"

void sched_begin_loan(struct thread *t)
{
	assert(!t->lender);
	atomic_store(&t->lender, arch_current());
}

void sched_lend(struct thread *t)
{
	struct thread *me = arch_current();

	atomic_store(&me->wait_flags, WAIT_BOUNDED);
	sched_set_blocked();
	if (LIKELY(atomic_load(&t->lender) == me)) /* else t, awake still, has been faster */
		sched_switch_to(t);
	for (;;) {
		sched_set_blocked();
		if (atomic_load(&t->lender) != me)
			break;
		sched_switch();
	}
	sched_set_running();
}

void sched_repay(void)
{
	struct thread *me = arch_current(), *lender = me->lender;

	lock_check_may_sleep("sched_repay");
	arch_irq_disable(); /* whoever wants to wake a claimed thread spins */
	if (LIKELY(thread_claim(lender))) {
		atomic_store(&me->lender, NULL); /* pairs with the load in sched_lend */
		handover_switch(lender);
	} else { /* somebody else has woken it */
		sched_end_loan();
		sched_leave(LEAVE_BLOCKED, false);
	}
	sched_irq_restore(true);
}

/* A new lender finds us asleep, or keeps us from falling asleep. */
void sched_await_loan(void)
{
	lock_check_may_sleep("sched_await_loan");
	arch_irq_disable();
	sched_leave(LEAVE_BLOCKED, false);
	sched_irq_restore(true);
}

void sched_end_loan(void)
{
	struct thread *me = arch_current(), *lender = me->lender;

	thread_get(lender);
	atomic_store(&me->lender, NULL); /* pairs with the load in sched_lend */
	(void)sched_wake_handover(lender);
	thread_put(lender);
}
