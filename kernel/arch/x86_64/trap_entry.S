// SPDX-License-Identifier: MIT
/*
 * Where every trap enters and leaves: 256 stubs that push what the CPU did not, then one path.
 *
 *     stub  -> error code (0 if the vector has none), vector
 *     trap_common -> swapgs if we come from user mode -> all registers: struct arch_frame
 *                 -> x86_trap(frame) -> registers back -> iretq
 *
 * Four vectors can hit anywhere, between the entry from user mode and its swapgs too, so that
 * the saved code segment does not tell whose %gs is loaded: debug, NMI, double fault and machine
 * check take trap_anywhere, which looks at the register itself (the kernel's is in the upper half).
 *
 * CLAC ends any right to touch user memory that the interrupted code had; it comes back with its
 * flags. CPUs without SMAP do not know the instruction, so each site is a no-op of the same size
 * that traps.c overwrites (section .clac_sites).
 *
 * Two extra words above the frame, {rbp, rip}, look like a call frame: a backtrace runs through.
 *
 * Registers   in: as interrupted, interrupts off. r12-r15 etc. are in the frame; x86_trap may change
 *             the frame, and what is there is what the interrupted code finds.
 * Spec        Intel SDM vol.3 6.14 (stack frame), 6.15 (which vectors push an error code)
 */

#define FRAME_RBP 80
#define FRAME_RIP 136
#define FRAME_CS  144
#define STUB_CS	  24 /* from rsp in trap_common: vector, error code, rip, cs */
#define CS_RPL	  3

#define GS_BASE 0xc0000101

/* 8 #DF, 10 #TS, 11 #NP, 12 #SS, 13 #GP, 14 #PF, 17 #AC, 21 #CP, 29 #VC, 30 #SX */
#define HAS_ERROR_CODE 0x60227d00
/* 1 #DB, 2 NMI, 8 #DF, 18 #MC */
#define HITS_ANYWHERE  0x00040106

	.text
	.globl x86_trap_stubs
	.balign 16
x86_trap_stubs:
	.set vector, 0
	.rept 256
	.balign 16
	.if (vector >= 32) || (((HAS_ERROR_CODE >> (vector & 31)) & 1) == 0)
	pushq	$0
	.endif
	pushq	$vector
	.if (vector < 32) && ((HITS_ANYWHERE >> (vector & 31)) & 1)
	jmp	trap_anywhere
	.else
	jmp	trap_common
	.endif
	.set vector, vector + 1
	.endr

	.macro save_registers
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rbx
	pushq	%rbp
	pushq	%rdi
	pushq	%rsi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	cld
771:	.byte	0x0f, 0x1f, 0x00 /* a no-op, or CLAC */
	.pushsection .clac_sites, "a"
	.long	771b - .
	.popsection
	.endm

	.macro call_handler
	movq	%rsp, %rdi
	pushq	FRAME_RIP(%rdi)
	pushq	FRAME_RBP(%rdi)
	movq	%rsp, %rbp
	call	x86_trap
	addq	$16, %rsp
	.endm

	.macro restore_registers
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rsi
	popq	%rdi
	popq	%rbp
	popq	%rbx
	popq	%rdx
	popq	%rcx
	popq	%rax
	.endm

	.balign 16
trap_common:
	testb	$CS_RPL, STUB_CS(%rsp)
	jz	1f
	swapgs
1:	save_registers
	call_handler
	testb	$CS_RPL, FRAME_CS(%rsp)
	jz	2f
	swapgs
2:	restore_registers
	addq	$16, %rsp
	iretq

trap_anywhere:
	save_registers
	movl	$GS_BASE, %ecx
	rdmsr
	xorl	%ebx, %ebx /* callee-saved: whether we swapped */
	testl	%edx, %edx
	js	1f
	swapgs
	incl	%ebx
1:	call_handler
	testl	%ebx, %ebx
	jz	2f
	swapgs
2:	restore_registers
	addq	$16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
