// SPDX-License-Identifier: MIT
/*
 * Lock order checked while running: the lists of held locks, one per CPU for spinning locks and
 * one in each thread for sleeping ones, and the report when a rule of lock_order.c is broken.
 *
 * The check comes before the wait, so an AB/BA deadlock is reported by the first CPU that walks
 * the wrong way round, whether or not another one is in between. A spinlock's entry can be
 * interrupted half way by a handler that takes an irqlock, so the CPU's list changes with
 * interrupts off. Once a panic is under way nothing is checked: its owner holds what it holds.
 *
 * Locks   none: each list belongs to its CPU or thread. print_all reads them as they stand.
 */
#include "sync/lock_check.h"

#include "arch/arch.h"
#include "debug/log.h"
#include "debug/panic.h"
#include "lib/assert.h"
#include "sched/thread.h"
#include "sync/lock_order_priv.h"
#include "sync/preempt.h"

#ifdef DEBUG

static PERCPU(struct held_list, cpu_held);

/* The list of a lock of this rank; NULL for a sleeping lock before there are threads. */
static struct held_list *list_for(enum lock_rank rank)
{
	struct thread *t;

	if (!LOCK_RANK_IS_SLEEPING(rank))
		return &percpu(cpu_held);
	t = arch_current();
	return t ? &t->held : NULL;
}

static struct held_list *list_of_holder(const void *lock)
{
	struct thread *t = arch_current();

	if (lock_order_find(&percpu(cpu_held), lock))
		return &percpu(cpu_held);
	if (t && lock_order_find(&t->held, lock))
		return &t->held;
	return NULL;
}

static NORETURN void report(enum lock_problem problem, const struct held_lock *want,
	const struct held_lock *culprit)
{
	char at[64], by[64];

	symbol_describe(want->taken_at, at, sizeof(at));
	if (!culprit)
		panic("lock order: %s (rank %u) at %s: %s", want->name, want->rank, at,
			lock_problem_text(problem));
	symbol_describe(culprit->taken_at, by, sizeof(by));
	panic("lock order: %s (rank %u) at %s: %s: %s (rank %u) since %s", want->name,
		want->rank, at, lock_problem_text(problem), culprit->name, culprit->rank, by);
}

static void note(const struct held_lock *lock, bool is_ordered)
{
	const struct held_lock *culprit = NULL;
	enum lock_problem problem;
	struct held_list *list;
	bool were_enabled;

	if (panic_in_progress())
		return;
	were_enabled = arch_irq_save();
	list = list_for(lock->rank);
	if (list) {
		problem = lock_order_check(list, lock, &culprit);
		if (problem != LOCK_FINE && (is_ordered || problem == LOCK_TOO_MANY))
			report(problem, lock, culprit);
		lock_order_add(list, lock);
	}
	arch_irq_restore(were_enabled);
}

void lock_check_acquire(
	const void *lock, const char *name, enum lock_rank rank, uint64_t key, vaddr_t at)
{
	struct held_lock entry = {lock, name, key, at, (uint16_t)rank, true};

	note(&entry, true);
}

void lock_check_acquired_try(
	const void *lock, const char *name, enum lock_rank rank, vaddr_t at)
{
	struct held_lock entry = {lock, name, 0, at, (uint16_t)rank, false};

	note(&entry, false);
}

void lock_check_acquired(const void *lock)
{
	bool were_enabled = arch_irq_save();
	struct held_list *list = list_of_holder(lock);

	if (list)
		lock_order_find(list, lock)->is_waiting = false;
	arch_irq_restore(were_enabled);
}

void lock_check_release(const void *lock)
{
	bool were_enabled = arch_irq_save();
	struct held_list *list = list_of_holder(lock);

	if (list)
		lock_order_remove(list, lock);
	else if (!panic_in_progress() && arch_current())
		panic("lock order: released a lock at %p that neither this CPU nor this thread "
		      "holds",
			lock);
	arch_irq_restore(were_enabled);
}

bool lock_check_is_held(const void *lock)
{
	bool were_enabled = arch_irq_save();
	bool is_held = list_of_holder(lock) != NULL;

	arch_irq_restore(were_enabled);
	return is_held || panic_in_progress();
}

void lock_check_may_sleep(const char *what)
{
	if (panic_in_progress())
		return;
	if (lock_check_depth())
		panic("%s: may sleep, but a spinning lock is held", what);
	if (!preempt_is_enabled())
		panic("%s: may sleep, but preemption is held off (%#x)", what,
			arch_preempt_get());
	if (!arch_irq_enabled())
		panic("%s: may sleep, but interrupts are off", what);
}

unsigned lock_check_depth(void)
{
	bool were_enabled = arch_irq_save();
	unsigned nr = percpu(cpu_held).nr;

	arch_irq_restore(were_enabled);
	return nr;
}

static void print_list(const struct held_list *list)
{
	unsigned nr = MIN(READ_ONCE(list->nr), (unsigned)MAX_HELD_LOCKS);
	char at[64];

	for (unsigned i = 0; i < nr; i++) {
		const struct held_lock *held = &list->held[i];

		symbol_describe(held->taken_at, at, sizeof(at));
		log_emergency("    %s %s (rank %u, %p) at %s",
			held->is_waiting ? "waits for" : "holds", held->name ? held->name : "?",
			held->rank, held->lock, at);
	}
}

void lock_check_print_all(void)
{
	for (unsigned i = 0; i < cpu_count(); i++) {
		struct cpu *cpu = cpus[i];
		const struct held_list *spinning = percpu_of(cpu_held, cpu);
		struct thread *t = READ_ONCE(cpu->current);

		if (!spinning->nr && !(t && t->held.nr))
			continue;
		log_emergency("locks of CPU %u, thread %s:", i, t ? t->name : "(none)");
		print_list(spinning);
		if (t)
			print_list(&t->held);
	}
}

void lock_check_print_thread(const struct thread *t)
{
	print_list(&t->held);
}

#else

unsigned lock_check_depth(void)
{
	return 0;
}

void lock_check_print_all(void)
{
	log_emergency("locks: not recorded in this build (DEBUG=1 records them)");
}

void lock_check_print_thread(const struct thread *t UNUSED)
{
}

#endif
