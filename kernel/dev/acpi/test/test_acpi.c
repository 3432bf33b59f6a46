// SPDX-License-Identifier: MIT
/*
 * The decoders of firmware tables, on tables that are right, cut short, or lie.
 *
 * Physical memory is an array; every mapping is a copy of exactly the size asked for, on the heap,
 * so that ASan sees any read outside of it.
 */
// LINK: dev/acpi/tables.c dev/acpi/machine.c dev/acpi/madt.c dev/acpi/fadt.c dev/acpi/devices.c dev/acpi/s5.c dev/acpi/mptable.c lib/random.c

#include <stdlib.h>
#include <string.h>

#include "dev/acpi/acpi_priv.h"
#include "debug/log.h"
#include "lib/random.h"
#include "lib/test.h"

void log_write(enum log_level level UNUSED, const char *fmt UNUSED, ...)
{
}

/* ---- Memory, and tables built in it ---- */

enum { MEMORY_SIZE = 64 * 1024, FIRST_TABLE = 0x1000, SUM_AT = 9 };

static uint8_t ram[MEMORY_SIZE];
static paddr_t next_table;
static unsigned nr_mapped;
static struct machine m;

static const uint8_t *copy_of(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	memcpy(copy, bytes, len);
	return copy;
}

static const uint8_t *map(struct acpi_memory *mem UNUSED, paddr_t pa, size_t len)
{
	if (pa > MEMORY_SIZE || len > MEMORY_SIZE - pa)
		return NULL;
	nr_mapped++;
	return copy_of(ram + pa, len);
}

static void unmap(struct acpi_memory *mem UNUSED, const uint8_t *bytes)
{
	free((void *)(uintptr_t)bytes);
	nr_mapped--;
}

static struct acpi_memory memory = { .map = map, .unmap = unmap };

static void start(void)
{
	memset(ram, 0, sizeof(ram));
	memset(&m, 0, sizeof(m));
	next_table = FIRST_TABLE;
	nr_mapped = 0;
}

static void fix_sum(uint8_t *bytes, size_t len, size_t at)
{
	uint8_t sum = 0;

	bytes[at] = 0;
	for (size_t i = 0; i < len; i++)
		sum += bytes[i];
	bytes[at] = (uint8_t)-sum;
}

/* A table with this body behind its header; returns where it is. */
static paddr_t put_table(const char *signature, const void *body, size_t body_len)
{
	paddr_t pa = next_table;
	uint8_t *t = ram + pa;
	size_t len = ACPI_HEADER_SIZE + body_len;

	memcpy(t, signature, 4);
	le32_put(t + 4, (uint32_t)len);
	t[8] = 5;
	memcpy(t + ACPI_HEADER_SIZE, body, body_len);
	fix_sum(t, len, SUM_AT);
	next_table += ALIGN_UP(len, (size_t)16);
	return pa;
}

/* The same, on the heap, exactly as long as it is. */
static struct acpi_table make_table(const char *signature, const void *body, size_t body_len)
{
	paddr_t pa = put_table(signature, body, body_len);
	size_t len = ACPI_HEADER_SIZE + body_len;

	return (struct acpi_table){ copy_of(ram + pa, len), len };
}

static void free_table(struct acpi_table *t)
{
	free((void *)(uintptr_t)t->bytes);
}

static void decode_madt(const uint8_t *entries, size_t len)
{
	uint8_t body[8 + 8192] = { 0 };
	struct acpi_table t;

	le32_put(body, 0xfee00000);
	body[4] = 1;
	memcpy(body + 8, entries, len);
	t = make_table("APIC", body, 8 + len);
	acpi_madt_decode(&t, &m);
	free_table(&t);
}

#define LAPIC(uid, id, flags)	  0, 8, uid, id, flags, 0, 0, 0
#define IOAPIC(id, page, gsi)	  1, 12, id, 0, 0, page, 0xc0, 0xfe, gsi, 0, 0, 0
#define OVERRIDE(src, gsi, flags) 2, 10, 0, src, gsi, 0, 0, 0, flags, 0

/* ---- RSDP ---- */

