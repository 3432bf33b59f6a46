// SPDX-License-Identifier: MIT
/*
 * MADT: CPUs and interrupt controllers.
 *
 * A CPU counts when its "enabled" flag is set; "online capable" ones are sockets for hot-plug and
 * absent now. Ids above 255 come in x2APIC entries. An entry of no length, or one that leaves the
 * table, ends it.
 *
 * Spec    ACPI 6.5 5.2.12
 */
#include "acpi_priv.h"

#include "debug/log.h"

enum {
	MADT_FLAGS = 40,
	MADT_ENTRIES = 44,
	MADT_FLAG_PCAT = 1, /* there are 8259s */

	ENTRY_LAPIC = 0,
	ENTRY_IOAPIC = 1,
	ENTRY_OVERRIDE = 2,
	ENTRY_X2APIC = 9,
	ENTRY_MIN_SIZE = 2,

	CPU_ENABLED = 1,
	XAPIC_BROADCAST = 0xff, /* no CPU has it */
};
#define X2APIC_BROADCAST UINT32_MAX

/* One entry, as a table of its own so that its fields cannot be read past its end. */
static void decode_entry(const struct acpi_table *e, struct machine *m)
{
	switch (acpi_u8(e, 0)) {
	case ENTRY_LAPIC: /* uid, id, flags */
		if (e->len >= 8 && acpi_u32(e, 4) & CPU_ENABLED && acpi_u8(e, 3) != XAPIC_BROADCAST)
			machine_add_cpu(m, acpi_u8(e, 3), acpi_u8(e, 2));
		break;
	case ENTRY_X2APIC: /* reserved, id, flags, uid */
		if (e->len >= 16 && acpi_u32(e, 8) & CPU_ENABLED && acpi_u32(e, 4) != X2APIC_BROADCAST)
			machine_add_cpu(m, acpi_u32(e, 4), acpi_u32(e, 12));
		break;
	case ENTRY_IOAPIC: /* id, reserved, address, gsi base */
		if (e->len >= 12)
			machine_add_irq_controller(m, acpi_u32(e, 4), acpi_u8(e, 2), acpi_u32(e, 8));
		break;
	case ENTRY_OVERRIDE: /* bus, source, gsi, flags */
		if (e->len >= 10 && acpi_u8(e, 2) == 0)
			machine_add_override(m, acpi_u8(e, 3), acpi_u32(e, 4), acpi_u16(e, 8));
		break;
	default: /* where local APICs are (each says itself), NMI sources, other architectures, what is newer than this file */
		break;
	}
}

void acpi_madt_decode(const struct acpi_table *t, struct machine *m)
{
	size_t at = MADT_ENTRIES;

	if (m->nr_cpus) {
		log_warning("acpi: a second MADT is ignored");
		return;
	}
	m->has_legacy_pic = acpi_u32(t, MADT_FLAGS) & MADT_FLAG_PCAT;
	while (at + ENTRY_MIN_SIZE <= t->len) {
		struct acpi_table entry = { .bytes = t->bytes + at, .len = t->bytes[at + 1] };

		if (entry.len < ENTRY_MIN_SIZE || entry.len > t->len - at) {
			log_warning("acpi: the MADT is broken from byte %zu on", at);
			return;
		}
		decode_entry(&entry, m);
		at += entry.len;
	}
}
