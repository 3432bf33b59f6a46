// SPDX-License-Identifier: MIT
/*
 * Interrupting one thread at its n-th moment (sim.h), so that a test that counts n upwards has seen
 * what comes from outside come at each state of that thread.
 *
 * A moment is a place where the state that others see may have changed: an atomic access, a lock,
 * a change of the interrupt flag (MOMENT_STEP), or the thread's leaving its CPU (MOMENT_LEAVE).
 * Where the flag is off, no interrupt can come, so these steps are none. The interrupt of a leave
 * comes as soon as the next thread has turned the flag on: the watched one is asleep then, or
 * waits for a CPU.
 *
 * What is asleep is changed by others: who wakes it, a timer's interrupt, a worker. MOMENT_ANY are the
 * steps of all of them, on each CPU and whether its flag is on or off. That interrupt comes on another CPU,
 * and the one whose step it is stands still meanwhile, unless its locks are waited for.
 *
 * The watched thread is compared, never followed: it may end before its moment comes. Who arms keeps
 * it until then (thread_get), or another may come to lie at its address.
 */
#include "arch/sim/sim_priv.h"

#include "irq/irq.h"
#include "proc/proc.h"
#include "sched/thread.h"
#include "sync/preempt.h"

enum { MOMENT_LINE = SIM_MSI_FIRST - 1 };

static struct {
	struct thread *thread; /* NULL: nobody */
	enum sim_moment kind;
	bool is_any; /* MOMENT_ANY is watched */
	uint64_t nth, count;
	bool has_come;
	bool is_called;
	void (*call)(void);
} watch;

static enum irq_result on_moment(unsigned irq UNUSED, void *ctx UNUSED)
{
	watch.call();
	watch.is_called = true;
	sim_release_cpu();
	return IRQ_HANDLED;
}

static struct irq_action action;

int sim_moments_init(void)
{
	return irq_add(MOMENT_LINE, &action, on_moment, NULL, "moment");
}

void sim_moment_arm(enum sim_moment kind, uint64_t nth, void (*call)(void))
{
	watch.call = call;
	watch.kind = kind;
	watch.nth = nth;
	watch.count = 0;
	watch.has_come = watch.is_called = false;
	watch.is_any = kind == MOMENT_ANY;
	watch.thread = watch.is_any ? NULL : sim_this_thread;
}

bool sim_moment_disarm(void)
{
	watch.thread = NULL;
	watch.is_any = false;
	while (watch.has_come && !watch.is_called) /* on another CPU */
		sim_relax();
	return watch.has_come;
}

bool sim_moment_has_come(void)
{
	return watch.has_come;
}

uint64_t sim_moment_count(void)
{
	return watch.count;
}

/* Whether this is the moment. */
static bool has_come(void)
{
	if (++watch.count != watch.nth)
		return false;
	watch.thread = NULL;
	watch.is_any = false;
	watch.has_come = true;
	return true;
}

/* A program's step but process 1's, which is the test; a kernel thread's; an interrupt's. */
static bool is_of_interest(const struct thread *t)
{
	if (!t || sim.is_frozen)
		return false;
	if (t->user)
		return t->user->pid_nr != 1;
	return !(t->flags & THREAD_IDLE) || in_interrupt();
}

static NOINLINE void watched_step(void)
{
	if (watch.is_any) {
		if (is_of_interest(sim_this_thread) && has_come())
			sim_interrupt_elsewhere(MOMENT_LINE);
	} else if (watch.kind == MOMENT_STEP && sim.self->irq_on && has_come()) {
		sim.self->irq_pending |= BIT(MOMENT_LINE);
		sim_deliver();
	}
}

void sim_moment_leave(const struct arch_context *from)
{
	if (watch.thread && from == &watch.thread->ctx && watch.kind == MOMENT_LEAVE &&
		has_come())
		sim.self->irq_pending |= BIT(MOMENT_LINE);
}

void sim_moment_step(void)
{
	if (UNLIKELY(watch.is_any || (watch.thread && watch.thread == sim_this_thread)))
		watched_step();
}
