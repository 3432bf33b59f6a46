// SPDX-License-Identifier: MIT
/*
 * What a boot loader left in memory, read as what it is: bytes from outside.
 *
 * A parser sees physical memory through a window that starts at address 0. boot_view is the only
 * way to a structure in it, and gives NULL for what is not wholly inside, so a parser cannot read
 * beyond it whatever the tables say. Host tests pass a small array for a window.
 *
 * A parser fills the parts of struct bootinfo that it finds, adds memory ranges to the map, and
 * returns 0, or -EINVAL when the structure is not what its protocol promises; then nothing of it
 * is used.
 */
#pragma once

#include "arch/bootinfo.h"
#include "boot/memmap.h"
#include "lib/base.h"

struct boot_window {
	const uint8_t *base; /* what physical address 0 is seen at */
	uint64_t size;
};

static inline const void *boot_view(const struct boot_window *w, paddr_t pa, uint64_t len)
{
	return pa <= w->size && len <= w->size - pa ? w->base + pa : NULL;
}

/*
 * Copies the text at `pa`, at most `len` bytes of it, up to its NUL; control characters become
 * spaces. A text that does not end within the window or `size` is cut.
 */
void boot_copy_text(char *to, size_t size, const struct boot_window *w, paddr_t pa, uint64_t len);

MUST_CHECK int pvh_parse(const struct boot_window *w, paddr_t info, struct bootinfo *bi, struct memmap *map);
MUST_CHECK int multiboot2_parse(const struct boot_window *w, paddr_t info, struct bootinfo *bi, struct memmap *map);
