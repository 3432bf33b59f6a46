// SPDX-License-Identifier: MIT
/*
 * The start order of the simulated machine: boot/main.c's, without firmware and hardware
 * tables.
 *
 * Each line's needs are the lines before it. Keep it beside boot/main.c.
 */
#include "arch/sim/sim_priv.h"

#include "arch/bootinfo.h"
#include "arch/machine.h"
#include "debug/log.h"
#include "debug/test_runner.h"
#include "debug/watchdog.h"
#include "irq/irq.h"
#include "irq/work.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/cmdline.h"
#include "lib/string.h"
#include "mm/bootmem.h"
#include "mm/kmap.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "sched/sched.h"
#include "sync/preempt.h"
#include "sync/rcu.h"
#include "time/clock.h"
#include "time/timer.h"

struct bootinfo bootinfo;
struct machine machine;
struct cpu *cpus[MAX_CPUS];
static struct cpu boot_cpu;
static unsigned nr_online; /* [a] release when a CPU has joined */

extern char __start_percpu[], __stop_percpu[]; /* the linker's, of section percpu */

unsigned cpu_count(void)
{
	return atomic_load_acquire(&nr_online); /* pairs with the release in join */
}

static void join(struct cpu *cpu)
{
	atomic_store_release(&cpu->is_online, 1u);
	atomic_store_release(&nr_online, cpu->id + 1); /* pairs with the acquire in cpu_count */
}

/* ---- Every CPU ---- */

static void start_this_cpu(void)
{
	slab_init_cpu();
	timer_init_cpu();
	watchdog_init_cpu();
}

void smp_secondary_main(struct cpu *cpu)
{
	arch_init_secondary(cpu);
	start_this_cpu();
	join(cpu);
	sched_idle_loop();
}

static void start_cpu(unsigned id)
{
	size_t percpu_size = (size_t)(__stop_percpu - __start_percpu);
	struct cpu *cpu = mem_alloc(sizeof(*cpu), SLAB_ZERO);
	char *area = mem_alloc(percpu_size, SLAB_ZERO);
	struct thread *idle;

	if (!cpu || !area)
		panic("boot: no memory for CPU %u", id);
	cpu->self = cpu;
	cpu->id = id;
	cpu->hw_id = machine.cpu[id].hw_id;
	cpu->preempt = PREEMPT_NO_RESCHED;
	cpu->percpu_offset = (uintptr_t)area - (uintptr_t)__start_percpu;
	cpus[id] = cpu;
	if (sched_create_idle(cpu, &idle))
		panic("boot: no memory for the idle thread of CPU %u", id);
	cpu->current = idle;
	sched_init_cpu(cpu, idle);
	if (arch_cpu_start(cpu))
		panic("boot: CPU %u does not start", id);
	while (!atomic_load_acquire(&cpu->is_online)) /* pairs with the release in join */
		arch_cpu_relax();
}

/* ---- The first CPU ---- */

static void init_boot_cpu(void)
{
	boot_cpu.self = &boot_cpu;
	boot_cpu.preempt = PREEMPT_NO_RESCHED;
	cpus[0] = &boot_cpu;
	sim.self = &sim.cpu[0];
	sim.self->cpu = &boot_cpu;
	sim_this_cpu = &boot_cpu;
	join(&boot_cpu);
}

static void init_machine(void)
{
	bootinfo.protocol = "sim";
	bootinfo.loader = "torus-sim";
	str_copy(bootinfo.cmdline, sim.opt.cmdline, sizeof(bootinfo.cmdline));
	machine.source = "sim";
	machine.nr_cpus = sim.opt.nr_cpus;
	for (unsigned i = 0; i < machine.nr_cpus; i++)
		machine.cpu[i] = (struct machine_cpu){.hw_id = i, .acpi_uid = i};
}

void sim_kmain(void *unused UNUSED)
{
	init_boot_cpu();
	init_machine();
	cmdline_parse(bootinfo.cmdline);
	arch_init_early();
	sched_init();

	bootmem_init(0);
	arch_reserve_memory();
	bootmem_map_all();
	page_init();
	slab_init();
	kmap_init();

	arch_init_interrupts();
	irq_init();
	clock_init();
	start_this_cpu();

	thread_init_system();
	arch_irq_enable();
	rcu_init();
	work_init_system();
	watchdog_init();

	for (unsigned i = 1; i < machine.nr_cpus; i++)
		start_cpu(i);
	log_info("torus: ready, %u CPUs, seed %lu", cpu_count(), sim.opt.seed);
	if (!test_start_requested())
		arch_power_off();
	thread_exit(0);
}
