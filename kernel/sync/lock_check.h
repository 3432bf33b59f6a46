// SPDX-License-Identifier: MIT
/*
 * The checker of lock order: what each CPU (spinning locks) and each thread (sleeping locks)
 * holds, compared with lock_rank.h at every acquisition. Debug kernels only; in a release kernel
 * everything here is empty and struct lock_class is only a name and a rank.
 *
 * Two locks of the same rank: allowed only by the *_nested acquisition, whose caller states the
 * order (address, CPU number); the checker then requires strictly ascending `key`.
 */
#pragma once

#include "lib/base.h"
#include "sync/lock_rank.h"

enum { MAX_HELD_LOCKS = 24 };

struct held_lock {
	const void *lock;
	const char *name;
	uint64_t key;	  /* order among equals; 0 when not nested */
	vaddr_t taken_at; /* return address of the acquisition */
	uint16_t rank;
	bool is_waiting;  /* asked for, not got yet */
};

/* A list of held locks: one in each thread for sleeping locks, one per CPU for spinning ones. */
struct held_list {
	unsigned nr;
	struct held_lock held[MAX_HELD_LOCKS];
};

#ifdef DEBUG
/* Before waiting for the lock, so that a wrong order is reported instead of hanging; panics. */
void lock_check_acquire(const void *lock, const char *name, enum lock_rank rank, uint64_t key, vaddr_t at);
/* Got it. An attempt that cannot wait breaks no order: it calls only lock_check_acquired_try. */
void lock_check_acquired(const void *lock);
void lock_check_acquired_try(const void *lock, const char *name, enum lock_rank rank, vaddr_t at);
void lock_check_release(const void *lock);
bool lock_check_is_held(const void *lock);
/* No spinning lock held, interrupts on, preemption on: asserted where a function may sleep. */
void lock_check_may_sleep(const char *what);
#else
static inline void lock_check_acquire(const void *lock UNUSED, const char *name UNUSED,
	enum lock_rank rank UNUSED, uint64_t key UNUSED, vaddr_t at UNUSED)
{
}
static inline void lock_check_acquired(const void *lock UNUSED)
{
}
static inline void lock_check_acquired_try(const void *lock UNUSED, const char *name UNUSED,
	enum lock_rank rank UNUSED, vaddr_t at UNUSED)
{
}
static inline void lock_check_release(const void *lock UNUSED)
{
}
static inline bool lock_check_is_held(const void *lock UNUSED)
{
	return true;
}
static inline void lock_check_may_sleep(const char *what UNUSED)
{
}
#endif

/* How many spinning locks this CPU holds (debug; 0 in release). */
unsigned lock_check_depth(void);
/* Prints what every CPU and the thread on it hold; panic and watchdog. Takes no lock. */
void lock_check_print_all(void);
/* Prints the sleeping locks of one thread. */
struct thread;
void lock_check_print_thread(const struct thread *t);

#define CALLER ((vaddr_t)__builtin_return_address(0))
