// SPDX-License-Identifier: MIT
/*
 * What is around the simulated CPUs: interrupt lines, the console, the battery clock
 * and the ways out.
 *
 * Lines 0-31 are wired (line n is global system interrupt n and, below 16, ISA line n); 32-63
 * are given out as message-signalled interrupts. A test pulls one with sim_irq_raise(). A
 * masked line remembers one request, as an I/O APIC does for levels and an MSI-X entry by its
 * pending bit.
 */
#include "arch/sim/sim_priv.h"

#include "debug/exit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NR_ISA_LINES = 16 };

/* One host thread, and no step happens inside these functions: no lock. */
static struct {
	unsigned cpu; /* hw_id */
	bool is_masked;
	bool is_latched; /* asked while masked */
	bool is_msi;     /* given out */
} line[SIM_NR_IRQS];

unsigned arch_irq_count(void)
{
	return SIM_NR_IRQS;
}

int arch_irq_of_gsi(uint32_t gsi, unsigned *irq)
{
	if (gsi >= SIM_MSI_FIRST)
		return -EINVAL;
	*irq = gsi;
	return 0;
}

int arch_irq_of_isa(uint8_t isa, unsigned *irq)
{
	if (isa >= NR_ISA_LINES)
		return -EINVAL;
	*irq = isa;
	return 0;
}

static void request(unsigned irq)
{
	sim.cpu[line[irq].cpu].irq_pending |= BIT(irq);
}

void arch_irq_mask(unsigned irq)
{
	line[irq].is_masked = true;
}

void arch_irq_unmask(unsigned irq)
{
	line[irq].is_masked = false;
	if (line[irq].is_latched)
		request(irq);
	line[irq].is_latched = false;
}

void arch_irq_eoi(unsigned irq UNUSED)
{
}

int arch_irq_set_cpu(unsigned irq, unsigned cpu)
{
	if (cpu >= cpu_count())
		return -EINVAL;
	if (irq >= SIM_MSI_FIRST)
		return -EOPNOTSUPP;
	line[irq].cpu = (unsigned)cpus[cpu]->hw_id;
	return 0;
}

int arch_msi_alloc(unsigned cpu, unsigned *irq, struct msi_message *msg)
{
	for (unsigned i = SIM_MSI_FIRST; i < SIM_NR_IRQS; i++) {
		if (line[i].is_msi)
			continue;
		line[i].is_msi = true;
		line[i].is_masked = true;
		line[i].cpu = (unsigned)cpus[cpu]->hw_id;
		*msg = (struct msi_message){.addr = 0, .data = i};
		*irq = i;
		return 0;
	}
	return -ENOSPC;
}

void arch_msi_free(unsigned irq)
{
	line[irq].is_msi = false;
	line[irq].is_latched = false;
}

void sim_irq_raise(unsigned irq)
{
	if (line[irq].is_masked)
		line[irq].is_latched = true;
	else
		request(irq);
	sim_interleave();
}

/* ---- Console, wall clock ---- */

void arch_console_write(const char *s, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, s, len);

		if (n <= 0)
			return; /* whoever listened is gone */
		s += n;
		len -= (size_t)n;
	}
}

int arch_console_port(void)
{
	return -ENODEV;
}

uint8_t arch_port_read8(uint16_t port UNUSED)
{
	return UINT8_MAX;
}

void arch_port_write8(uint16_t port UNUSED, uint8_t value UNUSED)
{
}

int arch_console_read(void)
{
	return -EAGAIN;
}

void sim_say(const char *fmt, ...)
{
	char text[1024];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	arch_console_write(text, MIN((size_t)len, sizeof(text) - 1));
}

int arch_wallclock_read(int64_t *seconds)
{
	enum { YEAR_2030 = 1893456000 };

	*seconds = YEAR_2030 + (int64_t)(sim.now / sim.hz);
	return 0;
}

int arch_wallclock_set(int64_t seconds UNUSED)
{
	return -EINVAL; /* it is the simulation's time */
}

/* ---- The ways out ---- */

void sim_say_schedule(void)
{
	sim_freeze();
	sim_say("schedule %016lx, %lu steps, %lu switches\n", sim.hash, sim.steps,
		sim.switches);
}

void sim_exit(unsigned status)
{
	sim_say_schedule();
	sim_save_reached();
	_exit((int)status);
}

void arch_power_off(void)
{
	sim_exit(EXIT_OK);
}

void arch_restart(void)
{
	sim_exit(EXIT_FAILED);
}

void arch_exit_emulator(unsigned status)
{
	sim_exit(status);
}
