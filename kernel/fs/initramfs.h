// SPDX-License-Identifier: MIT
/*
 * The first files: the archive that the boot loader left in memory, unpacked into the root.
 */
#pragma once

#include "lib/base.h"

/*
 * Unpacks what bootinfo names (nothing: the built-in /dev, /dev/console and /root) and gives its memory
 * back. By process 1, whose root is mounted. A damaged archive is logged and leaves what came
 * before the damage, as on Linux. 0, -ENOMEM, -EINVAL (damaged).
 */
MUST_CHECK int initramfs_unpack(void);

/* One or more concatenated archives, newc or gzip of it; for tests. */
MUST_CHECK int initramfs_unpack_memory(const void *data, size_t size);
