// SPDX-License-Identifier: MIT
/* The command line: words, values, quotes, and that nothing in it is fatal. */
// LINK: lib/cmdline.c lib/str.c
#include "lib/cmdline.h"

#include "debug/log.h"
#include "lib/string.h"
#include "lib/test.h"

static char seen[400]; /* "key=value;" of every word that was set, in order */

static unsigned complaints; /* lines that the log got */

void log_write(enum log_level level UNUSED, const char *fmt UNUSED, ...)
{
	complaints++;
}

static int record(const char *key, const char *value)
{
	str_append(seen, key, sizeof(seen));
	str_append(seen, "=", sizeof(seen));
	str_append(seen, value, sizeof(seen));
	str_append(seen, ";", sizeof(seen));
	return 0;
}

static int set_console(const char *value)
{
	return record("console", value);
}

static int set_quiet(const char *value)
{
	return record("quiet", value);
}

static int set_picky(const char *value)
{
	return str_equal(value, "good") ? record("picky", value) : -EINVAL;
}

CMDLINE_WORD(console, "console", set_console, "test");
CMDLINE_WORD(quiet, "quiet", set_quiet, "test");
CMDLINE_WORD(picky, "picky_word", set_picky, "test");

static const char *parse(const char *line)
{
	seen[0] = '\0';
	cmdline_parse(line);
	return seen;
}

TEST(cmdline, words_and_values)
{
	EXPECT_STREQ(parse(""), "");
	EXPECT_STREQ(parse("   "), "");
	EXPECT_STREQ(parse("quiet"), "quiet=;");
	EXPECT_STREQ(parse("  console=ttyS0,115200   quiet\n"), "console=ttyS0,115200;quiet=;");
	EXPECT_STREQ(parse("console=a=b"), "console=a=b;");
	EXPECT_STREQ(parse("console= quiet"), "console=;quiet=;");
	EXPECT_STREQ(parse("console=1 console=2"), "console=1;console=2;");
}

TEST(cmdline, quotes_protect_spaces_around_a_value_or_a_word)
{
	EXPECT_STREQ(parse("console=\"a b\" quiet"), "console=a b;quiet=;");
	EXPECT_STREQ(parse("\"console=a b\" quiet"), "console=a b;quiet=;");
	EXPECT_STREQ(parse("console=\"a b"), "console=a b;"); /* open: to the end */
	EXPECT_STREQ(parse("console=\"\" quiet"), "console=;quiet=;");
	EXPECT_STREQ(parse("\""), "");
}

TEST(cmdline, unknown_and_malformed_words_are_ignored)
{
	complaints = 0;
	EXPECT_STREQ(parse("nonsense=1 quiet =x = consol consolex=1"), "quiet=;");
	EXPECT_EQ(complaints, 5);
	EXPECT_STREQ(parse("picky_word=bad quiet"), "quiet=;");
	EXPECT_EQ(complaints, 6);
}

TEST(cmdline, dash_and_underscore_are_the_same_in_a_key)
{
	EXPECT_STREQ(parse("picky-word=good picky_word=good"), "picky=good;picky=good;");
}

TEST(cmdline, two_dashes_end_the_kernels_part)
{
	EXPECT_STREQ(parse("quiet --   -x console=tty1 \"a b\""), "quiet=;");
	EXPECT_STREQ(cmdline_init_args(), "-x console=tty1 \"a b\"");
	EXPECT_STREQ(parse("quiet --"), "quiet=;");
	EXPECT_STREQ(cmdline_init_args(), "");
	EXPECT_STREQ(parse("--x quiet"), "quiet=;"); /* an unknown word like any other */
	EXPECT_STREQ(cmdline_init_args(), "");
}

TEST(cmdline, line_of_the_largest_size_is_read_to_its_end)
{
	static char line[MAX_CMDLINE];

	memset(line, ' ', sizeof(line) - 1);
	memcpy(line + sizeof(line) - 6, "quiet", 5);
	complaints = 0;
	EXPECT_STREQ(parse(line), "quiet=;");
	EXPECT_EQ(complaints, 0);
}

TEST(cmdline, line_longer_than_the_buffer_is_cut)
{
	static char line[5000];

	memset(line, 'x', sizeof(line) - 1);
	memcpy(line, "quiet ", 6);
	complaints = 0;
	EXPECT_STREQ(parse(line), "quiet=;");
	EXPECT_EQ(complaints, 2); /* cut; and what was left of the long word is unknown */
}
