// SPDX-License-Identifier: MIT
/*
 * The sleep types of S5 ("soft off"), out of the bytes of a DSDT or SSDT, without an interpreter.
 *
 * They are in the package named _S5_, which every firmware writes as a constant:
 *
 *     08 [5c] 5f 53 35 5f          NameOp, perhaps the root prefix '\', "_S5_"
 *     12 <PkgLength> <count>       PackageOp
 *     <integer> <integer> ...      sleep types for PM1a and PM1b control
 *
 * Anything else is "not found", and power-off then uses other ways. The byte search may meet the
 * same bytes inside something else; the shape of the whole is checked, and the values must fit
 * their three bits.
 *
 * Spec    ACPI 6.5 20.2 (AML grammar), 7.4.2 (_S5), 20.2.4 (PkgLength)
 */
#include "acpi_priv.h"

#include "lib/string.h"

enum {
	AML_ZERO = 0x00,
	AML_ONE = 0x01,
	AML_NAME = 0x08,
	AML_BYTE = 0x0a,
	AML_WORD = 0x0b,
	AML_DWORD = 0x0c,
	AML_PACKAGE = 0x12,
	AML_ROOT = 0x5c,
	MAX_SLEEP_TYPE = 7,
	NAME_SIZE = 4,
};

/* Reads the integer at *at and moves behind it; -1 if there is none of a kind we know. */
static int64_t take_integer(const struct acpi_table *t, size_t *at)
{
	uint8_t op = acpi_u8(t, *at);
	size_t operand = *at + 1;

	if (*at >= t->len)
		return -1;
	switch (op) {
	case AML_ZERO:
	case AML_ONE:
		*at = operand;
		return op;
	case AML_BYTE:
		*at = operand + 1;
		return acpi_u8(t, operand);
	case AML_WORD:
		*at = operand + 2;
		return acpi_u16(t, operand);
	case AML_DWORD:
		*at = operand + 4;
		return acpi_u32(t, operand);
	default:
		return -1;
	}
}

/* The package that should start at `at`, where "_S5_" has ended. */
static bool decode_package(const struct acpi_table *t, size_t at, struct machine *m)
{
	int64_t type_a, type_b;
	uint8_t count;

	if (acpi_u8(t, at) != AML_PACKAGE)
		return false;
	at++;
	at += 1 + (acpi_u8(t, at) >> 6); /* PkgLength: its two top bits count the bytes that follow */
	count = acpi_u8(t, at++);
	if (count < 1)
		return false;
	type_a = take_integer(t, &at);
	type_b = count > 1 ? take_integer(t, &at) : 0;
	if (type_a < 0 || type_a > MAX_SLEEP_TYPE || type_b < 0 || type_b > MAX_SLEEP_TYPE ||
		at > t->len)
		return false;
	m->s5_type_a = (uint8_t)type_a;
	m->s5_type_b = (uint8_t)type_b;
	m->has_s5 = true;
	return true;
}

static bool is_named(const struct acpi_table *t, size_t name)
{
	size_t before = name - 1;

	if (t->bytes[before] == AML_ROOT)
		before--;
	return t->bytes[before] == AML_NAME;
}

bool acpi_s5_decode(const struct acpi_table *t, struct machine *m)
{
	const uint8_t *from = t->bytes + ACPI_HEADER_SIZE, *end = t->bytes + t->len;

	if (t->len < ACPI_HEADER_SIZE + NAME_SIZE)
		return false;
	while ((from = memchr(from, '_', (size_t)(end - from))) && end - from >= NAME_SIZE) {
		size_t at = (size_t)(from - t->bytes);

		if (memcmp(from, "_S5_", NAME_SIZE) == 0 && is_named(t, at) &&
			decode_package(t, at + NAME_SIZE, m))
			return true;
		from++;
	}
	return false;
}
