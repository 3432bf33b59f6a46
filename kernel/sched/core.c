// SPDX-License-Identifier: MIT
/*
 * Choosing and switching.
 *
 * A CPU chooses again when its thread blocks, ends or yields (sched_leave called by the
 * thread), and when something better may have come: a wake-up or the end of a slice clears the
 * "nobody asked" bit of the preemption word, and the next preempt_enable() or interrupt exit at
 * which nothing holds preemption off calls sched_leave(LEAVE_READY).
 *
 *     sched_leave -> account for the time -> choose -> runq_switch =====> sched_arrive
 *                    [run queue locked ------------------------------------- unlocked]
 *
 * What the arriving thread does for the one that left depends on how it left: BLOCKED becomes
 * true now that its stack and context are free, a thread that may no longer run here is placed
 * elsewhere, a dead one loses the reference that kept its stack.
 *
 * A thread preempted between sched_set_blocked() and sched_switch() is simply READY again: for
 * the waiting code that is a wake-up without a cause, which all of them must expect, and the
 * scheduler needs no rule for threads that are half asleep.
 *
 * Locks   the run queue lock (RANK_RUNQ), one at a time here; waking needs no other.
 * Time    a slice end is set only while somebody waits for the CPU, and never taken back: an
 *         interrupt that comes for nothing is cheaper than touching the timer at each switch.
 */
#include "debug/trace.h"
#include "debug/watchdog.h"
#include "irq/ipi.h"
#include "irq/work.h"
#include "mm/vmspace.h"
#include "sched/loan.h"
#include "sched/runq_priv.h"
#include "sync/lock_check.h"
#include "sync/rcu.h"

PERCPU(struct runq, sched_runq);

/* ---- Accounting ---- */

uint64_t runq_charge(struct runq *rq)
{
	struct thread *t = rq->running;
	uint64_t now = clock_monotonic_ns(), ns;

	if (UNLIKELY(now <= t->exec_start_ns)) /* another CPU's clock may be a little ahead */
		return now;
	ns = now - t->exec_start_ns;
	t->exec_start_ns = now;
	t->cpu_ns += ns;
	if (LIKELY(t->rank == RANK_OF_FAIR)) {
		fair_charge(&rq->fair, ns);
		return now;
	}
	if (t->rank > RANK_OF_FAIR && t->user)
		rq->rt_used_ns += ns;
	if (t->params.policy != SCHED_CLASS_FIFO) {
		t->slice_ns -= MIN(ns, t->slice_ns);
		if (t->slice_ns == 0) {
			t->slice_ns = RR_TURN_NS;
			t->turn_is_over = true;
		}
	}
	return now;
}

static bool somebody_waits_for_turn(const struct runq *rq)
{
	const struct thread *t = rq->running;

	if (t->rank == RANK_OF_FAIR)
		return rq->fair.nr_waiting || rq->handover;
	if (t->params.policy == SCHED_CLASS_RR)
		return rt_has_peer(&rq->rt, t);
	return t->rank == RANK_OF_IDLE_CLASS && !list_is_empty(&rq->idle_class);
}

void runq_set_slice(struct runq *rq, uint64_t now)
{
	uint64_t end = UINT64_MAX;

	if (somebody_waits_for_turn(rq)) {
		end = now;
		end += rq->running->rank == RANK_OF_FAIR ? fair_request_left(&rq->fair)
							 : rq->running->slice_ns;
	}
	rq->is_slice_on = end != UINT64_MAX;
	timer_set_slice(end);
}

