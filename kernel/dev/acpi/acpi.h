// SPDX-License-Identifier: MIT
/*
 * Finds out what the machine has (arch/machine.h) from what the firmware left in memory.
 */
#pragma once

/*
 * Fills `machine` from the ACPI tables, else from the MP table, else with what every PC has.
 * Whatever the tables say, the result is safe to use: at least one CPU, nothing out of bounds;
 * what was wrong with them is logged.
 * Needs    bootinfo, kmap
 * Context  the boot CPU, before arch_init_interrupts; once
 */
void acpi_discover_machine(void);
