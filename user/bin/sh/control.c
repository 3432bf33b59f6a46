// SPDX-License-Identifier: MIT
/*
 * if, while, until, for: running a list by what another one came to; break and continue, and test, which is mostly
 * what is asked.
 *
 * Memory that a round of a loop takes it gives back. A command that ^C has ended ends the loops around it.
 *
 * Spec    POSIX.1-2024, Shell Command Language, 2.9.4; test
 */
#include <asm/signal.h>
#include <linux/stat.h>

#include "lib/fmt.h"
#include "lib/string.h"
#include "ops.h"
#include "program.h"
#include "sh.h"

enum { STATUS_INTERRUPTED = STATUS_SIGNAL + SIGINT };

static unsigned loop_depth;
static enum { STAY, LEAVE_ROUND, LEAVE_LOOP } leaving;

bool is_leaving(void)
{
	return leaving != STAY;
}

int leave_loop(int argc, char **argv, const int fds[NR_STANDARD])
{
	(void)argc;
	if (!loop_depth)
		return say_failure(fds, argv[0], "there is no loop");
	leaving = str_equal(argv[0], "break") ? LEAVE_LOOP : LEAVE_ROUND;
	return 0;
}

/* ---- Structures ---- */

/* Runs a list of the loop's. Whether the loop goes on. */
static bool run_part(const struct pipeline *list)
{
	size_t mark = take_mark();
	bool goes_on;

	run_list(list);
	take_back(mark);
	goes_on = leaving != LEAVE_LOOP && last_status != STATUS_INTERRUPTED;
	leaving = STAY;
	return goes_on;
}

static int run_while(const struct control *c)
{
	int status = 0;

	while (run_part(c->condition)) {
		if ((last_status == 0) == (c->kind == CONTROL_UNTIL))
			return status;
		if (!run_part(c->body))
			break;
		status = last_status;
	}
	return last_status;
}

static int run_for(const struct control *c)
{
	unsigned nr;
	char **values = expand_all(c->words, &nr);

	last_status = 0;
	for (unsigned i = 0; i < nr; i++) {
		var_set_to(c->name->raw, values[i]);
		if (!run_part(c->body))
			break;
	}
	return last_status;
}

static int run_if(const struct control *c)
{
	run_list(c->condition);
	if (is_leaving())
		return last_status;
	if (last_status == 0) {
		run_list(c->body);
	} else {
		last_status = 0; /* of an if that does nothing */
		run_list(c->otherwise);
	}
	return last_status;
}

int run_control(const struct control *c)
{
	int status;

	if (c->kind == CONTROL_IF)
		return run_if(c);
	loop_depth++;
	status = c->kind == CONTROL_FOR ? run_for(c) : run_while(c);
	loop_depth--;
	return status;
}

/* ---- test ---- */

static bool is_file(const char *path, unsigned type)
{
	struct statx st;

	return ring_await(op_statx(AT_FDCWD, path, 0, STATX_TYPE, &st)) >= 0 &&
	       (!type || (st.stx_mode & S_IFMT) == type);
}

/* 0 and 1 for true and false. */
static int test_one(const char *question, const char *word)
{
	if (str_equal(question, "-n"))
		return !*word;
	if (str_equal(question, "-z"))
		return !!*word;
	if (str_equal(question, "-e"))
		return !is_file(word, 0);
	if (str_equal(question, "-f"))
		return !is_file(word, S_IFREG);
	if (str_equal(question, "-d"))
		return !is_file(word, S_IFDIR);
	return STATUS_MISUSE;
}

static int test_words(unsigned nr, char **words)
{
	int status;

	if (nr > 1 && str_equal(words[0], "!")) {
		status = test_words(nr - 1, words + 1);
		return status < STATUS_MISUSE ? !status : status;
	}
	if (nr < 2)
		return nr == 0 || !*words[0];
	if (nr == 2)
		return test_one(words[0], words[1]);
	if (nr == 3 && str_equal(words[1], "="))
		return !str_equal(words[0], words[2]);
	if (nr == 3 && str_equal(words[1], "!="))
		return str_equal(words[0], words[2]);
	return STATUS_MISUSE;
}

int test(int argc, char **argv, const int fds[NR_STANDARD])
{
	bool is_bracket = str_equal(argv[0], "[");
	int status = STATUS_MISUSE;

	if (!is_bracket || str_equal(argv[argc - 1], "]"))
		status = test_words((unsigned)(argc - 1 - is_bracket), argv + 1);
	if (status == STATUS_MISUSE)
		(void)say_failure(fds, argv[0],
			"knows WORD, -n -z WORD, -e -f -d PATH, A = B, A != B, ! before it");
	return status;
}
