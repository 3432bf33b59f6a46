// SPDX-License-Identifier: MIT
/*
 * Notices CPUs that stopped making progress: one that has not switched threads though it should
 * (soft), or that takes no timer interrupts (hard; another CPU sees it and sends an NMI). Reports
 * the CPU, what it runs, its backtrace and its held locks; watchdog=panic makes it final.
 */
#pragma once

#include "lib/base.h"

void watchdog_init(void);
void watchdog_init_cpu(void);
void watchdog_note_switch(void); /* scheduler: this CPU switched or idled */
void watchdog_set_limit_ns(uint64_t ns); /* watchdog=SECONDS, tests */
