// SPDX-License-Identifier: MIT
/*
 * Memory that belongs to a program: hostile, possibly absent, possibly changed by another thread
 * between two looks.
 *
 * A user address is a uptr, a structure around an integer, so that dereferencing one does not
 * compile. Everything here checks that the range lies in the user half and survives faults: the
 * page is brought in if the address space has it, and otherwise the answer is -EFAULT. The
 * functions may sleep in a page fault; with preemption held off they do not fault pages in
 * and fail instead. What must be looked at twice is copied once.
 */
#pragma once

#include "lib/base.h"

typedef struct {
	uintptr_t addr;
} uptr;

#define UPTR(a)	       ((uptr){(uintptr_t)(a)})
#define UPTR_NULL      UPTR(0)
static inline bool uptr_is_null(uptr p)
{
	return p.addr == 0;
}
static inline uptr uptr_add(uptr p, uintptr_t n)
{
	return UPTR(p.addr + n);
}

/* 0 or -EFAULT; on failure some bytes may have been copied. */
MUST_CHECK int user_read(void *to, uptr from, size_t len);
MUST_CHECK int user_write(uptr to, const void *from, size_t len);
MUST_CHECK int user_zero(uptr to, size_t len);
/* How many bytes were copied before the first bad address. */
size_t user_read_some(void *to, uptr from, size_t len);
size_t user_write_some(uptr to, const void *from, size_t len);
/*
 * A string with its NUL, at most size bytes with it. Returns its length without the NUL,
 * -EFAULT, or -ENAMETOOLONG when there is no NUL within size.
 */
MUST_CHECK int user_read_string(char *to, uptr from, size_t size);
/*
 * A structure whose size the caller names, as clone3 and openat2 take it: a shorter one is
 * filled up with zeros, a longer one must end in zeros (-E2BIG).
 */
MUST_CHECK int user_read_struct(void *to, size_t size, uptr from, size_t user_size);

#define user_get(var, from) user_read(&(var), (from), sizeof(var))
#define user_put(to, var)   user_write((to), &(var), sizeof(var))

/* Atomic on a naturally aligned user word: *old is what was there. 0, -EFAULT. */
MUST_CHECK int user_cmpxchg32(uptr at, uint32_t expected, uint32_t desired, uint32_t *old);
MUST_CHECK int user_load32(uint32_t *out, uptr at);
/* Reads without bringing pages in: -EFAULT means "not there now". Locks may be held. */
MUST_CHECK int user_peek32(uint32_t *out, uptr at);

/* Whether [p, p + len) lies in the user half. */
bool user_range_ok(uptr p, size_t len);
