// SPDX-License-Identifier: MIT
/*
 * The ways off and round again, each tried in order, the documented ones first.
 *
 * Power off    ACPI S5 by the sleep control register (hardware-reduced machines) or PM1 control;
 *              then the ports by which old QEMU, Bochs and VirtualBox power off without ACPI.
 * Restart      ACPI reset register; port 0xcf9; the keyboard controller; a triple fault.
 *
 * Nothing here takes a lock or needs another CPU: panic calls it.
 *
 * Spec    ACPI 6.5 4.8.3.2.1 (PM1 control), 4.8.3.7 (sleep control), 4.8.3.6 (reset register),
 *         7.4.2.5 (S5); Intel ICH9 data sheet 13.7.5 (RST_CNT, port 0xcf9)
 */
#include "arch/arch.h"
#include "arch/machine.h"
#include "cpu.h"
#include "interrupts.h"
#include "io.h"
#include "lib/cmdline.h"
#include "lib/string.h"
#include "mm/kmap.h"

enum {
	SPACE_MEMORY = 0,
	SPACE_IO = 1,
	SPACE_PCI = 2,
	PM1_SCI_ENABLED = BIT(0),
	PM1_SLEEP_TYPE_SHIFT = 10,
	PM1_SLEEP_TYPE_MASK = 7 << PM1_SLEEP_TYPE_SHIFT,
	PM1_SLEEP_ENABLE = BIT(13),
	SLEEP_TYPE_SHIFT = 2, /* of the sleep control register */
	SLEEP_ENABLE = BIT(5),
	SETTLE_US = 100000, /* how long a way gets before the next is tried */
	ACPI_MODE_WAIT_US = 10,
	ACPI_MODE_WAITS = 30000,
};

/* The emulators' own ways: their documentation names port and value. */
enum {
	QEMU_PORT = 0x604,
	BOCHS_PORT = 0xb004,
	VIRTUALBOX_PORT = 0x4004,
	EMULATOR_OFF = 0x2000,
	VIRTUALBOX_OFF = 0x3400,
};

enum {
	RESET_CONTROL = 0xcf9,
	RESET_HARD = 0x02,
	RESET_NOW = 0x04,
	KEYBOARD_COMMAND = 0x64,
	KEYBOARD_BUSY = 0x02,
	KEYBOARD_PULSE_RESET = 0xfe,
	KEYBOARD_WAITS = 10000,
	PCI_CONFIG_ADDRESS = 0xcf8,
	PCI_CONFIG_DATA = 0xcfc,
	DEBUG_EXIT_PORT = 0xf4,
};
#define PCI_CONFIG_ENABLE BIT(31)

static volatile uint8_t *sleep_mmio, *reset_mmio; /* [I] after power_init; NULL: not in memory */

static volatile uint8_t *reg_map(const struct machine_reg *reg, const char *what)
{
	void *at;

	if (!reg->addr || reg->space != SPACE_MEMORY)
		return NULL;
	return kmap_phys(&at, reg->addr, 1, PTE_WRITE | PTE_UNCACHED, what) ? NULL : at;
}

/* Maps what lies in memory: in a panic it is too late for that. */
void power_init(void)
{
	sleep_mmio = reg_map(&machine.sleep_control, "ACPI sleep control");
	reset_mmio = reg_map(&machine.reset, "ACPI reset register");
}

static void reg_write(const struct machine_reg *reg, volatile uint8_t *mmio, uint8_t value)
{
	if (!reg->addr)
		return;
	if (mmio) {
		*mmio = value;
	} else if (reg->space == SPACE_IO) {
		io_write8((uint16_t)reg->addr, value);
	} else if (reg->space == SPACE_PCI) { /* device 47:32, function 31:16, offset 15:0; bus 0 */
		uint32_t at = (uint32_t)(reg->addr >> 32 & 0x1f) << 11 |
			      (uint32_t)(reg->addr >> 16 & 7) << 8 | (uint32_t)(reg->addr & 0xfc);

		io_write32(PCI_CONFIG_ADDRESS, (uint32_t)PCI_CONFIG_ENABLE | at);
		io_write8(PCI_CONFIG_DATA + (reg->addr & 3), value);
	}
}

