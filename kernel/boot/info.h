// SPDX-License-Identifier: MIT
/*
 * Filling struct bootinfo: the first thing kmain does after the traps work.
 */
#pragma once

#include "arch/bootinfo.h"
#include "lib/base.h"

/*
 * Reads the protocol's tables into `bootinfo`. Whatever they say, the result is safe to use: a
 * missing or impossible map is replaced by a small one, an impossible initrd is dropped, both logged.
 * Needs    the first 4 GiB at direct_base; nothing has written to free memory yet
 */
void boot_read_info(enum boot_protocol protocol, paddr_t info);
/* Drops an initrd that is not in free memory. Part of boot_read_info, for tests. */
void boot_check_info(struct bootinfo *bi);
/* What came of it, for the log; after the command line has set the log's level. */
void boot_log_info(void);
