// SPDX-License-Identifier: MIT
/*
 * The one family of atomics. Each takes the address of a plain scalar (an integer of 1 to 8
 * bytes, or a pointer), so a field stays what it is and carries the letter [a].
 *
 *     _relaxed    atomic, ordered with nothing
 *     _acquire    nothing after it moves before it
 *     _release    nothing before it moves after it
 *     no suffix   sequentially consistent: the right choice unless the code shows why not
 *
 * A relaxed, acquire or release access names its partner in a comment where it is used. The old
 * value is what fetch_* and xchg return. Read-modify-writes of every order, and every access
 * that orders, begin with interleave_point(); a relaxed load or store does not, so a loop that
 * waits by relaxed loads needs arch_cpu_relax() in it, which is also an interleave point.
 *
 * READ_ONCE and WRITE_ONCE (lib/base.h) are for a value whose tearing matters and nothing else.
 *
 * Spec    C11 7.17.3 (order), clang and GCC manuals: __atomic builtins
 */
#pragma once

#include "lib/base.h"
#include "lib/interleave.h"

/* The access `expr`, preceded by the point where another CPU may get in. */
#define ATOMIC_ACCESS(expr)                                                                    \
	({                                                                                     \
		interleave_point();                                                            \
		expr;                                                                          \
	})

/* ---- Loads and stores ---- */

#define atomic_load_relaxed(p)     __atomic_load_n((p), __ATOMIC_RELAXED)
#define atomic_load_acquire(p)     ATOMIC_ACCESS(__atomic_load_n((p), __ATOMIC_ACQUIRE))
#define atomic_load(p)             ATOMIC_ACCESS(__atomic_load_n((p), __ATOMIC_SEQ_CST))
#define atomic_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define atomic_store_release(p, v) ATOMIC_ACCESS(__atomic_store_n((p), (v), __ATOMIC_RELEASE))
#define atomic_store(p, v)         ATOMIC_ACCESS(__atomic_store_n((p), (v), __ATOMIC_SEQ_CST))

/* ---- Read-modify-write: return the old value ---- */

#define atomic_xchg(p, v)         ATOMIC_ACCESS(__atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST))
#define atomic_xchg_acquire(p, v) ATOMIC_ACCESS(__atomic_exchange_n((p), (v), __ATOMIC_ACQUIRE))
#define atomic_xchg_release(p, v) ATOMIC_ACCESS(__atomic_exchange_n((p), (v), __ATOMIC_RELEASE))

#define atomic_fetch_add(p, v) ATOMIC_ACCESS(__atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST))
#define atomic_fetch_sub(p, v) ATOMIC_ACCESS(__atomic_fetch_sub((p), (v), __ATOMIC_SEQ_CST))
#define atomic_fetch_or(p, v)  ATOMIC_ACCESS(__atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST))
#define atomic_fetch_and(p, v) ATOMIC_ACCESS(__atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST))
#define atomic_fetch_xor(p, v) ATOMIC_ACCESS(__atomic_fetch_xor((p), (v), __ATOMIC_SEQ_CST))

#define atomic_fetch_add_relaxed(p, v)                                                         \
	ATOMIC_ACCESS(__atomic_fetch_add((p), (v), __ATOMIC_RELAXED))
#define atomic_fetch_add_acquire(p, v)                                                         \
	ATOMIC_ACCESS(__atomic_fetch_add((p), (v), __ATOMIC_ACQUIRE))
#define atomic_fetch_add_release(p, v)                                                         \
	ATOMIC_ACCESS(__atomic_fetch_add((p), (v), __ATOMIC_RELEASE))
#define atomic_fetch_sub_relaxed(p, v)                                                         \
	ATOMIC_ACCESS(__atomic_fetch_sub((p), (v), __ATOMIC_RELAXED))
#define atomic_fetch_sub_release(p, v)                                                         \
	ATOMIC_ACCESS(__atomic_fetch_sub((p), (v), __ATOMIC_RELEASE))

/* The same when the old value is not wanted. */
#define atomic_add(p, v)         ((void)atomic_fetch_add((p), (v)))
#define atomic_sub(p, v)         ((void)atomic_fetch_sub((p), (v)))
#define atomic_or(p, v)          ((void)atomic_fetch_or((p), (v)))
#define atomic_and(p, v)         ((void)atomic_fetch_and((p), (v)))
#define atomic_add_relaxed(p, v) ((void)atomic_fetch_add_relaxed((p), (v)))
#define atomic_sub_relaxed(p, v) ((void)atomic_fetch_sub_relaxed((p), (v)))

/* ---- Compare and exchange ----
 *
 * If *p equals *expected, stores v and is true; otherwise loads *p into *expected and is false.
 * Never fails spuriously. A failure orders as a load: acquire, or relaxed where said.
 */
#define atomic_cmpxchg_ordered(p, expected, v, ok, fail)                                       \
	ATOMIC_ACCESS(__atomic_compare_exchange_n((p), (expected), (v), false, (ok), (fail)))

#define atomic_cmpxchg(p, expected, v)                                                         \
	atomic_cmpxchg_ordered(p, expected, v, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE)
#define atomic_cmpxchg_acquire(p, expected, v)                                                 \
	atomic_cmpxchg_ordered(p, expected, v, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)
#define atomic_cmpxchg_release(p, expected, v)                                                 \
	atomic_cmpxchg_ordered(p, expected, v, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define atomic_cmpxchg_relaxed(p, expected, v)                                                 \
	atomic_cmpxchg_ordered(p, expected, v, __ATOMIC_RELAXED, __ATOMIC_RELAXED)

/* ---- Fences, for what no single access can express; each names its partner ---- */

#define atomic_fence()         ATOMIC_ACCESS(__atomic_thread_fence(__ATOMIC_SEQ_CST))
#define atomic_fence_acquire() ATOMIC_ACCESS(__atomic_thread_fence(__ATOMIC_ACQUIRE))
#define atomic_fence_release() ATOMIC_ACCESS(__atomic_thread_fence(__ATOMIC_RELEASE))
