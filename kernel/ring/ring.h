// SPDX-License-Identifier: MIT
/*
 * Rings: io_uring. Programs make and use them by system calls; this is all the rest of the kernel says
 * to them.
 */
#pragma once

/* Sets what processes and operations owe to rings (proc/ring_work.h, ops/op.h). boot/main.c */
void ring_task_init(void);
