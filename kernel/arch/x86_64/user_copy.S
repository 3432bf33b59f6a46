// SPDX-License-Identifier: MIT
/*
 * The only instructions of the kernel that touch user memory.
 *
 * They lie in one section, so that the page-fault handler knows by the instruction pointer that
 * an access to a user address is meant: it has the page brought in and the instruction goes on.
 * Where there is no page, the fix-up table continues at the routine's end.
 *
 * A copy that cannot be completed reports exactly how many bytes came before the bad address.
 * The fast loops move words, and the last ones overlap; when one of them fails, a loop of single
 * bytes goes on from the last whole step, and fails at the right byte.
 *
 *      0 - 16   two loads and two stores that overlap
 *     17 - 64   16 bytes a round, and a last 16 that overlap
 *     more      REP MOVSQ, which CPUs with fast strings do as well as REP MOVSB (Intel
 *               optimization manual 3.7.5), and simulators eight times as fast
 *
 * Registers   arguments and results as in C; rdx keeps the length, r9 where the destination began
 */
#include "patch.h"

#define EFAULT 14
#define PAGE_LAST_WORD 4088 /* the last offset at which eight bytes are in the page */

	.section .text.user_access, "ax"

	/* An instruction that may fault, and where to go on then. */
	.macro try target, insn:vararg
770:	\insn
	.pushsection .fixups, "a"
	.balign	4
	.long	770b - ., \target - .
	.popsection
	.endm

	.macro function name
	.globl	\name
	.hidden	\name
	.type	\name, @function
	.endm

/*
 * size_t arch_user_read(void *to (rdi), vaddr_t from (rsi), size_t len (rdx))
 * size_t arch_user_write(vaddr_t to, const void *from, size_t len)
 */
	.balign 16
	function arch_user_read
arch_user_read:
	function arch_user_write
arch_user_write:
	user_access_begin
	cmpq	$16, %rdx
	ja	copy_more
	cmpl	$8, %edx
	jb	copy_short
	try copy_bytes, movq	(%rsi), %rax
	try copy_bytes, movq	-8(%rsi, %rdx), %rcx
	try copy_bytes, movq	%rax, (%rdi)
	try copy_bytes, movq	%rcx, -8(%rdi, %rdx)
copy_done:
	movq	%rdx, %rax
	user_access_end
	ret

copy_short:
	cmpl	$4, %edx
	jb	copy_tiny
	try copy_bytes, movl	(%rsi), %eax
	try copy_bytes, movl	-4(%rsi, %rdx), %ecx
	try copy_bytes, movl	%eax, (%rdi)
	try copy_bytes, movl	%ecx, -4(%rdi, %rdx)
	jmp	copy_done

copy_more:
	movq	%rdi, %r9
	cmpq	$64, %rdx
	ja	copy_long
	leaq	-16(%rdx), %rcx
1:	try copy_rest, movq	(%rsi), %rax
	try copy_rest, movq	8(%rsi), %r8
	try copy_rest, movq	%rax, (%rdi)
	try copy_rest, movq	%r8, 8(%rdi)
	addq	$16, %rsi
	addq	$16, %rdi
	subq	$16, %rcx
	ja	1b
	/* rcx = 0 .. -15: where the last 16 begin, from here */
	try copy_rest, movq	(%rsi, %rcx), %rax
	try copy_rest, movq	8(%rsi, %rcx), %r8
	try copy_rest, movq	%rax, (%rdi, %rcx)
	try copy_rest, movq	%r8, 8(%rdi, %rcx)
	jmp	copy_done

copy_long:
	movq	%rdx, %rcx
	shrq	$3, %rcx
	try copy_rest, rep movsq
	movl	%edx, %ecx
	andl	$7, %ecx
	jz	copy_done
	try copy_rest, movq	-8(%rsi, %rcx), %rax
	try copy_rest, movq	%rax, -8(%rdi, %rcx)
	jmp	copy_done

	/* What is before rdi is done. */
copy_rest:
	movq	%rdi, %rax
	subq	%r9, %rax
	subq	%rax, %rdi
	subq	%rax, %rsi
	jmp	1f
copy_tiny:
	testl	%edx, %edx
	jz	copy_done
copy_bytes:
	xorl	%eax, %eax