static void make_rsdp(uint8_t rsdp[ACPI_RSDP_SIZE_V2], uint8_t revision)
{
	memset(rsdp, 0, ACPI_RSDP_SIZE_V2);
	memcpy(rsdp, "RSD PTR ", 8);
	rsdp[15] = revision;
	le32_put(rsdp + 16, 0x1000);
	le32_put(rsdp + 20, ACPI_RSDP_SIZE_V2);
	le64_put(rsdp + 24, 0x2000);
	fix_sum(rsdp, ACPI_RSDP_SIZE_V1, 8);
	fix_sum(rsdp, ACPI_RSDP_SIZE_V2, 32);
}

TEST(acpi, rsdp_gives_both_roots)
{
	uint8_t rsdp[ACPI_RSDP_SIZE_V2];
	struct acpi_roots roots;

	make_rsdp(rsdp, 2);
	REQUIRE(acpi_rsdp_decode(rsdp, sizeof(rsdp), &roots) == 0);
	EXPECT_EQ(roots.rsdt, 0x1000);
	EXPECT_EQ(roots.xsdt, 0x2000);
	make_rsdp(rsdp, 0);
	REQUIRE(acpi_rsdp_decode(rsdp, sizeof(rsdp), &roots) == 0);
	EXPECT_EQ(roots.xsdt, 0);
}

TEST(acpi, rsdp_with_a_wrong_sum_is_none)
{
	uint8_t rsdp[ACPI_RSDP_SIZE_V2];
	struct acpi_roots roots;

	make_rsdp(rsdp, 2);
	rsdp[8]++;
	EXPECT_EQ(acpi_rsdp_decode(rsdp, sizeof(rsdp), &roots), -EINVAL);
	make_rsdp(rsdp, 2);
	EXPECT_EQ(acpi_rsdp_decode(rsdp, 19, &roots), -EINVAL);
}

TEST(acpi, rsdp_with_a_lying_second_half_keeps_the_first)
{
	uint8_t rsdp[ACPI_RSDP_SIZE_V2];
	struct acpi_roots roots;

	make_rsdp(rsdp, 2);
	le32_put(rsdp + 20, 0xffffffff);
	REQUIRE(acpi_rsdp_decode(rsdp, sizeof(rsdp), &roots) == 0);
	EXPECT_EQ(roots.xsdt, 0);
	EXPECT_EQ(roots.rsdt, 0x1000);
}

/* ---- The list of tables ---- */

static unsigned nr_visited;

static void count_visit(const struct acpi_table *t UNUSED, paddr_t pa UNUSED, void *ctx UNUSED)
{
	nr_visited++;
}

TEST(acpi, broken_tables_are_left_out_of_the_walk)
{
	struct acpi_roots roots = { 0 };
	uint8_t list[7 * 8] = { 0 };

	start();
	nr_visited = 0;
	le64_put(list, put_table("GOOD", "", 0));
	le64_put(list + 8, put_table("SUMX", "abc", 3));
	ram[le64_get(list + 8) + SUM_AT]++;
	le64_put(list + 16, put_table("LONG", "", 0));
	le32_put(ram + le64_get(list + 16) + 4, 0x7fffffff);
	le64_put(list + 24, put_table("TINY", "", 0));
	le32_put(ram + le64_get(list + 24) + 4, 8);
	le64_put(list + 40, UINT64_MAX - 8);
	le64_put(list + 48, 0x123456789000);
	roots.xsdt = put_table("XSDT", list, sizeof(list));
	EXPECT_EQ(acpi_for_each_table(&memory, &roots, count_visit, NULL), 0);
	EXPECT_EQ(nr_visited, 1);
	EXPECT_EQ(nr_mapped, 0);
}

TEST(acpi, a_broken_xsdt_falls_back_to_the_rsdt)
{
	struct acpi_roots roots = { 0 };
	uint8_t list[4];

	start();
	nr_visited = 0;
	le32_put(list, (uint32_t)put_table("GOOD", "", 0));
	roots.xsdt = put_table("NOPE", "", 0);
	roots.rsdt = put_table("RSDT", list, sizeof(list));
	EXPECT_EQ(acpi_for_each_table(&memory, &roots, count_visit, NULL), 0);
	EXPECT_EQ(nr_visited, 1);
	roots.rsdt = 0;
	EXPECT_EQ(acpi_for_each_table(&memory, &roots, count_visit, NULL), -EINVAL);
	EXPECT_EQ(nr_mapped, 0);
}

