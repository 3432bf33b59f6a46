// SPDX-License-Identifier: MIT
/*
 * The simulated CPU: interrupt flag, preemption count, starting, waiting, stopping, interrupts
 * between CPUs and the one-shot timer.
 *
 * An interrupt is a bit in the receiver's struct sim_cpu; interleave.c delivers it at a step of
 * the receiver at which its flag is on, and at once when the flag is turned on.
 */
#include "arch/sim/sim_priv.h"

#include "arch/machine.h"
#include "debug/exit.h"
#include "lib/fmt.h"
#include "sched/thread.h"

#include <stdio.h>
#include <string.h>

/* ---- The interrupt flag and the preemption count ---- */

bool sim_irq_is_enabled(void)
{
	return sim.self->irq_on;
}

bool sim_irq_off(void)
{
	bool were_on;

	sim_interleave();
	were_on = sim.self->irq_on;
	sim.self->irq_on = false;
	return were_on;
}

void sim_irq_on(void)
{
	sim.self->irq_on = true;
	sim_deliver();
	sim_interleave();
}

void sim_set_current(struct thread *t)
{
	sim_this_cpu->current = t;
	sim_this_thread = t;
}

uint32_t sim_preempt_add(int32_t delta)
{
	return sim_this_cpu->preempt += (uint32_t)delta;
}

/* ---- Starting, waiting, stopping ---- */

static struct sim_cpu *sim_cpu_of(const struct cpu *cpu)
{
	return &sim.cpu[cpu->hw_id];
}

void arch_init_early(void)
{
}

void arch_init_interrupts(void)
{
}

void arch_init_secondary(struct cpu *cpu UNUSED)
{
}

static void secondary_entry(void *cpu)
{
	smp_secondary_main(cpu);
}

int arch_cpu_start(struct cpu *cpu)
{
	struct sim_cpu *c;

	if (cpu->hw_id >= sim.opt.nr_cpus)
		return -ETIMEDOUT; /* a CPU that the tables invented never answers */
	c = sim_cpu_of(cpu);
	cpu->current->ctx.sp = NULL;
	c->sp = sim_stack_prepare(cpu->current->kstack_top, secondary_entry, cpu);
	c->cpu = cpu;
	return 0;
}

void arch_cpu_wait(void)
{
	struct sim_cpu *me = sim.self;

	if (me->irq_on)
		sim_report("arch_cpu_wait is entered with interrupts on");
	me->is_waiting = true;
	while (!sim_has_event(me))
		sim_resume_elsewhere();
	me->is_waiting = false;
	me->irq_on = true;
	sim_deliver();
	sim.self->irq_on = false;
}

void arch_cpu_stop(void)
{
	bool is_last = true;

	sim.self->irq_on = false;
	sim.self->is_stopped = true;
	for (unsigned i = 0; i < sim.opt.nr_cpus; i++)
		is_last &= !sim.cpu[i].cpu || sim.cpu[i].is_stopped;
	if (is_last)
		sim_exit(EXIT_PANIC);
	for (;;)
		sim_resume_elsewhere();
}

/* No host thread is taken away from a simulated CPU alone: they share one. */
bool arch_cpu_is_virtual(void)
{
	return false;
}

void arch_cpu_describe(char *buf, size_t size)
{
	snprintf(buf, size, "simulated, seed %lu, %s", sim.opt.seed,
		sim.strategy == SIM_PCT ? "PCT" : "random");
}

/* ---- Other CPUs ---- */

void arch_ipi_send(struct cpu *cpu)
{
	sim_cpu_of(cpu)->ipi_pending = true;
	sim_interleave();
}

void arch_nmi_send_others(void)
{
	for (unsigned i = 0; i < sim.opt.nr_cpus; i++)
		if (&sim.cpu[i] != sim.self && sim.cpu[i].cpu && !sim.cpu[i].is_stopped)
			sim.cpu[i].nmi_pending = true;
	sim_interleave();
}

/* ---- The timer ---- */

uint64_t arch_counter_calibrate(void)
{
	return sim.hz;
}

const char *arch_counter_name(void)
{
	return "simulated counter";
}

void arch_timer_arm(uint64_t deadline)
{
	sim.self->deadline = deadline;
}

void arch_timer_cancel(void)
{
	sim.self->deadline = SIM_NEVER;
}

void arch_cpu_place(unsigned cpu, struct cpu_place *out)
{
	*out = (struct cpu_place){.package = cpu};
}

bool arch_cpu_cache(unsigned cpu UNUSED, unsigned index UNUSED, struct cpu_cache *out UNUSED)
{
	return false;
}

void arch_cpu_info(unsigned cpu, char *buf, size_t size)
{
	snformat(buf, size, "processor\t: %u\nmodel name\t: simulated\n", cpu);
}