/* time/timer.c: the slice end has passed on this CPU. Interrupts off, nothing locked. */
void sched_slice_end(void)
{
	struct runq *rq = this_runq();
	bool is_over, push = false;
	uint64_t now;

	irqlock_lock_noirq(&rq->lock);
	now = runq_charge(rq);
	rq->is_slice_on = false;
	is_over = rq->running->rank == RANK_OF_FAIR ? fair_request_left(&rq->fair) == 0
						    : rq->running->turn_is_over;
	if (is_over)
		preempt_ask_resched();
	else
		runq_set_slice(rq, now);
	if (rq->nr_ready && now >= rq->balance_at_ns) {
		rq->balance_at_ns = now + BALANCE_GAP_NS;
		push = true;
	}
	irqlock_unlock_noirq(&rq->lock);
	if (push)
		balance_push(rq);
}

/* time/timer.c: the CPU has been at work for another ten milliseconds. Interrupts off, nothing locked. */
void sched_sample(void)
{
	struct runq *rq = this_runq();

	irqlock_lock_noirq(&rq->lock);
	if (throttle_look(rq, runq_charge(rq)))
		preempt_ask_resched();
	irqlock_unlock_noirq(&rq->lock);
}

/* ---- Who is on the queue ---- */

struct runq *runq_lock_of(struct thread *t) NOT_ANALYSED /* returns it locked */
{
	for (;;) {
		unsigned cpu = READ_ONCE(t->cpu);
		struct runq *rq = runq_of(cpu);

		irqlock_lock_noirq(&rq->lock);
		if (t->cpu == cpu)
			return rq;
		irqlock_unlock_noirq(&rq->lock);
	}
}

/* To the queue of its class; a fair thread as one that comes from elsewhere. */
static void class_add(struct runq *rq, struct thread *t)
{
	if (LIKELY(t->rank == RANK_OF_FAIR))
		fair_place(&rq->fair, &t->fair);
	else if (t->rank > RANK_OF_FAIR)
		rt_add(&rq->rt, t, false);
	else
		list_add_tail(&rq->idle_class, &t->run_link);
}

static void class_remove(struct runq *rq, struct thread *t)
{
	if (LIKELY(t->rank == RANK_OF_FAIR))
		fair_leave(&rq->fair, &t->fair);
	else if (t->rank > RANK_OF_FAIR)
		rt_remove(&rq->rt, t);
	else
		list_remove(&t->run_link);
}

void runq_join(struct runq *rq, struct thread *t)
{
	WRITE_ONCE(t->cpu, rq->cpu->id);
	class_add(rq, t);
	WRITE_ONCE(rq->nr_ready, rq->nr_ready + 1);
	thread_set_state(t, THREAD_READY);
}

void runq_part(struct runq *rq, struct thread *t)
{
	if (t == rq->handover)
		rq->handover = NULL;
	else
		class_remove(rq, t);
	WRITE_ONCE(rq->nr_ready, rq->nr_ready - 1);
	thread_set_state(t, THREAD_CHANGING);
}

void runq_detach_running(struct runq *rq)
{
	if (rq->running->rank == RANK_OF_FAIR)
		fair_leave(&rq->fair, &rq->running->fair);
}

void runq_attach_running(struct runq *rq)
{
	if (rq->running->rank == RANK_OF_FAIR) {
		fair_place(&rq->fair, &rq->running->fair);
		fair_take(&rq->fair, &rq->running->fair);
	}
}

/* Who waited for a hand-over that did not come waits like everybody else. */
static void flush_handover(struct runq *rq) MUST_HOLD(rq->lock)
{
	struct thread *t = rq->handover;

	if (UNLIKELY(t)) {
		rq->handover = NULL;
		class_add(rq, t);
	}
}

/* ---- Choosing ---- */

static struct thread *choose_fair(struct runq *rq, bool is_yield)
{
	return thread_of_fair(is_yield ? fair_pick_other(&rq->fair) : fair_pick(&rq->fair));
}

/*
 * The thread to run now; it stays where it is. `stay` is the running thread if it could go on,
 * and wins ties unless its turn is over or it yields.
 */
static struct thread *choose(struct runq *rq, struct thread *stay, bool is_yield)
{
	int stay_rank = stay ? stay->rank : RANK_OF_IDLE_THREAD;
	struct thread *best = rt_first(&rq->rt);

