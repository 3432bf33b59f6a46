// SPDX-License-Identifier: MIT
/*
 * Loans: see loan.h. t->lender is written by the lender before t runs, and taken back by t alone, so
 * whoever finds it empty has been repaid.
 *
 * Locks   none: t->lender is atomic
 */
#include "sched/loan.h"

#include "lib/atomic.h"
#include "sched/sched.h"

void sched_lend(struct thread *t)
{
	struct thread *me = arch_current();

	atomic_store(&me->wait_flags, WAIT_BOUNDED);
	atomic_store(&t->lender, me);
	sched_set_blocked();
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

	if (!lender) {
		sched_switch();
		return;
	}
	atomic_store(&me->lender, NULL); /* pairs with the load in sched_lend */
	sched_switch_to(lender);
}

void sched_end_loan(void)
{
	struct thread *me = arch_current(), *lender = me->lender;

	atomic_store(&me->lender, NULL); /* pairs with the load in sched_lend */
	(void)sched_wake_handover(lender);
}
