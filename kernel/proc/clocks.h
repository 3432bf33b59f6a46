// SPDX-License-Identifier: MIT
/*
 * The clocks that programs name: man 2 clock_gettime. Those of the system, and the CPU time of
 * processes and threads.
 */
#pragma once

#include "lib/base.h"
#include "sync/waitq.h"

/* Of a timer, in nanoseconds; value 0: not armed. */
struct timer_setting {
	uint64_t value, interval;
};

enum clock_kind {
	CLOCK_IS_NONE,      /* no clock has this id */
	CLOCK_IS_REAL,      /* can be set; CLOCK_TAI goes with it */
	CLOCK_IS_MONOTONIC, /* and CLOCK_BOOTTIME, as nothing is ever suspended */
	CLOCK_IS_COARSE,    /* only to be read */
	CLOCK_IS_RAW,       /* the same */
	CLOCK_IS_CPU,       /* of a process or thread */
};
enum clock_kind clock_kind_of(int id);

/* 0; -EINVAL: no such clock, or no such process. */
MUST_CHECK int clock_read(int id, int64_t *ns);
MUST_CHECK int clock_resolution(int id, uint64_t *ns);
/* man 2 clock_settime, but for the range of the time itself. -EINVAL, -EPERM. */
MUST_CHECK int clock_set(int id, int64_t ns);

/*
 * When a clock of kind REAL or MONOTONIC shows `at`, as monotonic time. For the former it may change:
 * clock_was_set is then woken.
 */
uint64_t clock_to_monotonic(int id, uint64_t at);
extern struct waitq clock_was_set;
/*
 * Starts t for that time. Who waits on clock_was_set lets it fire at once when the clock is set, to look again: if
 * that happens meanwhile, it is not undone.
 */
struct timer;
void clock_start_timer(struct timer *t, int id, uint64_t at);
/* Sets real time, and tells all who wait by it. */
void clock_set_real(int64_t ns);
/* How often that happened: timerfd's TFD_TIMER_CANCEL_ON_SET. */
uint32_t clock_set_count(void);
int clock_tai_offset(void); /* seconds */
void clock_set_tai_offset(int seconds);
/* Threads of the process a CPU clock is of, at least 1: how fast it can run. 0: it is gone. */
unsigned clock_cpu_speed(int id);
/*
 * Whose time a CPU clock is: *p or *t with a reference (but the current process without), and its
 * number in the general form. -EINVAL: nobody's.
 */
struct proc;
struct thread;
MUST_CHECK int clock_get_owner(int id, int *general, struct proc **p, struct thread **t);
/* Whether a CPU clock is the calling thread's own. */
bool clock_is_own_thread(int id);
