// SPDX-License-Identifier: MIT
/*
 * What tests that are made for the simulated machine may ask of it. Generic code never includes
 * this; generic tests run unchanged.
 */
#pragma once

#include "lib/base.h"
#include "lib/set.h"

/*
 * A place where another CPU or an interrupt may come between. lib/interleave.h calls it before
 * every atomic access, the instrumentation before every plain one. Any context.
 */
void sim_interleave(void);

/* A device pulls interrupt line `irq`; trap_irq(irq) follows on the CPU the line is set to. */
void sim_irq_raise(unsigned irq);

/* A number below `bound` from the seeded generator: the same in each run of the same seed. */
uint64_t sim_random(uint64_t bound);
/* The run's seed, for what is to be spread over seeds. */
uint64_t sim_seed(void);

/* ---- Interrupting a thread at each of its moments (moments.c) ---- */

/*
 * Its steps at which an interrupt may come; its leaving a CPU; any step of any thread but process 1's
 * and the idle ones, and of interrupts.
 */
enum sim_moment { MOMENT_STEP, MOMENT_LEAVE, MOMENT_ANY };

MUST_CHECK int sim_moments_init(void); /* once in a run, by a test; -ENOMEM */
/* From an interrupt at the running thread's nth moment from now on (1: the next), calls call(). One at a time. */
void sim_moment_arm(enum sim_moment kind, uint64_t nth, void (*call)(void));
/* Whether that moment came; else it never comes. */
bool sim_moment_disarm(void);
bool sim_moment_has_come(void); /* the same before */
/* How many of this kind it had from sim_moment_arm to sim_moment_disarm, or to its moment. nth 0: that never comes. */
uint64_t sim_moment_count(void);

/* ---- Programs: C functions on user threads (user.c) ---- */

/*
 * Leaves the kernel for good: the running thread, which has a user half, becomes fn(arg). When fn
 * returns, the process exits with status 0.
 */
NORETURN void sim_become_program(void (*fn)(uintptr_t arg), uintptr_t arg);
/* A system call of the running program; signal handlers run before it returns. */
int64_t sim_syscall(uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
	uint64_t a4, uint64_t a5);
/* The same with fewer arguments, at least one; the others are 0. */
#define SIM_CALL(...)                              SIM_CALL_(__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define SIM_CALL_(nr, a0, a1, a2, a3, a4, a5, ...) sim_syscall(nr, a0, a1, a2, a3, a4, a5)
/* clone(2): the child is fn(arg). Its stack argument is not the kernel's business here. */
int64_t sim_clone(uint64_t flags, void (*fn)(uintptr_t arg), uintptr_t arg, uint64_t parent_tid,
	uint64_t child_tid, uint64_t tls);
/* The program's memory, in the place of loads and stores. False: a signal handler has run since. */
bool sim_load(void *to, uint64_t from, size_t len);
bool sim_store(uint64_t to, const void *from, size_t len);

/* From here on no CPU changes places and no interrupt comes (reports, the way out). */
void sim_freeze(void);

/* Prints to the run's output, by the host. */
void sim_say(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Ends the run with a report: why, every CPU, every thread with its callers and held locks. */
NORETURN void sim_report(const char *fmt, ...) PRINTF_LIKE(1, 2);

/*
 * A planted bug: a test that must fail, by this report, within max_seeds seeds, and its correct
 * twin, which must pass all of them. `torus-sim --planted` proves it.
 */
struct sim_planted {
	const char *bug;     /* test name in area `planted` */
	const char *correct; /* its twin */
	const char *report;  /* what the run must print */
	unsigned max_seeds;
	uint64_t max_steps; /* 0: the usual bound; for bugs that spin for ever */
};

#define SIM_PLANTED(bug_, correct_, ...)                                                       \
	static const struct sim_planted planted_##bug_ = {                                     \
		.bug = #bug_, .correct = #correct_, __VA_ARGS__};                              \
	SET_ADD(sim_planted, planted_##bug_)