static void settle(void)
{
	tsc_spin_us(SETTLE_US);
}

/* ---- Off ---- */

static void enter_acpi_mode(uint16_t pm1a)
{
	if (io_read16(pm1a) & PM1_SCI_ENABLED || !machine.smi_command || !machine.acpi_enable)
		return;
	io_write8((uint16_t)machine.smi_command, machine.acpi_enable);
	for (unsigned i = 0; i < ACPI_MODE_WAITS && !(io_read16(pm1a) & PM1_SCI_ENABLED); i++)
		tsc_spin_us(ACPI_MODE_WAIT_US);
}

static void pm1_sleep(const struct machine_reg *reg, uint8_t type)
{
	uint16_t value;

	if (!reg->addr || reg->space != SPACE_IO)
		return;
	value = io_read16((uint16_t)reg->addr) & (uint16_t)~(PM1_SLEEP_TYPE_MASK | PM1_SLEEP_ENABLE);
	value |= (uint16_t)(type << PM1_SLEEP_TYPE_SHIFT);
	io_write16((uint16_t)reg->addr, value); /* the type first, then the order: 4.8.3.2.1 */
	io_write16((uint16_t)reg->addr, value | PM1_SLEEP_ENABLE);
}

static void power_off_acpi(void)
{
	if (!machine.has_s5)
		return;
	if (machine.sleep_control.addr) {
		reg_write(&machine.sleep_control, sleep_mmio,
			(uint8_t)(machine.s5_type_a << SLEEP_TYPE_SHIFT | SLEEP_ENABLE));
		settle();
	}
	if (machine.pm1a_control.addr && machine.pm1a_control.space == SPACE_IO) {
		enter_acpi_mode((uint16_t)machine.pm1a_control.addr);
		pm1_sleep(&machine.pm1a_control, machine.s5_type_a);
		pm1_sleep(&machine.pm1b_control, machine.s5_type_b);
		settle();
	}
}

void arch_power_off(void)
{
	arch_irq_disable();
	x86_console_flush();
	power_off_acpi();
	io_write16(QEMU_PORT, EMULATOR_OFF);
	io_write16(BOCHS_PORT, EMULATOR_OFF);
	io_write16(VIRTUALBOX_PORT, VIRTUALBOX_OFF);
	settle();
}

/* ---- Round again ---- */

static void restart_by_keyboard(void)
{
	if (machine.has_no_i8042)
		return;
	for (unsigned i = 0; i < KEYBOARD_WAITS && io_read8(KEYBOARD_COMMAND) & KEYBOARD_BUSY; i++)
		arch_cpu_relax();
	io_write8(KEYBOARD_COMMAND, KEYBOARD_PULSE_RESET);
	settle();
}

/* With no interrupt table, an exception faults, that faults, and the third resets the CPU. */
static void restart_by_triple_fault(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} PACKED no_table = { 0, 0 };

	__asm__ volatile("lidt %0; int3" : : "m"(no_table));
}

void arch_restart(void)
{
	uint8_t control;

	arch_irq_disable();
	x86_console_flush();
	reg_write(&machine.reset, reset_mmio, machine.reset_value);
	settle();
	control = io_read8(RESET_CONTROL) & (uint8_t)~(RESET_HARD | RESET_NOW);
	io_write8(RESET_CONTROL, control | RESET_HARD);
	io_write8(RESET_CONTROL, control | RESET_HARD | RESET_NOW);
	settle();
	restart_by_keyboard();
	restart_by_triple_fault();
}

/* ---- Out of the emulator ---- */

static bool has_debug_exit; /* exit=qemu */

static int set_exit(const char *value)
{
	if (!str_equal(value, "qemu"))
		return -EINVAL;
	has_debug_exit = true;
	return 0;
}
CMDLINE_WORD(exit, "exit", set_exit, "exit=qemu: end QEMU through its isa-debug-exit device at port 0xf4");

void arch_exit_emulator(unsigned status)
{
	if (has_debug_exit)
		io_write32(DEBUG_EXIT_PORT, status);
}
