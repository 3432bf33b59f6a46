// SPDX-License-Identifier: MIT
/*
 * Telling the address checkers which memory may be touched: KASAN in a kernel, ASan where the
 * kernel is a host program. Without a checker these are nothing. Ranges start on 8 bytes; a length
 * that is not a multiple of 8 is exact for unpoison and rounded up for poison.
 */
#pragma once

#include "lib/base.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(KASAN)
#define HOST_ASAN
#endif
#elif defined(__SANITIZE_ADDRESS__) && !defined(KASAN)
#define HOST_ASAN
#endif

enum poison_kind { POISON_FREE_PAGE = 0xf0, POISON_FREE_OBJECT = 0xf1, POISON_RED_ZONE = 0xf2 };

#if defined(KASAN)

/* mm/kasan.c */
void memory_poison(const void *at, size_t size, enum poison_kind kind);
void memory_unpoison(const void *at, size_t size);

#elif defined(HOST_ASAN)

/* The sanitizer's own interface: compiler-rt, sanitizer/asan_interface.h. */
void __asan_poison_memory_region(void const volatile *at, size_t size);
void __asan_unpoison_memory_region(void const volatile *at, size_t size);

static inline void memory_poison(const void *at, size_t size, enum poison_kind kind UNUSED)
{
	__asan_poison_memory_region(at, ALIGN_UP(size, 8));
}

static inline void memory_unpoison(const void *at, size_t size)
{
	__asan_unpoison_memory_region(at, size);
}

#else

static inline void memory_poison(
	const void *at UNUSED, size_t size UNUSED, enum poison_kind kind UNUSED)
{
}

static inline void memory_unpoison(const void *at UNUSED, size_t size UNUSED)
{
}

#endif
