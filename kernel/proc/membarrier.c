// SPDX-License-Identifier: MIT
/*
 * membarrier(2): every thread of the process (or of all) passes a memory barrier before the call
 * returns, so that the threads themselves need none on their fast paths.
 *
 * A thread that does not run has passed one when it was switched out. The CPUs that run others
 * of the address space are interrupted; entering and leaving an interrupt orders everything, the
 * instruction stream too (SYNC_CORE). For restartable sequences the interrupted thread is also sent
 * through its way back to user mode as if it had been preempted.
 *
 * Spec    man 2 membarrier, linux/membarrier.h
 */
#include "proc/membarrier.h"

#include <linux/membarrier.h>

#include "irq/ipi.h"
#include "lib/atomic.h"
#include "mm/vmspace.h"
#include "sched/thread.h"
#include "sync/rcu.h"

/* Registration is by command: a vmspace's bits are the commands it may give. */
#define PRIVATE_COMMANDS                                                                       \
	(MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE |       \
		MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ)
#define ALL_COMMANDS                                                                           \
	(PRIVATE_COMMANDS | MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |          \
		MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED |                                     \
		MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |                                    \
		MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE |                          \
		MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ)

static void barrier_here(void *arg UNUSED)
{
	atomic_fence(); /* the program's accesses on this CPU, before and after */
}

/* arg: the address space whose sequences start again. */
static void restart_sequence(void *arg)
{
	struct thread *t = arch_current();

	atomic_fence();
	if (t->vm == arg && (atomic_load_relaxed(&t->flags) & THREAD_RSEQ))
		atomic_or(&t->flags, THREAD_NOTIFY);
}

static void on_cpus_of(struct vmspace *vm, void (*fn)(void *arg), int cpu)
{
	struct cpumask mask = vm->cpus;

	if (cpu >= 0) {
		cpumask_zero(&mask);
		if ((unsigned)cpu < MAX_CPUS && cpumask_test(&vm->cpus, (unsigned)cpu))
			cpumask_set(&mask, (unsigned)cpu);
	}
	atomic_fence(); /* ours, before the others' */
	ipi_call(&mask, fn, vm);
	atomic_fence();
}

static int64_t private_barrier(struct vmspace *vm, int cmd, unsigned flags, int cpu)
{
	bool is_rseq = cmd == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ;

	if (!(atomic_load(&vm->membarrier) & (unsigned)cmd))
		return -EPERM;
	on_cpus_of(vm, is_rseq ? restart_sequence : barrier_here,
		flags & MEMBARRIER_CMD_FLAG_CPU ? cpu : -1);
	return 0;
}

int64_t membarrier(int cmd, unsigned flags, int cpu)
{
	struct vmspace *vm = arch_current()->vm;

	if (flags & ~(unsigned)(cmd == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ
					? MEMBARRIER_CMD_FLAG_CPU
					: 0))
		return -EINVAL;
	switch (cmd) {
	case MEMBARRIER_CMD_QUERY:
		return ALL_COMMANDS;
	case MEMBARRIER_CMD_GLOBAL:
		rcu_synchronize();
		return 0;
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
		ipi_call_others(barrier_here, NULL);
		return 0;
	case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
		return 0; /* the barrier above asks all CPUs: nothing to remember */
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ:
		/* linux/membarrier.h: each registration is the bit after its command's */
		atomic_or(&vm->membarrier, (unsigned)cmd >> 1);
		return 0;
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ:
		return private_barrier(vm, cmd, flags, cpu);
	default:
		return -EINVAL;
	}
}
