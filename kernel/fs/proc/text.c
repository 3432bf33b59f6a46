// SPDX-License-Identifier: MIT
/*
 * The text of a file in /proc, made as a whole before the first byte is read, or for a text of records
 * (entry.h) what one read gives. It grows by doubling; when memory is short the rest is dropped and the
 * read fails.
 */
#include "fs/proc/procfs_priv.h"
#include "lib/cpumask.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/slab.h"

enum { FIRST_SIZE = 512 };

static bool make_room(struct text *t, size_t more)
{
	size_t size = MAX(t->size, (size_t)FIRST_SIZE);
	char *buf;

	if (t->is_short_of_memory)
		return false;
	if (t->len + more <= t->size)
		return true;
	while (size < t->len + more)
		size *= 2;
	buf = mem_alloc(size, 0);
	if (!buf) {
		t->is_short_of_memory = true;
		return false;
	}
	if (t->len)
		memcpy(buf, t->buf, t->len);
	mem_free(t->buf);
	t->buf = buf;
	t->size = size;
	return true;
}

void text_add_bytes(struct text *t, const char *s, size_t len)
{
	if (!make_room(t, len))
		return;
	memcpy(t->buf + t->len, s, len);
	t->len += len;
}

static void sink(void *ctx, const char *s, size_t len)
{
	text_add_bytes(ctx, s, len);
}

void text_add(struct text *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fmt_vformat(sink, t, fmt, args);
	va_end(args);
}

void text_add_escaped(struct text *t, const char *s, const char *special)
{
	for (; *s; s++) {
		if (strchr(special, *s))
			text_add(t, "\\%03o", (unsigned char)*s);
		else
			text_add_bytes(t, s, 1);
	}
}

/* Groups of 32 bits, the highest first; the first group is as wide as its bits need. */
void text_add_mask(struct text *t, const struct cpumask *mask, unsigned nr)
{
	enum { GROUP = 32, BITS_PER_DIGIT = 4 };

	for (unsigned left = nr; left;) {
		unsigned first = (left - 1) / GROUP * GROUP;
		uint32_t bits = 0;

		for (unsigned i = first; i < left; i++)
			bits |= (uint32_t)cpumask_test(mask, i) << (i - first);
		text_add(t, "%0*x%s",
			(int)((left - first + BITS_PER_DIGIT - 1) / BITS_PER_DIGIT), bits,
			first ? "," : "");
		left = first;
	}
}

void text_add_list(struct text *t, const struct cpumask *mask, unsigned nr)
{
	const char *separator = "";

	for (unsigned cpu = 0; cpu < nr; cpu++) {
		unsigned last = cpu;

		if (!cpumask_test(mask, cpu))
			continue;
		while (last + 1 < nr && cpumask_test(mask, last + 1))
			last++;
		text_add(t, last > cpu ? "%s%u-%u" : "%s%u", separator, cpu, last);
		separator = ",";
		cpu = last;
	}
}

char *text_trimmed(char *text)
{
	size_t len;

	while (char_is_space(*text))
		text++;
	len = strlen(text);
	while (len && char_is_space(text[len - 1]))
		text[--len] = '\0';
	return text;
}

bool text_fits(struct text *t, size_t start)
{
	if (start == 0 || t->len <= PROC_RECORDS_MAX)
		return true;
	t->len = start;
	return false;
}

void text_free(struct text *t)
{
	mem_free(t->buf);
	*t = (struct text){0};
}
