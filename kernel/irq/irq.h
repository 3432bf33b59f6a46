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

/* Interrupts off, may not sleep; IRQ_NONE if the device did not ask (shared lines). */
typedef enum irq_result (*irq_handler)(unsigned irq, void *ctx);

struct irq_action {
	struct list_node link; /* the descriptor's */
	irq_handler handler;
	void *ctx;
	const char *name;
	uint64_t count; /* interrupts this action handled */
};

void irq_init(void);
/* Adds a handler and unmasks the line. `action` belongs to the caller until irq_remove returns. */
MUST_CHECK int irq_add(unsigned irq, struct irq_action *action, irq_handler h, void *ctx, const char *name);
/* Removes it and waits until no CPU runs it. May sleep. */
void irq_remove(unsigned irq, struct irq_action *action);
/* Nested counts of masking. Any context. */
void irq_disable(unsigned irq);
void irq_enable(unsigned irq);
MUST_CHECK int irq_set_cpu(unsigned irq, unsigned cpu);
/* How many interrupts this CPU has had by number, and of each other kind, for /proc/interrupts. */
uint64_t irq_count_total(unsigned irq);

/* ---- Deferred calls: once, soon, on this CPU, with interrupts on and preemption off ---- */

struct deferred {
	struct deferred *next; /* [c] this CPU's list */
	void (*fn)(struct deferred *d);
	uint32_t is_pending; /* [a] */
};

#define DEFERRED_INIT(f) { .fn = (f) }
/* Any context; a call that is pending already stays one call. */
void deferred_call(struct deferred *d);
