// SPDX-License-Identifier: MIT
/*
 * The first instructions: from a boot loader's 32-bit protected mode to kmain at its own address.
 *
 *     multiboot2_entry (GRUB)          eax = magic, ebx = boot information
 *     pvh_entry (QEMU, Firecracker)    ebx = struct hvm_start_info
 *         -> check the CPU -> page tables for the first 4 GiB -> long mode
 *         -> boot_early() (early.c) chooses the virtual address, maps and relocates the image
 *         -> jump there, %gs, kmain(protocol, info)
 *
 * Until the jump everything runs at physical addresses, 1 MiB on, where the loader put the image.
 * Interrupts stay off. Both protocols promise: protected mode, flat 4 GiB segments, paging off,
 * A20 on; no stack, no IDT, and .bss is zero.
 *
 * Spec    Multiboot2 Specification 2.0, 3.1 (header) and 3.3 (machine state); Xen docs/misc/pvh;
 *         Intel SDM vol.3 9.8.5 (switching to IA-32e mode).
 */

#define LOAD_PHYS 0x100000 /* kernel.lds */

/* enum boot_protocol of arch/bootinfo.h; early.c asserts that they agree. */
#define BOOT_PVH	1
#define BOOT_MULTIBOOT2 2

#define MULTIBOOT2_HEADER_MAGIC 0xe85250d6
#define MULTIBOOT2_BOOT_MAGIC	0x36d76289
#define MULTIBOOT2_ARCH_I386	0 /* 32-bit protected mode, also for a 64-bit kernel */
#define TAG_END			0
#define TAG_REQUEST		1
#define TAG_ADDRESS		2
#define TAG_ENTRY		3
#define TAG_FRAMEBUFFER		5
#define TAG_MODULE_ALIGN	6
#define TAG_OPTIONAL		1

#define XEN_ELFNOTE_PHYS32_ENTRY 18

#define CR0_BOOT     0x80010033 /* PG, WP, NE, ET, MP, PE */
#define CR4_PAE	     0x20
#define EFER	     0xc0000080
#define EFER_LME_NXE 0x900
#define GS_BASE	     0xc0000101
#define CPUID_LM_NX  0x20100000 /* leaf 0x80000001 edx: bit 29 long mode, bit 20 no-execute */
#define RFLAGS_ID    0x200000

#define PTE_TABLE    0x3  /* present, writable */
#define PTE_2M	     0x83 /* and a page of 2 MiB */
#define BOOT_PDS     4	  /* 1 GiB each */

#define BOOT_CODE64  0x08
#define BOOT_DATA    0x10

#ifdef DEBUG
#define BOOT_STACK_SIZE 32768 /* KSTACK_SIZE; early.c asserts it */
#else
#define BOOT_STACK_SIZE 16384
#endif

#define COM1_DATA 0x3f8
#define COM1_LSR  0x3fd
#define LSR_THRE  0x20

	.section .boot, "ax"
	.code32
boot_base:

	.balign 8
multiboot2_header:
	.long MULTIBOOT2_HEADER_MAGIC
	.long MULTIBOOT2_ARCH_I386
	.long multiboot2_header_end - multiboot2_header
	.long -(MULTIBOOT2_HEADER_MAGIC + MULTIBOOT2_ARCH_I386 + (multiboot2_header_end - multiboot2_header))
	/* What we read, but can do without: command line, loader name, modules, map, screen, ACPI. */
	.short TAG_REQUEST, TAG_OPTIONAL
	.long 8 + 7 * 4
	.long 1, 2, 3, 6, 8, 14, 15
	/*
	 * Loads the file as it lies, since GRUB 2.06 refuses an ELF that relocates itself. Offsets in
	 * the file and in memory differ by a constant: kernel.lds leaves no gaps.
	 */
	.balign 8
	.short TAG_ADDRESS, 0
	.long 24
	.long LOAD_PHYS + multiboot2_header - boot_base
	.long LOAD_PHYS
	.long LOAD_PHYS + __load_end - boot_base
	.long LOAD_PHYS + __image_end - boot_base
	.balign 8
	.short TAG_ENTRY, 0
	.long 12
	.long LOAD_PHYS + multiboot2_entry - boot_base
	.balign 8
	.short TAG_FRAMEBUFFER, TAG_OPTIONAL
	.long 20
	.long 0, 0, 32 /* any size, 32 bits a pixel */
	.balign 8
	.short TAG_MODULE_ALIGN, 0
	.long 8
	.short TAG_END, 0
	.long 8
multiboot2_header_end:

	.globl multiboot2_entry
multiboot2_entry:
	movl	$BOOT_MULTIBOOT2, %edi
	cmpl	$MULTIBOOT2_BOOT_MAGIC, %eax
	je	boot_common
	movl	$(msg_loader - boot_base + LOAD_PHYS), %esi
	jmp	boot_fail

pvh_entry:
	movl	$BOOT_PVH, %edi

