// SPDX-License-Identifier: MIT
/*
 * Kernel stacks: kernel mappings, so that running over the end hits a guard page, and a small
 * store of used ones, so that a short-lived thread costs no page-table work.
 *
 * Freeing unmaps, which asks every CPU and so needs interrupts on; but a thread's last reference
 * may be dropped anywhere. So a stack that is freed only goes to the store, whose excess is
 * unmapped, many at a time, by the next call that may.
 *
 * Locks   store_lock [s]  irq, RANK_KMAP (never together with those of kmap.c)
 */
#include "arch/arch.h"
#include "lib/assert.h"
#include "mm/kmap.h"
#include "sync/preempt.h"
#include "sync/spinlock.h"

enum {
	STORE_KEEP = 16,
	STORE_EXCESS = 32, /* unmapped at once, to share one flush */
};

/* At the bottom of a stack in the store. */
struct stored_stack {
	struct stored_stack *next;
};

static struct irqlock store_lock = IRQLOCK_INIT(RANK_KMAP, "kernel stacks");
static struct stored_stack *store; /* [s] */
static unsigned nr_stored;	   /* [s] */

static struct stored_stack *pop_locked(void) MUST_HOLD(store_lock)
{
	struct stored_stack *s = store;

	if (s) {
		store = s->next;
		nr_stored--;
	}
	return s;
}

/* Unmaps up to STORE_EXCESS stacks if more than `keep` and that many are stored; how many it did. */
static unsigned trim(unsigned keep, unsigned at_least)
{
	void *excess[STORE_EXCESS];
	unsigned nr = 0;

	irqlock_lock(&store_lock);
	if (nr_stored >= keep + at_least)
		while (nr < STORE_EXCESS && nr_stored > keep)
			excess[nr++] = pop_locked();
	irqlock_unlock(&store_lock);
	kmap_free_many(excess, nr);
	return nr;
}

void kstack_drain(void)
{
	while (trim(0, 1))
		;
}

int kstack_alloc(vaddr_t *bottom, vaddr_t *top)
{
	struct stored_stack *s;
	void *p;
	int err;

	irqlock_lock(&store_lock);
	s = pop_locked();
	irqlock_unlock(&store_lock);
	p = s;
	if (!p) {
		err = kmap_alloc(&p, KSTACK_SIZE, "kernel stack");
		if (err)
			return err;
	}
	*bottom = (vaddr_t)p;
	*top = (vaddr_t)p + KSTACK_SIZE;
	return 0;
}

void kstack_free(vaddr_t bottom)
{
	struct stored_stack *s = (struct stored_stack *)bottom;

	irqlock_lock(&store_lock);
	s->next = store;
	store = s;
	nr_stored++;
	irqlock_unlock(&store_lock);
	if (arch_irq_enabled() && preempt_is_enabled())
		(void)trim(STORE_KEEP, STORE_EXCESS);
}
