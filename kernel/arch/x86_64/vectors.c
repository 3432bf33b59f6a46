// SPDX-License-Identifier: MIT
/*
 * Vectors: which interrupt of which device arrives under which number on which CPU.
 *
 * Each CPU has its own table from vector to interrupt number, so there are some 190 device
 * vectors for each CPU. Interrupt numbers are dense: inputs of I/O APICs first, then a fixed
 * stock of message-signalled ones. An input gets its vector when somebody first asks for it by
 * its GSI, a message when it is allocated.
 *
 * When an interrupt moves to another CPU, the old CPU keeps the entry in its table until the next
 * move: what was already on its way there still finds its handler. A level-triggered input that
 * waits for its end-of-interrupt is recognised by its vector; so the move takes the same vector on
 * the new CPU when it is free, and is refused with -EBUSY when it is not and the input waits.
 *
 * Messages go straight from the device to the APIC; nothing here can mask one (its device can,
 * and lazy disabling in irq/irq.c does not need it).
 *
 * Locks   vectors_lock [V] RANK_IRQ_VECTORS. The dispatcher reads this CPU's table without it: an
 *         entry is one half-word, set before the device is told of the vector.
 * Spec    Intel SDM vol.3 11.11 (message format)
 */
#include "arch/arch.h"
#include "arch/machine.h"
#include "cpu.h"
#include "interrupts.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "paravirt.h"
#include "sync/spinlock.h"

enum { MAX_IRQS = 1024 };

enum irq_kind { IRQ_FREE, IRQ_INPUT, IRQ_MESSAGE };

struct place {
	uint16_t cpu;
	uint8_t vector; /* 0: none */
};

/*
 *   [V] vectors_lock
 */
struct x86_irq {
	uint8_t kind;	    /* [V] enum irq_kind */
	struct place place; /* [V] where it arrives */
	struct place old;   /* [V] where it arrived before */
};

static struct irqlock vectors_lock = IRQLOCK_INIT(RANK_IRQ_VECTORS, "vectors");
static struct x86_irq irqs[MAX_IRQS];
static PERCPU(uint16_t, irq_of_vector)[NR_VECTORS]; /* number + 1; 0: none; [V] to write */
static uint8_t next_vector = VECTOR_DEVICE_FIRST;   /* [V] spreads them over the priorities */

void vectors_init(void)
{
	assert(ioapic_nr_irqs() < MAX_IRQS);
	for (unsigned i = 0; i < ioapic_nr_irqs(); i++)
		irqs[i].kind = IRQ_INPUT;
}

unsigned arch_irq_count(void)
{
	return MAX_IRQS;
}

/* ---- The tables ---- */

static uint16_t *slot_of(unsigned cpu, uint8_t vector)
{
	return &(*percpu_of(irq_of_vector, cpus[cpu]))[vector];
}

static void place_clear(struct place *p)
{
	if (p->vector)
		atomic_store_relaxed(slot_of(p->cpu, p->vector), 0); /* nobody sends it any more */
	p->vector = 0;
}

/* Takes a vector on `cpu`, `preferred` (or 0) if it is free. -ENOSPC. */
static int place_find(unsigned cpu, uint8_t preferred, unsigned irq, struct place *out)
{
	uint8_t vector = preferred;
	unsigned tries = 0;

	if (!preferred || *slot_of(cpu, preferred)) {
		do {
			vector = next_vector;
			next_vector = vector == VECTOR_DEVICE_LAST ? VECTOR_DEVICE_FIRST : vector + 1;
			if (++tries > VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1)
				return -ENOSPC;
		} while (*slot_of(cpu, vector));
	}
	/* Before the device learns of it; pairs with the load in vectors_irq_of. */
	atomic_store_release(slot_of(cpu, vector), (uint16_t)(irq + 1));
	*out = (struct place){ .cpu = (uint16_t)cpu, .vector = vector };
	return 0;
}

int vectors_irq_of(uint8_t vector)
{
	return (int)atomic_load_acquire(&percpu(irq_of_vector)[vector]) - 1; /* pairs with place_find */
}

/* ---- Inputs of I/O APICs ---- */

static int input_prepare_locked(unsigned irq) MUST_HOLD(vectors_lock)
{
	struct x86_irq *x = &irqs[irq];
	int err;

	if (x->place.vector)
		return 0;
	err = place_find(0, 0, irq, &x->place);
	if (err)
		return err;
	ioapic_route(irq, (uint32_t)cpus[0]->hw_id, x->place.vector);
	return 0;
}

