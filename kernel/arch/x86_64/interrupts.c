// SPDX-License-Identifier: MIT
/*
 * The dispatcher of interrupt vectors, and the order in which the controllers are started.
 */
#include "interrupts.h"

#include "arch/arch.h"
#include "arch/machine.h"
#include "cpu.h"
#include "debug/log.h"
#include "lib/assert.h"

struct machine machine;
void (*x86_test_interrupt)(void);

/* ---- Start ---- */

/* The firmware lists CPUs in any order; ours is: the boot CPU first. */
static void put_boot_cpu_first(void)
{
	uint32_t self = apic_id();
	unsigned i = 0;

	while (i < machine.nr_cpus && machine.cpu[i].hw_id != self)
		i++;
	if (i == machine.nr_cpus) {
		log_warning("apic: the boot CPU, id %u, is in no table", self);
		machine.nr_cpus = 1;
		i = 0;
		machine.cpu[0] = (struct machine_cpu){ .hw_id = self };
	}
	for (; i > 0; i--) {
		struct machine_cpu cpu = machine.cpu[i];

		machine.cpu[i] = machine.cpu[i - 1];
		machine.cpu[i - 1] = cpu;
	}
	cpus[0]->hw_id = self;
}

void arch_init_interrupts(void)
{
	x86_console_use_firmware();
	if (machine.has_legacy_pic)
		pic_init();
	apic_init();
	put_boot_cpu_first();
	ioapic_init();
	vectors_init();
	apic_init_cpu();
	power_init();
}

void arch_init_secondary(struct cpu *cpu)
{
	x86_init_secondary_early(cpu);
	apic_init_cpu();
	timer_hw_init_cpu();
}

/* ---- An interrupt arrives ---- */

static void device_interrupt(uint8_t vector)
{
	int irq = vectors_irq_of(vector);

	if (irq >= 0) {
		trap_irq((unsigned)irq);
		return;
	}
	apic_eoi();
	log_once(LOG_WARNING, "apic: vector 0x%x belongs to no device", vector);
}

static void other_interrupt(uint8_t vector)
{
	switch (vector) {
	case VECTOR_TEST: /* by an INT instruction: no controller waits to be told */
		if (x86_test_interrupt)
			x86_test_interrupt();
		break;
	case VECTOR_APIC_ERROR:
		log_once(LOG_ERR, "apic: error 0x%x", apic_error_status());
		apic_eoi();
		break;
	case VECTOR_APIC_SPURIOUS: /* not to be told: Intel SDM vol.3 11.9 */
		break;
	default:
		log_once(LOG_WARNING, "apic: unexpected vector 0x%x", vector);
		if (vector > VECTOR_PIC_LAST) /* a spurious one of a masked 8259 wants no answer */
			apic_eoi();
		break;
	}
}

void x86_interrupt(struct arch_frame *f)
{
	uint8_t vector = (uint8_t)f->vector;
	struct arch_frame *outer = trap_interrupt_enter(f);

	if (vector == VECTOR_TIMER) {
		apic_eoi();
		timer_hw_interrupt();
	} else if (vector == VECTOR_IPI) {
		apic_eoi();
		trap_ipi();
	} else if (vector >= VECTOR_DEVICE_FIRST && vector <= VECTOR_DEVICE_LAST) {
		device_interrupt(vector);
	} else {
		other_interrupt(vector);
	}
	trap_interrupt_exit(outer);
}
