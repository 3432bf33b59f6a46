// SPDX-License-Identifier: MIT
/*
 * The line discipline by itself: a terminal whose wire is this file.
 */
#include <asm/poll.h>

#include "dev/tty/tty.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "lib/test.h"
#include "mm/slab.h"

static void wire_start(struct tty *tty UNUSED)
{
}

static unsigned nr_unthrottled;

static void wire_unthrottle(struct tty *tty UNUSED)
{
	nr_unthrottled++;
}

static const struct tty_driver wire = {
	.name = "wire", .start = wire_start, .unthrottle = wire_unthrottle};

static struct tty *make(void)
{
	struct tty *tty = mem_alloc(sizeof(*tty), SLAB_ZERO);

	assert(tty);
	tty_init(tty, &wire, 0, 0);
	return tty;
}

static size_t type(struct tty *tty, const char *s)
{
	return tty_receive(tty, (const uint8_t *)s, strlen(s));
}

/* What a read of up to `size` gets, NUL-terminated. */
static const char *read_some(struct tty *tty, size_t size)
{
	static uint8_t buf[TTY_BUFFER_SIZE + 1];
	size_t n, consume;
	bool is_end;

	irqlock_lock(&tty->lock);
	n = ldisc_peek(tty, buf, MIN(size, (size_t)TTY_BUFFER_SIZE), &consume, &is_end);
	ldisc_consume(tty, consume);
	irqlock_unlock(&tty->lock);
	buf[n] = '\0';
	return (const char *)buf;
}

static const char *read_line(struct tty *tty)
{
	return read_some(tty, TTY_BUFFER_SIZE);
}

static bool can_read(struct tty *tty)
{
	bool can;

	irqlock_lock(&tty->lock);
	can = ldisc_can_read(tty, 1);
	irqlock_unlock(&tty->lock);
	return can;
}

/* What went to the wire since the last time. */
static const char *sent(struct tty *tty)
{
	static uint8_t buf[TTY_BUFFER_SIZE + 1];
	size_t n;

	irqlock_lock(&tty->lock);
	n = tty_take_output(tty, buf, TTY_BUFFER_SIZE);
	irqlock_unlock(&tty->lock);
	buf[n] = '\0';
	return (const char *)buf;
}

static void set_flags(struct tty *tty, tcflag_t set, tcflag_t clear)
{
	struct termios2 old = tty->settings;

	irqlock_lock(&tty->lock);
	tty->settings.c_lflag = (tty->settings.c_lflag | set) & ~clear;
	ldisc_settings_changed(tty, &old);
	irqlock_unlock(&tty->lock);
}

TEST(tty, a_line_is_read_when_it_ends)
{
	struct tty *tty = make();

	type(tty, "one");
	EXPECT(!can_read(tty));
	type(tty, "\rtwo\n");
	EXPECT_STREQ(read_line(tty), "one\n");
	EXPECT_STREQ(read_line(tty), "two\n");
	EXPECT(!can_read(tty));
	EXPECT_STREQ(sent(tty), "one\r\ntwo\r\n");
	mem_free(tty);
}

TEST(tty, a_short_read_leaves_the_rest_of_the_line)
{
	struct tty *tty = make();

	type(tty, "abcdef\n");
	EXPECT_STREQ(read_some(tty, 3), "abc");
	EXPECT_STREQ(read_some(tty, 10), "def\n");
	mem_free(tty);
}

TEST(tty, erase_rubs_out_what_each_byte_took)
{
	struct tty *tty = make();

	type(tty, "ab\x7f"); /* a letter: one column */
	EXPECT_STREQ(sent(tty), "ab\b \b");
	type(tty, "\x01\x7f"); /* ^A: two */
	EXPECT_STREQ(sent(tty), "^A\b \b\b \b");
	type(tty, "\t\x7f"); /* a tab from column 1 to 8 */
	EXPECT_STREQ(sent(tty), "\t\b\b\b\b\b\b\b");
	type(tty, "\n");
	EXPECT_STREQ(read_line(tty), "a\n");
	mem_free(tty);
}

TEST(tty, erase_takes_a_whole_utf8_character)
{
	struct tty *tty = make();

	tty->settings.c_iflag |= IUTF8;
	type(tty, "x\xc3\xa9\x7fy\n");
	EXPECT_STREQ(read_line(tty), "xy\n");
	mem_free(tty);
}

