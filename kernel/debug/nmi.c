// SPDX-License-Identifier: MIT
/*
 * What an NMI is for: a panic that stops the other CPUs, and a watchdog that asks one of them
 * what it is doing. Each CPU writes what it was doing into its own snapshot; whoever asked
 * prints them one after the other, so reports never mix.
 *
 * An NMI may hit anywhere, also an idle CPU that RCU does not wait for and a CPU that holds any
 * lock: this code takes no lock and is no RCU reader, and what it calls must be neither.
 *
 * An NMI that nobody asked for is counted and told once: hardware reports memory errors that
 * way.
 *
 * Locks   none; request bits are atomic, a snapshot is published by is_taken.
 */
#include "debug/nmi.h"

#include "debug/log.h"
#include "lib/atomic.h"
#include "lib/fmt.h"
#include "sched/thread.h"
#include "time/clock.h"

#define ANSWER_LIMIT_NS NS_PER_SEC
enum { ANSWER_LIMIT_SPINS = 20 * 1000 * 1000 }; /* when the clock does not run yet */

static PERCPU(uint32_t, nmi_bits); /* [a] enum nmi_request */
static PERCPU(struct cpu_snapshot, nmi_snapshots);
static uint32_t unexpected; /* [a] */

void nmi_snapshot_take(struct cpu_snapshot *s, const struct arch_frame *f)
{
	const struct thread *t = arch_current();

	s->preempt = arch_preempt_get();
	s->irqs_were_on = arch_frame_irq_enabled(f);
	s->pc = arch_frame_pc(f);
	s->nr = arch_frame_is_user(f)
			? 0
			: backtrace_capture(arch_frame_fp(f), s->trace, BACKTRACE_DEPTH);
	snformat(s->thread, sizeof(s->thread), "%s", t ? t->name : "(none)");
	atomic_store_release(&s->is_taken, 1); /* pairs with the acquire in nmi_snapshot */
}

void trap_nmi(struct arch_frame *f)
{
	uint32_t bits = atomic_xchg(&percpu(nmi_bits), 0u);

	if (bits & (NMI_SNAPSHOT | NMI_STOP))
		nmi_snapshot_take(&percpu(nmi_snapshots), f);
	if (bits & NMI_STOP)
		arch_cpu_stop();
	if (!bits && atomic_fetch_add_relaxed(&unexpected, 1u) == 0)
		log_emergency("nmi: CPU %u got one that nobody asked for", arch_cpu()->id);
}

static bool has_answered(struct cpu *cpu)
{
	/* pairs with the release in nmi_snapshot_take */
	return atomic_load_acquire(&percpu_of(nmi_snapshots, cpu)->is_taken);
}

static void wait_for_answer(struct cpu *cpu, uint64_t deadline_ns)
{
	for (unsigned i = 0; i < ANSWER_LIMIT_SPINS && !has_answered(cpu); i++) {
		if (clock_monotonic_ns() > deadline_ns)
			return;
		arch_cpu_relax();
	}
}

void nmi_request(int target, unsigned requests)
{
	unsigned self = arch_cpu()->id, nr = cpu_count();
	uint64_t deadline_ns = clock_monotonic_ns() + ANSWER_LIMIT_NS;

	if (nr < 2)
		return;
	for (unsigned i = 0; i < nr; i++) {
		bool is_meant = target == NMI_ALL || (unsigned)target == i;

		if (is_meant)
			atomic_store_relaxed(&percpu_of(nmi_snapshots, cpus[i])->is_taken, 0u);
		if (i != self)
			atomic_or(percpu_of(nmi_bits, cpus[i]),
				is_meant ? requests : NMI_BYSTANDER);
	}
	arch_nmi_send_others();
	for (unsigned i = 0; i < nr; i++)
		if (i != self && (target == NMI_ALL || (unsigned)target == i))
			wait_for_answer(cpus[i], deadline_ns);
}

const struct cpu_snapshot *nmi_snapshot(unsigned cpu)
{
	return has_answered(cpus[cpu]) ? percpu_of(nmi_snapshots, cpus[cpu]) : NULL;
}

void nmi_snapshot_print(unsigned cpu, const struct cpu_snapshot *s)
{
	log_emergency("CPU %u: thread %s, interrupts %s, preempt %#x", cpu, s->thread,
		s->irqs_were_on ? "on" : "off", s->preempt);
	backtrace_print_captured(s->pc, s->trace, s->nr);
}
