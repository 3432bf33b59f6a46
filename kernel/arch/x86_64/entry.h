// SPDX-License-Identifier: MIT
/*
 * What trap_entry.S knows of structures; user.c asserts that they agree.
 */
#pragma once

/* struct cpu */
#define CPU_CURRENT    8
#define CPU_PREEMPT    16
#define CPU_KSTACK_TOP 32
#define CPU_SCRATCH    48 /* arch.scratch */

/* struct thread */
#define THREAD_FLAGS      80
#define FLAGS_RETURN_WORK 83 /* THREAD_RETURN_WORK */

/* struct arch_frame */
#define FRAME_R10    40
#define FRAME_R9     48
#define FRAME_R8     56
#define FRAME_RDI    64
#define FRAME_RSI    72
#define FRAME_RBP    80
#define FRAME_RDX    96
#define FRAME_RAX    112
#define FRAME_VECTOR 120
#define FRAME_RIP    136
#define FRAME_CS     144
#define FRAME_RFLAGS 152
#define FRAME_RSP    160
#define FRAME_SIZE   176

#define FRAME_SYSCALL 256  /* X86_VECTOR_SYSCALL */
#define FRAME_USER_SS 0x2b /* SEL_USER_DATA */
#define FRAME_USER_CS 0x33 /* SEL_USER_CODE */

#define RFLAGS_TF 0x100
