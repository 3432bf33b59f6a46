// SPDX-License-Identifier: MIT
/*
 * Every register of this CPU as values, for tests that compare before with after.
 */
#pragma once

#ifdef __ASSEMBLY__
#define REGS_RAX    0
#define REGS_RCX    8
#define REGS_RDX    16
#define REGS_RBX    24
#define REGS_RSP    32
#define REGS_RBP    40
#define REGS_RSI    48
#define REGS_RDI    56
#define REGS_R8	    64
#define REGS_R9	    72
#define REGS_R10    80
#define REGS_R11    88
#define REGS_R12    96
#define REGS_R13    104
#define REGS_R14    112
#define REGS_R15    120
#define REGS_RFLAGS 128
#define REGS_CS	    136
#define REGS_SS	    138
#define REGS_DS	    140
#define REGS_ES	    142
#define REGS_FS	    144
#define REGS_GS	    146

/* interrupts.h: VECTOR_TEST */
#define TEST_VECTOR 0xf0
#else

#include "lib/base.h"

struct registers {
	uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rflags;
	uint16_t cs, ss, ds, es, fs, gs;
};

/*
 * Loads every register but rsp, cs and ss from *in (their values there are filled in), lets an
 * interrupt happen, and stores what is then in them to *out.
 */
void test_regs_software_interrupt(struct registers *in, struct registers *out); /* INT VECTOR_TEST */
void test_regs_halt(struct registers *in, struct registers *out); /* HLT; in->rflags allows interrupts */

/* Loads the callee-saved registers from *in, calls fn(), and stores what is then in them. */
void test_regs_call(struct registers *in, struct registers *out, void (*fn)(void));

enum { NR_VECTOR_REGISTERS = 16, VECTOR_REGISTER_SIZE = 16 };

/* Loads xmm0-15 from in, executes INT VECTOR_TEST or calls fn (if not NULL), stores them to out. */
void test_xmm_software_interrupt(const void *in, void *out);
void test_xmm_call(const void *in, void *out, void (*fn)(void));

/* Calls a RET that lies in data: 1 if it ran, 0 if fetching it faulted. */
int test_execute_data(void);
/* A byte store that may fault: 0, or -EFAULT. */
int test_probe_write(void *at, int byte);
#endif
