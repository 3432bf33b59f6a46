// SPDX-License-Identifier: MIT
/*
 * Device interrupts: who handles which, and what may be put off until later.
 *
 *     device -> arch vector -> trap_irq(irq) -> handler (interrupts off, microseconds)
 *            -> deferred (this CPU, interrupts on, at the end of the interrupt)
 *            -> work (a thread, may sleep)
 */
#pragma once

#include "lib/base.h"
#include "lib/list.h"

enum irq_result { IRQ_NONE, IRQ_HANDLED };

/*
 * Interrupts off, may not sleep; IRQ_NONE if the device did not ask (shared lines). Two CPUs may be
 * in it at once, after irq_enable or irq_set_cpu.
 */
typedef enum irq_result (*irq_handler)(unsigned irq, void *ctx);

struct irq_action {
	struct list_node link; /* the descriptor's */
	irq_handler handler;
	void *ctx;
	const char *name;
	uint64_t count; /* interrupts this action handled */
};

void irq_init(void); /* needs mem_alloc */
/*
 * Adds a handler and unmasks the line. `action` belongs to irq/ until irq_remove returns.
 * Returns  0, -EINVAL (no such interrupt), -ENOMEM
 * Context  a thread, or start-up; not from a handler of the same line
 */
MUST_CHECK int irq_add(unsigned irq, struct irq_action *action, irq_handler h, void *ctx, const char *name);
/* Removes it once no CPU runs it; masks the line with the last. Context as irq_add. */
void irq_remove(unsigned irq, struct irq_action *action);
/*
 * Nested counts. While disabled, no handler of the line starts (one may still be running on
 * another CPU); an interrupt that comes meanwhile is remembered and handled after the last
 * irq_enable. Any context, the line's own handler included.
 */
void irq_disable(unsigned irq);
void irq_enable(unsigned irq);
MUST_CHECK int irq_set_cpu(unsigned irq, unsigned cpu);
/* How many interrupts of this number came, on all CPUs; those that nobody claimed. */
uint64_t irq_count_total(unsigned irq);
uint64_t irq_count_unclaimed(unsigned irq);
/* Where the interrupts of one CPU found it, when it was not idle. */
struct irq_samples {
	uint32_t user, kernel;
};
void irq_get_samples(unsigned cpu, struct irq_samples *out);
/* Calls fn for every number that has a handler, locked: for the console and /proc/interrupts. */
void irq_for_each(void (*fn)(unsigned irq, const char *name, uint64_t count, void *ctx), void *ctx);
/* The registers of what the interrupt being handled on this CPU interrupted, NULL outside. */
struct arch_frame;
struct arch_frame *irq_frame(void);

/* ---- Deferred calls: once, soon, on this CPU, with interrupts on and preemption off ---- */

struct deferred {
	struct deferred *next; /* [c] this CPU's list */
	void (*fn)(struct deferred *d);
	uint32_t is_pending; /* [a] from deferred_call until fn is about to be called */
};

#define DEFERRED_INIT(f) { .fn = (f) }
/*
 * Any context but an NMI; a call that is pending already stays one call. fn may ask for itself
 * again, or free d; asked for on another CPU meanwhile, it runs there at the same time. It may
 * interrupt any thread, also one that holds a spinlock or waits in ipi_call: it takes irqlocks
 * only, and asks other CPUs by ipi_call_async only.
 */
void deferred_call(struct deferred *d);
/* Runs what is pending on this CPU. irq/'s own; interrupts off, and off again on return. */
void deferred_run(void);
/* Whether something is pending here that nobody runs yet. irq/'s own; interrupts off. */
bool deferred_is_pending(void);
