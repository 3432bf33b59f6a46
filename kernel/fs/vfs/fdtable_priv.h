// SPDX-License-Identifier: MIT
/*
 * For the tests of fdtable.c.
 */
#pragma once

#include "fs/vfs/fdtable.h"

/* By one of several holders of the table: the file with a reference, or NULL. */
struct file *fdtable_get_rcu(struct fdtable *t, unsigned fd);
