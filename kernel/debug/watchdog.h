// SPDX-License-Identifier: MIT
/*
 * Notices CPUs that stopped making progress: one that holds preemption off for too long (soft),
 * or that takes no timer interrupts (hard; another CPU sees it and sends an NMI). Reports the
 * CPU, what it runs, its backtrace and its held locks; watchdog=panic makes it final, with exit
 * status EXIT_HUNG.
 *
 * Command line: watchdog=SECONDS, watchdog=panic, watchdog=SECONDS,panic; 0 switches it off.
 */
#pragma once

#include "arch/arch.h"
#include "lib/atomic.h"
#include "lib/base.h"

void watchdog_init(void);     /* boot CPU, once time and timers run */
void watchdog_init_cpu(void); /* each CPU, at its start; before or after watchdog_init */
void watchdog_set_limit_ns(uint64_t ns); /* 0: off */

/* For tests: how many stuck CPUs were reported since start. */
uint32_t watchdog_count(void);

/*
 *   [c] only that CPU, interrupts off      [a] atomic, read by CPUs that watch
 */
struct watchdog_cpu {
	uint64_t nr_switches; /* [c] */
	uint32_t is_armed;    /* [a] its timer runs */
};
extern PERCPU(struct watchdog_cpu, watchdog_cpu);
void watchdog_arm(void);

/* The scheduler: this CPU switches threads. Interrupts off, any lock held. */
static inline void watchdog_note_switch(void)
{
	percpu(watchdog_cpu).nr_switches++;
}

/* The idle loop: this CPU is about to leave idle. Interrupts off, no lock held. */
static inline void watchdog_note_busy(void)
{
	if (UNLIKELY(!atomic_load_relaxed(&percpu(watchdog_cpu).is_armed)))
		watchdog_arm();
}