	if (UNLIKELY(rq->is_rt_throttled) && (rq->fair.nr_waiting || stay_rank == RANK_OF_FAIR))
		return rq->fair.nr_waiting ? choose_fair(rq, is_yield) : stay;
	if (UNLIKELY(best && (best->rank > stay_rank ||
				     (best->rank == stay_rank && stay->turn_is_over))))
		return best;
	if (UNLIKELY(stay_rank > RANK_OF_FAIR))
		return stay;
	if (rq->fair.nr_waiting)
		return choose_fair(rq, is_yield);
	if (stay_rank == RANK_OF_FAIR)
		return stay;
	best = list_first(&rq->idle_class, struct thread, run_link);
	if (best && (stay_rank < RANK_OF_IDLE_CLASS || stay->turn_is_over))
		return best;
	return stay_rank == RANK_OF_IDLE_CLASS ? stay : rq->idle;
}

/* The running thread goes back to the queue, at the place that it deserves. */
static void put_running(struct runq *rq)
{
	struct thread *t = rq->running;

	thread_set_state(t, THREAD_READY);
	if (t->rank == RANK_OF_IDLE_THREAD)
		return;
	if (LIKELY(t->rank == RANK_OF_FAIR))
		fair_put(&rq->fair);
	else if (t->rank > RANK_OF_FAIR)
		rt_add(&rq->rt, t, !t->turn_is_over);
	else if (t->turn_is_over)
		list_add_tail(&rq->idle_class, &t->run_link);
	else
		list_add_head(&rq->idle_class, &t->run_link);
	WRITE_ONCE(rq->nr_ready, rq->nr_ready + 1);
}

static void take_from_queue(struct runq *rq, struct thread *t)
{
	thread_set_state(t, THREAD_RUNNING);
	if (t->rank == RANK_OF_IDLE_THREAD)
		return;
	if (LIKELY(t->rank == RANK_OF_FAIR))
		fair_take(&rq->fair, &t->fair);
	else
		class_remove(rq, t);
	WRITE_ONCE(rq->nr_ready, rq->nr_ready - 1);
}

/* Whether t, which waits on rq, should have the CPU now. */
static bool is_better(struct runq *rq, struct thread *t) MUST_HOLD(rq->lock)
{
	const struct thread *running = rq->running;

	if (UNLIKELY(rq->is_rt_throttled) && running->rank == RANK_OF_FAIR &&
		t->rank > RANK_OF_FAIR)
		return false;
	if (t->rank != running->rank)
		return t->rank > running->rank;
	if (t->rank != RANK_OF_FAIR)
		return false;
	(void)runq_charge(rq);
	return fair_preempts(&rq->fair, &t->fair);
}

bool runq_resched(struct runq *rq)
{
	if (rq == this_runq()) {
		preempt_ask_resched();
		return false;
	}
	if (rq->wants_resched)
		return false; /* an IPI is on its way */
	rq->wants_resched = true;
	return true;
}

bool runq_consider(struct runq *rq, struct thread *t)
{
	if (is_better(rq, t))
		return runq_resched(rq);
	if (rq->is_slice_on || !somebody_waits_for_turn(rq))
		return false;
	if (rq != this_runq())
		return true;
	runq_set_slice(rq, runq_charge(rq));
	return false;
}

void sched_on_reschedule_ipi(void)
{
	struct runq *rq = this_runq();

	irqlock_lock_noirq(&rq->lock);
	if (rq->wants_resched) {
		rq->wants_resched = false;
		preempt_ask_resched();
	} else if (!rq->is_slice_on && somebody_waits_for_turn(rq)) {
		runq_set_slice(rq, runq_charge(rq));
	}
	irqlock_unlock_noirq(&rq->lock);
}

/* ---- Switching ---- */

