// SPDX-License-Identifier: MIT
/*
 * What a siginfo_t says: which of its fields mean something is told by the signal and the code.
 */
#pragma once

#include "lib/base.h"

enum siginfo_layout {
	SIGINFO_KILL,  /* pid, uid */
	SIGINFO_RT,    /* the same, and a value */
	SIGINFO_TIMER, /* timer id, overrun, value */
	SIGINFO_POLL,  /* band, descriptor */
	SIGINFO_FAULT, /* address */
	SIGINFO_CHILD, /* pid, uid, status, times */
	SIGINFO_CALL,  /* a system call: address, number, architecture */
};

enum siginfo_layout siginfo_layout(int sig, int code);
/* Whether Linux knows the code: of others it lets no field pass that it does not know either. */
bool siginfo_is_known(int sig, int code);