int arch_irq_of_gsi(uint32_t gsi, unsigned *irq)
{
	int err;
	unsigned input;

	err = ioapic_irq_of_gsi(gsi, &input);
	if (err)
		return err;
	irqlock_lock(&vectors_lock);
	err = input_prepare_locked(input);
	irqlock_unlock(&vectors_lock);
	if (!err)
		*irq = input;
	return err;
}

int arch_irq_of_isa(uint8_t line, unsigned *irq)
{
	for (unsigned i = 0; i < machine.nr_overrides; i++) {
		if (machine.override[i].source == line)
			return arch_irq_of_gsi(machine.override[i].gsi, irq);
	}
	return arch_irq_of_gsi(line, irq);
}

void arch_irq_mask(unsigned irq)
{
	if (irqs[irq].kind == IRQ_INPUT)
		ioapic_mask(irq);
}

void arch_irq_unmask(unsigned irq)
{
	if (irqs[irq].kind == IRQ_INPUT)
		ioapic_unmask(irq);
}

void arch_irq_eoi(unsigned irq UNUSED)
{
	apic_eoi();
}

static int move_locked(unsigned irq, unsigned cpu) MUST_HOLD(vectors_lock)
{
	struct x86_irq *x = &irqs[irq];
	struct place place;
	int err;

	if (x->kind == IRQ_MESSAGE)
		return -EOPNOTSUPP;
	if (x->kind != IRQ_INPUT || !x->place.vector)
		return -EINVAL;
	if (x->place.cpu == cpu)
		return 0;
	if (!paravirt_can_message(cpus[cpu]->hw_id))
		return -ENODEV;
	place_clear(&x->old);
	err = place_find(cpu, x->place.vector, irq, &place);
	if (err)
		return err;
	if (place.vector != x->place.vector && ioapic_is_in_service(irq)) {
		place_clear(&place);
		return -EBUSY;
	}
	x->old = x->place;
	x->place = place;
	ioapic_route(irq, (uint32_t)cpus[cpu]->hw_id, place.vector);
	return 0;
}

int arch_irq_set_cpu(unsigned irq, unsigned cpu)
{
	int err;

	if (irq >= MAX_IRQS || cpu >= cpu_count())
		return -EINVAL;
	irqlock_lock(&vectors_lock);
	err = move_locked(irq, cpu);
	irqlock_unlock(&vectors_lock);
	return err;
}

/* ---- Messages ---- */

#define MSI_ADDRESS 0xfee00000ul
enum {
	MSI_DEST_SHIFT = 12,
	MSI_DEST_HIGH_SHIFT = 5, /* bits 8-14 of the id, where a hypervisor offers it */
};

static int message_find_locked(unsigned cpu, unsigned *irq) MUST_HOLD(vectors_lock)
{
	unsigned i = ioapic_nr_irqs();
	int err;

	while (i < MAX_IRQS && irqs[i].kind != IRQ_FREE)
		i++;
	if (i == MAX_IRQS)
		return -ENOSPC;
	err = place_find(cpu, 0, i, &irqs[i].place);
	if (err)
		return err;
	irqs[i].kind = IRQ_MESSAGE;
	*irq = i;
	return 0;
}

int arch_msi_alloc(unsigned cpu, unsigned *irq, struct msi_message *msg)
{
	uint64_t dest;
	int err;

	if (cpu >= cpu_count())
		return -EINVAL;
	dest = cpus[cpu]->hw_id;
	if (!paravirt_can_message(dest))
		return -ENODEV;
	irqlock_lock(&vectors_lock);
	err = message_find_locked(cpu, irq);
	irqlock_unlock(&vectors_lock);
	if (err)
		return err;
	msg->addr = MSI_ADDRESS | (dest & 0xff) << MSI_DEST_SHIFT | (dest >> 8) << MSI_DEST_HIGH_SHIFT;
	msg->data = irqs[*irq].place.vector; /* fixed delivery, edge */
	return 0;
}

void arch_msi_free(unsigned irq)
{
	irqlock_lock(&vectors_lock);
	assert(irq < MAX_IRQS && irqs[irq].kind == IRQ_MESSAGE);
	place_clear(&irqs[irq].place);
	irqs[irq].kind = IRQ_FREE;
	irqlock_unlock(&vectors_lock);
}
