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
#else
static inline void kasan_map_shadow(void)
{
}
static inline void kasan_start(void)
{
}
#endif