static NOINLINE void arrive_for(struct thread *left, enum leave_how how)
{
	if (how == LEAVE_MOVING)
		sched_place(left);
	else if (how == LEAVE_DEAD)
		thread_put(left); /* its own reference */
}

void sched_arrive(void) NOT_ANALYSED /* the thread that left locked it */
{
	struct runq *rq = this_runq();
	struct thread *left = rq->left;
	enum leave_how how = rq->left_how;

	runq_check(rq);
	if (how == LEAVE_BLOCKED)
		thread_set_state(left, THREAD_BLOCKED);
	irqlock_unlock_noirq(&rq->lock);
	if (UNLIKELY(how > LEAVE_BLOCKED))
		arrive_for(left, how);
}

/*
 * A program with restartable sequences may have been in one unless it is in a system call, and it
 * knows its CPU's number: proc/rseq.c puts both right on the way to user mode.
 */
static void note_for_rseq(struct thread *next, uint32_t cpu)
{
	if (next->seen_cpu != cpu || arch_syscall_nr(arch_user_frame(next)) < 0)
		atomic_or(&next->flags, THREAD_NOTIFY);
}

void runq_switch(struct runq *rq, struct thread *prev, struct thread *next,
	enum leave_how how) NOT_ANALYSED
{
	debug_assert(prev == arch_current() && prev != next);
	debug_assert(
		(arch_preempt_get() & ~PREEMPT_NO_RESCHED) == PREEMPT_ONE); /* the lock's */
	rq->running = next;
	rq->left = prev;
	rq->left_how = how;
	rq->nr_switches++;
	prev->turn_is_over = false; /* also of one that blocks at the end of its turn */
	next->nr_switches++;
	next->exec_start_ns = prev->exec_start_ns; /* charged until just now */
	rq->cpu->kstack_top = next->kstack_top;
	arch_set_current(next);
	rcu_note_switch();
	watchdog_note_switch();
	trace_point("switch: thread %llu -> %llu, how %llu", prev->id, next->id, how);
	if (prev->fpu)
		arch_fpu_save(prev->fpu);
	if (next->fpu)
		arch_fpu_restore(next->fpu);
	if (prev->user || next->user)
		arch_user_switch(prev, next);
	if (atomic_load_relaxed(&next->flags) & THREAD_RSEQ)
		note_for_rseq(next, rq->cpu->id);
	if (prev->vm != next->vm)
		vmspace_switch(prev->vm, next->vm);
	arch_context_switch(&prev->ctx, &next->ctx);
	/* prev again, perhaps on another CPU and much later */
	sched_arrive();
}

/*
 * t has lost the CPU to an RT thread, which no slice end need ever interrupt: an idle CPU may
 * have it. That one waits for our lock and with it for the switch.
 */
static NOINLINE void offer(const struct thread *t)
{
	unsigned idle = cpu_count() > 1 ? balance_idle_cpu_for(t) : MAX_CPUS;

	if (idle != MAX_CPUS)
		ipi_reschedule(idle);
}

/* `prev` could go on. Whether it does: then there is nothing to switch. */
static bool stays(struct runq *rq, struct thread *prev, bool is_yield, struct thread **next)
{
	if (prev->rank == RANK_OF_FAIR)
		fair_renew(&rq->fair, is_yield);
	else if (is_yield)
		prev->turn_is_over = true;
	*next = choose(rq, prev, is_yield);
	if (*next != prev) {
		prev->nr_preempted += !is_yield;
		put_running(rq);
		if (UNLIKELY((*next)->rank > RANK_OF_FAIR))
			offer(prev);
		return false;
	}
	prev->turn_is_over = false;
	return true;
}

