// SPDX-License-Identifier: MIT
/*
 * The command line, cut into words.
 *
 * The line is copied into a buffer that lives for ever and is cut up in place: quotes go, the
 * '=' and the space after a word become terminators, and each value is a string in that buffer,
 * so a set function may keep the pointer.
 *
 * Locks   none: written once, on the boot CPU, before there is anyone else
 * Spec    Linux: kernel-parameters.rst; quotes may stand around a value or a whole word, and
 *         - and _ are the same in a key
 */
#include "lib/cmdline.h"

#include "debug/log.h"
#include "lib/string.h"

enum { UNKNOWN_WORDS_MAX = 64 };

static char buffer[MAX_CMDLINE];
static const char *init_args = "";

static const char *unknown[UNKNOWN_WORDS_MAX];
static unsigned nr_unknown;

char *cmdline_take_word(char **at)
{
	char *from = *at, *to, *word;
	bool quoted = false;

	while (char_is_space(*from))
		from++;
	if (!*from)
		return NULL;
	word = to = from;
	for (; *from && (quoted || !char_is_space(*from)); from++) {
		if (*from == '"')
			quoted = !quoted;
		else
			*to++ = *from;
	}
	*at = *from ? from + 1 : from;
	*to = '\0'; /* at or before `from`: *at is already read */
	return word;
}

static bool keys_equal(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
			return false;
	return *a == *b;
}

static void apply(char *word)
{
	char *equals = strchr(word, '=');
	const char *value = "";

	if (equals) {
		*equals = '\0'; /* for as long as we compare and name the key */
		value = equals + 1;
	}
	SET_FOREACH (const struct cmdline_word, known, cmdline_words) {
		if (!keys_equal(known->key, word))
			continue;
		if (known->set(value))
			log_warning("cmdline: %s cannot be \"%s\", ignored", word, value);
		return;
	}
	log_notice("cmdline: unknown word \"%s\" is left to the first program", word);
	if (equals)
		*equals = '=';
	if (nr_unknown < UNKNOWN_WORDS_MAX)
		unknown[nr_unknown++] = word;
}

void cmdline_parse(const char *line)
{
	char *at = buffer, *word;

	if (str_copy(buffer, line, sizeof(buffer)) < 0)
		log_warning("cmdline: longer than %d characters, cut", MAX_CMDLINE - 1);
	init_args = "";
	nr_unknown = 0;
	while ((word = cmdline_take_word(&at))) {
		if (str_equal(word, "--")) {
			while (char_is_space(*at))
				at++;
			init_args = at;
			return;
		}
		apply(word);
	}
}

const char *cmdline_unknown_word(unsigned n)
{
	return n < nr_unknown ? unknown[n] : NULL;
}

const char *cmdline_init_args(void)
{
	return init_args;
}
