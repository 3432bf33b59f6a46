// SPDX-License-Identifier: MIT
/*
 * Timers that belong to a process: timer_create's, and the three interval timers.
 */
#pragma once

#include "lib/base.h"

struct proc;

void ptimers_exec(struct proc *p); /* timer_create's go, interval timers stay */
void ptimers_fini(struct proc *p); /* the end: all go. p->lock not held; sleeps */
