// SPDX-License-Identifier: MIT
/*
 * Vector state to and from user memory, for signal frames: one instruction each, which may fault
 * on a page that is absent, or because what the program wrote there is no valid state.
 *
 * Registers   rdi = where, aligned to 64; esi and edx = the components, low and high half;
 *             rax = 0, or -EFAULT. A failed restore leaves some components changed.
 * Spec        Intel SDM vol.1 13.8 (XRSTOR faults), vol.2 FXSAVE
 */
#include "patch.h"

#define EFAULT 14

	.section .text.user_access, "ax"

	.macro state_function name, insn
	.balign 16
	.globl	\name
	.hidden	\name
	.type	\name, @function
\name:
	user_access_begin
	movl	%esi, %eax
770:	\insn	(%rdi)
	user_access_end
	xorl	%eax, %eax
	ret
	.size	\name, . - \name
	.pushsection .fixups, "a"
	.balign	4
	.long	770b - ., state_bad - .
	.popsection
	.endm

	state_function x86_user_xsave, xsave64
	state_function x86_user_xrstor, xrstor64
	state_function x86_user_fxsave, fxsave64
	state_function x86_user_fxrstor, fxrstor64

state_bad:
	user_access_end
	movl	$-EFAULT, %eax
	ret

	.section .note.GNU-stack, "", @progbits
