// SPDX-License-Identifier: MIT
/*
 * Restartable sequences: the program reads its CPU number from memory that the kernel keeps right,
 * and a sequence interrupted by a switch or a signal goes on at its abort handler.
 */
#pragma once

#include "lib/base.h"
#include "uaccess/uaccess.h"

struct arch_frame;
struct uthread;

/* A new thread: one that shares memory starts unregistered, a copy of the process keeps it. */
void rseq_clone(struct uthread *child, const struct uthread *parent, bool shares_vm);
void rseq_exec(void);
/* rseq(2). */
int64_t rseq_register(uptr area, uint32_t len, int flags, uint32_t sig);
/* On the way to user mode after THREAD_NOTIFY, and before a signal frame is laid out. Bad memory is
 * SIGSEGV. */
void rseq_return(struct arch_frame *frame);
