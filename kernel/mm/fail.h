// SPDX-License-Identifier: MIT
/*
 * Making allocations fail on purpose. Debug kernels only; the release kernel compiles it away.
 *
 * Armed for one thread (or some, or all), the injector counts the page and slab allocations that
 * follow and fails the n-th. A test that loops n upwards until nothing failed has walked every
 * failure path of what it tests ("fail-nth"). Allocations in interrupts are never counted for a
 * thread. One user at a time.
 */
#pragma once

#include "lib/base.h"

struct thread;

#ifdef DEBUG
/* The n-th allocation by the current thread from now fails, once; 0 disarms. */
void fail_arm(uint64_t nth);
/*
 * The same for all threads for whom is_counted() says so, as for those of one process. Called before the
 * allocation, with whatever is locked there.
 */
void fail_arm_for(uint64_t nth, bool (*is_counted)(const struct thread *t));
/* One of so many allocations of those threads fails, at random, until disarmed. */
void fail_arm_some(uint64_t one_of, bool (*is_counted)(const struct thread *t));
/* Whether it fired since armed; disarms. */
bool fail_disarm(void);
/* The same, and what is armed stays. */
bool fail_has_fired(void);
/* Called by the allocators: true when this one must fail. */
bool fail_now(void);
/* Command line failalloc=N: fails the n-th allocation of the whole start, whoever makes it. */
void fail_arm_boot(uint64_t nth);
#else
static inline bool fail_now(void)
{
	return false;
}
#endif
