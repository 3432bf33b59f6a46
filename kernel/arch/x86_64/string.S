// SPDX-License-Identifier: MIT
/*
 * memcpy, memmove, memset and memcmp in place of the loops of lib/string.c.
 *
 * Short ones are two loads and two stores that overlap, chosen by two comparisons; up to 64 bytes
 * go by 16 in a loop, which begins at once; beyond, the string unit moves words: CPUs with fast
 * strings move whole lines then (Intel optimization manual 3.7.5), and need some dozen cycles
 * to begin. KASAN kernels keep lib/string.c, whose accesses are checked.
 *
 * Registers   arguments and results as in C (System V psABI 3.2.3); the direction flag is clear
 */
#ifndef KASAN

	.text

	.macro function name
	.balign 16
	.globl	\name
	.hidden	\name
	.type	\name, @function
	.endm

/* void *memcpy(void *to (rdi), const void *from (rsi), size_t len (rdx)) */
	function memcpy
memcpy:
	movq	%rdi, %rax
copy_up:
	cmpq	$16, %rdx
	ja	copy_more
	cmpl	$8, %edx
	jb	copy_short
	movq	(%rsi), %rcx
	movq	-8(%rsi, %rdx), %r8
	movq	%rcx, (%rdi)
	movq	%r8, -8(%rdi, %rdx)
	ret

copy_short:
	cmpl	$4, %edx
	jb	1f
	movl	(%rsi), %ecx
	movl	-4(%rsi, %rdx), %r8d
	movl	%ecx, (%rdi)
	movl	%r8d, -4(%rdi, %rdx)
	ret
1:	testl	%edx, %edx
	jz	2f
	movzbl	(%rsi), %ecx
	movzbl	-1(%rsi, %rdx), %r8d
	shrl	%edx /* 0 or 1: the middle one of two or three */
	movzbl	(%rsi, %rdx), %r9d
	movb	%cl, (%rdi)
	movb	%r9b, (%rdi, %rdx)
	adcq	%rdx, %rdx /* the length again: SHR's carry has survived the moves */
	movb	%r8b, -1(%rdi, %rdx)
2:	ret

copy_more:
	cmpq	$64, %rdx
	ja	copy_long
	/* 17 - 64: the last 16 are loaded first, so that an overlap from below does no harm. */
	movq	-16(%rsi, %rdx), %r8
	movq	-8(%rsi, %rdx), %r9
	leaq	-16(%rdi, %rdx), %rdx /* where they go */
1:	movq	(%rsi), %rcx
	movq	8(%rsi), %r10
	movq	%rcx, (%rdi)
	movq	%r10, 8(%rdi)
	addq	$16, %rsi
	addq	$16, %rdi
	cmpq	%rdx, %rdi
	jb	1b
	movq	%r8, (%rdx)
	movq	%r9, 8(%rdx)
	ret

copy_long:
	movq	-8(%rsi, %rdx), %r8
	leaq	-8(%rdi, %rdx), %r9
	leaq	-1(%rdx), %rcx /* all words but the last, which may overlap */
	shrq	$3, %rcx
	rep movsq
	movq	%r8, (%r9)
	ret
	.size	memcpy, . - memcpy

/* void *memmove(void *to (rdi), const void *from (rsi), size_t len (rdx)) */
	function memmove
memmove:
	movq	%rdi, %rax
	movq	%rdi, %rcx
	subq	%rsi, %rcx
	cmpq	%rdx, %rcx
	jae	copy_up /* the destination does not begin inside the source */
	cmpq	$16, %rdx
	jbe	copy_up /* all is loaded before anything is stored */
	/* From the end, by 16; the first 16 are loaded first. */
	movq	(%rsi), %r8
	movq	8(%rsi), %r9
1:	movq	-8(%rsi, %rdx), %rcx
	movq	-16(%rsi, %rdx), %r10
	movq	%rcx, -8(%rdi, %rdx)
	movq	%r10, -16(%rdi, %rdx)
	subq	$16, %rdx
	cmpq	$16, %rdx
	ja	1b
	movq	%r8, (%rdi)
	movq	%r9, 8(%rdi)
	ret
	.size	memmove, . - memmove

/* void *memset(void *to (rdi), int byte (esi), size_t len (rdx)) */
	function memset
memset:
	movq	%rdi, %r8
	movzbl	%sil, %eax
	movabsq	$0x0101010101010101, %rcx
	imulq	%rcx, %rax
	cmpq	$64, %rdx
	ja	2f
	cmpl	$8, %edx
	jb	3f
	movq	%rax, -8(%rdi, %rdx)
1:	movq	%rax, (%rdi)
	addq	$8, %rdi
	subl	$8, %edx
	cmpl	$8, %edx
	jae	1b
	movq	%r8, %rax
	ret
2:	movq	%rax, -8(%rdi, %rdx)
	leaq	-1(%rdx), %rcx
	shrq	$3, %rcx
	rep stosq
	movq	%r8, %rax
	ret
3:	testl	%edx, %edx
	jz	5f
4:	movb	%al, -1(%rdi, %rdx)
	decl	%edx
	jnz	4b
5:	movq	%r8, %rax
	ret
	.size	memset, . - memset

/* int memcmp(const void *a (rdi), const void *b (rsi), size_t len (rdx)) */
	function memcmp
memcmp:
	cmpq	$8, %rdx
	jb	3f
1:	movq	(%rdi), %rax
	movq	(%rsi), %rcx
	cmpq	%rcx, %rax
	jne	2f
	addq	$8, %rdi
	addq	$8, %rsi
	subq	$8, %rdx
	cmpq	$8, %rdx
	jae	1b
	testq	%rdx, %rdx
	jz	5f
	/* The last word, of which a part is equal already. */
	movq	-8(%rdi, %rdx), %rax
	movq	-8(%rsi, %rdx), %rcx
	cmpq	%rcx, %rax
	je	5f
2:	bswapq	%rax /* the first byte that differs decides */
	bswapq	%rcx
	cmpq	%rcx, %rax
	sbbl	%eax, %eax
	orl	$1, %eax
	ret
3:	testl	%edx, %edx
	jz	5f
4:	movzbl	(%rdi), %eax
	movzbl	(%rsi), %ecx
	subl	%ecx, %eax
	jnz	6f
	incq	%rdi
	incq	%rsi
	decl	%edx
	jnz	4b
5:	xorl	%eax, %eax
6:	ret
	.size	memcmp, . - memcmp

#endif

	.section .note.GNU-stack, "", @progbits
