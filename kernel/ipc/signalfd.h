// SPDX-License-Identifier: MIT
/*
 * signalfd: signals that are read. man 2 signalfd.
 */
#pragma once

#include "lib/base.h"

struct file;

MUST_CHECK int signalfd_create(struct file **out, uint64_t set, unsigned flags);
MUST_CHECK int signalfd_set(struct file *f, uint64_t set); /* -EINVAL: not a signalfd */
