// SPDX-License-Identifier: MIT
/*
 * Finding ACPI tables: from the RSDP to the XSDT or RSDT to each table, every length and sum
 * checked before anything inside is believed.
 *
 * Spec    ACPI 6.5 5.2.5 (RSDP), 5.2.6 (header), 5.2.7 (RSDT), 5.2.8 (XSDT)
 */
#include "acpi_priv.h"

#include "debug/log.h"
#include "lib/string.h"

enum {
	RSDP_REVISION = 15,
	RSDP_RSDT = 16,
	RSDP_LENGTH = 20,
	RSDP_XSDT = 24,
	HEADER_LENGTH = 4,
	GAS_SPACE = 0,
	GAS_WIDTH = 1,
	GAS_ADDRESS = 4,
	SPACE_PCI = 2, /* the highest of the spaces that struct machine_reg knows */
};

bool acpi_checksum_is_right(const uint8_t *bytes, size_t len)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += bytes[i];
	return sum == 0;
}

struct machine_reg acpi_reg(const struct acpi_table *t, size_t at)
{
	struct machine_reg none = { .addr = 0 };

	if (acpi_u8(t, at + GAS_SPACE) > SPACE_PCI)
		return none;
	return (struct machine_reg){
		.addr = acpi_u64(t, at + GAS_ADDRESS),
		.space = acpi_u8(t, at + GAS_SPACE),
		.width_bits = acpi_u8(t, at + GAS_WIDTH),
	};
}

int acpi_rsdp_decode(const uint8_t *bytes, size_t len, struct acpi_roots *out)
{
	struct acpi_roots roots = { 0 };

	if (len < ACPI_RSDP_SIZE_V1 || memcmp(bytes, "RSD PTR ", 8) != 0)
		return -EINVAL;
	if (!acpi_checksum_is_right(bytes, ACPI_RSDP_SIZE_V1))
		return -EINVAL;
	roots.rsdt = le32_get(bytes + RSDP_RSDT);
	if (bytes[RSDP_REVISION] >= 2 && len >= ACPI_RSDP_SIZE_V2) {
		uint32_t claimed = le32_get(bytes + RSDP_LENGTH);

		if (claimed >= ACPI_RSDP_SIZE_V2 && claimed <= len &&
			acpi_checksum_is_right(bytes, claimed))
			roots.xsdt = le64_get(bytes + RSDP_XSDT);
		else
			log_warning("acpi: the RSDP's second half is wrong: using the first");
	}
	*out = roots;
	return 0;
}

bool acpi_table_is(const struct acpi_table *t, const char *signature)
{
	return t->len >= ACPI_HEADER_SIZE && memcmp(t->bytes, signature, ACPI_SIGNATURE_SIZE) == 0;
}

/* The length that the header at pa claims; 0 when it cannot be a table. */
static size_t claimed_length(struct acpi_memory *m, paddr_t pa)
{
	const uint8_t *header;
	uint32_t len;

	if (!pa || pa > UINT64_MAX - ACPI_MAX_TABLE)
		return 0;
	header = m->map(m, pa, ACPI_HEADER_SIZE);
	if (!header)
		return 0;
	len = le32_get(header + HEADER_LENGTH);
	m->unmap(m, header);
	return len >= ACPI_HEADER_SIZE && len <= ACPI_MAX_TABLE ? len : 0;
}

int acpi_table_open(struct acpi_memory *m, paddr_t pa, const char *signature, struct acpi_table *out)
{
	struct acpi_table t = { .len = claimed_length(m, pa) };

	if (!t.len) {
		log_warning("acpi: no table at 0x%lx", pa);
		return -EINVAL;
	}
	t.bytes = m->map(m, pa, t.len);
	if (!t.bytes)
		return -ENOMEM;
	if (!acpi_checksum_is_right(t.bytes, t.len)) {
		log_warning("acpi: wrong sum of table %.4s at 0x%lx: ignored", (const char *)t.bytes, pa);
		goto unmap;
	}
	if (signature && !acpi_table_is(&t, signature)) {
		log_warning("acpi: not %s but %.4s at 0x%lx: ignored", signature, (const char *)t.bytes, pa);
		goto unmap;
	}
	*out = t;
	return 0;

unmap:
	m->unmap(m, t.bytes);
	return -EINVAL;
}

void acpi_table_close(struct acpi_memory *m, struct acpi_table *t)
{
	m->unmap(m, t->bytes);
	t->bytes = NULL;
	t->len = 0;
}

static void visit_all(struct acpi_memory *m, const struct acpi_table *root, size_t entry_size,
	void (*visit)(const struct acpi_table *t, paddr_t pa, void *ctx), void *ctx)
{
	size_t nr = MIN((root->len - ACPI_HEADER_SIZE) / entry_size, (size_t)ACPI_MAX_TABLES);

	for (size_t i = 0; i < nr; i++) {
		size_t at = ACPI_HEADER_SIZE + i * entry_size;
		paddr_t pa = entry_size == sizeof(uint64_t) ? acpi_u64(root, at) : acpi_u32(root, at);
		struct acpi_table t;

		if (acpi_table_open(m, pa, NULL, &t))
			continue;
		visit(&t, pa, ctx);
		acpi_table_close(m, &t);
	}
}

int acpi_for_each_table(struct acpi_memory *m, const struct acpi_roots *roots,
	void (*visit)(const struct acpi_table *t, paddr_t pa, void *ctx), void *ctx)
{
	size_t entry_size = sizeof(uint64_t);
	struct acpi_table root;
	int err = -EINVAL;

	if (roots->xsdt)
		err = acpi_table_open(m, roots->xsdt, "XSDT", &root);
	if (err && roots->rsdt) {
		entry_size = sizeof(uint32_t);
		err = acpi_table_open(m, roots->rsdt, "RSDT", &root);
	}
	if (err)
		return err;
	visit_all(m, &root, entry_size, visit, ctx);
	acpi_table_close(m, &root);
	return 0;
}
