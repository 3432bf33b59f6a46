// SPDX-License-Identifier: MIT
/*
 * Restricted system calls: what becomes of a call, and prctl's way to restrict them.
 */
#pragma once

#include "uaccess/uaccess.h"

struct arch_frame;

/*
 * Whether the call in the frame, of a thread with CALL_SECCOMP, may run. If not, the frame has its
 * result, and the thread may be about to end or have a signal. May not return.
 */
bool seccomp_allows(struct arch_frame *f);
/* prctl(PR_SET_SECCOMP): SECCOMP_MODE_STRICT, or _FILTER with a struct sock_fprog. */
int64_t seccomp_prctl(uint64_t mode, uptr prog);
