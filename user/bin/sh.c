// SPDX-License-Identifier: MIT
/*
 * sh [FILE], sh -c TEXT: a shell.
 *
 *     words with ' " and \, $NAME ${NAME} $? $! $$, NAME=value
 *     < > >> N> N>&M, |, ; & && ||, ! and comments
 *     cd pwd echo exit export unset jobs wait true false :
 *
 * Not here: control structures, functions, ( ), here-documents, * in names, `...`, job control by the terminal
 * (^C ends what is in the foreground, ^Z stops nothing).
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

static void run_text(const char *text)
{
	while (*text) {
		size_t mark = take_mark();
		bool is_wrong;
		struct pipeline *list = parse_line(&text, &is_wrong);

		if (is_wrong)
			last_status = STATUS_MISUSE;
		else
			run_list(list);
		take_back(mark);
	}
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

/* Line by line: a command may change what is read next, and somebody may be typing. */
static void run_file(int fd)
{
	static char input[INPUT_SIZE + 1], line[INPUT_SIZE + 1];
	size_t len = 0;

	for (;;) {
		char *end;
		size_t n;

		if (is_interactive) {
			jobs_print(STDERR, true);
			(void)write_all(STDERR, "$ ", 2);
		}
		if (!read_line(fd, input, &len))
			break;
		end = memchr(input, '\n', len);
		n = end ? (size_t)(end - input) + 1 : len;
		memcpy(line, input, n);
		line[n] = 0;
		len -= n;
		memmove(input, input + n, len);
		run_text(line);
	}
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
		run_text(argv[2]);
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
