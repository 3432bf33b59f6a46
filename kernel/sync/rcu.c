// SPDX-License-Identifier: MIT
/*
 * Grace periods.
 *
 * A reader holds preemption off, so a CPU that is seen with preemption on, or that switched
 * threads or idled since, has no reader left from before. One thread runs grace periods and
 * callbacks, batch by batch:
 *
 *     gather   a millisecond's callbacks share a batch, unless somebody waits for it: a batch for
 *              each callback would be two switches of threads for each
 *     collect  everything queued on all CPUs is the batch
 *     ask      each CPU that is not idle gets rcu_wanted
 *     wait     until each has answered: by a pass through the scheduler (rcu_note_switch), by
 *              idling, or, after a nap of ours, by an interprocessor call that looks at its
 *              preempt count, and if that is held asks for a pass when it is given back
 *     call     the batch's functions, oldest first per CPU
 *
 * Idle CPUs are neither asked nor woken. An interrupt on an idle CPU may contain readers, so
 * interrupt entry ends the idle state before anything else (rcu_idle_exit), and the idle loop
 * enters it again.
 *
 * Order. A writer unlinks, then queues. ask is a release that the answer's acquire sees, so
 * every reader that begins after the answer sees the unlinked structure; the answer is a
 * release that the wait's acquire sees, so every reader that ended before it is done when the
 * callback runs.
 *
 * Leaving idle is different: a store of ours, then a reader's loads, against unlinking and then
 * looking at the idle state. Both sides have a full fence between the two.
 *
 * Locks   none but the wait queues': queues of callbacks are lock-free, batch numbers belong to
 *         the thread and are read by others as atomics.
 */
#include "sync/rcu.h"

#include "arch/arch.h"
#include "debug/log.h"
#include "irq/ipi.h"
#include "lib/assert.h"
#include "lib/llist.h"
#include "sched/thread.h"
#include "sync/waitq.h"
#include "time/clock.h"
#include "time/timer.h"

#define GATHER_NS  NS_PER_MS
#define NAP_MIN_NS NS_PER_MS
#define NAP_MAX_NS (16 * NS_PER_MS)

static_assert(sizeof(struct rcu_head) == sizeof(struct llist_node) + sizeof(void *),
	"struct rcu_head begins with what is a struct llist_node");

PERCPU(uint32_t, rcu_wanted);                /* [a] this CPU is asked for a quiescent state */
PERCPU(uint32_t, rcu_is_idle);               /* [a] this CPU holds up nobody */
static PERCPU(struct llist, callbacks);      /* [a] queued here, newest first */
static PERCPU(struct ipi_call_async, probe); /* the grace-period thread's, one call at a time */

static uint32_t has_callbacks; /* [a] some CPU's list may be non-empty */
static uint32_t is_urgent;     /* [a] somebody waits for a batch: gather no longer */
static uint64_t nr_started;    /* [a] batches collected; written by the thread */
static uint64_t nr_done;       /* [a] batches whose callbacks have run */
static struct waitq work_wait = WAITQ_INIT(work_wait); /* the thread waits for callbacks */
static struct waitq done_wait = WAITQ_INIT(done_wait); /* others wait for nr_done */
static struct thread *rcu_thread;

/* ---- Quiescent states ---- */

void rcu_report_quiescent(void)
{
	/* the release pairs with the acquire in has_answered */
	atomic_store_release(&percpu(rcu_wanted), 0u);
}

void rcu_idle_enter(void)
{
	rcu_note_switch();
	atomic_store(&percpu(rcu_is_idle),
		1u); /* pairs with the loads in ask_cpu and has_answered */
}

void rcu_leave_idle(void)
{
	atomic_store(&percpu(rcu_is_idle), 0u);
	atomic_fence(); /* before any reader's loads; pairs with the fence in wait_grace_period
			 */
}

/* Interrupt context of a CPU that does not switch threads. */
static void probe_cpu(void *arg UNUSED)
{
	if ((arch_preempt_get() & PREEMPT_MASK) == 0)
		rcu_note_switch();
	else
		preempt_ask_resched(); /* the scheduler answers when the reader is done */
}

static void ask_cpu(struct cpu *cpu)
{
	/* what was unlinked is seen by readers that begin after the answer: pairs with
	 * note_switch */
	if (!atomic_load(percpu_of(rcu_is_idle, cpu)))
		atomic_store(percpu_of(rcu_wanted, cpu), 1u);
}

static bool has_answered(struct cpu *cpu)
{
	/* both pair with rcu_report_quiescent and rcu_idle_enter */
	return !atomic_load_acquire(percpu_of(rcu_wanted, cpu)) ||
	       atomic_load(percpu_of(rcu_is_idle, cpu));
}

