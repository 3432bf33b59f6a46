// SPDX-License-Identifier: MIT
/*
 * What this machine has that cannot be probed: CPUs, interrupt controllers, timers, the ways off.
 *
 * Filled once during start, from ACPI (dev/acpi), an MP table, a device tree, or defaults, by code
 * of a higher rank than the code that reads it; that is why it lives here. After
 * arch_init_interrupts, which puts the boot CPU first, it is immutable.
 */
#pragma once

#include "arch/cpu.h"
#include "lib/base.h"

enum { MAX_IRQ_CONTROLLERS = 16, MAX_IRQ_OVERRIDES = 32, MAX_PCI_ECAM = 16 };

struct machine_cpu {
	uint64_t hw_id;	     /* APIC id, or MPIDR */
	uint32_t acpi_uid;
};

/* An I/O APIC: `nr` inputs are read from the device itself. */
struct machine_irq_controller {
	paddr_t addr;
	uint32_t id;
	uint32_t gsi_base;
};

/* Legacy (ISA) interrupt `source` is wired to `gsi`, with this polarity and trigger. */
struct machine_irq_override {
	uint8_t source;
	bool is_active_low;
	bool is_level;
	uint32_t gsi;
};

struct machine_ecam {
	paddr_t addr;
	uint16_t segment;
	uint8_t bus_start, bus_end;
};

/* ACPI generic address: space 0 is memory, 1 is I/O ports, 2 is PCI configuration. addr 0: none. */
struct machine_reg {
	uint64_t addr;
	uint8_t space;
	uint8_t width_bits;
};

struct machine {
	const char *source; /* "ACPI", "MP table", "defaults", "sim" */
	struct machine_cpu cpu[MAX_CPUS];
	unsigned nr_cpus; /* at least 1; cpu[0] is the boot CPU once sorted by arch_init_interrupts */
	struct machine_irq_controller irqc[MAX_IRQ_CONTROLLERS];
	unsigned nr_irqcs;
	struct machine_irq_override override[MAX_IRQ_OVERRIDES];
	unsigned nr_overrides;
	bool has_legacy_pic;
	bool has_no_cmos_rtc;
	bool has_no_i8042;
	uint8_t rtc_century; /* CMOS register that holds the century; 0: none */
	paddr_t hpet_addr; /* 0: none */
	struct machine_reg pm_timer; /* 3.579545 MHz */
	bool pm_timer_is_32bit;
	struct machine_ecam ecam[MAX_PCI_ECAM];
	unsigned nr_ecams;
	struct machine_reg reset;
	uint8_t reset_value;
	struct machine_reg pm1a_control, pm1b_control; /* for S5 */
	struct machine_reg sleep_control; /* hardware-reduced ACPI */
	uint32_t smi_command; /* I/O port that takes acpi_enable; 0: ACPI mode is always on */
	uint8_t acpi_enable;
	bool has_s5;
	uint8_t s5_type_a, s5_type_b;
	struct machine_reg serial; /* from SPCR: a 16550, the firmware's console */
	uint32_t serial_baud;	   /* 0: it does not say */
};

extern struct machine machine;
