// SPDX-License-Identifier: MIT
/*
 * A CPU's run queue, and what the files of this folder say to each other.
 *
 * The lock is held from before a switch until after it: the thread that leaves takes it, the
 * one that arrives releases it. Whoever gets the lock therefore sees no thread half switched.
 */
#pragma once

#include "arch/cpu.h"
#include "lib/atomic.h"
#include "lib/cpumask.h"
#include "lib/list.h"
#include "sched/fair.h"
#include "sched/sched.h"
#include "sched/state_priv.h"
#include "sync/preempt.h"
#include "time/clock.h"
#include "time/timer.h"

enum {
	RT_PRIORITIES = 100, /* 1 .. 99 as in Linux; 0 is not used */
	RANK_OF_IDLE_THREAD = -1,
	RANK_OF_IDLE_CLASS = 0,
	RANK_OF_FAIR = 1,
	RANK_OF_RT = 1,     /* + priority: 2 .. 100 */
	SCAN_CPUS_MAX = 16, /* a wake-up looks at so many CPUs at most */
	SCAN_THREADS_MAX = 16, /* a move between CPUs at so many threads of a class */
};

#define RR_TURN_NS     (100 * NS_PER_MS) /* Linux: sched_rr_get_interval gives 100 ms */
#define BALANCE_GAP_NS (10 * NS_PER_MS)  /* a busy CPU looks for idler ones so often */

/* FIFO and RR: a list for each priority, and which are not empty. */
struct rt_queue {
	struct list lists[RT_PRIORITIES];
	uint64_t bitmap[2];
};

/* What the thread that arrives has to do about the one that left. */
enum leave_how { LEAVE_READY, LEAVE_BLOCKED, LEAVE_MOVING, LEAVE_DEAD };

/*
 *   [q] lock      [I] immutable once its CPU runs      [c] its CPU only, interrupts off
 */
struct runq {
	struct irqlock lock;     /* RANK_RUNQ; two: lower CPU number first */
	struct cpu *cpu;         /* [I] */
	struct thread *idle;     /* [I] on the boot CPU from thread_init_system on */
	struct thread *running;  /* [q] */
	struct thread *handover; /* [q] READY, waits in no tree for `running` to block */
	struct thread *left;     /* [q] across a switch */
	enum leave_how left_how; /* [q] */
	unsigned nr_ready;  /* [q] those on the queues and in `handover`, without `running` */
	bool wants_resched; /* [q] another CPU asks; the IPI handler looks */
	bool is_slice_on;   /* [q] a slice end is set */
	struct fair_queue fair; /* [q] */
	struct list idle_class; /* [q] SCHED_CLASS_IDLE, round and round */
	uint64_t balance_at_ns; /* [q] */
	uint64_t rt_window_ns,
		rt_used_ns;     /* [q] throttle.c: its start, and programs' RT time since */
	bool is_rt_throttled;   /* [q] fair threads go first until the window ends */
	uint64_t nr_switches;   /* [q] */
	uint64_t nr_steals;     /* [q] */
	uint64_t nr_handovers;  /* [q] */
	uint64_t idle_ns;       /* [c] */
	struct rt_queue rt;     /* [q] */
};

extern PERCPU(struct runq, sched_runq);
extern struct cpumask
	sched_idle_cpus; /* [a] CPUs that found nothing to do; cleared by who sends some */

static inline struct runq *this_runq(void)
{
	return &percpu(sched_runq);
}

static inline struct runq *runq_of(unsigned cpu)
{
	return percpu_of(sched_runq, cpus[cpu]);
}

static inline int rank_of(const struct sched_params *p)
{
	switch (p->policy) {
	case SCHED_CLASS_FIFO:
	case SCHED_CLASS_RR:
		return RANK_OF_RT + p->priority;
	case SCHED_CLASS_FAIR:
		return RANK_OF_FAIR;
	case SCHED_CLASS_IDLE:
		break;
	}
	return RANK_OF_IDLE_CLASS;
}

static inline bool thread_may_run_on(const struct thread *t, unsigned cpu)
{
	return cpumask_test(&t->affinity, cpu);
}

/* Takes preempt_ask_resched() back: the top bit again, adding it sets it. Interrupts off. */
static inline void resched_clear(void)
{
	if (preempt_resched_wanted())
		arch_preempt_add((int32_t)PREEMPT_NO_RESCHED);
}

