// SPDX-License-Identifier: MIT
/*
 * The vDSO: a small library of the kernel's in every program, which reads clocks without a system
 * call (man 7 vdso). Its code is the machine's (arch_vdso_image), the data page is ours.
 */
#pragma once

#include "lib/base.h"

struct vmspace;

/* Needs clock_init, the page allocator. Without memory there is no vDSO, and a line in the log. */
void vdso_init(void);
/*
 * Maps it into the address space of a program that starts, and sets vm->vdso, the value of
 * AT_SYSINFO_EHDR; 0: there is none, and no such entry. Returns 0, -ENOMEM.
 */
MUST_CHECK int vdso_map(struct vmspace *vm);
/* clock.c: real time was set. */
void vdso_set_realtime_offset(int64_t offset);
