// SPDX-License-Identifier: MIT
/*
 * kmain: the order in which the kernel starts, on one screen.
 *
 * The machine's entry code comes here with a stack, the image relocated and mapped, the first 4 GiB
 * of memory at direct_base, and interrupts off. Each line needs the lines before it; what it
 * needs in particular and what it gives is said beside it.
 */
#include "arch/arch.h"
#include "arch/bootinfo.h"
#include "boot/info.h"
#include "boot/init.h"
#include "boot/smp.h"
#include "boot/words.h"
#include "debug/console.h"
#include "debug/crash.h"
#include "debug/log.h"
#include "debug/test_runner.h"
#include "debug/watchdog.h"
#include "dev/acpi/acpi.h"
#include "dev/tty/pty.h"
#include "dev/tty/serial.h"
#include "dev/char/chardev.h"
#include "dev/char/rtc.h"
#include "fs/tmpfs/tmpfs.h"
#include "ipc/ipc_ns.h"
#include "irq/irq.h"
#include "irq/work.h"
#include "lib/cmdline.h"
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
#include "time/vdso.h"

static void log_machine(void)
{
	char cpu[LOG_LINE_MAX / 2];

	arch_cpu_describe(cpu, sizeof(cpu));
	log_info("boot: %s", cpu);
	boot_log_info();
}

void kmain(enum boot_protocol protocol, paddr_t info)
{
	/* One CPU, no interrupts, no memory but the image. */
	smp_init_boot_cpu();		   /* gives  cpus[0], PERCPU variables                 */
	arch_init_early();		   /* gives  faults that are reported, protections     */
	sched_init();			   /* gives  a current thread; it must not block yet   */
	boot_read_info(protocol, info);	   /* gives  bootinfo                                  */
	cmdline_parse(bootinfo.cmdline);   /* gives  every word's setting                      */
	log_machine();

	/* Memory. */
	bootmem_init(boot_words.mem_limit);
	arch_reserve_memory();		   /* needs  bootmem, nothing given away yet           */
	bootmem_map_all();		   /* gives  all RAM at direct_base, the image W^X     */
	page_init();			   /* gives  page_alloc                                */
	slab_init();			   /* gives  mem_alloc                                 */
	kmap_init();			   /* gives  mappings of devices, stacks               */
	vmspace_init();			   /* gives  address spaces                            */

	/* Interrupts and time. */
	acpi_discover_machine();	   /* needs  kmap               gives  machine         */
	irq_init();			   /* needs  mem_alloc                                 */
	arch_init_interrupts();		   /* needs  machine            gives  IPIs, timer     */
	clock_init();			   /* gives  the time                                  */
	vdso_init();			   /* gives  programs the time without a call          */
	smp_init_this_cpu();

	/* Threads. */
	thread_init_system();		   /* needs  mem_alloc, kmap    gives  sleeping        */
	arch_irq_enable();
	rcu_init();			   /* needs  threads                                   */
	random_init();			   /* gives  bytes that nobody can guess               */
	proc_init();			   /* needs  mem_alloc          gives  ids, limits     */
	ipc_ns_init();			   /* gives  the ids of shared memory                  */
	ring_task_init();		   /* gives  the rings of programs                     */
	work_init_system();		   /* needs  threads                                   */
	watchdog_init();
	smp_start_others();		   /* gives  every CPU                                 */

	/* Files. */
	pagecache_init_system();	   /* needs  mem_alloc                                 */
	tmpfs_init();			   /* gives  the filesystem of the root                */
	vfs_init();			   /* gives  the root, path names                      */
	file_init();			   /* gives  open files                                */
	devtmpfs_init();		   /* gives  device nodes                              */
	mem_devices_init();		   /* gives  null, zero, random, kmsg                  */
	rtc_device_init();		   /*        rtc0                                      */
	serial_init();			   /* gives  ttyS0..3, console                         */
	pty_init();			   /* gives  ptmx, tty                                 */

	log_info("torus: ready, %u CPUs, %lu counts since entry", cpu_count(),
		arch_counter_read() - arch_layout.entry_counter);
	crash_if_requested();
	if (test_start_requested())
		thread_exit(0);
	if (init_is_wanted())
		init_start();
	else
		console_start();
	thread_exit(0);
}