/* Asks the CPU by an interrupt, unless the last such question is still on its way. */
static void prod_cpu(struct cpu *cpu)
{
	struct ipi_call_async *call = percpu_of(probe, cpu);

	if (call->fn &&
		!atomic_load_acquire(&call->is_done)) /* pairs with the receiver's release */
		return;
	*call = (struct ipi_call_async){.fn = probe_cpu};
	ipi_call_async(cpu->id, call);
}

static unsigned count_laggards(bool is_prodding)
{
	unsigned nr = 0;

	for (unsigned i = 0; i < cpu_count(); i++) {
		if (has_answered(cpus[i]))
			continue;
		nr++;
		if (is_prodding)
			prod_cpu(cpus[i]);
	}
	return nr;
}

static void wait_grace_period(void)
{
	uint64_t nap_ns = NAP_MIN_NS;

	atomic_fence(); /* what was unlinked before is seen; pairs with rcu_idle_exit's */
	for (unsigned i = 0; i < cpu_count(); i++)
		ask_cpu(cpus[i]);
	preempt_disable();
	rcu_note_switch(); /* this CPU runs us, so it runs no reader */
	preempt_enable();
	while (count_laggards(false)) {
		int err = sleep_ns(nap_ns);

		assert(!err); /* nobody kills this thread */
		nap_ns = MIN(nap_ns * 2, NAP_MAX_NS);
		count_laggards(true);
	}
}

/* ---- Callbacks ---- */

void rcu_call(struct rcu_head *head, void (*fn)(struct rcu_head *head))
{
	head->fn = fn;
	preempt_disable();
	llist_push(&percpu(callbacks), (struct llist_node *)head);
	preempt_enable();
	/* pairs with the exchange in rcu_main: pushed before it is set, taken after it is
	 * cleared */
	if (!atomic_xchg(&has_callbacks, 1u))
		waitq_wake_one(&work_wait, 0);
}

/* The batch: everything that is queued, CPU by CPU, oldest first; linked by `next`. */
static struct rcu_head *collect(void)
{
	struct rcu_head *batch = NULL, **end = &batch;

	for (unsigned i = 0; i < cpu_count(); i++) {
		*end = (struct rcu_head *)llist_reverse(
			llist_take_all(percpu_of(callbacks, cpus[i])));
		while (*end)
			end = &(*end)->next;
	}
	return batch;
}

static void run_batch(struct rcu_head *batch)
{
	while (batch) {
		struct rcu_head *next = batch->next; /* the function may free its head */

		batch->fn(batch);
		batch = next;
	}
}

static void rcu_main(void *arg UNUSED)
{
	for (;;) {
		struct rcu_head *batch;
		uint64_t gathered_ns;

		(void)WAIT_EVENT(
			&work_wait, WAIT_BOUNDED, WAIT_FOREVER, atomic_load(&has_callbacks));
		gathered_ns = clock_monotonic_ns() + GATHER_NS;
		(void)WAIT_EVENT(
			&work_wait, WAIT_BOUNDED, gathered_ns, atomic_load(&is_urgent));
		atomic_store(&is_urgent, 0u);
		(void)atomic_xchg(&has_callbacks, 0u);
		/* who queues from here on belongs to the next batch; pairs with
		 * wait_batch_after */
		atomic_store(&nr_started, nr_started + 1);
		atomic_fence(); /* before we look at the queues: who reads the old number and
				   queued before is in this batch */
		batch = collect();
		wait_grace_period();
		run_batch(batch);
		atomic_store_release(
			&nr_done, nr_started); /* pairs with the acquire in the waits */
		waitq_wake_all(&done_wait, 0);
	}
}

/* ---- Waiting ---- */

/*
 * Returns when a batch has run that was collected after the call. Setting has_callbacks after
 * reading nr_started makes the thread collect once more, if only an empty batch. is_urgent is set
 * after it: what the thread clears too early would only have spared it some gathering.
 */
static void wait_batch_after(void)
{
	uint64_t wanted = atomic_load(&nr_started) + 1;

	assert(arch_current() != rcu_thread); /* a callback would wait for itself */
	(void)atomic_xchg(&has_callbacks, 1u);
	atomic_store(&is_urgent, 1u);
	waitq_wake_one(&work_wait, 0); /* it may be gathering: always */
	(void)WAIT_EVENT(&done_wait, WAIT_BOUNDED, WAIT_FOREVER,
		atomic_load_acquire(&nr_done) >=
			wanted); /* pairs with the release in rcu_main */
}

void rcu_synchronize(void)
{
	lock_check_may_sleep("rcu_synchronize");
	if (cpu_count() > 1) /* else: we run, so the only CPU runs no reader */
		wait_batch_after();
}

void rcu_barrier(void)
{
	wait_batch_after();
}

void rcu_init(void)
{
	int err = thread_create(&rcu_thread, "rcu", rcu_main, NULL);

	if (err)
		panic("rcu: no memory for its thread (%d)", err);
	thread_start(rcu_thread);
}
