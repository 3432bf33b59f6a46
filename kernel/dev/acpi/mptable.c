// SPDX-License-Identifier: MIT
/*
 * The MP table: what told of CPUs and I/O APICs before ACPI did. Still made by SeaBIOS and QEMU
 * (microvm without ACPI), so it is the first fallback.
 *
 * The table has a count of its entries beside its length; QEMU's qboot leaves it 0. The length
 * decides.
 *
 * I/O APICs in it have no GSI base; they are numbered in order, 24 inputs each.
 *
 * Spec    Intel MultiProcessor Specification 1.4, chapters 4 and 5
 */
#include "acpi_priv.h"

#include "debug/log.h"
#include "lib/string.h"

enum {
	POINTER_TABLE = 4,
	POINTER_LENGTH = 8, /* in 16-byte units */
	POINTER_FEATURE1 = 11, /* not 0: a default configuration, no table */

	HEADER_LENGTH = 4,

	ENTRY_CPU = 0,
	ENTRY_BUS = 1,
	ENTRY_IOAPIC = 2,
	ENTRY_INTERRUPT = 3,
	ENTRY_LOCAL = 4,
	CPU_SIZE = 20,
	OTHER_SIZE = 8,

	FLAG_ENABLED = 1,
	INTERRUPT_VECTORED = 0,
	INPUTS_EACH = 24,
	NR_BUSES = 256,
	NR_ISA_LINES = 16,
};
#define DEFAULT_IOAPIC 0xfec00000ul

int mptable_pointer_decode(const uint8_t *bytes, size_t len, paddr_t *table)
{
	if (len < MP_POINTER_SIZE || memcmp(bytes, "_MP_", 4) != 0)
		return -EINVAL;
	if (bytes[POINTER_LENGTH] != 1 || !acpi_checksum_is_right(bytes, MP_POINTER_SIZE))
		return -EINVAL;
	*table = bytes[POINTER_FEATURE1] ? 0 : le32_get(bytes + POINTER_TABLE);
	if (!bytes[POINTER_FEATURE1] && !*table)
		return -EINVAL;
	return 0;
}

size_t mptable_length(const uint8_t *header, size_t len)
{
	uint16_t claimed;

	if (len < MP_HEADER_SIZE || memcmp(header, "PCMP", 4) != 0)
		return 0;
	claimed = le16_get(header + HEADER_LENGTH);
	return claimed >= MP_HEADER_SIZE ? claimed : 0;
}

/* What the walk remembers from earlier entries. */
struct walk {
	struct machine *m;
	bool is_isa[NR_BUSES];
	uint8_t first_ioapic;
};

static void decode_interrupt(const struct acpi_table *e, struct walk *w)
{
	uint8_t line = acpi_u8(e, 5), ioapic = acpi_u8(e, 6), input = acpi_u8(e, 7);
	uint16_t flags = acpi_u16(e, 2);

	if (acpi_u8(e, 1) != INTERRUPT_VECTORED || !w->is_isa[acpi_u8(e, 4)] || line >= NR_ISA_LINES)
		return;
	/* Only what differs from "line n is input n, as ISA has it" is worth an override. */
	if (ioapic == w->first_ioapic && (line != input || flags != 0))
		machine_add_override(w->m, line, input, flags);
}

static void decode_entry(const struct acpi_table *e, struct walk *w)
{
	struct machine *m = w->m;

	switch (acpi_u8(e, 0)) {
	case ENTRY_CPU:
		if (acpi_u8(e, 3) & FLAG_ENABLED)
			machine_add_cpu(m, acpi_u8(e, 1), acpi_u8(e, 1));
		break;
	case ENTRY_BUS:
		w->is_isa[acpi_u8(e, 1)] = memcmp(e->bytes + 2, "ISA   ", 6) == 0;
		break;
	case ENTRY_IOAPIC:
		if (!(acpi_u8(e, 3) & FLAG_ENABLED))
			break;
		if (!m->nr_irqcs)
			w->first_ioapic = acpi_u8(e, 1);
		machine_add_irq_controller(m, acpi_u32(e, 4), acpi_u8(e, 1), m->nr_irqcs * INPUTS_EACH);
		break;
	case ENTRY_INTERRUPT:
		decode_interrupt(e, w);
		break;
	default: /* ENTRY_LOCAL: LINT pins are as on every PC */
		break;
	}
}

int mptable_decode(const uint8_t *bytes, size_t len, struct machine *m)
{
	struct walk w = { .m = m };
	size_t at = MP_HEADER_SIZE;

	if (len < MP_HEADER_SIZE || mptable_length(bytes, len) != len ||
		!acpi_checksum_is_right(bytes, len))
		return -EINVAL;
	while (at < len) {
		size_t size = bytes[at] == ENTRY_CPU ? CPU_SIZE : OTHER_SIZE;
		struct acpi_table entry = { .bytes = bytes + at, .len = size };

		if (bytes[at] > ENTRY_LOCAL || size > len - at) {
			log_warning("mptable: broken from byte %zu on", at);
			break;
		}
		decode_entry(&entry, &w);
		at += size;
	}
	m->has_legacy_pic = true;
	return 0;
}

void mptable_default(struct machine *m)
{
	machine_add_cpu(m, 0, 0);
	machine_add_cpu(m, 1, 1);
	machine_add_irq_controller(m, DEFAULT_IOAPIC, 2, 0);
	m->has_legacy_pic = true;
}
