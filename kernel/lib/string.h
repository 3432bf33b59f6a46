// SPDX-License-Identifier: MIT
/*
 * Bytes and strings.
 *
 * The first group has C's names and rules, because the compiler itself emits calls to some of
 * them. Their C versions (lib/string.c) are weak: an architecture that knows better defines the
 * same name (rep movsb, for example). The second group is ours (lib/str.c) and has no weak
 * spots: bounded, and a result says whether everything fitted. There is no strcpy or strcat.
 *
 * Spec    C17 7.24
 */
#pragma once

#include "lib/base.h"

/* ---- C's own. Any context. ---- */

#if defined(LIB_STRING_PREFIX) /* a unit test keeps the host's own under their names */
#define memcpy  lib_memcpy
#define memmove lib_memmove
#define memset  lib_memset
#define memcmp  lib_memcmp
#define memchr  lib_memchr
#define strlen  lib_strlen
#define strnlen lib_strnlen
#define strcmp  lib_strcmp
#define strncmp lib_strncmp
#define strchr  lib_strchr
#define strrchr lib_strrchr
#define strstr  lib_strstr
#endif

void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *to, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);
void *memchr(const void *at, int byte, size_t len);

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *what);

/* ---- Ours ---- */

/*
 * Copies the string `from` into to[size]; always terminates when size > 0.
 *
 * Returns  the length copied without the terminator, or -E2BIG when it was cut (or size is 0)
 */
long str_copy(char *to, const char *from, size_t size);

/* Appends `from` to the string in to[size], by str_copy's rules; returns the whole length. */
long str_append(char *to, const char *from, size_t size);

static inline bool str_equal(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

bool str_has_prefix(const char *s, const char *prefix);

/* Whether `s` matches `pattern`, in which * is any run of characters and ? any one of them. */
bool str_matches(const char *s, const char *pattern);

/* ---- Characters, ASCII only ---- */

static inline bool char_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool char_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool char_is_print(char c)
{
	return c >= ' ' && c <= '~';
}

static inline char char_to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The value of a digit in bases up to 16, or -1. */
static inline int char_digit_value(char c)
{
	if (char_is_digit(c))
		return c - '0';
	c = char_to_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
