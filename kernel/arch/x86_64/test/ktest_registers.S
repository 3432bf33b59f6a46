// SPDX-License-Identifier: MIT
/*
 * What C cannot do: fill every register, let something happen, and look. See registers.h.
 */
#include "arch/x86_64/test/registers.h"

#define EFAULT 14

	.text

	/* Saves what the ABI wants saved; *out is on the stack, *in is in rdi, filled with rsp, cs, ss. */
	.macro prologue
	pushfq
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rsi
	movq	%rsp, REGS_RSP(%rdi)
	movw	%cs, REGS_CS(%rdi)
	movw	%ss, REGS_SS(%rdi)
	.endm

	/* Segments that are loaded; writing gs would clear its base, so it only counts as it is. */
	.macro load_all
	movw	%gs, REGS_GS(%rdi)
	movw	%fs, REGS_FS(%rdi)
	movw	REGS_DS(%rdi), %ds
	movw	REGS_ES(%rdi), %es
	movq	REGS_RAX(%rdi), %rax
	movq	REGS_RCX(%rdi), %rcx
	movq	REGS_RDX(%rdi), %rdx
	movq	REGS_RBX(%rdi), %rbx
	movq	REGS_RBP(%rdi), %rbp
	movq	REGS_RSI(%rdi), %rsi
	movq	REGS_R8(%rdi), %r8
	movq	REGS_R9(%rdi), %r9
	movq	REGS_R10(%rdi), %r10
	movq	REGS_R11(%rdi), %r11
	movq	REGS_R12(%rdi), %r12
	movq	REGS_R13(%rdi), %r13
	movq	REGS_R14(%rdi), %r14
	movq	REGS_R15(%rdi), %r15
	pushq	REGS_RFLAGS(%rdi)
	movq	REGS_RDI(%rdi), %rdi
	popfq
	.endm

	.macro store_all
	pushq	%rdi
	movq	8(%rsp), %rdi
	popq	REGS_RDI(%rdi)
	movq	%rsp, REGS_RSP(%rdi)
	pushfq
	popq	REGS_RFLAGS(%rdi)
	movq	%rax, REGS_RAX(%rdi)
	movq	%rcx, REGS_RCX(%rdi)
	movq	%rdx, REGS_RDX(%rdi)
	movq	%rbx, REGS_RBX(%rdi)
	movq	%rbp, REGS_RBP(%rdi)
	movq	%rsi, REGS_RSI(%rdi)
	movq	%r8, REGS_R8(%rdi)
	movq	%r9, REGS_R9(%rdi)
	movq	%r10, REGS_R10(%rdi)
	movq	%r11, REGS_R11(%rdi)
	movq	%r12, REGS_R12(%rdi)
	movq	%r13, REGS_R13(%rdi)
	movq	%r14, REGS_R14(%rdi)
	movq	%r15, REGS_R15(%rdi)
	movw	%cs, REGS_CS(%rdi)
	movw	%ss, REGS_SS(%rdi)
	movw	%ds, REGS_DS(%rdi)
	movw	%es, REGS_ES(%rdi)
	movw	%fs, REGS_FS(%rdi)
	movw	%gs, REGS_GS(%rdi)
	.endm

	.macro epilogue
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	addq	$8, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	popfq
	ret
	.endm

	.globl test_regs_software_interrupt
test_regs_software_interrupt:
	prologue
	load_all
	int	$TEST_VECTOR
	store_all
	epilogue

	.globl test_regs_halt
test_regs_halt:
	prologue
	load_all
	hlt
	store_all
	epilogue

	/* rdi = in, rsi = out, rdx = fn */
	.globl test_regs_call
test_regs_call:
	prologue
	movq	%rdx, %rax
	movq	REGS_RBX(%rdi), %rbx
	movq	REGS_RBP(%rdi), %rbp
	movq	REGS_R12(%rdi), %r12
	movq	REGS_R13(%rdi), %r13
	movq	REGS_R14(%rdi), %r14
	movq	REGS_R15(%rdi), %r15
	pushfq
	popq	REGS_RFLAGS(%rdi)
	call	*%rax
	movq	(%rsp), %rdi
	movq	%rsp, REGS_RSP(%rdi)
	pushfq
	popq	REGS_RFLAGS(%rdi)
	movq	%rbx, REGS_RBX(%rdi)
	movq	%rbp, REGS_RBP(%rdi)
	movq	%r12, REGS_R12(%rdi)
	movq	%r13, REGS_R13(%rdi)
	movq	%r14, REGS_R14(%rdi)
	movq	%r15, REGS_R15(%rdi)
	movw	%cs, REGS_CS(%rdi)
	movw	%ss, REGS_SS(%rdi)
	epilogue

	.macro xmm op, base, n
	.ifc	\op, load
	movdqu	(\n * 16)(\base), %xmm\n
	.else
	movdqu	%xmm\n, (\n * 16)(\base)
	.endif
	.endm
	.macro all_xmm op, base
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	xmm	\op, \base, \n
	.endr
	.endm

	.globl test_xmm_software_interrupt
test_xmm_software_interrupt:
	all_xmm load, %rdi
	int	$TEST_VECTOR
	all_xmm store, %rsi
	ret

	.globl test_xmm_call
test_xmm_call:
	pushq	%rsi
	all_xmm load, %rdi
	call	*%rdx
	popq	%rsi
	all_xmm store, %rsi
	ret

	.globl test_execute_data
test_execute_data:
	pushq	%rbp
	movq	%rsp, %rbp
	leaq	code_in_data(%rip), %rax
	call	*%rax
	movl	$1, %eax
	jmp	2f
1:	movq	%rbp, %rsp /* the return address is still there */
	xorl	%eax, %eax
2:	popq	%rbp
	ret
	.pushsection .fixups, "a"
	.balign	4
	.long	code_in_data - ., 1b - .
	.popsection

	.globl test_probe_write
test_probe_write:
	movl	$-EFAULT, %eax
1:	movb	%sil, (%rdi)
	xorl	%eax, %eax
2:	ret
	.pushsection .fixups, "a"
	.balign	4
	.long	1b - ., 2b - .
	.popsection

	.data
code_in_data:
	ret

	.section .note.GNU-stack, "", @progbits
