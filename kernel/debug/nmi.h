// SPDX-License-Identifier: MIT
/*
 * Reaching CPUs that do not answer anything else. An NMI carries no message, so each CPU has
 * request bits that its handler reads.
 */
#pragma once

#include "arch/arch.h"
#include "debug/panic.h"
#include "lib/base.h"

/* What one CPU was doing when the NMI hit it. */
struct cpu_snapshot {
	uint32_t is_taken; /* [a] release by that CPU when the rest is valid, acquire by who
			      prints */
	uint32_t preempt;
	bool irqs_were_on;
	vaddr_t pc;
	unsigned nr;
	vaddr_t trace[BACKTRACE_DEPTH];
	char thread[24];
};

enum nmi_request {
	NMI_SNAPSHOT = 1,  /* say what you are doing */
	NMI_STOP = 2,      /* and then stop for ever */
	NMI_BYSTANDER = 4, /* not meant for you: the machine can only reach all */
};

/*
 * Makes the other CPUs in the request (`cpu`, or all when it is NMI_ALL) take a snapshot, and
 * waits for them, but no longer than a second.
 * Context  any, NMI included; one caller at a time (panic, or the watchdog under its lock)
 */
enum { NMI_ALL = -1 };
void nmi_request(int cpu, unsigned requests);
/* NULL if that CPU did not answer the last request. */
const struct cpu_snapshot *nmi_snapshot(unsigned cpu);
/* Fills a snapshot from a trap frame. */
void nmi_snapshot_take(struct cpu_snapshot *s, const struct arch_frame *f);
/* Prints it by log_emergency. */
void nmi_snapshot_print(unsigned cpu, const struct cpu_snapshot *s);
