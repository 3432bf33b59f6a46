// SPDX-License-Identifier: MIT
/*
 * kill(2) and its relatives: whom a signal is for, and whether the caller may send it.
 */
#pragma once

#include <asm/siginfo.h>

#include "lib/base.h"

/* kill(2): a process, a group, everybody. */
MUST_CHECK int kill_processes(int pid, int sig);
/* tgkill(2); tgid 0: tkill(2). */
MUST_CHECK int kill_thread(int tgid, int tid, int sig);
/* The siginfo of a signal that the current process sends. */
void kill_info_of_sender(siginfo_t *info, int sig, int code);
/* Whether the current process may send a signal with this siginfo to others: -EPERM, else 0. The
 * code is checked against the receiver by the functions below. */
MUST_CHECK int signal_check_info(const siginfo_t *info);
MUST_CHECK int kill_with_info(int pid, int sig, const siginfo_t *info);
MUST_CHECK int kill_thread_with_info(int tgid, int tid, int sig, const siginfo_t *info);