void sched_leave(enum leave_how how, bool is_yield) NOT_ANALYSED /* see sched_arrive */
{
	struct runq *rq = this_runq();
	struct thread *prev, *next;
	uint64_t now;

	irqlock_lock_noirq(&rq->lock);
	prev = rq->running;
	if (how == LEAVE_BLOCKED && thread_state_get(prev) != THREAD_BLOCKING) {
		irqlock_unlock_noirq(&rq->lock); /* woken since it said so */
		return;
	}
	now = runq_charge(rq);
	if (how == LEAVE_BLOCKED && UNLIKELY(rq->handover) && handover_take(rq, prev))
		return;
	resched_clear();
	rq->wants_resched = false;
	flush_handover(rq);
	if (how == LEAVE_READY && UNLIKELY(!thread_may_run_on(prev, rq->cpu->id)))
		how = LEAVE_MOVING;
	if (how == LEAVE_READY) {
		if (stays(rq, prev, is_yield, &next)) {
			rcu_note_switch(); /* nothing holds preemption off here: no reader */
			runq_set_slice(rq, now);
			irqlock_unlock_noirq(&rq->lock);
			return;
		}
	} else {
		runq_detach_running(rq);
		if (how != LEAVE_DEAD)
			thread_set_state(prev, THREAD_CHANGING);
		next = choose(rq, NULL, false);
	}
	assert(next); /* nothing may block before thread_init_system() */
	take_from_queue(rq, next);
	rq->running = next;
	runq_set_slice(rq, now);
	runq_switch(rq, prev, next, how);
}

void sched_preempt(void)
{
	if (!arch_irq_enabled())
		return; /* the request stays: the next interrupt or preempt_enable() looks again
			 */
	arch_irq_disable();
	sched_preempt_irq();
	arch_irq_enable();
}

void sched_preempt_irq(void)
{
	if (UNLIKELY(!this_runq()->running)) {
		resched_clear(); /* before sched_init() there is nobody to switch to */
		return;
	}
	sched_leave(LEAVE_READY, false);
}

void sched_yield(void)
{
	lock_check_may_sleep("sched_yield");
	arch_irq_disable();
	sched_leave(LEAVE_READY, true);
	sched_irq_restore(true);
}

/* ---- Blocking ---- */

void sched_set_blocked(void)
{
	thread_set_state(arch_current(), THREAD_BLOCKING);
	atomic_fence(); /* before the caller's look at its condition; pairs with the one in
			   sched_wake */
}

void sched_set_running(void)
{
	thread_set_state(arch_current(), THREAD_RUNNING);
}

void sched_switch(void)
{
	struct thread *me = arch_current();
	bool is_worker = READ_ONCE(me->flags) & THREAD_WORKER;

	lock_check_may_sleep("sched_switch");
	if (UNLIKELY(is_worker))
		work_note_blocking();
	if (UNLIKELY(me->lender))
		sched_end_loan();
	arch_irq_disable();
	sched_leave(LEAVE_BLOCKED, false);
	sched_irq_restore(true);
	if (UNLIKELY(is_worker))
		work_note_running();
}

/* ---- Waking ---- */

void sched_place(struct thread *t)
{
	unsigned cpu = balance_choose_cpu(t), idle = MAX_CPUS;
	struct runq *rq = runq_of(cpu);
	bool send;

	irqlock_lock_noirq(&rq->lock);
	trace_point("place: thread %llu on CPU %llu", t->id, cpu, 0);
	runq_join(rq, t);
	send = runq_consider(rq, t);
	if (!send && rq->running != rq->idle && cpu_count() > 1)
		idle = balance_idle_cpu_for(t);
	runq_check(rq);
	irqlock_unlock_noirq(&rq->lock);
	/* from here on t may be running, or gone */
	if (send)
		ipi_reschedule(cpu);
	else if (idle != MAX_CPUS)
		ipi_reschedule(idle);
}

