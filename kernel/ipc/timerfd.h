// SPDX-License-Identifier: MIT
/*
 * timerfd: a timer that is read. man 2 timerfd_create.
 */
#pragma once

#include "lib/base.h"

struct file;
struct timer_setting;

/* -EINVAL: not a clock for it; -EPERM; -ENOMEM. flags: O_NONBLOCK. */
MUST_CHECK int timerfd_create(struct file **out, int clock, unsigned flags);
/* -EINVAL: not a timerfd. */
MUST_CHECK int timerfd_get(struct file *f, struct timer_setting *out);
/* flags: TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET. */
MUST_CHECK int timerfd_set(struct file *f, unsigned flags, const struct timer_setting *new,
	struct timer_setting *old);
