// SPDX-License-Identifier: MIT
/*
 * The places where another CPU may get in between.
 *
 * The simulated machine runs its CPUs as coroutines and may switch between them only where the
 * kernel says so: at locks, waits and the atomics of lib/atomic.h. Each such place begins with
 * interleave_point(). Everywhere but there it is nothing at all. -DINTERLEAVE is a property of
 * the build (the simulated machine's flags, a race test's own build), not of an architecture.
 */
#pragma once

#if defined(INTERLEAVE)

/* Perhaps runs another simulated CPU for a while. Supplied by whoever defines INTERLEAVE. */
void sim_interleave(void);

#define interleave_point() sim_interleave()

#else

#define interleave_point() ((void)0)

#endif
