// SPDX-License-Identifier: MIT
/*
 * The first instructions of a program. The kernel gives it a stack that begins with the number of
 * arguments, and nothing else: start() in user/lib/program.c takes it from there.
 *
 * Spec    System V ABI, AMD64 supplement, 3.4.1: rbp is to be zero, the stack aligned to 16
 */
	.globl	_start
	.type	_start, @function
_start:
	xorl	%ebp, %ebp
	movq	%rsp, %rdi
	andq	$-16, %rsp
	call	start
	ud2
	.size	_start, . - _start

	.section .note.GNU-stack, "", @progbits
