// SPDX-License-Identifier: MIT
/*
 * Syscall user dispatch: a program that handles system calls of code it runs itself, by SIGSYS.
 */
#pragma once

#include "uaccess/uaccess.h"

struct arch_frame;

/*
 * Whether the call in the frame, of a thread with CALL_DISPATCHED, is the kernel's. If not, the thread has
 * SIGSYS, and the frame's result is the call's number, for the handler to change.
 */
bool user_dispatch_allows(struct arch_frame *f);
/* prctl(PR_SET_SYSCALL_USER_DISPATCH). -EINVAL, -EFAULT. */
MUST_CHECK int user_dispatch_prctl(uint64_t mode, uint64_t start, uint64_t len, uptr selector);
/* SIGSYS for a call that was not made, whatever the thread does about it. pc is behind the instruction. */
void syscall_send_sigsys(int nr, uintptr_t pc, int code, int error);
