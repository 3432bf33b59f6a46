// SPDX-License-Identifier: MIT
/*
 * Requests between CPUs.
 *
 * The hardware carries one bit of news, "look at your requests"; what is wanted stands in memory.
 * ipi_pending has a bit per kind; who sets the first bit sends the interrupt, who finds one set
 * need not: the receiver takes all bits at once, after the interrupt, before it acts on any.
 *
 * ipi_call: each CPU has one outgoing call (it waits for the end of it, so one is enough), and
 * each CPU has a mask of those whose calls it has to run. The sender writes its call, sets its
 * bit in the mask of each target and rings; a target clears the bit, runs the function and counts
 * nr_left down. The sender waits with interrupts on and so answers the calls of others meanwhile:
 * any number of CPUs may call each other at once.
 *
 * ipi_call_async: a list per CPU that anyone pushes on and the receiver takes as a whole.
 *
 * No locks.
 */
#include "irq/ipi.h"

#include "arch/arch.h"
#include "debug/trace.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "sched/sched.h"
#include "sync/preempt.h"

enum ipi_request { IPI_RESCHEDULE = 1, IPI_CALL = 2, IPI_CALL_ASYNC = 4 };

/*
 *   [s] the CPU it belongs to, while nr_left is 0; the targets read it until they count down
 *   [a] atomic
 */
struct outgoing_call {
	void (*fn)(void *arg); /* [s] */
	void *arg;	       /* [s] */
	uint32_t nr_left;      /* [a] targets that have not run it */
};

static PERCPU(uint32_t, ipi_pending);		 /* [a] enum ipi_request */
static PERCPU(struct outgoing_call, outgoing);
static PERCPU(struct cpumask, callers);		 /* [a] whose outgoing call this CPU has to run */
static PERCPU(struct ipi_call_async *, inbox);	 /* [a] newest first */

/*
 * Interrupts off between bit and bell: a thread moved or held up there would make others believe
 * that the interrupt is on its way.
 */
static void request(unsigned cpu, enum ipi_request what)
{
	struct cpu *c = cpus[cpu];
	bool were_enabled = arch_irq_save();

	trace_point("ipi: asks CPU %llu for %#llx", cpu, what, 0);
	/* Everything the request refers to was written before; pairs with the xchg in trap_ipi. */
	if (!atomic_fetch_or(percpu_of(ipi_pending, c), what))
		arch_ipi_send(c);
	arch_irq_restore(were_enabled);
}

void ipi_reschedule(unsigned cpu)
{
	request(cpu, IPI_RESCHEDULE);
}

/* ---- Calls that are waited for ---- */

static void run_calls(void)
{
	struct cpumask *mask = &percpu(callers);

	cpumask_for_each(sender, mask) {
		struct outgoing_call *call;

		if (!cpumask_test_and_clear_atomic(mask, sender))
			continue;
		call = percpu_of(outgoing, cpus[sender]);
		call->fn(call->arg);
		/* The last look at it; pairs with the acquire in ipi_call. */
		atomic_fetch_sub_release(&call->nr_left, 1u);
	}
}

void ipi_call(const struct cpumask *mask, void (*fn)(void *arg), void *arg)
{
	struct outgoing_call *call;
	struct cpumask targets;
	bool is_self_wanted;
	unsigned self, nr;

	preempt_disable();
	self = arch_cpu()->id;
	nr = cpu_count(); /* once: a CPU that joins meanwhile is neither counted nor called */
	targets = *mask;
	is_self_wanted = cpumask_test(&targets, self);
	cpumask_clear(&targets, self);
	call = &percpu(outgoing);
	assert(call->nr_left == 0);

	call->fn = fn;
	call->arg = arg;
	for (unsigned cpu = 0; cpu < nr; cpu++)
		call->nr_left += cpumask_test(&targets, cpu);
	if (call->nr_left) {
		assert(arch_irq_enabled() && !in_interrupt());
		cpumask_for_each(cpu, &targets) {
			if (cpu >= nr)
				break;
			cpumask_set_atomic(percpu_of(callers, cpus[cpu]), self);
			request(cpu, IPI_CALL);
		}
	}
	if (is_self_wanted) {
		bool were_enabled = arch_irq_save();

		fn(arg);
		arch_irq_restore(were_enabled);
	}
	while (atomic_load_acquire(&call->nr_left)) /* pairs with the release in run_calls */
		arch_cpu_relax();
	preempt_enable();
}

void ipi_call_others(void (*fn)(void *arg), void *arg)
{
	struct cpumask mask;

	preempt_disable(); /* or "this CPU" might become another one */
	cpumask_fill(&mask);
	cpumask_clear(&mask, arch_cpu()->id);
	ipi_call(&mask, fn, arg);
	preempt_enable();
}

/* ---- Calls that are not ---- */

void ipi_call_async(unsigned cpu, struct ipi_call_async *call)
{
	struct ipi_call_async **inbox_of = percpu_of(inbox, cpus[cpu]);
	struct ipi_call_async *newest = atomic_load_relaxed(inbox_of); /* the exchange checks it */

	atomic_store_relaxed(&call->is_done, 0); /* published with the call, below */
	do {
		call->next = newest;
	} while (!atomic_cmpxchg_release(inbox_of, &newest, call)); /* pairs with run_inbox */
	request(cpu, IPI_CALL_ASYNC);
}

static void run_inbox(void)
{
	/* pairs with the release in ipi_call_async */
	struct ipi_call_async *newest = atomic_xchg_acquire(&percpu(inbox), NULL), *oldest = NULL;

	while (newest) {
		struct ipi_call_async *next = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	while (oldest) {
		struct ipi_call_async *call = oldest;

		oldest = call->next;
		call->fn(call->arg);
		atomic_store_release(&call->is_done, 1); /* the sender's again */
	}
}

/* ---- The bell rings ---- */

void trap_ipi(void)
{
	uint32_t requests = atomic_xchg(&percpu(ipi_pending), 0u); /* pairs with request() */

	trace_point("ipi: is asked for %#llx", requests, 0, 0);
	if (requests & IPI_CALL)
		run_calls();
	if (requests & IPI_CALL_ASYNC)
		run_inbox();
	if (requests & IPI_RESCHEDULE)
		sched_on_reschedule_ipi();
}
