// SPDX-License-Identifier: MIT
/*
 * Where other CPUs start: real mode, at the page below 1 MiB that smp.c copies this to.
 *
 * On entry   CS:IP = page >> 4 : 0, interrupts off, everything else as after INIT
 * On exit    long mode, the boot CPU's CR0, CR4 and EFER, %gs at our struct cpu, our idle
 *            thread's stack, and a jump to the C entry with %rdi = struct cpu
 *
 * The code knows its own address only from CS; %ebx keeps it throughout. All it is told stands
 * in struct trampoline_data (smp.c), at the offset TRAMPOLINE_DATA of the page. Absolute addresses
 * in far pointers and in the GDT's descriptor are put there by smp.c.
 *
 * Spec    Intel SDM vol.3 9.4 (MP initialization), 10.8.5 (entering IA-32e mode)
 */
#include "trampoline.h"

#define CR0_PE	 0x1
#define CR0_PG	 0x80000000
#define CR4_PAE	 0x20

	.section .rodata.trampoline, "a"
	.globl trampoline_start, trampoline_end, trampoline_32, trampoline_64
	.hidden trampoline_start, trampoline_end, trampoline_32, trampoline_64
	.balign 16

	.code16
trampoline_start:
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	xorl	%ebx, %ebx
	movw	%ax, %bx
	shll	$4, %ebx

	/* One CPU at a time is asked for; a late one that nobody waits for stops here. */
	xorl	%eax, %eax
	xchgl	%eax, TRAMPOLINE_DATA + DATA_CLAIM
	testl	%eax, %eax
	jnz	1f
0:	hlt
	jmp	0b
1:
	lgdtl	TRAMPOLINE_DATA + DATA_GDT_LIMIT
	movl	%cr0, %eax
	orl	$CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	*(TRAMPOLINE_DATA + DATA_FAR_32)

	.code32
trampoline_32:
	movw	$TRAMPOLINE_DATA_SEL, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss

	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	TRAMPOLINE_DATA + DATA_CR3(%ebx), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER_NUMBER, %ecx
	movl	TRAMPOLINE_DATA + DATA_EFER(%ebx), %eax
	xorl	%edx, %edx
	wrmsr
	movl	%cr0, %eax
	orl	$CR0_PG, %eax
	movl	%eax, %cr0
	ljmpl	*(TRAMPOLINE_DATA + DATA_FAR_64)(%ebx)

	.code64
trampoline_64:
	movl	%ebx, %ebx	/* the upper half is undefined after the change of mode */
	movq	TRAMPOLINE_DATA + DATA_CR4(%rbx), %rax
	movq	%rax, %cr4
	movq	TRAMPOLINE_DATA + DATA_CR0(%rbx), %rax
	movq	%rax, %cr0

	movl	$MSR_GS_BASE_NUMBER, %ecx
	movl	TRAMPOLINE_DATA + DATA_CPU(%rbx), %eax
	movl	TRAMPOLINE_DATA + DATA_CPU + 4(%rbx), %edx
	xorl	%esi, %esi
	movw	%si, %fs
	movw	%si, %gs	/* before the base, which it would clear */
	wrmsr

	movq	TRAMPOLINE_DATA + DATA_CPU(%rbx), %rdi
	movq	TRAMPOLINE_DATA + DATA_STACK(%rbx), %rsp
	movq	TRAMPOLINE_DATA + DATA_ENTRY(%rbx), %rax
	xorl	%ebp, %ebp
	pushq	%rbp		/* where a backtrace ends */
	jmpq	*%rax
trampoline_end:
