// SPDX-License-Identifier: MIT
/*
 * Where every trap and system call enters, and the only ways to user mode.
 *
 *     256 stubs -> error code (0 if the vector has none), vector
 *         trap_common    from the kernel: registers -> x86_trap(frame) -> registers back, iretq
 *                        from user mode: swapgs, registers -> x86_user_trap -> user_exit
 *         trap_anywhere  debug, NMI, double fault, machine check
 *     SYSCALL -> x86_syscall_entry -> trap_syscall -> SYSRET if nothing is in the way, or user_exit
 *
 * What is pushed is struct arch_frame. From user mode it ends at the top of the thread's kernel
 * stack, in every case (arch_user_frame).
 *
 * Four vectors can hit anywhere, between an entry from user mode and its swapgs too, and on the way
 * back behind it, so the saved code segment does not tell whose %gs is loaded; nor does the value,
 * since programs choose theirs freely (WRGSBASE). These vectors have stacks of their own, and the
 * word above each stack names the CPU it belongs to (descriptors.c): trap_anywhere loads that,
 * and puts back what it found. A debug trap from user mode moves to the thread's stack and goes on
 * as any other, because its signal may have to wait.
 *
 * The way back by SYSRET does not restore rbx and r12-r15: the C functions in between did.
 * It is open while frame.vector says X86_VECTOR_SYSCALL; whoever changes more in a frame than its
 * result changes the vector too (user.c), and user_exit restores everything. SYSRET with a
 * non-canonical rip would fault in kernel mode on the user's stack: no frame has one, for SYSCALL
 * cannot lie in the last page below the border, and the others' rip is checked when it is set.
 *
 * CLAC ends any right to touch user memory that the interrupted code had; it comes back with its
 * flags. For SYSCALL the flag is in the mask.
 *
 * Two extra words above a kernel frame, {rbp, rip}, look like a call frame: a backtrace runs through.
 *
 * Spec        Intel SDM vol.3 6.14 (stack frame), 6.15 (which vectors push an error code), 6.8.3
 *             (MOV SS delays debug traps into an entry), vol.2 SYSCALL, SYSRET, SWAPGS
 */
#include "entry.h"
#include "patch.h"

#define STUB_CS	  24 /* from rsp in a stub's target: vector, error code, rip, cs */
#define CS_RPL	  3
#define GS_BASE	  0xc0000101
#define ENOSYS	  38

/* 8 #DF, 10 #TS, 11 #NP, 12 #SS, 13 #GP, 14 #PF, 17 #AC, 21 #CP, 29 #VC, 30 #SX */
#define HAS_ERROR_CODE 0x60227d00
/* 2 NMI, 8 #DF, 18 #MC */
#define HITS_ANYWHERE  0x00040104
#define VECTOR_DEBUG   1

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
	.if vector == VECTOR_DEBUG
	jmp	trap_debug
	.elseif (vector < 32) && ((HITS_ANYWHERE >> (vector & 31)) & 1)
	jmp	trap_anywhere
	.else
	jmp	trap_common
	.endif
	.set vector, vector + 1
	.endr

	.macro push_registers /* but rax */
	pushq	%rcx
	pushq	%rdx
	pushq	%rbx
	pushq	%rbp
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	.endm

	.macro save_registers
	pushq	%rax
	push_registers
	cld
	user_access_end
	.endm

	.macro call_handler
	movq	%rsp, %rdi
	pushq	FRAME_RIP(%rdi)
	pushq	FRAME_RBP(%rdi)
	movq	%rsp, %rbp
	call	x86_trap
	addq	$16, %rsp
	.endm

	/* And drops the vector and the error code: IRETQ may follow. */
	.macro restore_registers
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rbp
	popq	%rbx
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$16, %rsp
	.endm

	.balign 16
trap_common:
	testb	$CS_RPL, STUB_CS(%rsp)
	jnz	1f
	save_registers
	call_handler
	restore_registers
	iretq

1:	swapgs
trap_from_user:
	save_registers
	movq	%rsp, %rdi
	xorl	%ebp, %ebp /* the end of backtraces */
	call	x86_user_trap
user_exit:
	restore_registers
	swapgs
	iretq

/* On the stack of debug traps. From user mode: over to the thread's, with what was pushed. */
trap_debug:
	testb	$CS_RPL, STUB_CS(%rsp)
	jz	trap_anywhere
	swapgs
	movq	%rdi, %gs:CPU_SCRATCH
	movq	%rsp, %rdi
	movq	%gs:CPU_KSTACK_TOP, %rsp
	.irp	word, 48, 40, 32, 24, 16, 8, 0
	pushq	\word(%rdi)
	.endr
	movq	%gs:CPU_SCRATCH, %rdi
	jmp	trap_from_user

trap_anywhere:
	save_registers
	movl	$GS_BASE, %ecx
	rdmsr
	movl	%eax, %r12d /* callee-saved: what was loaded */
	movl	%edx, %r13d
	movq	FRAME_SIZE(%rsp), %rax
	movq	%rax, %rdx
	shrq	$32, %rdx
	wrmsr
	call_handler
	movl	%r12d, %eax
	movl	%r13d, %edx
	movl	$GS_BASE, %ecx
	wrmsr
	restore_registers
	iretq

/* rcx = the program's rip, r11 = its flags, rax = the number; interrupts off, every else its own. */
	.globl x86_syscall_entry
	.hidden x86_syscall_entry
	.balign 64
x86_syscall_entry:
	swapgs
	movq	%rsp, %gs:CPU_SCRATCH
	movq	%gs:CPU_KSTACK_TOP, %rsp
	pushq	$FRAME_USER_SS
	pushq	%gs:CPU_SCRATCH
	pushq	%r11
	pushq	$FRAME_USER_CS
	pushq	%rcx
	pushq	%rax
	pushq	$FRAME_SYSCALL
	pushq	$-ENOSYS
	push_registers
	movq	%rsp, %rdi
	xorl	%ebp, %ebp
	sti
	call	trap_syscall
	cli
#ifdef DEBUG
	jmp	2f
#endif
	movq	%gs:CPU_CURRENT, %rax
	testl	$FLAGS_RETURN_WORK, THREAD_FLAGS(%rax)
	jnz	2f
	cmpl	$0, %gs:CPU_PREEMPT /* sync/preempt.h: a reschedule is wanted */
	je	2f
1:	cmpl	$FRAME_SYSCALL, FRAME_VECTOR(%rsp)
	jne	user_exit
	testb	$RFLAGS_TF >> 8, FRAME_RFLAGS + 1(%rsp) /* SYSRET would trap one instruction early */
	jnz	user_exit
	movq	FRAME_R10(%rsp), %r10
	movq	FRAME_R9(%rsp), %r9
	movq	FRAME_R8(%rsp), %r8
	movq	FRAME_RDI(%rsp), %rdi
	movq	FRAME_RSI(%rsp), %rsi
	movq	FRAME_RBP(%rsp), %rbp
	movq	FRAME_RDX(%rsp), %rdx
	movq	FRAME_RAX(%rsp), %rax
	movq	FRAME_RIP(%rsp), %rcx
	movq	FRAME_RFLAGS(%rsp), %r11
	movq	FRAME_RSP(%rsp), %rsp
	swapgs
	sysretq
2:	movq	%rsp, %rdi
	call	x86_user_return
	jmp	1b

/* NORETURN void x86_user_enter(struct arch_frame *f (rdi)): interrupts off, f at its place */
	.globl x86_user_enter
	.hidden x86_user_enter
x86_user_enter:
	movq	%rdi, %rsp
	xorl	%ebp, %ebp
	call	x86_user_return
	jmp	user_exit

	.section .note.GNU-stack, "", @progbits
