// SPDX-License-Identifier: MIT
/*
 * sh [FILE], sh -c TEXT: a shell.
 *
 *     words with ' " and \, $NAME ${NAME} $? $! $$, NAME=value
 *     < > >> N> N>&M, |, ; & && ||, ! and comments
 *     if then elif else fi, while until do done, for NAME in WORDS, break continue
 *     cd pwd echo exit export unset jobs wait test [ true false :
 *
 * Not here: functions, ( ), arithmetic, here-documents, * in names, `...`, job control by the terminal (^C ends what
 * is in the foreground and the loops around it, ^Z stops nothing).
 *
 * What it does itself it does itself in a pipeline, too: `exit | cat` ends it, `cd / | cat` moves it.
 *
 * Its parts are in user/bin/sh/: sh.h first.
 *
 * Spec    POSIX.1-2024, Shell Command Language
 */
#include "sh/sh.h"

#include <asm/ioctls.h>
#include <asm/signal.h>

#include "lib/string.h"
#include "ops.h"
#include "program.h"

enum { ENTRIES = 128, INPUT_SIZE = 65536, TERMIOS_SIZE = 64 };

bool is_interactive;

/* Runs all lines of a text; of one that ends too early nothing. */
static enum parsed run_text(const char *text)
{
	enum parsed result = PARSED;

	while (*text && !parsed_to_early_end(result)) {
		size_t mark = take_mark();
		struct pipeline *list;

		result = parse_line(&text, &list);
		if (result == PARSED)
			run_list(list);
		else if (result == PARSED_WRONG)
			last_status = STATUS_MISUSE;
		take_back(mark);
	}
	return result;
}

static void complain_of_end(enum parsed result)
{
	complain_of_syntax(result == PARSED_IN_QUOTE
				   ? "a quote is not closed"
				   : "the text ends inside a control structure");
	last_status = STATUS_MISUSE;
}

/* Reads on until `input` has a whole line, or there is no more. False: nothing is left. */
static bool read_line(int fd, char *input, size_t *len)
{
	while (!memchr(input, '\n', *len) && *len < INPUT_SIZE) {
		int n = ring_await(
			op_read(fd, input + *len, (unsigned)(INPUT_SIZE - *len), -1));

		if (n < 0)
			complain("input: %s", error_text(n));
		if (n <= 0)
			break;
		*len += (size_t)n;
	}
	return *len > 0;
}

/* Takes the first line of the input into line[at]; where it ends. */
static size_t take_line(char *input, size_t *len, char *line, size_t at)
{
	char *end = memchr(input, '\n', *len);
	size_t n = MIN(end ? (size_t)(end - input) + 1 : *len, INPUT_SIZE - at);

	memcpy(line + at, input, n);
	line[at + n] = 0;
	*len -= n;
	memmove(input, input + n, *len);
	return at + n;
}

static void prompt(bool goes_on)
{
	if (!is_interactive)
		return;
	if (!goes_on)
		jobs_print(STDERR, true);
	(void)write_all(STDERR, goes_on ? "> " : "$ ", 2);
}

/* Its last line ends with a backslash. */
static bool goes_on(const char *line, size_t len)
{
	return len > 1 && line[len - 2] == '\\' && line[len - 1] == '\n';
}

/* Line by line: a command may change what is read next, and somebody may be typing. */
static void run_file(int fd)
{
	static char input[INPUT_SIZE + 1], line[INPUT_SIZE + 1];
	size_t len = 0; /* of the input */
	size_t at = 0;  /* of the lines before that belong to it */
	enum parsed result = PARSED;

	prompt(false);
	while (at < INPUT_SIZE && read_line(fd, input, &len)) {
		at = take_line(input, &len, line, at);
		if (!goes_on(line, at)) {
			result = run_text(line);
			at = parsed_to_early_end(result) ? at : 0;
		}
		prompt(at > 0);
	}
	if (at && !parsed_to_early_end(result))
		result = run_text(line); /* its last line was to go on */
	if (parsed_to_early_end(result))
		complain_of_end(result);
	if (is_interactive)
		(void)write_all(STDERR, "\n", 1);
}

static void ignore_signal(int nr)
{
	struct {
		uint64_t handler, flags, restorer, mask;
	} action = {(uint64_t)SIG_IGN, 0, 0, 0}; /* man 2 rt_sigaction */

	must(ring_call(__NR_rt_sigaction, nr, &action, NULL, sizeof(action.mask)), "signals");
}

int main(int argc, char **argv)
{
	char termios[TERMIOS_SIZE];
	bool is_text = argc > 1 && str_equal(argv[1], "-c");
	int fd = STDIN;

	ring_open(ENTRIES, 0);
	if (is_text && argc < 3) {
		complain("usage: sh [FILE], sh -c TEXT");
		return STATUS_MISUSE;
	}
	vars_init(environ);
	ignore_signal(SIGPIPE);
	if (is_text) {
		enum parsed result = run_text(argv[2]);

		if (parsed_to_early_end(result))
			complain_of_end(result);
		return last_status;
	}
	if (argc > 1)
		fd = must(ring_await(op_open(AT_FDCWD, argv[1], O_RDONLY | O_CLOEXEC, 0)),
			argv[1]);
	else
		is_interactive = ring_call(__NR_ioctl, STDIN, TCGETS, termios) >= 0;
	if (is_interactive) {
		ignore_signal(SIGINT);
		ignore_signal(SIGQUIT);
	}
	run_file(fd);
	return last_status;
}