/* ---- MADT ---- */

TEST(acpi, madt_lists_enabled_cpus_once)
{
	static const uint8_t entries[] = {
		LAPIC(0, 0, 1), LAPIC(1, 2, 1), LAPIC(2, 4, 0), /* absent */
		LAPIC(3, 6, 2),					/* could be plugged in */
		LAPIC(4, 2, 1),					/* again */
		LAPIC(5, 0xff, 1),				/* nobody's id */
		9, 16, 0, 0, 0x2c, 1, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, /* x2APIC id 300 */
	};

	start();
	decode_madt(entries, sizeof(entries));
	EXPECT_EQ(m.nr_cpus, 3);
	EXPECT_EQ(m.cpu[1].hw_id, 2);
	EXPECT_EQ(m.cpu[2].hw_id, 300);
	EXPECT_EQ(m.cpu[2].acpi_uid, 9);
	EXPECT(m.has_legacy_pic);
}

TEST(acpi, madt_with_more_cpus_than_we_take)
{
	uint8_t entries[400 * 16] = { 0 };

	start();
	for (unsigned i = 0; i < 400; i++) {
		uint8_t *e = entries + i * 16;

		e[0] = 9;
		e[1] = 16;
		le32_put(e + 4, i);
		le32_put(e + 8, 1);
	}
	decode_madt(entries, sizeof(entries));
	EXPECT_EQ(m.nr_cpus, MAX_CPUS);
}

TEST(acpi, madt_entry_of_no_length_ends_it)
{
	static const uint8_t entries[] = { LAPIC(0, 0, 1), 0, 0, 1, 1, 1, LAPIC(1, 1, 1) };

	start();
	decode_madt(entries, sizeof(entries));
	EXPECT_EQ(m.nr_cpus, 1);
}

TEST(acpi, madt_entry_that_leaves_the_table_ends_it)
{
	static const uint8_t entries[] = { LAPIC(0, 0, 1), 0, 200, 1, 1, 1, 0, 0, 0 };

	start();
	decode_madt(entries, sizeof(entries));
	EXPECT_EQ(m.nr_cpus, 1);
}

TEST(acpi, madt_entry_shorter_than_its_kind_is_left_out)
{
	static const uint8_t entries[] = { 0, 4, 0, 5, 1, 2, LAPIC(1, 1, 1), 9, 2 };

	start();
	decode_madt(entries, sizeof(entries));
	EXPECT_EQ(m.nr_cpus, 1);
	EXPECT_EQ(m.nr_irqcs, 0);
}

TEST(acpi, madt_overrides_and_overlapping_ioapics)
{
	static const uint8_t entries[] = {
		IOAPIC(0, 0, 0), IOAPIC(1, 0x10, 24), IOAPIC(2, 0, 48), IOAPIC(3, 0x20, 24),
		OVERRIDE(0, 2, 0), OVERRIDE(9, 9, 0xd), OVERRIDE(9, 10, 0xf), OVERRIDE(200, 3, 0),
		OVERRIDE(5, 5, 0xf),
	};

	start();
	decode_madt(entries, sizeof(entries));
	EXPECT_EQ(m.nr_irqcs, 2);
	EXPECT_EQ(m.irqc[1].gsi_base, 24);
	EXPECT_EQ(m.nr_overrides, 3);
	EXPECT_EQ(m.override[0].gsi, 2);
	EXPECT(!m.override[0].is_level && !m.override[0].is_active_low);
	EXPECT(m.override[1].is_level && !m.override[1].is_active_low);
	EXPECT(m.override[2].is_level && m.override[2].is_active_low);
}

/* ---- FADT and the small ones ---- */

