// SPDX-License-Identifier: MIT
/*
 * I/O APICs: interrupt lines of devices, turned into vectors of CPUs.
 *
 * Each has a handful of inputs (24 usually), numbered through all I/O APICs as global system
 * interrupts (GSI) by the firmware's tables. Our interrupt numbers 0 .. n-1 are the inputs of the
 * first I/O APIC, then those of the next, without the gaps that GSIs may have.
 *
 * Polarity and trigger of an input: the table's override if there is one; else active high and
 * edge for the ISA lines (GSI 0 - 15), active low and level for the rest, as PCI has it.
 *
 * Registers are reached through an index and a window, so two accesses belong together.
 *
 * Locks   ioapic_lock  RANK_IRQ_CHIP: index and window of every I/O APIC, the entries' copies
 * Spec    Intel 82093AA data sheet; ACPI 6.5 5.2.12.5 (overrides)
 */
#include "arch/arch.h"
#include "arch/machine.h"
#include "debug/log.h"
#include "interrupts.h"
#include "io.h"
#include "lib/assert.h"
#include "mm/kmap.h"
#include "sync/spinlock.h"

enum {
	IOAPIC_INDEX = 0x00,
	IOAPIC_WINDOW = 0x10,
	IOAPIC_MMIO_SIZE = 0x20,
	REG_VERSION = 0x01,
	REG_ENTRY = 0x10, /* two words for each input */
	MAX_INPUTS = 240, /* what fits the version register's field, less vectors we never have */
	NR_ISA_LINES = 16,
};

/* A redirection entry. 82093AA 3.2.4 */
#define ENTRY_VECTOR	 0xfful
#define ENTRY_ACTIVE_LOW BIT(13)
#define ENTRY_IN_SERVICE BIT(14) /* "remote IRR" */
#define ENTRY_LEVEL	 BIT(15)
#define ENTRY_MASKED	 BIT(16)
enum {
	ENTRY_DEST_SHIFT = 56,
	ENTRY_DEST_HIGH_SHIFT = 49, /* ids above 255 under hypervisors: bits 8-14 of the id */
};

/*
 *   [I] immutable after ioapic_init   [L] ioapic_lock
 */
struct ioapic {
	void *mmio;		      /* [I] registers: [L] */
	uint32_t gsi_base;	      /* [I] */
	unsigned irq_base;	      /* [I] */
	unsigned nr_inputs;	      /* [I] */
	uint64_t entry[MAX_INPUTS];   /* [L] as last written */
};

static struct irqlock ioapic_lock = IRQLOCK_INIT(RANK_IRQ_CHIP, "ioapic");
static struct ioapic ioapics[MAX_IRQ_CONTROLLERS];
static unsigned nr_ioapics, nr_irqs; /* [I] after ioapic_init */

static uint32_t reg_read(const struct ioapic *io, unsigned reg)
{
	mmio_write32(io->mmio, IOAPIC_INDEX, reg);
	return mmio_read32(io->mmio, IOAPIC_WINDOW);
}

static void reg_write(const struct ioapic *io, unsigned reg, uint32_t value)
{
	mmio_write32(io->mmio, IOAPIC_INDEX, reg);
	mmio_write32(io->mmio, IOAPIC_WINDOW, value);
}

/* The half with the mask goes last when it opens the input, first when it closes it. */
static void entry_write(struct ioapic *io, unsigned input, uint64_t entry)
{
	unsigned reg = REG_ENTRY + 2 * input;

	if (entry & ENTRY_MASKED)
		reg_write(io, reg, (uint32_t)entry);
	if ((entry ^ io->entry[input]) >> 32)
		reg_write(io, reg + 1, (uint32_t)(entry >> 32));
	if (!(entry & ENTRY_MASKED))
		reg_write(io, reg, (uint32_t)entry);
	io->entry[input] = entry;
}

static struct ioapic *ioapic_of(unsigned irq, unsigned *input)
{
	for (unsigned i = 0; i < nr_ioapics; i++) {
		struct ioapic *io = &ioapics[i];

		if (irq - io->irq_base < io->nr_inputs) {
			*input = irq - io->irq_base;
			return io;
		}
	}
	panic("ioapic: no interrupt %u", irq);
}

/* ---- Start ---- */

static uint64_t initial_entry(uint32_t gsi)
{
	uint64_t entry = ENTRY_MASKED;

	if (gsi >= NR_ISA_LINES)
		entry |= ENTRY_ACTIVE_LOW | ENTRY_LEVEL;
	for (unsigned i = 0; i < machine.nr_overrides; i++) {
		const struct machine_irq_override *o = &machine.override[i];

		if (o->gsi != gsi)
			continue;
		entry = ENTRY_MASKED;
		entry |= o->is_active_low ? ENTRY_ACTIVE_LOW : 0;
		entry |= o->is_level ? ENTRY_LEVEL : 0;
	}
	return entry;
}

