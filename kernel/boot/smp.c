// SPDX-License-Identifier: MIT
/*
 * All CPUs but the first: each gets its struct cpu, its copy of the PERCPU variables and an idle
 * thread, is started by the machine, and joins. CPUs are started one after the other: ids are
 * dense, so a CPU that does not answer gives its id to the next. The machine sees to it that one
 * it has given up never arrives here, so that no two CPUs go by one id.
 *
 *     smp_start_others -> arch_cpu_start ... (other CPU) smp_secondary_main -> join -> idle
 */
#include "boot/smp.h"

#include "arch/arch.h"
#include "arch/machine.h"
#include "debug/log.h"
#include "debug/watchdog.h"
#include "lib/atomic.h"
#include "lib/cmdline.h"
#include "lib/parse.h"
#include "mm/kmap.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "sched/sched.h"
#include "sync/preempt.h"
#include "time/clock.h"
#include "time/timer.h"

extern struct cpu boot_cpu; /* the machine's entry code puts it into its CPU register */
struct cpu boot_cpu = {.self = &boot_cpu, .preempt = PREEMPT_NO_RESCHED};
struct cpu *cpus[MAX_CPUS];
static unsigned nr_online; /* [a] release when a CPU has joined, acquire by cpu_count */

static unsigned max_cpus = MAX_CPUS; /* maxcpus=, nosmp */

extern char __percpu_start[], __percpu_end[]; /* the linker's */

unsigned cpu_count(void)
{
	return atomic_load_acquire(&nr_online); /* pairs with the release in join */
}

/* This CPU counts from here on. */
static void join(struct cpu *cpu)
{
	atomic_store_release(&nr_online, cpu->id + 1);
	/*
	 * Until now nobody asked us to forget translations. Those we may have loaded while others
	 * changed the kernel's tables go now; later ones are in their shootdowns.
	 */
	arch_tlb_flush_all();
}

void smp_init_boot_cpu(void)
{
	cpus[0] = &boot_cpu;
	join(&boot_cpu);
}

void smp_init_this_cpu(void)
{
	page_init_cpu();
	slab_init_cpu();
	timer_init_cpu();
	watchdog_init_cpu();
}

void smp_secondary_main(struct cpu *cpu)
{
	arch_init_secondary(cpu);
	smp_init_this_cpu();
	join(cpu);
	sched_idle_loop();
}

/* ---- Starting one ---- */

/* Memory, identity and idle thread for CPU number `id`. Nothing is undone: start-up ends at -ENOMEM. */
static int prepare(unsigned id, uint64_t hw_id, struct cpu **out)
{
	struct cpu *cpu;
	struct thread *idle;
	void *area;
	int err;

	cpu = mem_alloc(sizeof(*cpu), SLAB_ZERO);
	if (!cpu)
		return -ENOMEM;
	err = kmap_alloc(&area, (size_t)(__percpu_end - __percpu_start), "per-CPU variables");
	if (err)
		goto free_cpu;
	cpu->self = cpu;
	cpu->id = id;
	cpu->hw_id = hw_id;
	cpu->preempt = PREEMPT_NO_RESCHED;
	cpu->percpu_offset = (uintptr_t)area - (uintptr_t)__percpu_start;
	cpus[id] = cpu;
	err = sched_create_idle(cpu, &idle);
	if (err)
		goto free_area;
	cpu->current = idle;
	sched_init_cpu(cpu, idle);
	*out = cpu;
	return 0;

free_area:
	cpus[id] = NULL;
	kmap_free(area);
free_cpu:
	mem_free(cpu);
	return err;
}

/*
 * A CPU that did not answer is in no list afterwards. Its memory is not given to others: it may
 * yet take its first steps on that stack, before the machine's code stops it.
 */
static void forget(struct cpu *cpu, struct thread *idle)
{
	cpus[cpu->id] = NULL;
	sched_forget_idle(idle);
}

static int start(uint64_t hw_id)
{
	struct thread *idle;
	struct cpu *cpu;
	int err;

	err = prepare(cpu_count(), hw_id, &cpu);
	if (err)
		return err;
	idle = cpu->current;
	err = arch_cpu_start(cpu);
	if (err) {
		forget(cpu, idle);
		return err;
	}
	while (cpu_count() <= cpu->id) /* it runs our code: it will */
		arch_cpu_relax();
	return 0;
}

void smp_start_others(void)
{
	for (unsigned i = 1; i < machine.nr_cpus && cpu_count() < max_cpus; i++) {
		int err = start(machine.cpu[i].hw_id);

		if (err == -ENOMEM)
			log_err("smp: no memory for CPU %u and those after it", i);
		else if (err)
			log_err("smp: CPU with hardware id %lu does not start (error %d)", machine.cpu[i].hw_id, err);
		if (err == -ENOMEM)
			break;
	}
	log_info("smp: %u of %u CPUs are running", cpu_count(), machine.nr_cpus);
}

/* ---- maxcpus=N, nosmp ---- */

static int set_maxcpus(const char *value)
{
	uint64_t n;
	int err = parse_u64(value, 0, &n);

	if (err)
		return err;
	max_cpus = (unsigned)MAX(MIN(n, (uint64_t)MAX_CPUS), 1ul); /* Linux: maxcpus=0 is nosmp */
	return 0;
}

static int set_nosmp(const char *value)
{
	if (*value)
		return -EINVAL;
	max_cpus = 1;
	return 0;
}

CMDLINE_WORD(maxcpus, "maxcpus", set_maxcpus, "N: start at most N CPUs");
CMDLINE_WORD(nosmp, "nosmp", set_nosmp, "start no other CPU");