/* edi = protocol, ebx = its information. ebp = where the image lies. */
boot_common:
	cli
	cld
	movl	$LOAD_PHYS, %ebp
	leal	(boot_stack_top - boot_base)(%ebp), %esp
	pushl	%ebx
	pushl	%edi

	/* CPUID exists if the ID flag can be changed. */
	pushfl
	popl	%eax
	movl	%eax, %ecx
	xorl	$RFLAGS_ID, %eax
	pushl	%eax
	popfl
	pushfl
	popl	%eax
	xorl	%ecx, %eax
	testl	$RFLAGS_ID, %eax
	jz	boot_old_cpu
	movl	$0x80000000, %eax
	cpuid
	cmpl	$0x80000001, %eax
	jb	boot_old_cpu
	movl	$0x80000001, %eax
	cpuid
	andl	$CPUID_LM_NX, %edx
	cmpl	$CPUID_LM_NX, %edx
	jne	boot_old_cpu

	/* When it was: what the start costs is counted from here. */
	rdtsc
	movl	%eax, (boot_entry_counter - boot_base)(%ebp)
	movl	%edx, (boot_entry_counter + 4 - boot_base)(%ebp)

	/* The first 4 GiB at their own addresses. The tables are zero (.bss). */
	leal	(boot_pd - boot_base)(%ebp), %edi
	movl	$PTE_2M, %eax
	movl	$(BOOT_PDS * 512), %ecx
1:	movl	%eax, (%edi)
	addl	$8, %edi
	addl	$0x200000, %eax
	decl	%ecx
	jnz	1b
	leal	(boot_pd + PTE_TABLE - boot_base)(%ebp), %eax
	leal	(boot_pdpt - boot_base)(%ebp), %edi
	movl	$BOOT_PDS, %ecx
2:	movl	%eax, (%edi)
	addl	$8, %edi
	addl	$0x1000, %eax
	decl	%ecx
	jnz	2b
	leal	(boot_pdpt + PTE_TABLE - boot_base)(%ebp), %eax
	movl	%eax, (boot_pml4 - boot_base)(%ebp)

	/* Long mode. */
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	leal	(boot_pml4 - boot_base)(%ebp), %eax
	movl	%eax, %cr3
	movl	$EFER, %ecx
	rdmsr
	orl	$EFER_LME_NXE, %eax
	wrmsr
	movl	$CR0_BOOT, %eax
	movl	%eax, %cr0

	popl	%edi
	popl	%esi
	leal	(boot_gdt - boot_base)(%ebp), %eax
	pushl	%eax
	pushw	$(boot_gdt_end - boot_gdt - 1)
	lgdtl	(%esp)
	leal	(boot_long - boot_base)(%ebp), %eax
	leal	(boot_stack_top - boot_base)(%ebp), %esp
	pushl	$BOOT_CODE64
	pushl	%eax
	lretl

boot_old_cpu:
	movl	$(msg_cpu - boot_base + LOAD_PHYS), %esi
/* esi = text. Says it on the first serial port, if there is one, and stops. */
boot_fail:
	movl	$0x100000, %ecx /* polls altogether: a port that never gets ready ends it */
1:	lodsb
	testb	%al, %al
	jz	3f
	movb	%al, %bl
	movw	$COM1_LSR, %dx
2:	inb	%dx, %al
	testb	$LSR_THRE, %al
	loopz	2b
	jecxz	3f
	movb	%bl, %al
	movw	$COM1_DATA, %dx
	outb	%al, %dx
	jmp	1b
3:	cli
	hlt
	jmp	3b

msg_loader:
	.asciz "torus: started neither by Multiboot2 nor by PVH\r\n"
msg_cpu:
	.asciz "torus: this CPU lacks 64-bit mode or no-execute pages\r\n"

	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff /* 64-bit code; Intel SDM vol.3 3.4.5 */
	.quad 0x00cf93000000ffff /* data */
boot_gdt_end:

/* rdi = protocol, rsi = information. */
	.code64
boot_long:
	movl	%edi, %r12d
	movl	%esi, %r13d
	movl	$BOOT_DATA, %eax
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	leaq	boot_stack_top(%rip), %rsp
	xorl	%ebp, %ebp
	movl	%r12d, %edi
	movl	%r13d, %esi
	call	boot_early /* rax = virtual minus physical address of the image */

	addq	%rax, %rsp
	leaq	1f(%rip), %rcx
	addq	%rax, %rcx
	jmp	*%rcx
1:	leaq	boot_cpu(%rip), %rax
	movq	%rax, %rdx
	shrq	$32, %rdx
	movl	$GS_BASE, %ecx
	wrmsr
	movl	%r12d, %edi
	movl	%r13d, %esi
	xorl	%ebp, %ebp
	pushq	$0 /* the end of every backtrace: no caller, and kmain's frame 16-byte aligned */
	jmp	kmain

	.section .note.boot, "a", @note
	.balign 4
	.long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
	.asciz "Xen"
	.long pvh_entry - boot_base + LOAD_PHYS

	.section .bss.pages, "aw", @nobits
	.balign 4096
	.globl boot_pml4, boot_stack_bottom, boot_stack_top
	.skip	4096 /* the guard page of the boot stack: direct.c leaves it unmapped */
boot_stack_bottom:
	.skip	BOOT_STACK_SIZE
boot_stack_top:
boot_pml4:
	.skip	4096
boot_pdpt:
	.skip	4096
	.globl boot_pd
boot_pd:
	.skip	4096 * BOOT_PDS

	.section .bss
	.balign 8
	.globl boot_entry_counter
boot_entry_counter:
	.skip	8

	.section .note.GNU-stack, "", @progbits
