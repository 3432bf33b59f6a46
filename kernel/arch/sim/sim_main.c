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
#include "boot/smp.h"
#include "boot/words.h"
#include "debug/log.h"
#include "debug/test_runner.h"
#include "debug/watchdog.h"
#include "dev/char/chardev.h"
#include "dev/tty/pty.h"
#include "fs/tmpfs/tmpfs.h"
#include "ipc/ipc_ns.h"
#include "irq/irq.h"
#include "irq/work.h"
#include "lib/cmdline.h"
#include "lib/string.h"
#include "mm/bootmem.h"
#include "mm/kmap.h"
#include "mm/page.h"
#include "mm/pagecache.h"
#include "mm/slab.h"
#include "mm/vmspace.h"
#include "proc/proc.h"
#include "ring/ring.h"
#include "sched/sched.h"
#include "security/random.h"
#include "sync/rcu.h"
#include "time/clock.h"

struct bootinfo bootinfo;
struct machine machine;
extern struct cpu boot_cpu; /* boot/smp.c */

static void enter_boot_cpu(void)
{
	sim.self->cpu = &boot_cpu;
	sim_this_cpu = &boot_cpu;
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
	enter_boot_cpu();
	init_machine();
	smp_init_boot_cpu();
	arch_init_early();
	sched_init();
	cmdline_parse(bootinfo.cmdline);

	bootmem_init(boot_words.mem_limit);
	arch_reserve_memory();
	bootmem_map_all();
	page_init();
	slab_init();
	kmap_init();
	vmspace_init();

	irq_init();
	arch_init_interrupts();
	clock_init();
	smp_init_this_cpu();

	thread_init_system();
	arch_irq_enable();
	rcu_init();
	random_init();
	proc_init();
	ipc_ns_init();
	ring_task_init();
	work_init_system();
	watchdog_init();

	smp_start_others();

	pagecache_init_system();
	tmpfs_init();
	vfs_init();
	file_init();
	devtmpfs_init();
	mem_devices_init();
	pty_init();

	log_info("torus: ready");
	if (!test_start_requested())
		arch_power_off();
	thread_exit(0);
}
