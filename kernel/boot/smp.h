// SPDX-License-Identifier: MIT
/*
 * Bringing the CPUs in: the first one into the list of CPUs, the others to life.
 */
#pragma once

#include "lib/base.h"

/* Makes the CPU we run on number 0. First of all. */
void smp_init_boot_cpu(void);
/* What every CPU does for itself once it can take interrupts: caches, timers, watchdog. */
void smp_init_this_cpu(void);
/*
 * Starts the machine's other CPUs, as far as maxcpus= and nosmp allow; one that does not answer is
 * logged and left out. Needs all of kmain before it.
 */
void smp_start_others(void);