TEST(tty, word_and_line_are_erased)
{
	struct tty *tty = make();

	type(tty, "one two  \x17three\n"); /* ^W takes the spaces and the word */
	EXPECT_STREQ(read_line(tty), "one three\n");
	type(tty, "lost\x15kept\n"); /* ^U */
	EXPECT_STREQ(read_line(tty), "kept\n");
	mem_free(tty);
}

TEST(tty, eof_ends_a_line_without_a_byte)
{
	struct tty *tty = make();

	type(tty, "abc\x04");
	EXPECT(can_read(tty));
	EXPECT_STREQ(read_line(tty), "abc");
	EXPECT(!can_read(tty));
	type(tty, "\x04");
	EXPECT(can_read(tty));
	EXPECT_STREQ(read_line(tty), "");
	EXPECT(!can_read(tty));
	mem_free(tty);
}

/* As on Linux: a read that takes exactly the bytes before the EOF takes the EOF too. */
TEST(tty, a_read_up_to_the_eof_takes_it_along)
{
	struct tty *tty = make();

	type(tty, "abc\x04");
	EXPECT_STREQ(read_some(tty, 3), "abc");
	EXPECT(!can_read(tty));
	mem_free(tty);
}

TEST(tty, literal_next_takes_any_byte)
{
	struct tty *tty = make();

	type(tty, "a\x16\x03"
		  "b\x16\x7f\n");
	EXPECT_STREQ(read_line(tty), "a\x03"
				     "b\x7f\n");
	mem_free(tty);
}

TEST(tty, raw_mode_gives_each_byte)
{
	struct tty *tty = make();

	set_flags(tty, 0, ICANON | ECHO | ISIG | IEXTEN);
	type(tty, "\x7f\x04\x03");
	EXPECT_STREQ(read_line(tty), "\x7f\x04\x03");
	EXPECT_STREQ(sent(tty), "");
	mem_free(tty);
}

TEST(tty, what_was_typed_survives_a_change_of_mode)
{
	struct tty *tty = make();

	type(tty, "half");
	EXPECT(!can_read(tty));
	set_flags(tty, 0, ICANON);
	EXPECT(can_read(tty));
	set_flags(tty, ICANON, 0);
	EXPECT_STREQ(read_line(tty), "half");
	mem_free(tty);
}

TEST(tty, stop_holds_output_back)
{
	struct tty *tty = make();
	const uint8_t text[] = {'h', 'i'};

	type(tty, "\x13"); /* ^S */
	irqlock_lock(&tty->lock);
	EXPECT_EQ(ldisc_output(tty, text, sizeof(text)), sizeof(text));
	irqlock_unlock(&tty->lock);
	EXPECT_STREQ(sent(tty), "");
	type(tty, "\x11"); /* ^Q */
	EXPECT_STREQ(sent(tty), "hi");
	mem_free(tty);
}

TEST(tty, a_full_line_can_still_be_ended)
{
	struct tty *tty = make();

	set_flags(tty, 0, ECHO);
	for (unsigned i = 0; i < TTY_BUFFER_SIZE + 100; i++)
		EXPECT_EQ(type(tty, "x"), 1);
	EXPECT(!can_read(tty));
	type(tty, "\n");
	EXPECT(can_read(tty));
	EXPECT_EQ(strlen(read_line(tty)), TTY_BUFFER_SIZE); /* man 3 termios: with its end */
	mem_free(tty);
}

TEST(tty, a_full_raw_buffer_makes_the_wire_wait)
{
	struct tty *tty = make();
	unsigned taken = 0;

	nr_unthrottled = 0;
	set_flags(tty, 0, ICANON | ECHO);
	while (type(tty, "x") == 1)
		taken++;
	EXPECT(taken >= TTY_BUFFER_SIZE - 2);
	EXPECT_EQ(nr_unthrottled, 0);
	read_some(tty, TTY_BUFFER_SIZE);
	EXPECT_EQ(nr_unthrottled, 1);
	EXPECT_EQ(type(tty, "y"), 1);
	mem_free(tty);
}

TEST(tty, tabs_are_expanded_when_asked)
{
	struct tty *tty = make();
	const uint8_t text[] = {'a', '\t', 'b', '\n'};

	tty->settings.c_oflag |= XTABS;
	irqlock_lock(&tty->lock);
	EXPECT_EQ(ldisc_output(tty, text, sizeof(text)), sizeof(text));
	irqlock_unlock(&tty->lock);
	EXPECT_STREQ(sent(tty), "a       b\r\n");
	mem_free(tty);
}
