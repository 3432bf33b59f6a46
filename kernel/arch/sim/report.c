// SPDX-License-Identifier: MIT
/*
 * What is printed when the machine itself sees that the kernel is wrong: nothing can happen any
 * more (a lost wake-up, threads that wait for each other), or too much happens (a livelock).
 *
 * The world is frozen first, so the report sees one moment and changes nothing.
 */
#include "arch/sim/sim_priv.h"

#include "debug/exit.h"
#include "debug/log.h"
#include "debug/panic.h"
#include "sched/thread.h"
#include "sync/lock_check.h"

#include <stdarg.h>
#include <stdio.h>

static void print_cpu(const struct sim_cpu *c)
{
	vaddr_t pc, fp;

	log_emergency("sim: cpu %u %s, interrupts %s, thread %s, timer %s", c->cpu->id,
		c->is_stopped   ? "is stopped"
		: c->is_waiting ? "waits"
				: "runs",
		c->irq_on ? "on" : "off", c->cpu->current ? c->cpu->current->name : "(none)",
		c->deadline == SIM_NEVER ? "off" : "armed");
	if (c == sim.self) {
		backtrace_print(0, arch_frame_pointer());
	} else if (!c->is_waiting && c->sp) {
		sim_saved_registers(c->sp, &pc, &fp);
		backtrace_print(pc, fp);
	}
}

static void print_thread(struct thread *t, void *ctx UNUSED)
{
	vaddr_t pc, fp;

	if (!t->ctx.sp || (t->flags & THREAD_IDLE))
		return; /* on a CPU: printed with it */
	log_emergency("sim: thread %u %s is %s, last on cpu %u", t->id, t->name,
		thread_state_name(t->state), t->cpu);
	sim_saved_registers(t->ctx.sp, &pc, &fp);
	backtrace_print(pc, fp);
	lock_check_print_thread(t);
}

void sim_report(const char *fmt, ...)
{
	static bool is_again;
	char why[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	sim_freeze();
	if (is_again) {
		sim_say("sim: the report ends here: %s\n", why);
		sim_exit(EXIT_HUNG);
	}
	is_again = true;
	sim.self->irq_on = false;
	log_emergency("sim: %s", why);
	log_emergency("sim: at %lu steps, %lu ms of virtual time", sim.steps,
		sim.now / (sim.hz / 1000));
	for (unsigned i = 0; i < sim.opt.nr_cpus; i++)
		if (sim.cpu[i].cpu)
			print_cpu(&sim.cpu[i]);
	lock_check_print_all();
	if (lock_check_depth() == 0)
		thread_for_each(print_thread, NULL);
	sim_say("not ok: %s\n", why);
	sim_exit(EXIT_HUNG);
}
