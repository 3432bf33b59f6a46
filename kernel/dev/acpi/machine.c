// SPDX-License-Identifier: MIT
/*
 * Adding what a table lists to `struct machine`: without duplicates, and never past its arrays.
 */
#include "acpi_priv.h"

#include "debug/log.h"

enum {
	NR_ISA_LINES = 16,
	FLAGS_POLARITY = 3,
	FLAGS_ACTIVE_LOW = 3, /* 0: as the bus has it, which for ISA is high */
	FLAGS_TRIGGER_SHIFT = 2,
	FLAGS_LEVEL = 3, /* 0: as the bus has it, which for ISA is edge */
};

void machine_add_cpu(struct machine *m, uint64_t hw_id, uint32_t acpi_uid)
{
	for (unsigned i = 0; i < m->nr_cpus; i++) {
		if (m->cpu[i].hw_id == hw_id) {
			log_warning("machine: CPU with hardware id %lu is listed twice", hw_id);
			return;
		}
	}
	if (m->nr_cpus == MAX_CPUS) {
		log_once(LOG_WARNING, "machine: more than %u CPUs: the others stay parked", MAX_CPUS);
		return;
	}
	m->cpu[m->nr_cpus++] = (struct machine_cpu){ .hw_id = hw_id, .acpi_uid = acpi_uid };
}

void machine_add_irq_controller(struct machine *m, paddr_t addr, uint32_t id, uint32_t gsi_base)
{
	for (unsigned i = 0; i < m->nr_irqcs; i++) {
		if (m->irqc[i].addr == addr || m->irqc[i].gsi_base == gsi_base) {
			log_warning("machine: I/O APIC at 0x%lx overlaps another: ignored", addr);
			return;
		}
	}
	if (!addr || m->nr_irqcs == MAX_IRQ_CONTROLLERS) {
		log_warning("machine: I/O APIC at 0x%lx ignored", addr);
		return;
	}
	m->irqc[m->nr_irqcs++] =
		(struct machine_irq_controller){ .addr = addr, .id = id, .gsi_base = gsi_base };
}

void machine_add_override(struct machine *m, uint8_t source, uint32_t gsi, uint16_t flags)
{
	for (unsigned i = 0; i < m->nr_overrides; i++) {
		if (m->override[i].source == source) {
			log_warning("machine: ISA interrupt %u is overridden twice", source);
			return;
		}
	}
	if (source >= NR_ISA_LINES || m->nr_overrides == MAX_IRQ_OVERRIDES) {
		log_warning("machine: override of ISA interrupt %u ignored", source);
		return;
	}
	m->override[m->nr_overrides++] = (struct machine_irq_override){
		.source = source,
		.gsi = gsi,
		.is_active_low = (flags & FLAGS_POLARITY) == FLAGS_ACTIVE_LOW,
		.is_level = (flags >> FLAGS_TRIGGER_SHIFT & 3) == FLAGS_LEVEL,
	};
}
