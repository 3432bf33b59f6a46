// SPDX-License-Identifier: MIT
/*
 * The small tables that each announce one kind of device: MCFG (PCI configuration in memory),
 * HPET, SPCR (the firmware's serial console).
 *
 * Spec    PCI Firmware Specification 3.3 4.1.2; IA-PC HPET 1.0a 3.2.4; Microsoft SPCR 1.10
 */
#include "acpi_priv.h"

#include "debug/log.h"

enum {
	MCFG_ENTRIES = 44,
	MCFG_ENTRY_SIZE = 16,
	HPET_ADDRESS = 40,
	SPACE_MEMORY = 0,
	SPCR_INTERFACE = 36,
	SPCR_ADDRESS = 40,
	SPCR_BAUD = 58,
	/* DBG2 table 3 has the numbers: all three are programmed as a 16550. */
	INTERFACE_16550 = 0,
	INTERFACE_16450 = 1,
	INTERFACE_16550_GAS = 0x12,
};

void acpi_mcfg_decode(const struct acpi_table *t, struct machine *m)
{
	for (size_t at = MCFG_ENTRIES; at + MCFG_ENTRY_SIZE <= t->len; at += MCFG_ENTRY_SIZE) {
		struct machine_ecam ecam = {
			.addr = acpi_u64(t, at),
			.segment = acpi_u16(t, at + 8),
			.bus_start = acpi_u8(t, at + 10),
			.bus_end = acpi_u8(t, at + 11),
		};

		if (!ecam.addr || ecam.bus_end < ecam.bus_start || m->nr_ecams == MAX_PCI_ECAM) {
			log_warning("acpi: an entry of the MCFG makes no sense: ignored");
			continue;
		}
		m->ecam[m->nr_ecams++] = ecam;
	}
}

void acpi_hpet_decode(const struct acpi_table *t, struct machine *m)
{
	struct machine_reg reg = acpi_reg(t, HPET_ADDRESS);

	if (reg.space == SPACE_MEMORY && !m->hpet_addr)
		m->hpet_addr = reg.addr;
}

void acpi_spcr_decode(const struct acpi_table *t, struct machine *m)
{
	static const uint32_t bauds[] = { [3] = 9600, [4] = 19200, [6] = 57600, [7] = 115200 };
	uint8_t code = acpi_u8(t, SPCR_BAUD), interface = acpi_u8(t, SPCR_INTERFACE);

	if (interface != INTERFACE_16550 && interface != INTERFACE_16450 &&
		interface != INTERFACE_16550_GAS)
		return;
	m->serial = acpi_reg(t, SPCR_ADDRESS);
	m->serial_baud = code < ARRAY_LEN(bauds) ? bauds[code] : 0;
}
