// SPDX-License-Identifier: MIT
/*
 * Asking other CPUs: a reschedule, or a function call.
 */
#pragma once

#include "lib/base.h"
#include "lib/cpumask.h"

/* Makes `cpu` look at its run queue. Any context; cheap; merged with requests not yet seen. */
void ipi_reschedule(unsigned cpu);

/*
 * Runs fn(arg) with interrupts off on every online CPU in the mask (this one included if it is in
 * it: called directly), and returns when all have run it.
 * Context  a thread; preemption may be off, interrupts on (two CPUs calling each other must both
 *          answer). Not from a deferred call, which may interrupt another ipi_call
 */
void ipi_call(const struct cpumask *mask, void (*fn)(void *arg), void *arg);
/* The same for every CPU but this one. */
void ipi_call_others(void (*fn)(void *arg), void *arg);
/* Without waiting. `call` belongs to the receiver until call->is_done (acquire). Any context. */
struct ipi_call_async {
	struct ipi_call_async *next;
	void (*fn)(void *arg);
	void *arg;
	uint32_t is_done; /* [a] */
};
void ipi_call_async(unsigned cpu, struct ipi_call_async *call);
