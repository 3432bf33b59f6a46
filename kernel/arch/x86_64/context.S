// SPDX-License-Identifier: MIT
/*
 * Changing threads: the callee-saved registers go on the old stack, the stack pointer changes,
 * they come from the new one. Flags need no saving: interrupts are off on both sides, the
 * direction flag is clear by the ABI, and AC is clear outside user copies, which never switch.
 *
 * Spec    System V psABI x86-64, 3.2.1 (callee-saved registers)
 */

	.text

/* void arch_context_switch(struct arch_context *from (rdi), struct arch_context *to (rsi)) */
	.globl arch_context_switch
	.hidden arch_context_switch
	.type arch_context_switch, @function
	.balign 16
arch_context_switch:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	(%rsi), %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret
	.size arch_context_switch, . - arch_context_switch

/*
 * Where a new context returns to: r12 = entry, r13 = its argument (context.c). The zero pushed
 * ends backtraces, and keeps the stack aligned for the call.
 */
	.globl x86_context_start
	.hidden x86_context_start
	.type x86_context_start, @function
	.balign 16
x86_context_start:
	pushq	$0
	pushq	$0
	movq	%r13, %rdi
	xorl	%ebp, %ebp
	call	*%r12
	ud2 /* entry returned */
	.size x86_context_start, . - x86_context_start

	.section .note.GNU-stack, "", @progbits
