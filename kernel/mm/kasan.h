// SPDX-License-Identifier: MIT
/*
 * Checking every access to RAM: DEBUG=kasan builds only. See mm/kasan.c, and mm/poison.h for how
 * the allocators say what may be touched.
 */
#pragma once

#include "lib/base.h"

#ifdef KASAN
/* Sets an eighth of RAM aside and maps it in kernel_pgtable, at the end of the kmap area. */
void kasan_map_shadow(void);
/* Checks from here on; the kernel's tables are in use. */
void kasan_start(void);
/* Tests: calls fn for a wrong access instead of panicking, and lets it happen. NULL: panic again. */
typedef void kasan_report_fn(vaddr_t at, size_t size, bool is_write, const char *what);
void kasan_set_report_hook(kasan_report_fn *fn);
#else
static inline void kasan_map_shadow(void)
{
}
static inline void kasan_start(void)
{
}
#endif
