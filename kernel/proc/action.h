// SPDX-License-Identifier: MIT
/*
 * What a program decides about its signals: actions, the alternate stack, the return from a
 * handler.
 */
#pragma once

#include <linux/signal.h>

#include "lib/base.h"

struct arch_frame;

/* sigaction(2): reads the old action, sets the new; either may be NULL. -EINVAL. */
MUST_CHECK int signal_action(int sig, const struct sigaction *new, struct sigaction *old);
/* sigaltstack(2), by a program whose stack pointer is sp. -EINVAL, -ENOMEM, -EPERM. */
void altstack_get(stack_t *out, vaddr_t sp);
MUST_CHECK int altstack_set(const stack_t *ss, vaddr_t sp);
/* rt_sigreturn(2): the frame as before the handler; what its result register had. */
int64_t signal_return(struct arch_frame *f);
