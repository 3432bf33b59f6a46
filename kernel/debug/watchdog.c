// SPDX-License-Identifier: MIT
/*
 * The watchdog: a timer on each busy CPU takes samples, SAMPLES of them per limit.
 *
 * Soft. Each sample asks for a pass through the scheduler. If the next one finds that request
 * still pending and no switch made, preemption was held off all the time between; when that has
 * been so for the whole limit, the CPU reports itself. A lone thread that computes for an hour
 * with preemption on is no such case, nor is one that holds it off often but shortly.
 *
 * Hard. A CPU that takes no interrupts takes no samples: some other busy CPU's sample sees that
 * its last one is too old, and asks it by NMI what it is doing.
 *
 * Idle CPUs take no samples: the timer is armed when a CPU leaves idle, and a sample that finds
 * the CPU idle does not arm it again. For the case that only one CPU is busy, that one asks
 * another to keep sampling as its watcher; the watcher stops when it has nobody to watch alone.
 *
 * Locks   none: each CPU's record is its own; the last sample's time and the two states are
 * atomic.
 */
#include "debug/watchdog.h"

#include "debug/exit.h"
#include "debug/log.h"
#include "debug/nmi.h"
#include "debug/panic.h"
#include "irq/ipi.h"
#include "irq/irq.h"
#include "lib/atomic.h"
#include "lib/cmdline.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "sched/thread.h"
#include "sync/lock_check.h"
#include "sync/preempt.h"
#include "time/clock.h"
#include "time/timer.h"

#define DEFAULT_LIMIT_NS (20 * NS_PER_SEC)
enum { SAMPLES = 8 }; /* per limit */

/*
 *   [c] only that CPU, interrupts off      [a] atomic
 */
struct watchdog_state {
	struct timer timer;
	uint64_t sample_ns;            /* [a] when the last sample was taken */
	uint32_t is_busy;              /* [a] what it found */
	uint32_t is_reported;          /* [a] stuck, and told; until it gets on */
	uint64_t nr_switches;          /* [c] at the last sample */
	uint64_t progress_ns;          /* [c] when it last was all right */
	struct ipi_call_async recruit; /* [a] the call that makes this CPU a watcher */
};

PERCPU(struct watchdog_cpu, watchdog_cpu);
static PERCPU(struct watchdog_state, state);
static uint64_t limit_ns = DEFAULT_LIMIT_NS; /* [a] 0: off */
static uint32_t is_final;                    /* [I] a report is a panic */
static uint32_t is_started;                  /* [a] watchdog_init has run */
static uint32_t nr_reports;                  /* [a] */
static uint32_t is_reporting;                /* [a] one report at a time; others come with a later sample */

uint32_t watchdog_count(void)
{
	return atomic_load_relaxed(&nr_reports);
}

static bool is_idle(void)
{
	return arch_current()->flags & THREAD_IDLE;
}

/* ---- The report ---- */

static void report_now(unsigned cpu, const char *what, uint64_t ns)
{
	log_emergency("watchdog: CPU %u %s for %llu ms", cpu, what,
		(unsigned long long)(ns / NS_PER_MS));
	if (is_final) {
		panic_set_exit_status(EXIT_HUNG);
		if (cpu == arch_cpu()->id && irq_frame())
			panic_frame(irq_frame(), "watchdog: CPU %u %s", cpu, what);
		panic("watchdog: CPU %u %s", cpu, what);
	}
	nmi_request(NMI_ALL, NMI_SNAPSHOT);
	for (unsigned i = 0; i < cpu_count(); i++) {
		const struct cpu_snapshot *s = nmi_snapshot(i);

		if (i != arch_cpu()->id && s)
			nmi_snapshot_print(i, s);
		else if (i != arch_cpu()->id)
			log_emergency("CPU %u: does not answer", i);
	}
	log_emergency("CPU %u: thread %s, asking", arch_cpu()->id, arch_current()->name);
	backtrace_print(0, arch_frame_pointer());
	lock_check_print_all();
}

static void report(unsigned cpu, const char *what, uint64_t ns)
{
	uint32_t *is_reported = &percpu_of(state, cpus[cpu])->is_reported;

	if (panic_in_progress() || atomic_load_relaxed(is_reported))
		return;
	if (atomic_xchg(&is_reporting, 1u))
		return; /* and not marked: the next sample tries again */
	if (!atomic_xchg(is_reported, 1u)) {
		atomic_add(&nr_reports, 1u);
		report_now(cpu, what, ns);
	}
	atomic_store(&is_reporting, 0u);
}

/* ---- Samples ---- */

static void arm(struct watchdog_state *s, uint64_t now)
{
	timer_start(&s->timer, now + limit_ns / SAMPLES);
}

