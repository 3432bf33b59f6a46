// SPDX-License-Identifier: MIT
/*
 * Deferred calls: the part of an interrupt that may take longer, run at its end with interrupts
 * on.
 *
 * Each CPU has a list, newest first, that only this CPU touches, with interrupts off. deferred_run
 * takes the whole list, turns it round and calls each; calls that arrive meanwhile (by interrupts,
 * or by the functions themselves) make the next round. After MAX_ROUNDS the rest stays pending
 * behind an interrupt this CPU sends itself, so that the scheduler gets its word in between.
 *
 * An interrupt that comes while the functions run finds is_running set and leaves its calls to
 * the round in progress: the functions of one CPU never nest.
 *
 * Asked for outside of an interrupt, a call needs one: the CPU sends itself a request.
 */
#include "arch/arch.h"
#include "irq/irq.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "sync/preempt.h"

enum { MAX_ROUNDS = 8 };

/*
 *   [c] this CPU, interrupts off
 */
struct deferred_queue {
	struct deferred *newest; /* [c] */
	bool is_running;	 /* [c] */
};

static PERCPU(struct deferred_queue, queue);

void deferred_call(struct deferred *d)
{
	/* Off before the mark: who finds it set relies on the call being in a queue very soon. */
	bool were_enabled = arch_irq_save();
	struct deferred_queue *q = &percpu(queue);

	if (!atomic_xchg(&d->is_pending, 1)) {
		d->next = q->newest;
		q->newest = d;
		if (!q->is_running && !in_interrupt())
			arch_ipi_send(arch_cpu());
	}
	arch_irq_restore(were_enabled);
}

bool deferred_is_pending(void)
{
	return percpu(queue).newest && !percpu(queue).is_running;
}

/* The chain oldest first. */
static struct deferred *turn_round(struct deferred *newest)
{
	struct deferred *oldest = NULL;

	while (newest) {
		struct deferred *next = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	return oldest;
}

static void run_chain(struct deferred *d)
{
	while (d) {
		struct deferred *next = d->next;

		/* From here on it may be asked for again; pairs with the exchange in deferred_call. */
		atomic_store_release(&d->is_pending, 0);
		d->fn(d);
		d = next;
	}
}

void deferred_run(void)
{
	struct deferred_queue *q = &percpu(queue);

	assert(!arch_irq_enabled());
	preempt_disable();
	q->is_running = true;
	for (unsigned round = 0; q->newest && round < MAX_ROUNDS; round++) {
		struct deferred *chain = turn_round(q->newest);

		q->newest = NULL;
		arch_irq_enable();
		run_chain(chain);
		arch_irq_disable();
	}
	q->is_running = false;
	if (q->newest)
		arch_ipi_send(arch_cpu());
	preempt_enable_no_resched();
}
