// SPDX-License-Identifier: MIT
/*
 * From a line of text to pipelines.
 *
 *     line      list end-of-line
 *     list      pipeline, then more behind ; & && or ||
 *     pipeline  [!] command, then more behind |
 *     command   assignments, words and redirections in any order
 *
 * Words keep their quotes: what they mean is found when they are used (expand.c), because $? is another then.
 *
 * Spec    POSIX.1-2024, Shell Command Language, 2.3 and 2.10
 */
#include "sh.h"

#include "lib/string.h"
#include "program.h"

struct parser {
	const char *at;
	bool is_wrong;
};

static void complain_once(struct parser *p, const char *what)
{
	if (!p->is_wrong)
		complain("syntax: %s", what);
	p->is_wrong = true;
}

/* ---- Pieces ---- */

static void skip_blanks(struct parser *p)
{
	for (;;) {
		if (*p->at == ' ' || *p->at == '\t')
			p->at++;
		else if (p->at[0] == '\\' && p->at[1] == '\n')
			p->at += 2;
		else
			break;
	}
	if (*p->at == '#')
		while (*p->at && *p->at != '\n')
			p->at++;
}

static bool accept(struct parser *p, const char *what)
{
	if (!str_has_prefix(p->at, what))
		return false;
	p->at += strlen(what);
	skip_blanks(p);
	return true;
}

static bool ends_word(char c)
{
	return !c || strchr(" \t\n;&|<>()", c);
}

/* Behind the quote that closes this one, or at the end of the text. */
static const char *skip_quoted(const char *at)
{
	char quote = *at++;

	for (; *at && *at != quote; at++)
		if (quote == '"' && *at == '\\' && at[1])
			at++;
	return at;
}

static struct word *parse_word(struct parser *p)
{
	struct word *word = take(sizeof(*word));
	const char *begin = p->at;

	for (; !ends_word(*p->at); p->at++) {
		if (*p->at == '\\' && p->at[1])
			p->at++;
		else if (*p->at == '\'' || *p->at == '"')
			p->at = skip_quoted(p->at);
		if (!*p->at) {
			complain_once(p, "a quote is not closed");
			break;
		}
	}
	if (p->at == begin)
		complain_once(p, "a word is missing");
	word->raw = take((size_t)(p->at - begin) + 1);
	memcpy(word->raw, begin, (size_t)(p->at - begin));
	skip_blanks(p);
	return word;
}

/* ---- Commands ---- */

/* [N]< [N]> [N]>> [N]>& */
static bool at_redirect(const struct parser *p)
{
	const char *at = p->at + (*p->at >= '0' && *p->at <= '2');

	return *at == '<' || *at == '>';
}

static struct redirect *parse_redirect(struct parser *p)
{
	struct redirect *r = take(sizeof(*r));
	bool has_fd = char_is_digit(*p->at), is_input;

	if (has_fd)
		r->fd = *p->at++ - '0';
	is_input = *p->at == '<';
	if (!has_fd)
		r->fd = is_input ? STDIN : STDOUT;
	if (accept(p, ">>"))
		r->kind = REDIRECT_APPEND;
	else if (accept(p, ">&") || accept(p, "<&"))
		r->kind = REDIRECT_DUP;
	else if (accept(p, ">"))
		r->kind = REDIRECT_OUT;
	else if (accept(p, "<"))
		r->kind = REDIRECT_IN;
	r->target = parse_word(p);
	return r;
}

static struct command *parse_command(struct parser *p)
{
	struct command *c = take(sizeof(*c));
	struct word **assignment = &c->assignments, **word = &c->words;
	struct redirect **redirect = &c->redirects;

	while (!p->is_wrong && (at_redirect(p) || !ends_word(*p->at))) {
		if (at_redirect(p)) {
			*redirect = parse_redirect(p);
			redirect = &(*redirect)->next;
		} else if (!c->words && is_assignment(p->at)) {
			*assignment = parse_word(p);
			assignment = &(*assignment)->next;
		} else {
			*word = parse_word(p);
			word = &(*word)->next;
		}
	}
	if (!c->words && !c->assignments && !c->redirects)
		complain_once(p, "a command is missing");
	return c;
}

/* ---- Lists ---- */

static struct pipeline *parse_pipeline(struct parser *p)
{
	struct pipeline *line = take(sizeof(*line));
	struct command **next = &line->commands;
	unsigned nr = 0;

	line->text = p->at;
	while (p->at[0] == '!' && ends_word(p->at[1]) && accept(p, "!"))
		line->is_negated = !line->is_negated;
	do {
		*next = parse_command(p);
		next = &(*next)->next;
		if (++nr > STAGES_MAX)
			complain_once(p, "too many commands in a pipeline");
	} while (!p->is_wrong && !str_has_prefix(p->at, "||") && accept(p, "|"));
	line->len = (size_t)(p->at - line->text);
	while (line->len && char_is_space(line->text[line->len - 1]))
		line->len--;
	return line;
}

struct pipeline *parse_line(const char **at, bool *is_wrong)
{
	struct parser p = {*at, false};
	struct pipeline *list = NULL, **next = &list;
	int when = RUN_ALWAYS;

	skip_blanks(&p);
	while (!p.is_wrong && *p.at && *p.at != '\n') {
		struct pipeline *line = *next = parse_pipeline(&p);

		line->when = when;
		next = &line->next;
		when = RUN_ALWAYS;
		if (accept(&p, "&&"))
			when = RUN_IF_OK;
		else if (accept(&p, "||"))
			when = RUN_IF_FAILED;
		else if (accept(&p, "&"))
			line->is_background = true;
		else if (!accept(&p, ";") && *p.at && *p.at != '\n')
			complain_once(&p, "this cannot stand here");
		if (line->is_background && line->when != RUN_ALWAYS)
			complain_once(&p, "behind && and || nothing goes to the background");
		if (when != RUN_ALWAYS && (!*p.at || *p.at == '\n'))
			complain_once(&p, "a command is missing");
	}
	*is_wrong = p.is_wrong;
	while (p.is_wrong && *p.at && *p.at != '\n')
		p.at++;
	*at = p.at + (*p.at == '\n');
	return p.is_wrong ? NULL : list;
}
