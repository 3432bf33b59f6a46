// SPDX-License-Identifier: MIT
/*
 * One CPU: setting it up, letting it wait, its TLB.
 *
 * Every CPU ends up with the same control registers, so that a thread may run anywhere: write
 * protection in kernel mode, global pages, SMEP, SMAP and UMIP where the CPU has them, vector
 * state enabled but unused by the kernel, and memory types by the PAT as arch_inline.h encodes them.
 */
#include "cpu.h"
#include "cpuid.h"
#include "msr.h"

#include "arch/arch.h"
#include "lib/assert.h"
#include "lib/string.h"

/* Memory types of PAT entries 0-3, repeated in 4-7. Intel SDM vol.3 11.12.2: 6 WB, 1 WC, 7 UC-, 0 UC. */
#define PAT_VALUE 0x0007010600070106ull

/* ---- Setting up ---- */

static void x86_cpu_setup(void)
{
	uint64_t cr4 = x86_cr4_read() | CR4_OSFXSR | CR4_OSXMMEXCPT;

	if (x86_has(X86_FEATURE_PGE))
		cr4 |= CR4_PGE;
	if (x86_has(X86_FEATURE_MCE))
		cr4 |= CR4_MCE;
	if (x86_has(X86_FEATURE_SMEP))
		cr4 |= CR4_SMEP;
	if (x86_has(X86_FEATURE_SMAP))
		cr4 |= CR4_SMAP;
	if (x86_has(X86_FEATURE_UMIP))
		cr4 |= CR4_UMIP;
	if (x86_has(X86_FEATURE_XSAVE))
		cr4 |= CR4_OSXSAVE;
	if (x86_has(X86_FEATURE_FSGSBASE))
		cr4 |= CR4_FSGSBASE;
	x86_cr4_write(cr4);
	x86_cr0_write((x86_cr0_read() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE | CR0_WP);
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_NXE);
	if (x86_has(X86_FEATURE_PAT))
		msr_write(MSR_PAT, PAT_VALUE);
	x86_fpu_init_cpu();
	x86_syscall_init_cpu();
}

void arch_init_early(void)
{
	x86_idt_init();
	x86_descriptors_load(&boot_cpu);
	x86_cpuid_init();
	x86_cpu_setup();
	x86_patch_code();
}

void x86_init_secondary_early(struct cpu *cpu)
{
	msr_write(MSR_GS_BASE, (uint64_t)cpu);
	x86_descriptors_load(cpu);
	x86_cpu_setup();
}

/* ---- Waiting and stopping ---- */

/* STI lets interrupts in only after the next instruction: none can slip between it and HLT. */
void arch_cpu_wait(void)
{
	__asm__ volatile("sti; hlt; cli" ::: "memory");
}

void arch_cpu_stop(void)
{
	for (;;)
		__asm__ volatile("cli; hlt" ::: "memory");
}

/* ---- Address translation ---- */

bool arch_pte_level_is_leafable(unsigned level)
{
	return level <= 1 || (level == 2 && x86_has(X86_FEATURE_PAGE_1G));
}

paddr_t arch_root_get(void)
{
	return x86_cr3_read() & X86_PTE_ADDR;
}

void arch_root_set(paddr_t root)
{
	x86_cr3_write(root);
}

void arch_tlb_flush_page(vaddr_t va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

/* Changing CR4.PGE drops everything, global entries too. Intel SDM vol.3 4.10.4.1. */
void arch_tlb_flush_all(void)
{
	bool were_enabled = arch_irq_save();
	uint64_t cr4 = x86_cr4_read();

	if (cr4 & CR4_PGE) {
		x86_cr4_write(cr4 & ~CR4_PGE);
		x86_cr4_write(cr4);
	} else {
		x86_cr3_write(x86_cr3_read());
	}
	arch_irq_restore(were_enabled);
}

/* ---- Whole pages: the string unit needs no vector registers and is fast for this size ---- */

NO_CHECKERS void arch_page_zero(void *page)
{
	size_t words = PAGE_SIZE / sizeof(uint64_t);

	__asm__ volatile("rep stosq" : "+D"(page), "+c"(words) : "a"(0ul) : "memory");
}

/* ---- The stack protector ---- */

/* The compiler calls it when the word between a function's buffers and its return address changed. */
NORETURN void __stack_chk_fail(void);
void __stack_chk_fail(void)
{
	panic("stack smashed: a function's buffer overflowed (returning to %p)", __builtin_return_address(0));
}
