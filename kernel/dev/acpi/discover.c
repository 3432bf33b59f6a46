// SPDX-License-Identifier: MIT
/*
 * From what the firmware left in memory to `struct machine`: ACPI, else the MP table, else what
 * every PC has.
 *
 * The RSDP comes from the boot protocol, or is looked for where a BIOS puts it. Tables lie outside
 * of usable RAM, so they are mapped one by one and unmapped again; after this nobody reads them.
 */
#include "dev/acpi/acpi.h"

#include "acpi_priv.h"

#include "arch/bootinfo.h"
#include "debug/log.h"
#include "lib/string.h"
#include "mm/kmap.h"

enum {
	EBDA_SEGMENT = 0x40e, /* the BIOS data area's word with the extended area's segment */
	BASE_MEMORY_END = 0xa0000,
	EBDA_LOWEST = 0x80000,
	SEARCH_SIZE = 0x400, /* the first KiB of the extended area */
	BIOS_START = 0xe0000,
	BIOS_END = 0x100000,
	SEARCH_STEP = 16,
};
#define DEFAULT_IOAPIC 0xfec00000ul

/* ---- Memory ---- */

static const uint8_t *map(struct acpi_memory *m UNUSED, paddr_t pa, size_t len)
{
	void *at;

	return kmap_phys(&at, pa, len, 0, "firmware table") ? NULL : at;
}

static void unmap(struct acpi_memory *m UNUSED, const uint8_t *bytes)
{
	kmap_unmap((void *)(uintptr_t)bytes);
}

static struct acpi_memory memory = { .map = map, .unmap = unmap };

/* Calls `is_it` at every 16 bytes of [start, end) until it says yes. */
static bool search(paddr_t start, paddr_t end, bool (*is_it)(const uint8_t *at, size_t len, void *out), void *out)
{
	const uint8_t *bytes = map(&memory, start, end - start);
	bool is_found = false;

	for (size_t at = 0; bytes && !is_found && at + SEARCH_STEP <= end - start; at += SEARCH_STEP)
		is_found = is_it(bytes + at, end - start - at, out);
	if (bytes)
		unmap(&memory, bytes);
	return is_found;
}

static paddr_t ebda_address(void)
{
	const uint8_t *word = map(&memory, EBDA_SEGMENT, sizeof(uint16_t));
	paddr_t ebda = word ? (paddr_t)le16_get(word) << 4 : 0;

	if (word)
		unmap(&memory, word);
	return ebda >= EBDA_LOWEST && ebda <= BASE_MEMORY_END - SEARCH_SIZE ? ebda : 0;
}

/* Where both the RSDP and the MP pointer may be; the MP table also at the end of base memory. */
static bool search_firmware(bool (*is_it)(const uint8_t *at, size_t len, void *out), void *out)
{
	paddr_t ebda = ebda_address();

	if (ebda && search(ebda, ebda + SEARCH_SIZE, is_it, out))
		return true;
	if (search(BASE_MEMORY_END - SEARCH_SIZE, BASE_MEMORY_END, is_it, out))
		return true;
	return search(BIOS_START, BIOS_END, is_it, out);
}

/* ---- ACPI ---- */

static bool is_rsdp(const uint8_t *at, size_t len, void *out)
{
	return acpi_rsdp_decode(at, len, out) == 0;
}

static bool find_roots(struct acpi_roots *out)
{
	if (bootinfo.rsdp_copy[0] &&
		is_rsdp(bootinfo.rsdp_copy, sizeof(bootinfo.rsdp_copy), out))
		return true;
	if (bootinfo.rsdp && search(bootinfo.rsdp, bootinfo.rsdp + ACPI_RSDP_SIZE_V2, is_rsdp, out))
		return true;
	return search_firmware(is_rsdp, out);
}

/* A visit of all tables; the DSDT is not in the list but behind the FADT. */
struct visit {
	struct machine *m;
	paddr_t dsdt;
	unsigned nr;
	bool has_madt;
};

static void visit_table(const struct acpi_table *t, paddr_t pa UNUSED, void *ctx)
{
	struct visit *v = ctx;

	v->nr++;
	if (acpi_table_is(t, "APIC")) {
		acpi_madt_decode(t, v->m);
		v->has_madt = true;
	} else if (acpi_table_is(t, "FACP")) {
		v->dsdt = acpi_fadt_decode(t, v->m);
	} else if (acpi_table_is(t, "MCFG")) {
		acpi_mcfg_decode(t, v->m);
	} else if (acpi_table_is(t, "HPET")) {
		acpi_hpet_decode(t, v->m);
	} else if (acpi_table_is(t, "SPCR")) {
		acpi_spcr_decode(t, v->m);
	} else if (acpi_table_is(t, "SSDT") && !v->m->has_s5) {
		acpi_s5_decode(t, v->m);
	}
}

static bool discover_acpi(struct machine *m)
{
	struct visit v = { .m = m };
	struct acpi_roots roots;
	struct acpi_table dsdt;

	if (!find_roots(&roots)) {
		log_warning("acpi: no RSDP");
		return false;
	}
	if (acpi_for_each_table(&memory, &roots, visit_table, &v)) {
		log_warning("acpi: neither XSDT nor RSDT is sound");
		return false;
	}
	if (v.dsdt && acpi_table_open(&memory, v.dsdt, "DSDT", &dsdt) == 0) {
		acpi_s5_decode(&dsdt, m);
		acpi_table_close(&memory, &dsdt);
	}
	log_info("acpi: %u tables, S5 %s", v.nr, m->has_s5 ? "known" : "unknown");
	return v.has_madt;
}

/* ---- MP table ---- */

static bool is_mp_pointer(const uint8_t *at, size_t len, void *out)
{
	return mptable_pointer_decode(at, len, out) == 0;
}

static int read_mptable(paddr_t pa, struct machine *m)
{
	const uint8_t *bytes = map(&memory, pa, MP_HEADER_SIZE);
	size_t len;
	int err;

	if (!bytes)
		return -ENOMEM;
	len = mptable_length(bytes, MP_HEADER_SIZE);
	unmap(&memory, bytes);
	if (!len)
		return -EINVAL;
	bytes = map(&memory, pa, len);
	if (!bytes)
		return -ENOMEM;
	err = mptable_decode(bytes, len, m);
	unmap(&memory, bytes);
	return err;
}

static bool discover_mptable(struct machine *m)
{
	paddr_t table;

	if (!search_firmware(is_mp_pointer, &table))
		return false;
	if (!table) {
		mptable_default(m);
		return true;
	}
	return read_mptable(table, m) == 0;
}

/* ---- All together ---- */

static void discover_nothing(struct machine *m)
{
	machine_add_irq_controller(m, DEFAULT_IOAPIC, 0, 0);
	m->has_legacy_pic = true;
}

void acpi_discover_machine(void)
{
	struct machine *m = &machine;

	if (discover_acpi(m)) {
		m->source = "ACPI";
	} else if (discover_mptable(m)) {
		m->source = "MP table";
	} else {
		discover_nothing(m);
		m->source = "defaults";
		log_warning("machine: neither ACPI nor MP table tells what there is: one CPU");
	}
	if (!m->nr_cpus)
		machine_add_cpu(m, 0, 0); /* the boot CPU; arch_init_interrupts knows its id */
	log_info("machine: %u CPUs, %u I/O APICs by %s", m->nr_cpus, m->nr_irqcs, m->source);
}
