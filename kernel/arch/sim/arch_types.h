// SPDX-License-Identifier: MIT
/*
 * The simulated machine's part of struct cpu and struct thread, and its sizes.
 *
 * Page-table entries are encoded as on x86-64: the machine has no tables itself, but host unit
 * tests walk tables with this encoding.
 */
#pragma once

#include "lib/base.h"

#define PAGE_SHIFT 12
#define CACHE_LINE 64

/*
 * A thread's stack fills one aligned slot, so the slot of an address is found by masking. The
 * lowest page is the guard. Sanitizers need deep frames, and untouched pages cost nothing.
 */
#define SIM_STACK_SLOT (256ul << 10)
#define KSTACK_SIZE    (SIM_STACK_SLOT - (1ul << PAGE_SHIFT))

#define ARCH_TOP_LEVEL 3
#define ARCH_FPU_ALIGN 64

#define ARCH_USER_END 0x7ffffffff000ul

typedef uint64_t arch_pte;

/* Everything else about a simulated CPU is in the machine's own struct sim_cpu (sim_priv.h). */
struct arch_cpu {
	paddr_t root; /* of the program's tables, walked in software; 0: none */
};

/* Where a thread that does not run goes on: sim_swap's saved registers lie at sp. */
struct arch_context {
	void *sp;
};

struct sim_handler;
struct arch_user {
	uint64_t tls;
	struct sim_handler *handlers; /* that signals have interrupted it for: user.c */
};

/*
 * What an interrupt interrupted: enough to report, there are no registers to give back. Of a
 * program (user.c): the function it is, the function's argument in the place of a stack pointer,
 * and the call it makes.
 */
struct arch_frame {
	vaddr_t pc;
	vaddr_t sp;
	vaddr_t fp;
	bool was_irq_enabled;
	bool is_user;
	bool is_restart;    /* the call is to be made again */
	bool is_fresh;      /* of a program that has not begun: exec's */
	int64_t syscall_nr; /* -1: none */
	uint64_t arg[6];
	int64_t result;
};
