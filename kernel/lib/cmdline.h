// SPDX-License-Identifier: MIT
/*
 * The kernel command line: words separated by spaces, key or key=value, double quotes protect
 * spaces, `--` ends the kernel's part (the rest is init's). Each word has one row in the linker
 * set cmdline_words; a malformed one is reported and ignored; an
 * unknown one is reported and kept for the first program. Nothing here is fatal.
 */
#pragma once

#include "lib/base.h"
#include "lib/set.h"

/* With its NUL. Linux: COMMAND_LINE_SIZE is 2048 on x86; we take more. */
enum { MAX_CMDLINE = 4096 };

struct cmdline_word {
	const char *key;
	const char *help; /* one line, for people */
	/* value is "" for a bare key and stays valid. Returns 0; -EINVAL if it makes no sense. */
	int (*set)(const char *value);
};
SET_DECLARE(const struct cmdline_word, cmdline_words);

#define CMDLINE_WORD(name_, key_, set_, help_)                                                 \
	static const struct cmdline_word cmdline_word_##name_ = {                              \
		.key = key_, .help = help_, .set = set_};                                      \
	SET_ADD(cmdline_words, cmdline_word_##name_)

/* Calls every word's set. Once, early, before memory: set functions only store. */
void cmdline_parse(const char *line);
/* The n-th word nobody knew, as it stood ("key=value" or "word"); NULL after the last. */
const char *cmdline_unknown_word(unsigned n);
/*
 * Cuts the next word off *at: strips its quotes, terminates it, and moves *at behind it.
 * Returns null at the end of the line. An open quote reaches to the end.
 */
char *cmdline_take_word(char **at);
/* What came after `--`, or "". */
const char *cmdline_init_args(void);