1:	try 2f, movb	(%rsi, %rax), %cl
	try 2f, movb	%cl, (%rdi, %rax)
	incq	%rax
	cmpq	%rdx, %rax
	jb	1b
2:	user_access_end
	ret
	.size	arch_user_read, . - arch_user_read
	.size	arch_user_write, . - arch_user_write

/* size_t arch_user_zero(vaddr_t to (rdi), size_t len (rsi)) */
	.balign 16
	function arch_user_zero
arch_user_zero:
	user_access_begin
	movq	%rsi, %rdx
	movq	%rdi, %r9
	xorl	%eax, %eax
	cmpq	$8, %rdx
	jb	zero_rest
	movq	%rdx, %rcx
	shrq	$3, %rcx
	try zero_rest, rep stosq
	movl	%edx, %ecx
	andl	$7, %ecx
	jz	copy_done
	try zero_rest, movq	%rax, -8(%rdi, %rcx)
	jmp	copy_done
zero_rest:
	movq	%rdi, %rax
	subq	%r9, %rax
1:	cmpq	%rdx, %rax
	jae	2f
	try 2f, movb	$0, (%r9, %rax)
	incq	%rax
	jmp	1b
2:	user_access_end
	ret
	.size	arch_user_zero, . - arch_user_zero

/*
 * int64_t arch_user_read_string(char *to (rdi), vaddr_t from (rsi), size_t size (rdx))
 *
 * By words, of which none reaches into a page that the string does not: a word has a zero byte
 * where (word - 01..01) & ~word & 80..80 has its lowest bit.
 */
	.balign 16
	function arch_user_read_string
arch_user_read_string:
	user_access_begin
	movabsq	$0x0101010101010101, %r8
	movabsq	$0x8080808080808080, %r9
	xorl	%eax, %eax /* how far we are */
1:	leaq	8(%rax), %rcx
	cmpq	%rdx, %rcx
	ja	2f
	leal	(%rsi, %rax), %r10d
	andl	$4095, %r10d
	cmpl	$PAGE_LAST_WORD, %r10d
	ja	2f
	try string_bad, movq	(%rsi, %rax), %r10
	movq	%r10, (%rdi, %rax)
	movq	%r10, %r11
	notq	%r11
	subq	%r8, %r10
	andq	%r11, %r10
	andq	%r9, %r10
	jnz	3f
	movq	%rcx, %rax
	jmp	1b
2:	/* one byte */
	cmpq	%rdx, %rax
	jae	4f
	try string_bad, movb	(%rsi, %rax), %cl
	movb	%cl, (%rdi, %rax)
	testb	%cl, %cl
	jz	4f
	incq	%rax
	jmp	1b
3:	bsfq	%r10, %r10
	shrl	$3, %r10d
	addq	%r10, %rax
4:	user_access_end
	ret
string_bad:
	movq	$-EFAULT, %rax
	user_access_end
	ret
	.size	arch_user_read_string, . - arch_user_read_string

/* int arch_user_load32(uint32_t *out (rdi), vaddr_t at (rsi)) */
	.balign 16
	function arch_user_load32
arch_user_load32:
	user_access_begin
	try word_bad, movl	(%rsi), %eax
	user_access_end
	movl	%eax, (%rdi)
	xorl	%eax, %eax
	ret
	.size	arch_user_load32, . - arch_user_load32

/* int arch_user_store32(vaddr_t at (rdi), uint32_t value (esi)) */
	function arch_user_store32
arch_user_store32:
	user_access_begin
	try word_bad, movl	%esi, (%rdi)
	user_access_end
	xorl	%eax, %eax
	ret
	.size	arch_user_store32, . - arch_user_store32

/* int arch_user_cmpxchg32(vaddr_t at (rdi), uint32_t expected (esi), uint32_t desired (edx), uint32_t *old (rcx)) */
	function arch_user_cmpxchg32
arch_user_cmpxchg32:
	user_access_begin
	movl	%esi, %eax
	try word_bad, lock cmpxchgl	%edx, (%rdi)
	user_access_end
	movl	%eax, (%rcx)
	xorl	%eax, %eax
	ret
	.size	arch_user_cmpxchg32, . - arch_user_cmpxchg32

word_bad:
	user_access_end
	movl	$-EFAULT, %eax
	ret

	.section .note.GNU-stack, "", @progbits
