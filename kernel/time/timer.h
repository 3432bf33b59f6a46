// SPDX-License-Identifier: MIT
/*
 * One-shot timers: a function called at a time. Each CPU keeps its own in a tree by expiry, and
 * arms its hardware for the first; with none it is armed for nothing (an idle CPU has no tick).
 *
 * A callback runs in interrupt context, interrupts off, on the CPU the timer was started on,
 * with no lock held; it may start its own timer again, or free it. Started elsewhere while its
 * callback runs, a timer stays on the CPU of that callback, so that it never runs twice at
 * once.
 */
#pragma once

#include "lib/base.h"
#include "lib/rbtree.h"

enum timer_state {
	TIMER_IDLE,   /* also while its callback runs */
	TIMER_ARMED,  /* in its CPU's tree */
	TIMER_MOVING, /* between two CPUs, for an instant */
};

/*
 *   [T] the lock of timer->cpu's timer base
 */
struct timer {
	struct rbtree_node node;     /* [T] */
	uint64_t expires_ns;         /* [T] clock_monotonic_ns */
	void (*fn)(struct timer *t); /* [I] */
	uint32_t cpu;                /* [T] */
	uint8_t state;               /* [T] enum timer_state */
};

void timer_init_cpu(void); /* on each CPU, once */
void timer_init(struct timer *t, void (*fn)(struct timer *t));
/* Starts or moves it; on this CPU. Never fires early. Any context. */
void timer_start(struct timer *t, uint64_t expires_ns);
/* Stops it; true if it had not fired. Does not wait for a callback running elsewhere. Any
 * context. */
bool timer_stop(struct timer *t);
/* Stops it and waits until its callback is not running. Not from its own callback. */
bool timer_stop_sync(struct timer *t);

/* ---- For the scheduler; interrupts off, this CPU, any lock held ---- */

/* Calls sched_slice_end() at this time; replaces the last. UINT64_MAX: never. */
void timer_set_slice(uint64_t expires_ns);
/* The CPU begins to work: interrupts it now and then until it is found idle. */
void timer_sample_busy(void);
/* The hardware may be armed for a time that nobody wants any more: not while the CPU sleeps. */
void timer_prepare_idle(void);

/* ---- Sleeping ---- */
/* Sleeps until the time; 0, or -EINTR when killed. */
MUST_CHECK int sleep_until_ns(uint64_t deadline_ns);
MUST_CHECK int sleep_ns(uint64_t ns);
