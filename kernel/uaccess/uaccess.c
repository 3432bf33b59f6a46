// SPDX-License-Identifier: MIT
/*
 * User memory for the rest of the kernel: the range is checked here, once, and the machine copies
 * (arch_user_*), through page faults. Nothing here locks.
 */
#include "uaccess/uaccess.h"

#include "arch/arch.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "sync/lock_check.h"
#include "sync/preempt.h"

enum { WORD32 = sizeof(uint32_t), CHUNK = 64 };

static inline bool is_range_ok(uptr p, size_t len)
{
	return p.addr <= ARCH_USER_END && len <= ARCH_USER_END - p.addr;
}

static inline bool is_word_ok(uptr p)
{
	return p.addr < ARCH_USER_END && IS_ALIGNED(p.addr, (uintptr_t)WORD32);
}

bool user_range_ok(uptr p, size_t len)
{
	return is_range_ok(p, len);
}

int user_read(void *to, uptr from, size_t len)
{
	if (UNLIKELY(!is_range_ok(from, len)))
		return -EFAULT;
	return LIKELY(arch_user_read(to, from.addr, len) == len) ? 0 : -EFAULT;
}

int user_write(uptr to, const void *from, size_t len)
{
	if (UNLIKELY(!is_range_ok(to, len)))
		return -EFAULT;
	return LIKELY(arch_user_write(to.addr, from, len) == len) ? 0 : -EFAULT;
}

int user_zero(uptr to, size_t len)
{
	if (UNLIKELY(!is_range_ok(to, len)))
		return -EFAULT;
	return LIKELY(arch_user_zero(to.addr, len) == len) ? 0 : -EFAULT;
}

/* The part of the range that lies in the user half. */
static inline size_t len_in_range(uptr p, size_t len)
{
	if (UNLIKELY(p.addr >= ARCH_USER_END))
		return 0;
	return MIN(len, (size_t)(ARCH_USER_END - p.addr));
}

size_t user_read_some(void *to, uptr from, size_t len)
{
	return arch_user_read(to, from.addr, len_in_range(from, len));
}

size_t user_write_some(uptr to, const void *from, size_t len)
{
	return arch_user_write(to.addr, from, len_in_range(to, len));
}

int user_read_string(char *to, uptr from, size_t size)
{
	size_t max = len_in_range(from, MIN(size, (size_t)INT32_MAX));
	int64_t len = arch_user_read_string(to, from.addr, max);

	/* No NUL: was it the end of the buffer, or of user memory? */
	if (UNLIKELY(len == (int64_t)max))
		return max < size ? -EFAULT : -ENAMETOOLONG;
	return (int)len;
}

/* Whether the bytes there are all zero: 1, 0 or -EFAULT. */
static int is_user_zero(uptr from, size_t len)
{
	uint8_t chunk[CHUNK];

	while (len) {
		size_t n = MIN(len, sizeof(chunk));

		if (user_read(chunk, from, n))
			return -EFAULT;
		for (size_t i = 0; i < n; i++)
			if (chunk[i])
				return 0;
		from = uptr_add(from, n);
		len -= n;
	}
	return 1;
}

int user_read_struct(void *to, size_t size, uptr from, size_t user_size)
{
	size_t common = MIN(size, user_size);

	if (user_size > size) {
		int is_zero = is_user_zero(uptr_add(from, size), user_size - size);

		if (is_zero <= 0)
			return is_zero ? is_zero : -E2BIG;
	}
	if (user_read(to, from, common))
		return -EFAULT;
	memset((char *)to + common, 0, size - common);
	return 0;
}

int user_cmpxchg32(uptr at, uint32_t expected, uint32_t desired, uint32_t *old)
{
	if (UNLIKELY(!is_word_ok(at)))
		return -EFAULT;
	return arch_user_cmpxchg32(at.addr, expected, desired, old);
}

int user_load32(uint32_t *out, uptr at)
{
	if (UNLIKELY(!is_word_ok(at)))
		return -EFAULT;
	return arch_user_load32(out, at.addr);
}

/* A fault while preemption is off ends the access: the machine's page-fault handler sees to it. */
int user_peek32(uint32_t *out, uptr at)
{
	int err;

	if (UNLIKELY(!is_word_ok(at)))
		return -EFAULT;
	preempt_disable();
	err = arch_user_load32(out, at.addr);
	preempt_enable();
	return err;
}
