// SPDX-License-Identifier: MIT
/*
 * FADT: the fixed hardware: PM timer, ways off and round again, which legacy devices are there.
 *
 * Registers come twice: as 32-bit ports, and from ACPI 2.0 on as 64-bit generic addresses, which
 * win when they are not zero. A table too short to have a field reads as 0 there, which always
 * means absent.
 *
 * Spec    ACPI 6.5 5.2.9
 */
#include "acpi_priv.h"

enum {
	FADT_REVISION = 8, /* of the common header */
	FADT_DSDT = 40,
	FADT_SMI_COMMAND = 48,
	FADT_ACPI_ENABLE = 52,
	FADT_PM1A_CONTROL = 64,
	FADT_PM1B_CONTROL = 68,
	FADT_PM_TIMER = 76,
	FADT_PM_TIMER_LEN = 91,
	FADT_CENTURY = 108,
	FADT_BOOT_ARCH = 109,
	FADT_FLAGS = 112,
	FADT_RESET = 116,
	FADT_RESET_VALUE = 128,
	FADT_X_DSDT = 140,
	FADT_X_PM1A_CONTROL = 172,
	FADT_X_PM1B_CONTROL = 184,
	FADT_X_PM_TIMER = 208,
	FADT_SLEEP_CONTROL = 244,

	REVISION_2_0 = 3, /* the table's revision in ACPI 2.0: boot flags are valid from here */
	PM_TIMER_SIZE = 4,
	SPACE_IO = 1,
	PM1_WIDTH = 16,
	PM_TIMER_WIDTH = 32,
};
#define BOOT_ARCH_8042	  BIT(1)
#define BOOT_ARCH_NO_CMOS BIT(5)
#define FLAG_TIMER_32BIT  BIT(8)
#define FLAG_RESET	  BIT(10)
#define FLAG_REDUCED	  BIT(20)

static struct machine_reg reg_of(
	const struct acpi_table *t, size_t extended, size_t legacy, uint8_t width_bits)
{
	struct machine_reg reg = acpi_reg(t, extended);

	if (!reg.addr && acpi_u32(t, legacy))
		reg = (struct machine_reg){ acpi_u32(t, legacy), SPACE_IO, width_bits };
	return reg;
}

paddr_t acpi_fadt_decode(const struct acpi_table *t, struct machine *m)
{
	uint32_t flags = acpi_u32(t, FADT_FLAGS);
	paddr_t dsdt = acpi_u64(t, FADT_X_DSDT);

	if (!(flags & FLAG_REDUCED)) {
		if (acpi_u8(t, FADT_PM_TIMER_LEN) >= PM_TIMER_SIZE)
			m->pm_timer = reg_of(t, FADT_X_PM_TIMER, FADT_PM_TIMER, PM_TIMER_WIDTH);
		m->pm_timer_is_32bit = flags & FLAG_TIMER_32BIT;
		m->pm1a_control = reg_of(t, FADT_X_PM1A_CONTROL, FADT_PM1A_CONTROL, PM1_WIDTH);
		m->pm1b_control = reg_of(t, FADT_X_PM1B_CONTROL, FADT_PM1B_CONTROL, PM1_WIDTH);
		m->smi_command = acpi_u32(t, FADT_SMI_COMMAND);
		m->acpi_enable = acpi_u8(t, FADT_ACPI_ENABLE);
	} else {
		m->sleep_control = acpi_reg(t, FADT_SLEEP_CONTROL);
	}
	if (flags & FLAG_RESET) {
		m->reset = acpi_reg(t, FADT_RESET);
		m->reset_value = acpi_u8(t, FADT_RESET_VALUE);
	}
	if (acpi_u8(t, FADT_REVISION) >= REVISION_2_0) {
		m->has_no_i8042 = !(acpi_u16(t, FADT_BOOT_ARCH) & BOOT_ARCH_8042);
		m->has_no_cmos_rtc = acpi_u16(t, FADT_BOOT_ARCH) & BOOT_ARCH_NO_CMOS;
	}
	m->rtc_century = acpi_u8(t, FADT_CENTURY);
	return dsdt ? dsdt : acpi_u32(t, FADT_DSDT);
}
