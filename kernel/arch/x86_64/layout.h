// SPDX-License-Identifier: MIT
/*
 * The kernel's half of the address space, and where the linker put the image.
 *
 *     0xffff8000_00000000  64 TiB  the direct map of up to 32 TiB of RAM lies somewhere in here
 *     0xffffc800_00000000   2 TiB  struct page of every frame, likewise
 *     0xffffd000_00000000  16 TiB  kernel mappings (mm/kmap.c), 1 TiB somewhere in here
 *     0xffffe000_00000000          their end; a KASAN kernel's shadow lies at the end of the 1 TiB
 *     0xffffffff_80000000   1 GiB  the image, somewhere in here
 *
 * "Somewhere": early.c picks a random offset, in steps of 1 GiB (the image: 4 KiB).
 */
#pragma once

#include "lib/base.h"

#define TIB (1024 * GIB)

#define DIRECT_WINDOW 0xffff800000000000ul
#define DIRECT_SIZE   (32 * TIB)
#define DIRECT_SLOTS  (32 * TIB / GIB)

#define PAGES_WINDOW 0xffffc80000000000ul
#define PAGES_SLOTS  1024 /* 512 GiB of struct page in a window of 2 TiB */

#define KMAP_WINDOW 0xffffd00000000000ul
#define KMAP_SIZE   TIB
#define KMAP_SLOTS  (15 * TIB / GIB)

#define KASAN_WINDOW 0xffffe00000000000ul

#define IMAGE_WINDOW	  0xffffffff80000000ul
#define IMAGE_WINDOW_SIZE GIB
#define IMAGE_MAX	  (8 * MIB) /* kernel.lds asserts it */

/*
 * kernel.lds. Their addresses are where the code runs now: physical until early.c is through.
 * Hidden: reached by %rip alone, not through a table that relocation has yet to fill.
 */
#pragma GCC visibility push(hidden)
extern char __image_start[], __image_end[], __text_start[], __text_end[];
extern char __rodata_start[], __rodata_end[], __data_start[];
extern char __percpu_start[], __percpu_end[];
extern char boot_stack_bottom[], boot_stack_top[];
extern uint64_t boot_entry_counter; /* boot.S */
#pragma GCC visibility pop
