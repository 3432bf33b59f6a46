// SPDX-License-Identifier: MIT
/*
 * What processes owe the rings of their threads: ring/ stands above proc/ and sets these at start.
 *
 * A thread with THREAD_RING has operations that were woken and want to go on. It sees to them on its
 * way to user mode, or when it waits for completions. If it sleeps for something else, a fiber does.
 */
#pragma once

struct fdtable;
struct proc;
struct uthread;

struct ring_hooks {
	/* The current thread's woken operations go on. Nothing held, interrupts on. */
	void (*run)(void);
	/*
	 * exec and exit of the current thread: ends what needs it. The last one of a process waits until all
	 * that it has in flight is cancelled.
	 */
	void (*leave)(struct uthread *u);
	/*
	 * exec and exit of the process, by its last thread: what rings have fibers do all the time ends, and
	 * what threads have left that ended before.
	 */
	void (*end)(struct proc *p);
	/* Its descriptors are another table from now on. */
	void (*set_files)(struct uthread *u, struct fdtable *files);
};
extern const struct ring_hooks *ring_hooks; /* [I] after start; NULL: nobody has a ring_task */
