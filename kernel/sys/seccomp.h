// SPDX-License-Identifier: MIT
/*
 * Restricted system calls: what becomes of a call, and prctl's way to restrict them.
 */
#pragma once

#include "uaccess/uaccess.h"

struct arch_frame;
struct uthread;

/*
 * Whether the call in the frame, of a thread with CALL_SECCOMP, may run. If not, the frame has its
 * result, and the thread may be about to end or have a signal. May not return.
 */
bool seccomp_allows(struct arch_frame *f);
/*
 * The same of a call that a thread with CALL_SECCOMP asks for by its ring: 0, or the request's result. The
 * thread's filters count, whoever submits for it; what an answer does to a thread is done to the
 * current one.
 */
MUST_CHECK int64_t seccomp_judge(const struct uthread *u, int nr, const uint64_t a[6]);
/* prctl(PR_SET_SECCOMP): SECCOMP_MODE_STRICT, or _FILTER with a struct sock_fprog. */
int64_t seccomp_prctl(uint64_t mode, uptr prog);
