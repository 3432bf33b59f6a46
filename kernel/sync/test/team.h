// SPDX-License-Identifier: MIT
/*
 * For tests: several threads that run one function and are waited for together, and waiting for
 * what cannot be waited for otherwise (that another thread sleeps).
 */
#pragma once

#include "lib/assert.h"
#include "sched/thread.h"
#include "time/clock.h"
#include "time/timer.h"

enum { TEAM_MAX = 16 };

struct team {
	struct thread *threads[TEAM_MAX];
	unsigned nr;
};

/* A test that cannot have its threads cannot say anything: panics. */
static inline struct thread *team_add(struct team *team, void (*fn)(void *), void *arg)
{
	struct thread *t;

	assert(team->nr < TEAM_MAX);
	assert(thread_create(&t, "test", fn, arg) == 0);
	team->threads[team->nr++] = t;
	thread_start(t);
	return t;
}

static inline void team_start(struct team *team, unsigned nr, void (*fn)(void *), void *arg)
{
	*team = (struct team){0};
	while (team->nr < nr)
		team_add(team, fn, arg);
}

static inline void team_join(struct team *team)
{
	while (team->nr)
		thread_join(team->threads[--team->nr]);
}

static inline void nap(void)
{
	assert(sleep_ns(NS_PER_MS / 10) == 0);
}

/* Until t sleeps. A thread that is about to may be preempted just before, hence the state. */
static inline void await_blocked(struct thread *t)
{
	while (READ_ONCE(t->state) != THREAD_BLOCKED)
		nap();
}

#define AWAIT(cond)                                                                            \
	do {                                                                                   \
		while (!(cond))                                                                \
			nap();                                                                 \
	} while (0)
