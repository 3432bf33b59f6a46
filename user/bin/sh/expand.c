// SPDX-License-Identifier: MIT
/*
 * Variables, and what a word means: quotes are taken away, $NAME, ${NAME}, $?, $! and $$ become values.
 *
 * A value stays one word, whatever blanks it has (other shells split it unless it is quoted), and * is a
 * letter like others. A word that was nothing but empty variables is no argument.
 *
 * Every variable is "NAME=value" in one array, which is also the environment of programs.
 *
 * Spec    POSIX.1-2024, Shell Command Language, 2.2 and 2.5
 */
#include "abi/io_uring.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "ops.h"
#include "program.h"
#include "sh.h"

enum { VARS_MAX = 512, WORD_MAX = 32768 };

int last_status, last_pid;

static char *vars[VARS_MAX + 1];
static unsigned nr_vars;

/* ---- Variables ---- */

static size_t name_len(const char *text)
{
	size_t n = 0;

	while (text[n] == '_' || char_is_digit(text[n]) ||
		(char_to_lower(text[n]) >= 'a' && char_to_lower(text[n]) <= 'z'))
		n++;
	return char_is_digit(text[0]) ? 0 : n;
}

bool is_name(const char *text)
{
	size_t n = name_len(text);

	return n > 0 && !text[n];
}

bool is_assignment(const char *text)
{
	size_t n = name_len(text);

	return n > 0 && text[n] == '=';
}

static char **find(char **list, const char *name, size_t len)
{
	for (; *list; list++)
		if (strncmp(*list, name, len) == 0 && (*list)[len] == '=')
			return list;
	return NULL;
}

const char *var_get(const char *name, size_t len)
{
	char **var = find(vars, name, len);

	return var ? *var + len + 1 : NULL;
}

static bool put(char **list, unsigned *nr, char *text)
{
	char **old = find(list, text, name_len(text));

	if (!old && *nr == VARS_MAX) {
		complain("too many variables");
		return false;
	}
	*(old ? old : &list[(*nr)++]) = text;
	return true;
}

void var_set(const char *text)
{
	char *copy = keep(strlen(text) + 1);

	memcpy(copy, text, strlen(text));
	(void)put(vars, &nr_vars, copy);
}

void var_set_to(const char *name, const char *value)
{
	size_t size = strlen(name) + strlen(value) + 2;
	char *text = keep(size);

	(void)snformat(text, size, "%s=%s", name, value);
	(void)put(vars, &nr_vars, text);
}

void var_unset(const char *name)
{
	char **var = find(vars, name, strlen(name));

	if (!var)
		return;
	*var = vars[--nr_vars];
	vars[nr_vars] = NULL;
}

void vars_init(char **environment)
{
	for (; *environment; environment++)
		if (is_assignment(*environment))
			(void)put(vars, &nr_vars, *environment);
}

char **vars_environment(const struct word *assignments)
{
	char **list = take(sizeof(vars));
	unsigned nr = nr_vars;

	memcpy(list, vars, sizeof(vars));
	for (; assignments; assignments = assignments->next)
		(void)put(list, &nr, expand(assignments->raw));
	return list;
}

/* ---- Words ---- */

static struct {
	char text[WORD_MAX];
	size_t len;
	bool is_something; /* a quote or a character, though perhaps an empty one */
} built;

static void add(char c)
{
	if (built.len < sizeof(built.text) - 1)
		built.text[built.len++] = c;
}

static void add_text(const char *text)
{
	while (text && *text)
		add(*text++);
}

static void add_number(int n)
{
	char digits[16];

	(void)snformat(digits, sizeof(digits), "%d", n);
	add_text(digits);
}

/* The variable whose dollar stands here; behind it. */
static const char *add_variable(const char *at)
{
	bool is_braced = at[1] == '{';
	const char *name = at + 1 + is_braced;
	size_t len = name_len(name);

	if (*name == '?') {
		add_number(last_status);
		len = 1;
	} else if (*name == '!') {
		add_number(last_pid);
		len = 1;
	} else if (*name == '$') {
		add_number(ring_call(__NR_getpid));
		len = 1;
	} else if (len == 0) {
		add('$');
		built.is_something = true;
		return at + 1;
	} else {
		add_text(var_get(name, len));
	}
	return name + len + (is_braced && name[len] == '}');
}

static const char *add_quoted(const char *at)
{
	char quote = *at++;

	built.is_something = true;
	while (*at && *at != quote) {
		if (quote == '"' && *at == '$') {
			at = add_variable(at);
			continue;
		}
		if (quote == '"' && at[0] == '\\' && at[1] == '\n') {
			at += 2; /* the line goes on */
			continue;
		}
		if (quote == '"' && *at == '\\' && at[1] && strchr("\\\"$`", at[1]))
			at++;
		add(*at++);
	}
	return at + (*at == quote);
}

char *expand(const char *raw)
{
	char *word;

	built.len = 0;
	built.is_something = false;
	while (*raw) {
		if (*raw == '\'' || *raw == '"') {
			raw = add_quoted(raw);
		} else if (*raw == '$') {
			raw = add_variable(raw);
		} else if (raw[0] == '\\' && raw[1] == '\n') {
			raw += 2; /* the line goes on */
		} else {
			raw += *raw == '\\' && raw[1];
			add(*raw++);
		}
	}
	if (!built.len && !built.is_something)
		return NULL;
	word = take(built.len + 1);
	memcpy(word, built.text, built.len);
	return word;
}

char **expand_all(const struct word *words, unsigned *nr)
{
	unsigned max = 1;
	char **list;

	for (const struct word *w = words; w; w = w->next)
		max++;
	list = take(max * sizeof(*list));
	*nr = 0;
	for (; words; words = words->next) {
		list[*nr] = expand(words->raw);
		*nr += list[*nr] != NULL;
	}
	return list;
}
