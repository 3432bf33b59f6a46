// SPDX-License-Identifier: MIT
/*
 * The first line of a script. Pure: bytes in, two words or an error out.
 *
 * Spec    man 2 execve, "Interpreter scripts"; Linux: the details of blanks and of lines that are cut
 */
#include <linux/binfmts.h>

#include "lib/string.h"
#include "proc/exec_plan.h"

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at;
}

static const char *skip_word(const char *at, const char *end)
{
	while (at < end && *at != ' ' && *at != '\t' && *at)
		at++;
	return at;
}

/*
 * "#!", blanks, the interpreter, blanks, one argument with whatever is in it up to the end of the
 * line. Only the first 256 bytes count; an interpreter's name cut by that is refused.
 */
int script_parse(const char *head, size_t len, struct script_line *out)
{
	const char *start = head + 2, *end, *word;
	const char *limit = head + MIN(len, (size_t)BINPRM_BUF_SIZE);

	if (len < 2 || head[0] != '#' || head[1] != '!')
		return -ENOEXEC;
	end = memchr(head, '\n', (size_t)(limit - head));
	if (!end) {
		if (len >= BINPRM_BUF_SIZE) {
			limit--; /* Linux: the buffer's last byte is never text */
			word = skip_blanks(start, limit);
			if (skip_word(word, limit) == limit)
				return -ENOEXEC;
		}
		end = limit;
	}
	while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	out->name = skip_blanks(start, end);
	word = skip_word(out->name, end);
	out->name_len = (size_t)(word - out->name);
	if (!out->name_len)
		return -ENOEXEC;
	out->arg = word < end && *word ? skip_blanks(word, end) : end;
	out->arg_len = strnlen(out->arg, (size_t)(end - out->arg));
	return 0;
}