static bool is_overlapping(uint32_t gsi_base, unsigned nr_inputs)
{
	for (unsigned i = 0; i < nr_ioapics; i++) {
		const struct ioapic *io = &ioapics[i];

		if ((uint64_t)gsi_base < (uint64_t)io->gsi_base + io->nr_inputs &&
			(uint64_t)io->gsi_base < (uint64_t)gsi_base + nr_inputs)
			return true;
	}
	return false;
}

static void init_one(const struct machine_irq_controller *c)
{
	struct ioapic *io = &ioapics[nr_ioapics];
	uint32_t version;

	if (kmap_phys(&io->mmio, c->addr, IOAPIC_MMIO_SIZE, PTE_WRITE | PTE_UNCACHED, "I/O APIC")) {
		log_err("ioapic: cannot map the one at 0x%lx", c->addr);
		return;
	}
	version = reg_read(io, REG_VERSION);
	io->nr_inputs = (version >> 16 & 0xff) + 1;
	if (version == UINT32_MAX || io->nr_inputs > MAX_INPUTS) {
		log_warning("ioapic: nothing answers at 0x%lx", c->addr);
		goto unmap;
	}
	if (is_overlapping(c->gsi_base, io->nr_inputs)) {
		log_warning("ioapic: the one at 0x%lx claims GSIs of another: ignored", c->addr);
		goto unmap;
	}
	io->gsi_base = c->gsi_base;
	io->irq_base = nr_irqs;
	for (unsigned i = 0; i < io->nr_inputs; i++) {
		io->entry[i] = ~0ul; /* so that both halves are written */
		entry_write(io, i, initial_entry(io->gsi_base + i));
	}
	nr_irqs += io->nr_inputs;
	nr_ioapics++;
	log_info("ioapic: id %u, GSI %u - %u", c->id, io->gsi_base, io->gsi_base + io->nr_inputs - 1);
	return;

unmap:
	kmap_unmap(io->mmio);
}

void ioapic_init(void)
{
	for (unsigned i = 0; i < machine.nr_irqcs; i++)
		init_one(&machine.irqc[i]);
	if (!nr_ioapics)
		log_warning("ioapic: none: devices have message-signalled interrupts or none");
}

unsigned ioapic_nr_irqs(void)
{
	return nr_irqs;
}

int ioapic_irq_of_gsi(uint32_t gsi, unsigned *irq)
{
	for (unsigned i = 0; i < nr_ioapics; i++) {
		const struct ioapic *io = &ioapics[i];

		if (gsi >= io->gsi_base && gsi - io->gsi_base < io->nr_inputs) {
			*irq = io->irq_base + gsi - io->gsi_base;
			return 0;
		}
	}
	return -EINVAL;
}

/* ---- One input ---- */

void ioapic_mask(unsigned irq)
{
	unsigned input;
	struct ioapic *io = ioapic_of(irq, &input);

	irqlock_lock(&ioapic_lock);
	entry_write(io, input, io->entry[input] | ENTRY_MASKED);
	irqlock_unlock(&ioapic_lock);
}

void ioapic_unmask(unsigned irq)
{
	unsigned input;
	struct ioapic *io = ioapic_of(irq, &input);

	irqlock_lock(&ioapic_lock);
	entry_write(io, input, io->entry[input] & ~ENTRY_MASKED);
	irqlock_unlock(&ioapic_lock);
}

/* Masked while the two halves disagree, so that no interrupt goes to a mixture of both. */
void ioapic_route(unsigned irq, uint32_t apic_id, uint8_t vector)
{
	unsigned input;
	struct ioapic *io = ioapic_of(irq, &input);
	uint64_t old, entry;

	irqlock_lock(&ioapic_lock);
	old = io->entry[input];
	entry = (old & (ENTRY_ACTIVE_LOW | ENTRY_LEVEL)) | vector;
	entry |= (uint64_t)(apic_id & 0xff) << ENTRY_DEST_SHIFT;
	entry |= (uint64_t)(apic_id >> 8) << ENTRY_DEST_HIGH_SHIFT;
	entry_write(io, input, entry | ENTRY_MASKED);
	if (!(old & ENTRY_MASKED))
		entry_write(io, input, entry);
	irqlock_unlock(&ioapic_lock);
}

bool ioapic_is_in_service(unsigned irq)
{
	unsigned input;
	struct ioapic *io = ioapic_of(irq, &input);
	bool is_in_service;

	irqlock_lock(&ioapic_lock);
	is_in_service = (io->entry[input] & ENTRY_LEVEL) &&
			(reg_read(io, REG_ENTRY + 2 * input) & ENTRY_IN_SERVICE);
	irqlock_unlock(&ioapic_lock);
	return is_in_service;
}
