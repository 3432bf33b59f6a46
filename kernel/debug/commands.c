// SPDX-License-Identifier: MIT
/*
 * The console's commands about the core: each prints what one header's functions tell. Folders
 * with more to say bring their own by CONSOLE_COMMAND.
 */
#include "arch/arch.h"
#include "debug/console.h"
#include "debug/log.h"
#include "debug/panic.h"
#include "debug/trace.h"
#include "debug/watchdog.h"
#include "irq/irq.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "sched/sched.h"
#include "sched/thread.h"
#include "sync/lock_check.h"
#include "time/clock.h"

enum { SYMBOL_TEXT = 96, LOG_CHUNK = 2048, TRACE_DEFAULT = 40 };

/* ---- Threads and CPUs ---- */

/* The list is locked: formats by console_print, which takes no lock. */
static void print_thread(struct thread *t, void *ctx UNUSED)
{
	console_print("%5u %-24s %-8s CPU %-3u %10llu us %8llu switches", t->id, t->name,
		thread_state_name(READ_ONCE(t->state)), t->cpu,
		(unsigned long long)(t->cpu_ns / NS_PER_US),
		(unsigned long long)t->nr_switches);
}

static void print_threads(const char *args UNUSED)
{
	console_print("%5s %-24s %-8s", "id", "name", "state");
	thread_for_each(print_thread, NULL);
}
CONSOLE_COMMAND(threads, "every thread: state, CPU, time, switches", print_threads);

struct running {
	unsigned cpu;
	char name[sizeof(((struct thread *)0)->name)];
};

/* Only while the list is locked is it sure that a CPU's current thread still exists. */
static void note_if_running(struct thread *t, void *ctx)
{
	struct running *r = ctx;

	if (t == READ_ONCE(cpus[r->cpu]->current))
		snformat(r->name, sizeof(r->name), "%s", t->name);
}

static void print_cpus(const char *args UNUSED)
{
	for (unsigned i = 0; i < cpu_count(); i++) {
		struct running r = {.cpu = i, .name = "?"}; /* it switched while we looked */
		struct sched_stats s;

		thread_for_each(note_if_running, &r);
		sched_get_stats(i, &s);
		console_print("CPU %-3u runs %-24s %u ready, %llu switches, %llu steals, idle "
			      "%llu ms",
			i, r.name, s.nr_ready,
			(unsigned long long)s.nr_switches, (unsigned long long)s.nr_steals,
			(unsigned long long)(s.idle_ns / NS_PER_MS));
	}
}
CONSOLE_COMMAND(cpus, "every CPU: what it runs, its queue, idle time", print_cpus);

/* ---- Locks, log, trace ---- */

static void print_thread_locks(struct thread *t, void *ctx UNUSED)
{
	if (!t->held.nr)
		return;
	console_print("%s:", t->name);
	lock_check_print_thread(t);
}

static void print_locks(const char *args UNUSED)
{
	lock_check_print_all();
	thread_for_each(print_thread_locks, NULL);
}
CONSOLE_COMMAND(locks, "the locks that CPUs and threads hold (debug kernels)", print_locks);

static void print_log(const char *args UNUSED)
{
	static char chunk[LOG_CHUNK]; /* one console thread */
	uint64_t seq = 0;
	size_t len;

	while ((len = log_read(&seq, chunk, sizeof(chunk))) != 0)
		arch_console_write(chunk, len);
}
CONSOLE_COMMAND(log, "the log's ring, from its oldest line", print_log);

static void print_trace(const char *args UNUSED)
{
	trace_print_last(TRACE_DEFAULT);
}
CONSOLE_COMMAND(trace, "the last trace entries (debug kernels)", print_trace);

/* ---- Memory ---- */

static void print_pages(const char *args UNUSED)
{
	struct page_stats s;

	page_get_stats(&s);
	console_print(
		"%llu pages: %llu free, of those %llu in CPU caches and %llu never touched",
		(unsigned long long)s.total, (unsigned long long)s.free,
		(unsigned long long)s.cached, (unsigned long long)s.raw);
}
CONSOLE_COMMAND(pages, "page frames: total, free, cached, never touched", print_pages);

static void print_cache(
	const char *name, size_t size, uint64_t in_use, uint64_t pages, void *ctx UNUSED)
{
	console_print("  %-24s %6zu bytes %8llu in use %6llu pages", name, size,
		(unsigned long long)in_use, (unsigned long long)pages);
}

static void print_slabs(const char *args UNUSED)
{
	slab_for_each_cache(print_cache, NULL);
}
CONSOLE_COMMAND(slabs, "every slab cache: object size, use, pages", print_slabs);

/* ---- Interrupts ---- */

static void print_irqs(const char *args UNUSED)
{
	for (unsigned irq = 0; irq < arch_irq_count(); irq++)
		if (irq_count_total(irq))
			console_print(
				"  %3u %10llu", irq, (unsigned long long)irq_count_total(irq));
	console_print("watchdog reports: %u", watchdog_count());
}
CONSOLE_COMMAND(irq, "interrupts by number", print_irqs);

/* ---- Symbols ---- */

static void print_symbol(const char *args)
{
	char text[SYMBOL_TEXT];
	uint64_t addr;

	if (parse_u64(args, 16, &addr) == 0) {
		symbol_describe(addr, text, sizeof(text));
		console_print("%s", text);
		return;
	}
	addr = symbol_find(args);
	if (addr)
		console_print("%#llx", (unsigned long long)addr);
	else
		console_print("no such symbol");
}
CONSOLE_COMMAND(symbols, "NAME or hexadecimal ADDRESS: the other one", print_symbol);

/* ---- Ways out ---- */

static void run_panic(const char *args UNUSED)
{
	panic("asked for on the console");
}
CONSOLE_COMMAND(panic, "shows what a panic prints, and ends", run_panic);

static void run_off(const char *args UNUSED)
{
	arch_power_off();
	console_print("this machine cannot be switched off");
}
CONSOLE_COMMAND(off, "switches the machine off", run_off);

static void run_reboot(const char *args UNUSED)
{
	arch_restart();
	console_print("this machine cannot be restarted");
}
CONSOLE_COMMAND(reboot, "restarts the machine", run_reboot);
