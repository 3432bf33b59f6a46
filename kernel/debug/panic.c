// SPDX-License-Identifier: MIT
/*
 * Panic: the report is a list of stages, each printing one part. A fault or a failed assertion
 * inside a stage comes back to panic on the same CPU; it is told in one line and the report
 * goes on with the next stage, so the part that is broken costs only itself, and the list ends.
 *
 *     panic -> claim (first CPU wins, later ones stop) -> stop the others by NMI
 *           -> stages: reason, registers, backtrace, other CPUs, locks, trace entries
 *           -> end: exit status to the emulator | restart after panic=N | halt
 *
 * Nothing here takes a lock, allocates or sleeps.
 */
#include "debug/panic.h"

#include "debug/exit.h"
#include "debug/log.h"
#include "debug/nmi.h"
#include "debug/trace.h"
#include "lib/atomic.h"
#include "lib/cmdline.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "sched/thread.h"
#include "sync/lock_check.h"
#include "time/clock.h"

enum {
	NOBODY = -1,
	TRACE_ENTRIES = 32,
	MESSAGE_MAX = LOG_LINE_MAX - 32,
};

static int32_t panic_cpu = NOBODY; /* [a] who panicked first */
static int panic_timeout_seconds;  /* [I] panic=; 0: halt */
static unsigned exit_status = EXIT_PANIC;

/* Of the first panic; written once by panic_cpu. */
static char message[MESSAGE_MAX];
static const struct arch_frame *reason_frame; /* NULL: no trap brought us here */
static vaddr_t reason_pc, reason_fp;
static unsigned next_stage;

bool panic_in_progress(void)
{
	return atomic_load_relaxed(&panic_cpu) != NOBODY;
}

void panic_set_exit_status(unsigned status)
{
	exit_status = status;
}

/* ---- The stages ---- */

static void print_reason(void)
{
	const struct thread *t = arch_current();
	char cpu[96];

	arch_cpu_describe(cpu, sizeof(cpu));
	log_emergency("panic: %s", message);
	log_emergency("on CPU %u of %u, thread %s (%u), preempt %#x, %s", arch_cpu()->id,
		cpu_count(), t ? t->name : "(none)", t ? t->id : 0, arch_preempt_get(), cpu);
}

static void print_registers(void)
{
	if (reason_frame)
		arch_frame_print(reason_frame);
}

static void print_backtrace(void)
{
	log_emergency("backtrace of CPU %u:", arch_cpu()->id);
	backtrace_print(reason_pc, reason_fp);
}

static void print_others(void)
{
	for (unsigned i = 0; i < cpu_count(); i++) {
		const struct cpu_snapshot *s;

		if (i == arch_cpu()->id)
			continue;
		s = nmi_snapshot(i);
		if (s)
			nmi_snapshot_print(i, s);
		else
			log_emergency("CPU %u: does not answer", i);
	}
}

static void print_trace(void)
{
	trace_print_last(TRACE_ENTRIES);
}

static void (*const stages[])(void) = {print_reason, print_registers, print_backtrace,
	print_others, lock_check_print_all, print_trace};

static NORETURN void finish(void)
{
	log_emergency("end of panic: %s", message);
	arch_exit_emulator(exit_status);
	if (panic_timeout_seconds > 0) {
		log_emergency("restarting in %d s", panic_timeout_seconds);
		clock_spin_ns((uint64_t)panic_timeout_seconds * NS_PER_SEC);
	}
	if (panic_timeout_seconds)
		arch_restart();
	arch_cpu_stop();
}

static NORETURN void go_on(void)
{
	while (next_stage < ARRAY_LEN(stages))
		stages[next_stage++]();
	if (next_stage++ == ARRAY_LEN(stages))
		finish();
	arch_cpu_stop(); /* even the end failed */
}

/* ---- The ways in ---- */

static NORETURN void start(
	const struct arch_frame *f, vaddr_t pc, vaddr_t fp, const char *fmt, va_list args)
{
	int32_t nobody = NOBODY, self;

	arch_irq_disable();
	self = (int32_t)arch_cpu()->id;
	if (atomic_cmpxchg(&panic_cpu, &nobody, self)) {
		vsnformat(message, sizeof(message), fmt, args);
		reason_frame = f;
		reason_pc = pc;
		reason_fp = fp;
		nmi_request(NMI_ALL, NMI_SNAPSHOT | NMI_STOP);
	} else if (atomic_load_relaxed(&panic_cpu) == self) {
		char again[MESSAGE_MAX];

		vsnformat(again, sizeof(again), fmt, args);
		log_emergency(
			"panic inside the report of a panic (stage %u): %s", next_stage, again);
	} else {
		arch_cpu_stop(); /* the NMI of the first comes anyway and takes the snapshot */
	}
	go_on();
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	start(NULL, 0, arch_frame_pointer(), fmt, args);
}

void panic_frame(const struct arch_frame *f, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	start(f, arch_frame_pc(f), arch_frame_fp(f), fmt, args);
}

void assert_failed(const char *expr, const char *file, int line)
{
	panic("assertion failed: %s (%s:%d)", expr, file, line);
}

/* ---- The command line ---- */

/* Linux: panic=N restarts after N seconds, negative: at once, 0: never. */
static int set_panic(const char *value)
{
	int64_t seconds;

	if (parse_s64(value, 0, &seconds) || seconds != (int)seconds)
		return -EINVAL;
	panic_timeout_seconds = (int)seconds;
	return 0;
}
CMDLINE_WORD(panic, "panic", set_panic,
	"N: restart N seconds after a panic, negative: at once, 0: halt");
