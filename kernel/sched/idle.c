// SPDX-License-Identifier: MIT
/*
 * What a CPU does when it has nothing to do: look for somebody else's work, then sleep until an
 * interrupt. No tick runs: the timer is armed for the first timer of this CPU or not at all.
 *
 * The order matters. The CPU first says that it is idle, then looks at its own queue and at the
 * others', then sleeps. A waker first queues, then looks who is idle. So either the CPU sees
 * the thread or the waker sees the CPU and sends an IPI, which ends the sleep even if it comes
 * before it (arch_cpu_wait).
 *
 * The idle thread holds preemption off while it looks and sleeps, so that an interrupt never
 * switches away from inside the sleep, where RCU believes that this CPU reads nothing.
 */
#include "debug/watchdog.h"
#include "sched/runq_priv.h"
#include "sync/rcu.h"

struct cpumask sched_idle_cpus;

static void wait_for_interrupt(struct runq *rq)
{
	uint64_t start = clock_monotonic_ns();

	timer_prepare_idle();
	rcu_idle_enter();
	arch_cpu_wait();
	rcu_idle_exit();
	rq->idle_ns += clock_monotonic_ns() - start;
}

void sched_idle_loop(void)
{
	struct runq *rq = this_runq();
	unsigned cpu = rq->cpu->id;

	assert(!arch_irq_enabled() && arch_current() == rq->idle);
	for (;;) {
		preempt_disable();
		cpumask_set_atomic(&sched_idle_cpus, cpu);
		atomic_fence(); /* said before we look; pairs with balance_idle_cpu_for */
		if (READ_ONCE(rq->nr_ready) == 0 && !balance_steal(rq))
			wait_for_interrupt(rq);
		cpumask_clear_atomic(&sched_idle_cpus, cpu);
		preempt_enable_no_resched();
		if (READ_ONCE(rq->nr_ready)) {
			watchdog_note_busy();
			timer_sample_busy();
			sched_leave(LEAVE_READY, false);
		}
	}
}
