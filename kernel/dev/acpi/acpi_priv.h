// SPDX-License-Identifier: MIT
/*
 * The decoders of firmware tables. Each takes bytes and a length from outside and trusts nothing
 * in them: a field beyond the end reads as 0, an entry that does not fit ends its table, and what
 * does not make sense is logged and left out. None of them allocates, maps or takes a lock, so all
 * run as host unit tests.
 */
#pragma once

#include "arch/machine.h"
#include "lib/base.h"
#include "lib/endian.h"

struct acpi_table {
	const uint8_t *bytes;
	size_t len;
};

/* How decoders reach memory: kmap in the kernel, an array in tests. map may return NULL. */
struct acpi_memory {
	const uint8_t *(*map)(struct acpi_memory *m, paddr_t pa, size_t len);
	void (*unmap)(struct acpi_memory *m, const uint8_t *bytes);
};

enum {
	ACPI_HEADER_SIZE = 36,	   /* ACPI 6.5 table 5.4 */
	ACPI_SIGNATURE_SIZE = 4,
	ACPI_MAX_TABLE = 1 << 20,  /* a DSDT may have some hundred KiB */
	ACPI_MAX_TABLES = 256,
	ACPI_RSDP_SIZE_V1 = 20,
	ACPI_RSDP_SIZE_V2 = 36,
};

/* ---- Fields: 0 where the table is too short to have them ---- */

#define ACPI_FIELD(bits)                                                                       \
	static inline uint##bits##_t acpi_u##bits(const struct acpi_table *t, size_t at)       \
	{                                                                                      \
		if (at > t->len || t->len - at < sizeof(uint##bits##_t))                       \
			return 0;                                                              \
		return le##bits##_get(t->bytes + at);                                          \
	}
ACPI_FIELD(16)
ACPI_FIELD(32)
ACPI_FIELD(64)
#undef ACPI_FIELD

static inline uint8_t acpi_u8(const struct acpi_table *t, size_t at)
{
	return at < t->len ? t->bytes[at] : 0;
}

/* A generic address structure (ACPI 6.5 5.2.3.2); addr 0 when absent or not of a known space. */
struct machine_reg acpi_reg(const struct acpi_table *t, size_t at);

/* ---- tables.c: finding tables ---- */

bool acpi_checksum_is_right(const uint8_t *bytes, size_t len);

struct acpi_roots {
	paddr_t rsdt, xsdt; /* 0: none */
};
/* -EINVAL when it is no RSDP or its sum is wrong. */
MUST_CHECK int acpi_rsdp_decode(const uint8_t *bytes, size_t len, struct acpi_roots *out);

/*
 * Maps the table at pa, whole, checked for sum and signature (NULL: any). Close it afterwards.
 * -EINVAL: it lies about itself; -ENOMEM: cannot be mapped.
 */
MUST_CHECK int acpi_table_open(
	struct acpi_memory *m, paddr_t pa, const char *signature, struct acpi_table *out);
void acpi_table_close(struct acpi_memory *m, struct acpi_table *t);
bool acpi_table_is(const struct acpi_table *t, const char *signature);

/* Calls visit for every sound table of the root, the XSDT if it is sound, else the RSDT. */
MUST_CHECK int acpi_for_each_table(struct acpi_memory *m, const struct acpi_roots *roots,
	void (*visit)(const struct acpi_table *t, paddr_t pa, void *ctx), void *ctx);

/* ---- One file each: what a table says about the machine ---- */

void acpi_madt_decode(const struct acpi_table *t, struct machine *m);
/* Returns where the DSDT is, 0 if nowhere. */
paddr_t acpi_fadt_decode(const struct acpi_table *t, struct machine *m);
void acpi_mcfg_decode(const struct acpi_table *t, struct machine *m);
void acpi_hpet_decode(const struct acpi_table *t, struct machine *m);
void acpi_spcr_decode(const struct acpi_table *t, struct machine *m);
/* Looks for the \_S5 package in a DSDT or SSDT; false if it is not there in a form we know. */
bool acpi_s5_decode(const struct acpi_table *t, struct machine *m);

/* ---- machine.c: the rules for adding to `struct machine` that ACPI and MP table share ---- */

/* Duplicates and what does not fit are left out, and logged once per kind. */
void machine_add_cpu(struct machine *m, uint64_t hw_id, uint32_t acpi_uid);
void machine_add_irq_controller(struct machine *m, paddr_t addr, uint32_t id, uint32_t gsi_base);
/* `flags` as in MADT and MP table: polarity in bits 0-1, trigger in bits 2-3. */
void machine_add_override(struct machine *m, uint8_t source, uint32_t gsi, uint16_t flags);

/* ---- mptable.c ---- */

enum { MP_POINTER_SIZE = 16, MP_HEADER_SIZE = 44 };
/* The floating pointer: 0 and where the table is (0: a default configuration), or -EINVAL. */
MUST_CHECK int mptable_pointer_decode(const uint8_t *bytes, size_t len, paddr_t *table);
/* The length the header claims, 0 if it is no header. */
size_t mptable_length(const uint8_t *header, size_t len);
MUST_CHECK int mptable_decode(const uint8_t *bytes, size_t len, struct machine *m);
/* The standard configurations of the MP specification, chapter 5: two CPUs, one I/O APIC. */
void mptable_default(struct machine *m);
