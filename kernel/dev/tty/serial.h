// SPDX-License-Identifier: MIT
/*
 * The serial ports and /dev/console. Once, at start.
 */
#pragma once

#include "lib/base.h"

void serial_init(void); /* needs devtmpfs_init, interrupts */
/* Before the machine is switched off: what programs have written leaves, polled; a second at most. */
void serial_drain(void);
