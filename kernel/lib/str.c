// SPDX-License-Identifier: MIT
/*
 * The string functions that C lacks: copies that say whether everything fitted, and the pattern
 * match behind test=mm.* and its like.
 */
#include "lib/string.h"

long str_copy(char *to, const char *from, size_t size)
{
	size_t len = strnlen(from, size);

	if (!size)
		return -E2BIG;
	if (len == size) {
		memcpy(to, from, size - 1);
		to[size - 1] = '\0';
		return -E2BIG;
	}
	memcpy(to, from, len + 1);
	return (long)len;
}

long str_append(char *to, const char *from, size_t size)
{
	size_t used = strnlen(to, size);
	long added = str_copy(to + used, from, size - used);

	return added < 0 ? added : (long)used + added;
}

bool str_has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Greedy with one way back: only the latest '*' can need to take more (no recursion). */
bool str_matches(const char *s, const char *pattern)
{
	const char *star = NULL, *retry = NULL;

	while (*s) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = s;
		} else if (*pattern == '?' || *pattern == *s) {
			pattern++;
			s++;
		} else if (star) {
			pattern = star;
			s = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}
