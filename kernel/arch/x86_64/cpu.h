// SPDX-License-Identifier: MIT
/*
 * The parts of the x86-64 machine that its own files share.
 */
#pragma once

#include "arch/arch.h"
#include "arch/bootinfo.h"
#include "lib/base.h"

/* early.c, called by boot.S: returns virtual minus physical address of the image. */
uint64_t boot_early(enum boot_protocol protocol, paddr_t info);
extern uintptr_t __stack_chk_guard; /* the value that the compiler's checks compare with */

/* One word from the CPU's generator: false if it has none to give now. Only where CPUID says so. */
static inline bool x86_rdrand(uint64_t *out)
{
	bool ok;

	__asm__ volatile("rdrand %0" : "=r"(*out), "=@ccc"(ok));
	return ok;
}

/* ---- Control registers. Intel SDM vol.3 2.5 ---- */

#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)

#define DR6_NONE 0xffff0ff0ul /* what it holds when nothing happened; Intel SDM vol.3 17.2.3 */

#define CR4_PGE	       BIT(7)
#define CR4_MCE	       BIT(6)
#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP       BIT(11)
#define CR4_FSGSBASE   BIT(16)
#define CR4_OSXSAVE    BIT(18)
#define CR4_SMEP       BIT(20)
#define CR4_SMAP       BIT(21)

#define X86_CR(n)                                                                              \
	static inline uint64_t x86_cr##n##_read(void)                                          \
	{                                                                                      \
		uint64_t value;                                                                \
                                                                                               \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(value) : : "memory");             \
		return value;                                                                  \
	}                                                                                      \
	static inline void x86_cr##n##_write(uint64_t value)                                   \
	{                                                                                      \
		__asm__ volatile("mov %0, %%cr" #n : : "r"(value) : "memory");                 \
	}
X86_CR(0)
X86_CR(2)
X86_CR(3)
X86_CR(4)
#undef X86_CR

static inline uint64_t x86_dr6_read(void)
{
	uint64_t value;

	__asm__ volatile("mov %%dr6, %0" : "=r"(value));
	return value;
}
static inline void x86_dr6_write(uint64_t value)
{
	__asm__ volatile("mov %0, %%dr6" : : "r"(value));
}

/* ---- Descriptor tables (descriptors.c) and traps (traps.c) ---- */

/*
 * Selectors; the order is what SYSCALL and SYSRET compute (Intel SDM vol.2), and the user's are
 * Linux's, which programs see in signal frames.
 */
enum {
	SEL_KERNEL_CODE = 0x10,
	SEL_KERNEL_DATA = 0x18,
	SEL_USER_BASE = 0x20 | 3, /* what SYSRET counts from; its limit is the CPU's number */
	SEL_USER_DATA = 0x28 | 3,
	SEL_USER_CODE = 0x30 | 3,
	SEL_TSS = 0x38,
};

enum x86_vector { /* Intel SDM vol.3 table 6-1 */
	VECTOR_DIVIDE = 0,
	VECTOR_DEBUG = 1,
	VECTOR_NMI = 2,
	VECTOR_BREAKPOINT = 3,
	VECTOR_INVALID_OPCODE = 6,
	VECTOR_DOUBLE_FAULT = 8,
	VECTOR_NOT_PRESENT = 11,
	VECTOR_STACK = 12,
	VECTOR_PAGE_FAULT = 14,
	VECTOR_X87 = 16,
	VECTOR_ALIGNMENT = 17,
	VECTOR_MACHINE_CHECK = 18,
	VECTOR_SIMD = 19,
	NR_EXCEPTIONS = 32,
	NR_VECTORS = 256,
};

/* Stacks of their own, by number in the TSS; each CPU has one of each. */
enum {
	X86_IST_DOUBLE_FAULT = 1,
	X86_IST_NMI = 2,
	X86_IST_MACHINE_CHECK = 3,
	X86_IST_DEBUG = 4
};
enum { X86_IST_RESERVED = 16 }; /* above each: the CPU's, and alignment */
#ifdef DEBUG
enum { X86_IST_STACK_SIZE = 16384 };
#else
enum { X86_IST_STACK_SIZE = 8192 };
#endif

extern PERCPU(uint8_t, x86_nmi_stack[X86_IST_STACK_SIZE]);
/* Tests: called in place of trap_nmi. */
extern void (*x86_test_nmi)(struct arch_frame *f);

/* This CPU's GDT, TSS with its four emergency stacks, and the IDT all CPUs share. */
void x86_descriptors_load(struct cpu *cpu);
void x86_idt_init(void);
/* The first of 256 entry points of trap_entry.S, X86_TRAP_STUB_SIZE bytes each. */
extern char x86_trap_stubs[];
enum { X86_TRAP_STUB_SIZE = 16 };

/* Called by trap_entry.S, interrupts off: on every trap in the kernel, and on the four that hit
 * anywhere. */
void x86_trap(struct arch_frame *f);
/* The others in user mode; it returns when the program may go on. user.c */
void x86_user_trap(struct arch_frame *f);
/* Before user mode: gives the CPU to others, delivers signals. Interrupts off. user.c */
void x86_user_return(struct arch_frame *f);
/* What the CPU says of an exception. */
struct trap_info x86_trap_info(const struct arch_frame *f);
NORETURN void x86_user_enter(struct arch_frame *f); /* trap_entry.S */
/* SYSCALL on this CPU. */
void x86_syscall_init_cpu(void);
/* Vectors from 32 on. interrupts.c brackets the handler with trap_interrupt_enter and _exit. */
void x86_interrupt(struct arch_frame *f);

/* Vector state of this CPU (fpu.c); part of its set-up. */
void x86_fpu_init_cpu(void);
uint64_t x86_fpu_components(void); /* XCR0; 0: no XSAVE */
/* The running thread's vector registers as a program finds them. */
void x86_fpu_reset(void);
/*
 * For a CPU that has just started: %gs, descriptor tables, control registers, PAT, vector state.
 * On its stack, under the kernel's root, interrupts off.
 */
void x86_init_secondary_early(struct cpu *cpu);
/* Writes the instructions this CPU has where patch.h left room. Boot CPU, before bootmem_map_all. */
void x86_patch_code(void);

/* The frame's rip has a row in the fix-up table: continues there. */
bool x86_fixup(struct arch_frame *f);

/* Until the last byte has left: before the machine goes away. Any context; bounded. */
void x86_console_flush(void);
/* The console moves to where machine says that the firmware has its own (console.c). */
void x86_console_use_firmware(void);

extern struct cpu boot_cpu; /* boot/smp.c */
