// SPDX-License-Identifier: MIT
/*
 * The words every file may use: fixed-width types, sizes, container_of, and the contract
 * macros of CONTRIBUTING.md. This is the only header that everyone may include, and it stays
 * under 200 lines; anything with a subject of its own belongs in that subject's header.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/errno.h> /* the ABI's error numbers, and the kernel's own */

/* Scalars with meaning. Structures are never typedef'd. */
typedef uint64_t paddr_t;  /* a physical byte address */
typedef uint64_t pfn_t;    /* a physical page number: paddr >> PAGE_SHIFT */
typedef uintptr_t vaddr_t; /* a kernel virtual address that is not (yet) a pointer */

/* ---- Sizes and bits ---- */

#define BIT(n)		(1ul << (n))
#define KIB		(1ul << 10)
#define MIB		(1ul << 20)
#define GIB		(1ul << 30)
#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

/* Both operands of the same unsigned type; `to` is a power of two. */
#define ALIGN_DOWN(x, to) ((x) & ~((__typeof__(x))(to)-1))
#define ALIGN_UP(x, to)	  ALIGN_DOWN((x) + ((__typeof__(x))(to)-1), (to))
#define IS_ALIGNED(x, to) (((x) & ((__typeof__(x))(to)-1)) == 0)
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))

#define MIN(a, b)                                                                              \
	({                                                                                     \
		__typeof__(a) min_a_ = (a);                                                    \
		__typeof__(b) min_b_ = (b);                                                    \
		min_a_ < min_b_ ? min_a_ : min_b_;                                             \
	})
#define MAX(a, b)                                                                              \
	({                                                                                     \
		__typeof__(a) max_a_ = (a);                                                    \
		__typeof__(b) max_b_ = (b);                                                    \
		max_a_ > max_b_ ? max_a_ : max_b_;                                             \
	})

/* The structure of type `type` whose member `member` is at `ptr`. */
#define container_of(ptr, type, member)                                                        \
	((type *)((char *)(1 ? (ptr) : &((type *)0)->member) - offsetof(type, member)))

/* ---- What the compiler should know ---- */

#define MUST_CHECK	__attribute__((warn_unused_result))
#define NORETURN	__attribute__((noreturn))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define PACKED		__attribute__((packed))
#define ALIGNED(n)	__attribute__((aligned(n)))
#define NOINLINE	__attribute__((noinline))
#define ALWAYS_INLINE	inline __attribute__((always_inline))
#define UNUSED		__attribute__((unused))
#define WEAK		__attribute__((weak))
#define SECTION(name)	__attribute__((section(name)))
#define LIKELY(x)	__builtin_expect(!!(x), 1)
#define UNLIKELY(x)	__builtin_expect(!!(x), 0)
#define FALLTHROUGH	__attribute__((fallthrough))

/* Code that runs before, or underneath, the checkers: no sanitizer calls, no stack protector. */
#if defined(__clang__)
#define NO_CHECKERS                                                                            \
	__attribute__((no_sanitize("kernel-address", "address", "undefined", "coverage"),      \
		no_stack_protector))
#else
#define NO_CHECKERS                                                                            \
	__attribute__((no_sanitize("kernel-address", "address", "undefined"),                  \
		no_stack_protector))
#endif

#define static_assert _Static_assert

/* One value, read or written exactly once, that another CPU may change. Not a barrier. */
#define READ_ONCE(x)	 (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

/* Stops the compiler, not the CPU, from moving memory accesses across it. */
static inline void compiler_barrier(void)
{
	__asm__ volatile("" ::: "memory");
}

/* ---- Lock contracts on prototypes, checked by clang -Wthread-safety in `make lint` ---- */

#if defined(__clang__) && defined(LINT_THREAD_SAFETY)
#define CONTRACT(x) __attribute__((x))
#else
#define CONTRACT(x)
#endif
#define LOCK_TYPE(name)	   CONTRACT(capability(name))
#define MUST_HOLD(...)	   CONTRACT(requires_capability(__VA_ARGS__))
#define MUST_NOT_HOLD(...) CONTRACT(locks_excluded(__VA_ARGS__))
#define ACQUIRES(...)	   CONTRACT(acquire_capability(__VA_ARGS__))
#define RELEASES(...)	   CONTRACT(release_capability(__VA_ARGS__))
#define ACQUIRES_SHARED(...) CONTRACT(acquire_shared_capability(__VA_ARGS__))
#define RELEASES_SHARED(...) CONTRACT(release_shared_capability(__VA_ARGS__))
#define TRY_ACQUIRES(...)  CONTRACT(try_acquire_capability(__VA_ARGS__))
#define NOT_ANALYSED	   CONTRACT(no_thread_safety_analysis)