/* The thread that a fair entity is part of. */
static inline struct thread *thread_of_fair(struct fair_entity *e)
{
	return container_of(e, struct thread, fair);
}

/* ---- core.c: the queue of a CPU ---- */

/*
 * Locks the queue of t->cpu. If t is RUNNING, or READY there, that lasts until the unlock; a
 * thread in another state may come and go meanwhile.
 */
struct runq *runq_lock_of(struct thread *t);
/* Charges `running` for its time until now. Returns now. */
uint64_t runq_charge(struct runq *rq) MUST_HOLD(rq->lock);
/* A thread that is on no queue joins (CHANGING -> READY), or leaves (READY -> CHANGING). */
void runq_join(struct runq *rq, struct thread *t) MUST_HOLD(rq->lock);
void runq_part(struct runq *rq, struct thread *t) MUST_HOLD(rq->lock);
/* Takes `running` out of its class's account; it stays the running thread. And back. */
void runq_detach_running(struct runq *rq) MUST_HOLD(rq->lock);
void runq_attach_running(struct runq *rq) MUST_HOLD(rq->lock);
/*
 * After a join: t may go first, or the slice end may have to be set.
 * Returns  whether to send that CPU an IPI once the queue is unlocked
 */
MUST_CHECK bool runq_consider(struct runq *rq, struct thread *t) MUST_HOLD(rq->lock);
/* Asks the CPU to choose again; returns as runq_consider does. */
MUST_CHECK bool runq_resched(struct runq *rq) MUST_HOLD(rq->lock);
/* throttle.c: now and then on a busy CPU. Whether to choose again. */
bool throttle_look(struct runq *rq, uint64_t now) MUST_HOLD(rq->lock);
/* Sets the end of `running`'s slice if somebody waits for it. On the CPU itself only. */
void runq_set_slice(struct runq *rq, uint64_t now) MUST_HOLD(rq->lock);
/* Puts a CHANGING thread on the queue of the CPU that suits it. Interrupts off, no queue
 * locked. */
void sched_place(struct thread *t);
/* Gives up the CPU as `how` says. Interrupts off on entry and return, no queue locked. */
void sched_leave(enum leave_how how, bool is_yield);
/* The switch itself. `rq` is locked on entry; unlocked, and perhaps another's, on return. */
void runq_switch(struct runq *rq, struct thread *prev, struct thread *next, enum leave_how how);
/* What the arriving thread does first. */
void sched_arrive(void);
/* Interrupts back as they were, and the switch that somebody asked for meanwhile. */
static inline void sched_irq_restore(bool were_enabled)
{
	if (were_enabled) {
		arch_irq_enable();
		if (UNLIKELY(arch_preempt_get() == 0))
			sched_preempt();
	}
}
/* Asserts what must be true of a queue. */
void runq_check(struct runq *rq) MUST_HOLD(rq->lock);

/* ---- handover.c ---- */
/* `prev` blocks: gives its seat to rq->handover if it may. True if that was done (and undone).
 */
bool handover_take(struct runq *rq, struct thread *prev);
/* The rest of sched_switch_to: interrupts are off, t has been claimed. */
void handover_switch(struct thread *t);

/* ---- rt.c ---- */
void rt_init(struct rt_queue *q);
void rt_add(struct rt_queue *q, struct thread *t, bool is_first);
void rt_remove(struct rt_queue *q, struct thread *t);
struct thread *rt_first(const struct rt_queue *q); /* of the best priority; NULL when empty */
bool rt_has_peer(const struct rt_queue *q, const struct thread *t); /* same priority, waiting */

/* ---- balance.c ---- */
unsigned balance_choose_cpu(const struct thread *t);
/* Takes a thread from the busiest CPU onto this one's queue. Interrupts off, no queue locked.
 */
bool balance_steal(struct runq *rq);
/* Gives a thread to a CPU that has at least two fewer. Interrupts off, no queue locked. */
void balance_push(struct runq *rq);
/* An idle CPU that could take t, which waits behind a running thread; MAX_CPUS if there is
 * none. */
unsigned balance_idle_cpu_for(const struct thread *t);

/* ---- params.c, thread.c ---- */
/* Makes p the effective parameters of a thread that is on no queue. */
void thread_apply_params(struct thread *t, const struct sched_params *p);
/* The thread that the code running since power-on is. */
struct thread *thread_boot_init(struct cpu *cpu);
