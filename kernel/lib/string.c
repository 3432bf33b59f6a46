// SPDX-License-Identifier: MIT
/*
 * C's byte and string functions, for machines that bring no better ones.
 *
 * All are weak. The compiler recognises their loops and would replace each by a call to itself;
 * OWN_LOOP forbids that. Copies go by words when both ends are aligned alike, which is what
 * kernel structures and pages are; nothing reads a byte outside the given range, so the KASAN
 * build checks them like any other code.
 *
 * Linked into the kernel only. Host programs have these names already: test_string.c includes
 * this file under other names.
 */
#include "lib/string.h"

#if defined(__clang__)
#define OWN_LOOP WEAK __attribute__((no_builtin))
#else
#define OWN_LOOP WEAK __attribute__((optimize("no-tree-loop-distribute-patterns")))
#endif

typedef unsigned long __attribute__((may_alias)) word_t; /* any object, seen as words */

enum { WORD = sizeof(word_t), BLOCK = 4 * WORD };

static inline bool word_aligned_alike(const void *a, const void *b)
{
	return (((uintptr_t)a ^ (uintptr_t)b) & (WORD - 1)) == 0;
}

/* Upwards, so `to` may overlap `from` from below. */
static ALWAYS_INLINE void copy_up(unsigned char *to, const unsigned char *from, size_t len)
{
	if (len >= BLOCK && word_aligned_alike(to, from)) {
		for (; (uintptr_t)to & (WORD - 1); len--)
			*to++ = *from++;
		for (; len >= BLOCK; len -= BLOCK, to += BLOCK, from += BLOCK) {
			const word_t *f = (const void *)from;
			word_t *t = (void *)to;
			word_t a = f[0], b = f[1], c = f[2], d = f[3];

			t[0] = a;
			t[1] = b;
			t[2] = c;
			t[3] = d;
		}
		for (; len >= WORD; len -= WORD, to += WORD, from += WORD)
			*(word_t *)(void *)to = *(const word_t *)(const void *)from;
	}
	while (len--)
		*to++ = *from++;
}

/* Downwards from the ends, for an overlap from above. */
static ALWAYS_INLINE void copy_down(unsigned char *to, const unsigned char *from, size_t len)
{
	to += len;
	from += len;
	if (len >= BLOCK && word_aligned_alike(to, from)) {
		for (; (uintptr_t)to & (WORD - 1); len--)
			*--to = *--from;
		for (; len >= WORD; len -= WORD) {
			to -= WORD;
			from -= WORD;
			*(word_t *)(void *)to = *(const word_t *)(const void *)from;
		}
	}
	while (len--)
		*--to = *--from;
}

OWN_LOOP void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
	copy_up(to, from, len);
	return to;
}

OWN_LOOP void *memmove(void *to, const void *from, size_t len)
{
	if ((uintptr_t)to - (uintptr_t)from >= len)
		copy_up(to, from, len);
	else
		copy_down(to, from, len);
	return to;
}

OWN_LOOP void *memset(void *to, int byte, size_t len)
{
	const word_t ones = (word_t)-1 / 0xff; /* 0x01 in each byte */
	word_t pattern = (unsigned char)byte * ones;
	unsigned char *p = to;

	if (len >= BLOCK) {
		for (; (uintptr_t)p & (WORD - 1); len--)
			*p++ = (unsigned char)byte;
		for (; len >= BLOCK; len -= BLOCK, p += BLOCK) {
			word_t *t = (void *)p;

			t[0] = pattern;
			t[1] = pattern;
			t[2] = pattern;
			t[3] = pattern;
		}
	}
	while (len--)
		*p++ = (unsigned char)byte;
	return to;
}

OWN_LOOP int memcmp(const void *a, const void *b, size_t len)
{
	const unsigned char *p = a, *q = b;

	if (word_aligned_alike(p, q)) {
		for (; len && ((uintptr_t)p & (WORD - 1)) && *p == *q; len--, p++, q++)
			;
		if (((uintptr_t)p & (WORD - 1)) == 0) {
			for (; len >= WORD; len -= WORD, p += WORD, q += WORD)
				if (*(const word_t *)(const void *)p !=
					*(const word_t *)(const void *)q)
					break; /* the bytes below say which is less */
		}
	}
	for (; len; len--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

OWN_LOOP void *memchr(const void *at, int byte, size_t len)
{
	const unsigned char *p = at;

	for (; len; len--, p++)
		if (*p == (unsigned char)byte)
			return (void *)(uintptr_t)p;
	return NULL;
}

OWN_LOOP size_t strlen(const char *s)
{
	size_t len = 0;

	while (s[len])
		len++;
	return len;
}

OWN_LOOP size_t strnlen(const char *s, size_t max)
{
	size_t len = 0;

	while (len < max && s[len])
		len++;
	return len;
}

OWN_LOOP int strcmp(const char *a, const char *b)
{
	for (; *a == *b && *a; a++, b++)
		;
	return (unsigned char)*a - (unsigned char)*b;
}

OWN_LOOP int strncmp(const char *a, const char *b, size_t max)
{
	for (; max; max--, a++, b++)
		if (*a != *b || !*a)
			return (unsigned char)*a - (unsigned char)*b;
	return 0;
}

OWN_LOOP char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++)
		if (!*s)
			return NULL;
	return (char *)(uintptr_t)s;
}

OWN_LOOP char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	for (;; s++) {
		if (*s == (char)c)
			last = s;
		if (!*s)
			return (char *)(uintptr_t)last;
	}
}

OWN_LOOP char *strstr(const char *s, const char *what)
{
	size_t len = strlen(what);

	for (; strncmp(s, what, len) != 0; s++)
		if (!*s)
			return NULL;
	return (char *)(uintptr_t)s;
}