/* A thread that has not left its CPU yet only has to notice. */
static bool wake_blocking(struct thread *t) NOT_ANALYSED
{
	struct runq *rq = runq_lock_of(t);
	bool is_woken = rq->running == t && thread_keep_running(t);

	if (is_woken)
		trace_point("wake: thread %llu, not yet asleep", t->id, 0, 0);
	irqlock_unlock_noirq(&rq->lock);
	return is_woken;
}

bool sched_wake(struct thread *t)
{
	bool were_enabled = arch_irq_save(), is_woken = true;

	for (;;) {
		enum thread_state state;

		if (LIKELY(thread_claim(t))) {
			sched_place(t);
			break;
		}
		atomic_fence(); /* after what the thread waits for; pairs with sched_set_blocked
				 */
		state = thread_state_get(t);
		if (state == THREAD_BLOCKING && wake_blocking(t))
			break;
		if (state == THREAD_READY || state == THREAD_RUNNING || state == THREAD_DEAD) {
			is_woken = false;
			break;
		}
		arch_cpu_relax(); /* CHANGING: soon something else */
	}
	sched_irq_restore(were_enabled);
	return is_woken;
}

/* ---- Start ---- */

static void runq_init(struct runq *rq, struct cpu *cpu)
{
	irqlock_init(&rq->lock, RANK_RUNQ, "runq");
	rq->cpu = cpu;
	fair_init(&rq->fair);
	rt_init(&rq->rt);
	list_init(&rq->idle_class);
}

void sched_init(void)
{
	struct cpu *cpu = arch_cpu();
	struct runq *rq = this_runq();

	runq_init(rq, cpu);
	rq->running = thread_boot_init(cpu);
	rq->fair.running = &rq->running->fair;
	arch_set_current(rq->running);
	resched_clear();
}

void sched_init_cpu(struct cpu *cpu, struct thread *idle)
{
	struct runq *rq = percpu_of(sched_runq, cpu);

	if (rq->running) { /* the boot CPU has been running since sched_init() */
		rq->idle = idle;
		timer_sample_busy(); /* the others do when they are first found idle no more */
		return;
	}
	runq_init(rq, cpu);
	rq->idle = idle;
	rq->running = idle;
	thread_set_state(idle, THREAD_RUNNING);
	cpu->current = idle;
	cpu->kstack_top = idle->kstack_top;
	cpu->preempt = PREEMPT_NO_RESCHED;
}

uint64_t sched_cpu_time_ns(struct thread *t) NOT_ANALYSED
{
	bool were_enabled = arch_irq_save();
	struct runq *rq = runq_lock_of(t);
	uint64_t ns = t->cpu_ns, now = clock_monotonic_ns();

	if (rq->running == t && now > t->exec_start_ns)
		ns += now - t->exec_start_ns;
	irqlock_unlock_noirq(&rq->lock);
	arch_irq_restore(were_enabled);
	return ns;
}

void sched_get_stats(unsigned cpu, struct sched_stats *out)
{
	struct runq *rq = runq_of(cpu);

	irqlock_lock(&rq->lock);
	*out = (struct sched_stats){
		.nr_switches = rq->nr_switches,
		.nr_steals = rq->nr_steals,
		.nr_handovers = rq->nr_handovers,
		.idle_ns = rq->idle_ns,
		.nr_ready = rq->nr_ready,
	};
	irqlock_unlock(&rq->lock);
}

void runq_check(struct runq *rq UNUSED)
{
#ifdef DEBUG
	const struct thread *t = rq->running;

	assert(!arch_irq_enabled() && irqlock_is_mine(&rq->lock));
	assert(rq->fair.running == (t->rank == RANK_OF_FAIR ? &t->fair : NULL));
	assert(t->cpu == rq->cpu->id);
	assert(!rq->handover || rq->handover->state == THREAD_READY);
	assert(rq->nr_ready >= rq->fair.nr_waiting + (rq->handover != NULL));
	if (rq->fair.nr_waiting <= 8) /* O(n): the short ones are as likely to be wrong */
		fair_check(&rq->fair);
#endif
}
