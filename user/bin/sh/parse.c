// SPDX-License-Identifier: MIT
/*
 * From a line of text to pipelines.
 *
 *     line      list end-of-line
 *     list      pipeline, then more behind ; & && or ||; in a control structure a new line is a ;
 *     pipeline  [!] command, then more behind |, or [!] control
 *     command   assignments, words and redirections in any order
 *     control   if list then list [elif list then list]... [else list] fi
 *               while list do list done, until list do list done
 *               for name [in words]; do list done
 *
 * A control structure is a pipeline of its own: it is no part of a longer one, has no redirections, and does not go
 * to the background, because all of these would need a second shell. Text that ends inside of one, or of a quote, may go
 * on with the next line; it is parsed again from its beginning then.
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
	enum parsed result; /* nothing goes on when it is not PARSED */
};

void complain_of_syntax(const char *what)
{
	complain("syntax: %s", what);
}

static void stop_at(struct parser *p, enum parsed result)
{
	if (p->result == PARSED)
		p->result = result;
}

static void complain_once(struct parser *p, const char *what)
{
	if (p->result == PARSED)
		complain_of_syntax(what);
	stop_at(p, PARSED_WRONG);
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
			stop_at(p, PARSED_IN_QUOTE);
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

	while (p->result == PARSED && (at_redirect(p) || !ends_word(*p->at))) {
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

/* ---- Control structures ---- */

static struct pipeline *parse_list(struct parser *p, bool is_inside);

/* A word that means something where a command may begin. */
static bool at_word(const struct parser *p, const char *word)
{
	return str_has_prefix(p->at, word) && ends_word(p->at[strlen(word)]);
}

static bool accept_word(struct parser *p, const char *word)
{
	return at_word(p, word) && accept(p, word);
}

/* At a word that ends the list inside a control structure. */
static bool at_end_of_part(const struct parser *p)
{
	static const char *const words[] = {"then", "elif", "else", "fi", "do", "done"};

	for (unsigned i = 0; i < ARRAY_LEN(words); i++)
		if (at_word(p, words[i]))
			return true;
	return false;
}

static void skip_lines(struct parser *p)
{
	while (p->result == PARSED && *p->at == '\n')
		accept(p, "\n");
}

static void expect_word(struct parser *p, const char *word, const char *what)
{
	if (p->result == PARSED && !accept_word(p, word))
		complain_once(p, what);
}

static struct pipeline *parse_body(struct parser *p)
{
	struct pipeline *list;

	expect_word(p, "do", "do is missing");
	list = parse_list(p, true);
	expect_word(p, "done", "done is missing");
	return list;
}

/* Behind `if` or `elif`. */
static struct control *parse_if(struct parser *p)
{
	struct control *c = take(sizeof(*c));

	c->kind = CONTROL_IF;
	c->condition = parse_list(p, true);
	expect_word(p, "then", "then is missing");
	c->body = parse_list(p, true);
	if (accept_word(p, "elif")) {
		c->otherwise = take(sizeof(*c->otherwise));
		c->otherwise->control = parse_if(p);
		return c;
	}
	if (accept_word(p, "else"))
		c->otherwise = parse_list(p, true);
	expect_word(p, "fi", "fi is missing");
	return c;
}

static struct control *parse_while(struct parser *p, bool is_until)
{
	struct control *c = take(sizeof(*c));

	c->kind = is_until ? CONTROL_UNTIL : CONTROL_WHILE;
	c->condition = parse_list(p, true);
	c->body = parse_body(p);
	return c;
}

static struct control *parse_for(struct parser *p)
{
	struct control *c = take(sizeof(*c));
	struct word **word = &c->words;

	c->kind = CONTROL_FOR;
	c->name = parse_word(p);
	if (!is_name(c->name->raw))
		complain_once(p, "behind for stands the name of a variable");
	skip_lines(p);
	expect_word(p, "in", "in is missing");
	while (p->result == PARSED && !ends_word(*p->at)) {
		*word = parse_word(p);
		word = &(*word)->next;
	}
	accept(p, ";");
	skip_lines(p);
	if (!*p->at)
		stop_at(p, PARSED_IN_CONTROL);
	c->body = parse_body(p);
	return c;
}

/* NULL if none begins here. */
static struct control *parse_control(struct parser *p)
{
	if (accept_word(p, "if"))
		return parse_if(p);
	if (accept_word(p, "while"))
		return parse_while(p, false);
	if (accept_word(p, "until"))
		return parse_while(p, true);
	return accept_word(p, "for") ? parse_for(p) : NULL;
}

/* ---- Lists ---- */

static void parse_commands(struct parser *p, struct pipeline *line)
{
	struct command **next = &line->commands;
	unsigned nr = 0;

	do {
		*next = parse_command(p);
		next = &(*next)->next;
		if (++nr > STAGES_MAX)
			complain_once(p, "too many commands in a pipeline");
	} while (p->result == PARSED && !str_has_prefix(p->at, "||") && accept(p, "|"));
}

static struct pipeline *parse_pipeline(struct parser *p)
{
	struct pipeline *line = take(sizeof(*line));

	line->text = p->at;
	while (at_word(p, "!") && accept(p, "!"))
		line->is_negated = !line->is_negated;
	if (at_end_of_part(p))
		complain_once(p, "this cannot stand here");
	line->control = parse_control(p);
	if (!line->control)
		parse_commands(p, line);
	line->len = (size_t)(p->at - line->text);
	while (line->len && char_is_space(line->text[line->len - 1]))
		line->len--;
	return line;
}

/* What stands behind a pipeline; returns when the next one runs. */
static int parse_separator(struct parser *p, struct pipeline *line)
{
	if (accept(p, "&&"))
		return RUN_IF_OK;
	if (accept(p, "||"))
		return RUN_IF_FAILED;
	if (accept(p, "&"))
		line->is_background = true;
	else if (!accept(p, ";") && *p->at && *p->at != '\n')
		complain_once(p, "this cannot stand here");
	if (line->is_background && line->when != RUN_ALWAYS)
		complain_once(p, "behind && and || nothing goes to the background");
	if (line->is_background && line->control)
		complain_once(p, "a control structure does not go to the background");
	return RUN_ALWAYS;
}

/* Up to the end of the line; `is_inside` a control structure up to the word that ends its part. */
static struct pipeline *parse_list(struct parser *p, bool is_inside)
{
	struct pipeline *list = NULL, **next = &list;
	int when = RUN_ALWAYS;

	for (;;) {
		if (is_inside)
			skip_lines(p);
		if (p->result != PARSED || !*p->at || *p->at == '\n' ||
			(is_inside && list && when == RUN_ALWAYS && at_end_of_part(p)))
			break;
		*next = parse_pipeline(p);
		(*next)->when = when;
		if (p->result == PARSED)
			when = parse_separator(p, *next);
		next = &(*next)->next;
	}
	if (is_inside && !*p->at)
		stop_at(p, PARSED_IN_CONTROL);
	if (when != RUN_ALWAYS)
		complain_once(p, "a command is missing");
	return list;
}

enum parsed parse_line(const char **at, struct pipeline **list)
{
	struct parser p = {*at, PARSED};

	skip_blanks(&p);
	*list = parse_list(&p, false);
	if (parsed_to_early_end(p.result))
		return p.result;
	while (p.result == PARSED_WRONG && *p.at && *p.at != '\n')
		p.at++;
	*at = p.at + (*p.at == '\n');
	return p.result;
}
