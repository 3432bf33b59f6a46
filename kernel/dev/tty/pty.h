// SPDX-License-Identifier: MIT
/*
 * Pseudo-terminals.
 */
#pragma once

#include "lib/base.h"

struct file;
struct tty;

/* /dev/ptmx, /dev/tty. Once, at start. */
void pty_init(void);
/* Opening a node of devpts: ptmx, or a slave. */
MUST_CHECK int pty_open_master(struct file *f);
MUST_CHECK int pty_open_slave(struct tty *slave, struct file *f);
