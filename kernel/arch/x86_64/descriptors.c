// SPDX-License-Identifier: MIT
/*
 * Segment descriptors, the task-state segment and the interrupt table.
 *
 * Each CPU has its own GDT, because its own TSS is in it; the IDT is shared. Four kinds of trap
 * run on stacks of their own (IST), per CPU: a double fault, since the usual reason is that the
 * stack is gone; NMI, machine check and debug, since they come when no stack may be touched (a
 * debug trap that MOV SS held back hits the first instruction of a system call). The word above
 * each stack is the CPU it belongs to, which trap_entry.S needs.
 *
 * There is no 32-bit code segment, so that programs cannot leave 64-bit mode. Its place, which
 * SYSRET counts from, has a data segment whose limit is the CPU's number: programs read it by LSL.
 *
 * Spec    Intel SDM vol.3 3.4.5 (segment descriptors), 6.14 (64-bit IDT, IST), 8.7 (64-bit TSS)
 */
#include "cpu.h"

#include "arch/arch.h"

/* Flat segments; base and limit are ignored in 64-bit mode. */
#define GDT_KERNEL_CODE 0x00af9b000000ffffull
#define GDT_KERNEL_DATA 0x00cf93000000ffffull
#define GDT_USER_DATA	0x00cff3000000ffffull
#define GDT_CPU_NUMBER                                                                         \
	0x0040f10000000000ull /* data, read-only; its limit is the number, below 2^16 */
#define GDT_USER_CODE	0x00affb000000ffffull
#define GDT_TSS_TYPE	(0x89ull << 40) /* present, 64-bit TSS available */

#define GATE_INTERRUPT 0x8e /* present, DPL 0, interrupts off on entry */
#define GATE_USER      0x60 /* DPL 3: user code may raise it by INT */

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_mid;
	uint32_t offset_high, reserved;
} PACKED;
static_assert(sizeof(struct gate) == 16, "64-bit gate descriptor");

struct table_register {
	uint16_t limit;
	uint64_t base;
} PACKED;

static struct gate idt[NR_VECTORS] ALIGNED(16); /* immutable after x86_idt_init */

static PERCPU(uint8_t, double_fault_stack[X86_IST_STACK_SIZE]) ALIGNED(16);
PERCPU(uint8_t, x86_nmi_stack[X86_IST_STACK_SIZE]) ALIGNED(16); /* two halves: traps.c */
static PERCPU(uint8_t, machine_check_stack[X86_IST_STACK_SIZE]) ALIGNED(16);
static PERCPU(uint8_t, debug_stack[X86_IST_STACK_SIZE]) ALIGNED(16);

static void gate_set(unsigned vector, unsigned ist, unsigned type)
{
	vaddr_t entry = (vaddr_t)x86_trap_stubs + vector * X86_TRAP_STUB_SIZE;

	idt[vector] = (struct gate){
		.offset_low = (uint16_t)entry,
		.offset_mid = (uint16_t)(entry >> 16),
		.offset_high = (uint32_t)(entry >> 32),
		.selector = SEL_KERNEL_CODE,
		.ist = (uint8_t)ist,
		.type = (uint8_t)type,
	};
}

void x86_idt_init(void)
{
	for (unsigned v = 0; v < NR_VECTORS; v++)
		gate_set(v, 0, GATE_INTERRUPT);
	gate_set(VECTOR_DEBUG, X86_IST_DEBUG, GATE_INTERRUPT);
	gate_set(VECTOR_BREAKPOINT, 0, GATE_INTERRUPT | GATE_USER);
	gate_set(VECTOR_DOUBLE_FAULT, X86_IST_DOUBLE_FAULT, GATE_INTERRUPT);
	gate_set(VECTOR_NMI, X86_IST_NMI, GATE_INTERRUPT);
	gate_set(VECTOR_MACHINE_CHECK, X86_IST_MACHINE_CHECK, GATE_INTERRUPT);
}

/* Where the stack that ends there begins, below the word with its CPU. */
static uint64_t ist_top(struct cpu *cpu, uint8_t *end)
{
	uint64_t top = (uint64_t)end - X86_IST_RESERVED;

	*(struct cpu **)top = cpu;
	return top;
}

static void fill_tss(struct cpu *cpu)
{
	struct x86_tss *tss = &cpu->arch.tss;
	uint64_t base = (uint64_t)tss;
	uint8_t *nmi = *percpu_of(x86_nmi_stack, cpu);

	tss->ist[X86_IST_DOUBLE_FAULT - 1] =
		ist_top(cpu, *percpu_of(double_fault_stack, cpu) + X86_IST_STACK_SIZE);
	(void)ist_top(cpu, nmi + X86_IST_STACK_SIZE / 2);
	tss->ist[X86_IST_NMI - 1] = ist_top(cpu, nmi + X86_IST_STACK_SIZE);
	tss->ist[X86_IST_MACHINE_CHECK - 1] =
		ist_top(cpu, *percpu_of(machine_check_stack, cpu) + X86_IST_STACK_SIZE);
	tss->ist[X86_IST_DEBUG - 1] =
		ist_top(cpu, *percpu_of(debug_stack, cpu) + X86_IST_STACK_SIZE);
	tss->iomap_base = sizeof(*tss); /* beyond the limit: user code has no ports */
	cpu->arch.gdt[SEL_TSS / 8] = (sizeof(*tss) - 1) | (base & 0xffffff) << 16 | GDT_TSS_TYPE |
		(base >> 24 & 0xff) << 56;
	cpu->arch.gdt[SEL_TSS / 8 + 1] = base >> 32;
}

/* Loads the code segment by a far return; %gs stays, writing its selector would clear its base. */
static void load_segments(void)
{
	__asm__ volatile("pushq %0\n"
			 "leaq 1f(%%rip), %%rax\n"
			 "pushq %%rax\n"
			 "lretq\n"
			 "1: movl %1, %%ss\n"
			 "xorl %%eax, %%eax\n"
			 "movl %%eax, %%ds\n"
			 "movl %%eax, %%es\n"
			 :
			 : "i"(SEL_KERNEL_CODE), "r"(SEL_KERNEL_DATA)
			 : "rax", "memory");
}

void x86_descriptors_load(struct cpu *cpu)
{
	struct table_register gdtr = {sizeof(cpu->arch.gdt) - 1, (uint64_t)cpu->arch.gdt};
	struct table_register idtr = {sizeof(idt) - 1, (uint64_t)idt};

	cpu->arch.gdt[SEL_KERNEL_CODE / 8] = GDT_KERNEL_CODE;
	cpu->arch.gdt[SEL_KERNEL_DATA / 8] = GDT_KERNEL_DATA;
	cpu->arch.gdt[SEL_USER_BASE / 8] = GDT_CPU_NUMBER | cpu->id;
	cpu->arch.gdt[SEL_USER_DATA / 8] = GDT_USER_DATA;
	cpu->arch.gdt[SEL_USER_CODE / 8] = GDT_USER_CODE;
	fill_tss(cpu);

	__asm__ volatile("lgdt %0" : : "m"(gdtr));
	load_segments();
	__asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
	__asm__ volatile("lidt %0" : : "m"(idtr));
}
