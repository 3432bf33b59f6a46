// SPDX-License-Identifier: MIT
/*
 * Numbers from text. Each kind has a take_ function that does the work; the whole-string form
 * adds that nothing may follow.
 */
#include "lib/parse.h"

#include "lib/string.h"

/* Moves *at over a base prefix and gives the base. "0" alone is the number, not a prefix. */
static unsigned take_prefix(const char **at, unsigned base)
{
	const char *s = *at;
	bool hex = s[0] == '0' && char_to_lower(s[1]) == 'x' && char_digit_value(s[2]) >= 0;

	if (hex && (base == 0 || base == 16)) {
		*at += 2;
		return 16;
	}
	if (base)
		return base;
	return s[0] == '0' ? 8 : 10;
}

int parse_take_u64(const char **at, unsigned base, uint64_t *out)
{
	const char *s = *at, *digits;
	uint64_t value = 0;
	int digit;

	base = take_prefix(&s, base);
	digits = s;
	for (; (digit = char_digit_value(*s)) >= 0 && (unsigned)digit < base; s++) {
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
			__builtin_add_overflow(value, (uint64_t)digit, &value))
			return -ERANGE;
	}
	if (s == digits)
		return -EINVAL;
	*at = s;
	*out = value;
	return 0;
}

int parse_take_size(const char **at, uint64_t *out)
{
	static const char suffixes[] = "kmgtpe"; /* each 10 bits above the one before */
	const char *s = *at, *suffix;
	uint64_t value;
	unsigned shift;
	int err;

	err = parse_take_u64(&s, 0, &value);
	if (err)
		return err;
	suffix = *s ? strchr(suffixes, char_to_lower(*s)) : NULL;
	if (suffix) {
		shift = 10 * (unsigned)(suffix - suffixes + 1);
		if (value > UINT64_MAX >> shift)
			return -ERANGE;
		value <<= shift;
		s++;
	}
	*at = s;
	*out = value;
	return 0;
}

int parse_take_range(const char **at, uint64_t *first, uint64_t *last)
{
	const char *s = *at;
	uint64_t low, high;
	int err;

	err = parse_take_u64(&s, 0, &low);
	if (err)
		return err;
	high = low;
	if (*s == '-') {
		s++;
		err = parse_take_u64(&s, 0, &high);
		if (err)
			return err;
	}
	if (high < low)
		return -EINVAL;
	*at = s;
	*first = low;
	*last = high;
	return 0;
}

/* ---- Whole strings ---- */

int parse_u64(const char *s, unsigned base, uint64_t *out)
{
	uint64_t value;
	int err = parse_take_u64(&s, base, &value);

	if (err)
		return err;
	if (*s)
		return -EINVAL;
	*out = value;
	return 0;
}

int parse_s64(const char *s, unsigned base, int64_t *out)
{
	bool negative = *s == '-';
	uint64_t magnitude;
	int err;

	if (*s == '-' || *s == '+')
		s++;
	err = parse_u64(s, base, &magnitude);
	if (err)
		return err;
	if (magnitude > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*out = (int64_t)(negative ? 0 - magnitude : magnitude);
	return 0;
}

int parse_size(const char *s, uint64_t *out)
{
	uint64_t value;
	int err = parse_take_size(&s, &value);

	if (err)
		return err;
	if (*s)
		return -EINVAL;
	*out = value;
	return 0;
}

int parse_range(const char *s, uint64_t *first, uint64_t *last)
{
	uint64_t low, high;
	int err = parse_take_range(&s, &low, &high);

	if (err)
		return err;
	if (*s)
		return -EINVAL;
	*first = low;
	*last = high;
	return 0;
}

static bool equal_any_case(const char *a, const char *b)
{
	for (; char_to_lower(*a) == char_to_lower(*b); a++, b++)
		if (!*a)
			return true;
	return false;
}

int parse_bool(const char *s, bool *out)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{"1", true},
		{"y", true},
		{"yes", true},
		{"on", true},
		{"true", true},
		{"0", false},
		{"n", false},
		{"no", false},
		{"off", false},
		{"false", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (equal_any_case(s, words[i].word)) {
			*out = words[i].value;
			return 0;
		}
	}
	return -EINVAL;
}
