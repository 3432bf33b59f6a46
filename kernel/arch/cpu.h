// SPDX-License-Identifier: MIT
/*
 * What every CPU owns, and how to reach it.
 *
 * Each CPU has one struct cpu, found in one instruction by arch_cpu(), and its own copy of every
 * PERCPU variable. The boot CPU's copy is the variable itself; another CPU's copy lies
 * percpu_offset bytes away, in memory zeroed before that CPU starts. A PERCPU variable therefore
 * starts as zero on every CPU, and what it needs beyond that is set by its owner's per-CPU start
 * function, called on that CPU.
 *
 * A thread that may be preempted may also be moved: between reading arch_cpu() and using it, it
 * must hold preemption off (sync/preempt.h). Single-field reads that are harmless when stale, and
 * arch_current(), need no such care.
 */
#pragma once

#include "lib/base.h"
#include "lib/cpumask.h" /* MAX_CPUS */

#include "arch_types.h"

struct thread;

/*
 *   [I] immutable once the CPU is online     [c] only this CPU, interrupts off or harmless
 *   [a] atomic
 */
struct cpu {
	struct cpu *self;	    /* [I] */
	struct thread *current;	    /* [c] the thread running here; never NULL after sched_init */
	uint32_t preempt;	    /* [c] sync/preempt.h has the layout */
	uint32_t id;		    /* [I] 0 is the boot CPU; dense among online CPUs */
	uintptr_t percpu_offset;    /* [I] 0 on the boot CPU */
	vaddr_t kstack_top;	    /* [c] where a trap from user mode starts its stack */
	uint64_t hw_id;		    /* [I] what the interrupt controller calls it */
	struct arch_cpu arch;	    /* [c] the machine's own: descriptor tables, feature state */
};

/* Every CPU that exists, by id; entries below cpu_count() are valid. */
extern struct cpu *cpus[MAX_CPUS];

/* How many CPUs are online (ids are 0 .. cpu_count() - 1). Grows during start, never shrinks. */
unsigned cpu_count(void);

/* Defines (or, with extern, declares) a variable of which each CPU has its own copy. */
#define PERCPU(type, name) SECTION("percpu") type name

/* This CPU's copy, as an lvalue. Needs preemption or interrupts off. */
#define percpu(name) (*percpu_of(name, arch_cpu()))

/* The address of the copy that `cpu` has. */
#define percpu_of(name, cpu)                                                                   \
	((__typeof__(&(name)))((uintptr_t)&(name) + (cpu)->percpu_offset))
