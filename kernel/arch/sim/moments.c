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
 * The watched thread is compared, never followed: it may end before its moment comes. Who arms keeps
 * it until then (thread_get), or another may come to lie at its address.
 */
#include "arch/sim/sim_priv.h"

#include "irq/irq.h"
#include "sched/thread.h"

enum { MOMENT_LINE = SIM_MSI_FIRST - 1 };

static struct {
	struct thread *thread; /* NULL: nobody */
	enum sim_moment kind;
	uint64_t nth, count;
	bool has_come;
	bool is_called;
	void (*call)(void);
} watch;

static enum irq_result on_moment(unsigned irq UNUSED, void *ctx UNUSED)
{
	watch.call();
	watch.is_called = true;
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
	watch.thread = sim_this_thread;
}

bool sim_moment_disarm(void)
{
	watch.thread = NULL;
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

static void pass(enum sim_moment kind)
{
	if (watch.kind != kind || ++watch.count != watch.nth)
		return;
	watch.thread = NULL;
	watch.has_come = true;
	sim.self->irq_pending |= BIT(MOMENT_LINE);
}

void sim_moment_step(void)
{
	if (LIKELY(sim_this_thread != watch.thread) || !watch.thread || !sim.self->irq_on)
		return;
	pass(MOMENT_STEP);
	if (watch.has_come)
		sim_deliver();
}

void sim_moment_leave(const struct arch_context *from)
{
	if (watch.thread && from == &watch.thread->ctx)
		pass(MOMENT_LEAVE);
}