static void check_self(struct watchdog_state *s, uint64_t now)
{
	uint64_t nr_switches = percpu(watchdog_cpu).nr_switches;

	if (nr_switches != s->nr_switches || is_idle() || !preempt_resched_wanted()) {
		s->nr_switches = nr_switches;
		s->progress_ns = now;
		atomic_store_relaxed(&s->is_reported, 0u);
	} else if (now - s->progress_ns >= limit_ns) {
		report(arch_cpu()->id, "holds preemption off", now - s->progress_ns);
	}
}

struct neighbours {
	unsigned nr_busy;       /* CPUs other than this whose last sample found them busy */
	unsigned nr_watching;   /* others whose timer runs, busy or not */
	bool is_lower_watching; /* an idle one with a smaller number is among them */
};

static bool is_armed(struct cpu *cpu)
{
	return atomic_load_relaxed(&percpu_of(watchdog_cpu, cpu)->is_armed);
}

static void check_others(uint64_t now, struct neighbours *n)
{
	*n = (struct neighbours){0};
	for (unsigned i = 0; i < cpu_count(); i++) {
		struct watchdog_state *s = percpu_of(state, cpus[i]);
		uint64_t sample_ns = atomic_load_relaxed(&s->sample_ns);
		bool is_busy = atomic_load_relaxed(&s->is_busy);

		if (i == arch_cpu()->id || !is_armed(cpus[i]))
			continue;
		n->nr_watching++;
		n->nr_busy += is_busy;
		n->is_lower_watching |= !is_busy && i < arch_cpu()->id;
		if (now > sample_ns && now - sample_ns >= limit_ns + limit_ns / SAMPLES)
			report(i, "takes no interrupts", now - sample_ns);
	}
}

static void become_watcher(void *arg UNUSED)
{
	watchdog_note_busy();
}

/* The only busy CPU asks its neighbour to look after it. */
static void recruit_watcher(void)
{
	struct cpu *cpu = cpus[(arch_cpu()->id + 1) % cpu_count()];
	struct ipi_call_async *call = &percpu_of(state, cpu)->recruit;

	if (call->fn &&
		!atomic_load_acquire(&call->is_done)) /* pairs with the receiver's release */
		return;
	*call = (struct ipi_call_async){.fn = become_watcher};
	ipi_call_async(cpu->id, call);
}

static void sample(struct timer *timer)
{
	struct watchdog_state *s = container_of(timer, struct watchdog_state, timer);
	uint64_t now = clock_monotonic_ns();
	struct neighbours n;
	bool is_needed;

	if (!limit_ns) {
		atomic_store_relaxed(&percpu(watchdog_cpu).is_armed, 0u);
		return;
	}
	atomic_store_relaxed(&s->sample_ns, now);
	atomic_store_relaxed(&s->is_busy, (uint32_t)!is_idle());
	check_self(s, now);
	check_others(now, &n);
	is_needed = !is_idle() || (n.nr_busy == 1 && !n.is_lower_watching);
	if (!is_idle() && n.nr_watching == 0 && cpu_count() > 1)
		recruit_watcher();
	if (!is_idle())
		preempt_ask_resched();
	if (is_needed)
		arm(s, now);
	else
		atomic_store_relaxed(&percpu(watchdog_cpu).is_armed, 0u);
}

void watchdog_arm(void)
{
	struct watchdog_state *s = &percpu(state);
	uint64_t now;

	if (!limit_ns || !atomic_load_relaxed(&is_started))
		return;
	now = clock_monotonic_ns();
	timer_init(&s->timer, sample);
	s->nr_switches = percpu(watchdog_cpu).nr_switches;
	s->progress_ns = now;
	atomic_store_relaxed(&s->sample_ns, now);
	atomic_store_relaxed(&s->is_busy, 1u);
	atomic_store_relaxed(&percpu(watchdog_cpu).is_armed, 1u);
	arm(s, now);
}

/* ---- Start and settings ---- */

void watchdog_init_cpu(void)
{
	bool were_enabled = arch_irq_save();

	watchdog_note_busy();
	arch_irq_restore(were_enabled);
}

void watchdog_init(void)
{
	atomic_store(&is_started, 1u);
	watchdog_init_cpu();
}

void watchdog_set_limit_ns(uint64_t ns)
{
	WRITE_ONCE(limit_ns, ns);
}

static int set_watchdog(const char *value)
{
	const char *at = value;
	uint64_t seconds;

	if (char_is_digit(*at)) {
		if (parse_take_u64(&at, 0, &seconds) || seconds > UINT32_MAX)
			return -EINVAL;
		if (*at == ',')
			at++;
		else if (*at)
			return -EINVAL;
		limit_ns = seconds * NS_PER_SEC;
	}
	if (str_equal(at, "panic"))
		is_final = 1;
	else if (*at || at == value)
		return -EINVAL;
	return 0;
}
CMDLINE_WORD(watchdog, "watchdog", set_watchdog,
	"[SECONDS][,][panic]: report CPUs that are stuck this long; 0: off; panic: and end");
