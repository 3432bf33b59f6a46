// SPDX-License-Identifier: MIT
/*
 * Restartable sequences: the program reads its CPU number from memory that the kernel keeps right,
 * and a sequence interrupted by a switch or a signal goes on at its abort handler.
 */
#pragma once

#include "lib/base.h"

struct arch_frame;
struct thread;
struct uthread;

/* A new thread: one that shares memory starts unregistered, a copy of the process keeps it. */
void rseq_clone(struct uthread *child, const struct uthread *parent, bool shares_vm);
void rseq_exec(void);
/* On the way to user mode, and before a signal frame is laid out. False: the registered memory is
 * bad, and SIGSEGV is on its way. */
void rseq_return(struct arch_frame *frame);
/* The scheduler, when `t`, which has a user half, gets a CPU. Interrupts off. */
void rseq_note_switch(struct thread *t, uint32_t cpu);
