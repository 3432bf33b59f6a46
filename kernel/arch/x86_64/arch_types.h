// SPDX-License-Identifier: MIT
/*
 * The types that arch/arch.h promises, for x86-64.
 */
#pragma once

#include "lib/base.h"

#define PAGE_SHIFT 12
#define CACHE_LINE 64

/* A thread's kernel stack. Debug code has bigger frames. */
#ifdef DEBUG
#define KSTACK_SIZE (32 * KIB)
#else
#define KSTACK_SIZE (16 * KIB)
#endif

#define ARCH_TOP_LEVEL 3  /* 4-level paging: PML4 */
#define ARCH_FPU_ALIGN 64 /* XSAVE; Intel SDM vol.1 13.4 */

/* The lower half of 4-level paging, less the page that nobody maps. */
#define ARCH_USER_END 0x7ffffffff000ul

typedef uint64_t arch_pte;

/* Task-state segment, 64-bit. Intel SDM vol.3 figure 8-11. */
struct x86_tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7]; /* [n] is IST n + 1 */
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t iomap_base;
} PACKED;

/* Null, unused, kernel code and data, CPU number, user data and code, TSS in two: cpu.h. */
enum { X86_GDT_ENTRIES = 9 };

/*
 *   [c] only this CPU   [a] atomic
 */
struct arch_cpu {
	uint64_t scratch;			   /* [c] trap_entry.S, for a moment */
	uint64_t gdt[X86_GDT_ENTRIES] ALIGNED(16); /* [c] */
	struct x86_tss tss ALIGNED(16);		   /* [c] */
	uint32_t arrival;			   /* [a] smp.c: did it come in time? */
};

/* A thread that is not running: everything else is on its stack (context.S). */
struct arch_context {
	uint64_t rsp;
};

/* What a user thread has beside its frame: loaded while it runs. */
struct arch_user {
	uint64_t fs_base, gs_base; /* [t] saved when it leaves the CPU */
	uint16_t ds, es, fs, gs;   /* [t] selectors, the same */
};

/*
 * What trap_entry.S leaves on the stack, lowest address first. The last five words are pushed by
 * the CPU, the error code too where the vector has one (0 otherwise).
 *
 * In a system call's frame only the result may be changed while the vector stays what it is: the
 * short way back to the program restores no more (trap_entry.S).
 */
struct arch_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector; /* X86_VECTOR_SYSCALL: a system call, and error is its number */
	uint64_t error;
	uint64_t rip, cs, rflags, rsp, ss;
};