TEST(acpi, fadt_prefers_wide_registers_and_stops_at_its_end)
{
	uint8_t fadt[268] = { 0 }, *body = fadt + ACPI_HEADER_SIZE;
	struct acpi_table t;

	start();
	le32_put(fadt + 40, 0x5000);
	le32_put(fadt + 64, 0x604);
	le32_put(fadt + 76, 0x608);
	fadt[91] = 4;
	fadt[108] = 0x32;
	le16_put(fadt + 109, 2);
	le32_put(fadt + 112, 1 << 10);
	fadt[116] = 1;
	le64_put(fadt + 120, 0xcf9);
	fadt[128] = 0xf;
	fadt[172] = 1;
	le64_put(fadt + 176, 0x704);
	t = make_table("FACP", body, sizeof(fadt) - ACPI_HEADER_SIZE);
	EXPECT_EQ(acpi_fadt_decode(&t, &m), 0x5000);
	free_table(&t);
	EXPECT_EQ(m.pm1a_control.addr, 0x704);
	EXPECT_EQ(m.pm_timer.addr, 0x608);
	EXPECT_EQ(m.reset.addr, 0xcf9);
	EXPECT_EQ(m.reset_value, 0xf);
	EXPECT_EQ(m.rtc_century, 0x32);
	EXPECT(!m.has_no_i8042 && !m.has_no_cmos_rtc);

	memset(&m, 0, sizeof(m)); /* an ACPI 1.0 table: no reset register, no wide ones */
	t = make_table("FACP", body, 116 - ACPI_HEADER_SIZE);
	acpi_fadt_decode(&t, &m);
	free_table(&t);
	EXPECT_EQ(m.reset.addr, 0);
	EXPECT_EQ(m.pm1a_control.addr, 0x604);
}

TEST(acpi, mcfg_leaves_out_what_makes_no_sense)
{
	uint8_t body[8 + 3 * 16 + 5] = { 0 };
	struct acpi_table t;

	start();
	le64_put(body + 8, 0xe0000000);
	body[8 + 11] = 255;
	le64_put(body + 24, 0xd0000000);
	body[24 + 10] = 9; /* ends before it starts */
	t = make_table("MCFG", body, sizeof(body));
	acpi_mcfg_decode(&t, &m);
	free_table(&t);
	EXPECT_EQ(m.nr_ecams, 1);
	EXPECT_EQ(m.ecam[0].bus_end, 255);
}

TEST(acpi, generic_address_of_an_unknown_space_is_none)
{
	static const uint8_t gas[12] = { 0x7f, 8, 0, 1, 1, 2, 3, 4 };
	struct acpi_table t = { gas, sizeof(gas) };

	EXPECT_EQ(acpi_reg(&t, 0).addr, 0);
}

/* ---- S5 ---- */

static bool decode_s5(const void *aml, size_t len)
{
	struct acpi_table t = make_table("DSDT", aml, len);
	bool is_found = acpi_s5_decode(&t, &m);

	free_table(&t);
	return is_found;
}

TEST(acpi, s5_in_the_forms_that_compilers_write)
{
	static const uint8_t bytes[] = { 8, '_', 'S', '5', '_', 0x12, 6, 4, 0x0a, 5, 0x0a, 5, 0, 0 };
	static const uint8_t zeroes[] = { 1, 8, '\\', '_', 'S', '5', '_', 0x12, 6, 4, 0, 0, 0, 0 };
	static const uint8_t wide[] = { 8, '_', 'S', '5', '_', 0x12, 0x4a, 0, 2, 0x0b, 7, 0, 0x0c, 1, 0, 0, 0 };

	start();
	EXPECT(decode_s5(bytes, sizeof(bytes)) && m.s5_type_a == 5 && m.s5_type_b == 5);
	EXPECT(decode_s5(zeroes, sizeof(zeroes)) && m.s5_type_a == 0);
	EXPECT(decode_s5(wide, sizeof(wide)) && m.s5_type_a == 7 && m.s5_type_b == 1);
}

TEST(acpi, s5_that_is_cut_or_no_package_is_not_found)
{
	static const uint8_t good[] = { 8, '_', 'S', '5', '_', 0x12, 6, 4, 0x0a, 5, 0x0a, 5 };
	static const uint8_t method[] = { 0x14, 9, '_', 'S', '5', '_', 0x12, 6, 4, 1, 1, 0, 0 };
	static const uint8_t too_big[] = { 8, '_', 'S', '5', '_', 0x12, 6, 4, 0x0a, 8, 0x0a, 5 };

	start();
	for (size_t len = 0; len < sizeof(good); len++)
		EXPECT(!decode_s5(good, len));
	EXPECT(!decode_s5(method, sizeof(method)));
	EXPECT(!decode_s5(too_big, sizeof(too_big)));
	EXPECT(!m.has_s5);
}

