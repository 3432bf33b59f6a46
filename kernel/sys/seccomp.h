// SPDX-License-Identifier: MIT
/*
 * Restricted system calls: what becomes of a call, and prctl's way to restrict them.
 */
#pragma once

#include "uaccess/uaccess.h"

#include <linux/seccomp.h>

struct arch_frame;
struct call_filter;
struct uthread;

/*
 * Whether the call in the frame, of a thread with CALL_SECCOMP, may run. If not, the frame has its
 * result, and the thread may be about to end or have a signal. May not return.
 */
bool seccomp_allows(struct arch_frame *f);
/* A call that a supervisor is to answer. */
struct seccomp_question {
	struct call_filter *by; /* one reference */
	struct seccomp_data call;
};

enum seccomp_verdict { SECCOMP_ALLOWS, SECCOMP_ANSWERS, SECCOMP_ASKS };
/*
 * The same of a call that a thread with CALL_SECCOMP asks for by its ring. The
 * thread's filters count, whoever submits for it; what an answer does to a thread is done to the
 * current one. SECCOMP_ANSWERS: *result. SECCOMP_ASKS: *q is to be asked, or forgotten.
 */
MUST_CHECK enum seccomp_verdict seccomp_judge(const struct uthread *u, int nr,
	const uint64_t a[6], struct seccomp_question *q, int64_t *result);
/*
 * Waits for the supervisor; then it is forgotten. Whether the call is to be made, or *result; -ERESTARTSYS when the
 * wait was interrupted.
 */
MUST_CHECK bool seccomp_ask(struct seccomp_question *q, int64_t *result);
void seccomp_forget(struct seccomp_question *q);
/* All of it for the current thread, which makes a call in another way than by its frame. */
MUST_CHECK bool seccomp_allows_step(int nr, const uint64_t a[6], int64_t *result);
/* prctl(PR_SET_SECCOMP): SECCOMP_MODE_STRICT, or _FILTER with a struct sock_fprog. */
int64_t seccomp_prctl(uint64_t mode, uptr prog);