/* ---- MP table ---- */

static size_t make_mptable(uint8_t *t)
{
	static const uint8_t entries[] = {
		0, 0, 0x14, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 1, 0x14, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 2, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		1, 1, 'I', 'S', 'A', ' ', ' ', ' ',
		2, 2, 0x11, 1, 0, 0, 0xc0, 0xfe,
		3, 0, 0, 0, 1, 0, 2, 2, /* ISA 0 at input 2 */
		3, 0, 0, 0, 1, 4, 2, 4, /* as usual: no override */
	};
	size_t len = MP_HEADER_SIZE + sizeof(entries);

	memset(t, 0, MP_HEADER_SIZE);
	memcpy(t, "PCMP", 4);
	le16_put(t + 4, (uint16_t)len);
	le32_put(t + 36, 0xfee00000);
	memcpy(t + MP_HEADER_SIZE, entries, sizeof(entries));
	fix_sum(t, len, 7);
	return len;
}

TEST(acpi, mptable_gives_cpus_ioapic_and_overrides)
{
	uint8_t t[256];
	size_t len = make_mptable(t);

	start();
	REQUIRE(mptable_decode(t, len, &m) == 0);
	EXPECT_EQ(m.nr_cpus, 2);
	EXPECT_EQ(m.nr_irqcs, 1);
	EXPECT_EQ(m.nr_overrides, 1);
	EXPECT_EQ(m.override[0].gsi, 2);
	t[len - 1]++;
	EXPECT_EQ(mptable_decode(t, len, &m), -EINVAL);
}

/* ---- Everything, mutated ---- */

static void decode_all(const uint8_t *bytes, size_t len)
{
	uint8_t *exact = (uint8_t *)(uintptr_t)copy_of(bytes, len);
	struct acpi_table t = { exact, len };
	struct acpi_roots roots;
	paddr_t table;

	memset(&m, 0, sizeof(m));
	acpi_madt_decode(&t, &m);
	(void)acpi_fadt_decode(&t, &m);
	acpi_mcfg_decode(&t, &m);
	acpi_hpet_decode(&t, &m);
	acpi_spcr_decode(&t, &m);
	(void)acpi_s5_decode(&t, &m);
	(void)!acpi_rsdp_decode(exact, len, &roots);
	(void)!mptable_pointer_decode(exact, len, &table);
	if (len >= MP_HEADER_SIZE) { /* as if sum and length were right */
		memcpy(exact, "PCMP", 4);
		le16_put(exact + 4, (uint16_t)len);
		fix_sum(exact, len, 7);
	}
	(void)!mptable_decode(exact, len, &m);
	EXPECT(m.nr_cpus <= MAX_CPUS && m.nr_irqcs <= MAX_IRQ_CONTROLLERS &&
		m.nr_overrides <= MAX_IRQ_OVERRIDES && m.nr_ecams <= MAX_PCI_ECAM);
	free(exact);
}

TEST(acpi, random_changes_never_read_outside)
{
	static const uint8_t body[] = { 0, 0, 0xe0, 0xfe, 1, 0, 0, 0, LAPIC(0, 0, 1), LAPIC(1, 1, 1),
		IOAPIC(0, 0, 0), OVERRIDE(0, 2, 0), 8, '_', 'S', '5', '_', 0x12, 6, 4, 0x0a, 5, 0x0a, 5 };
	uint8_t corpus[3][400] = { { 0 } };
	struct random r;

	start();
	random_seed(&r, 2);
	memcpy(corpus[0] + ACPI_HEADER_SIZE, body, sizeof(body));
	make_mptable(corpus[1]);
	for (unsigned round = 0; round < 100000; round++) {
		uint8_t bytes[400];
		size_t len = (size_t)random_below(&r, sizeof(bytes) + 1);

		memcpy(bytes, corpus[random_below(&r, ARRAY_LEN(corpus))], sizeof(bytes));
		for (uint64_t n = random_below(&r, 12); n > 0; n--)
			bytes[random_below(&r, sizeof(bytes))] = (uint8_t)random_next(&r);
		decode_all(bytes, len);
	}
}
