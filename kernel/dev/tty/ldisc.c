// SPDX-License-Identifier: MIT
/*
 * The line discipline: what happens to each byte between the wire and the programs. Pure logic over
 * struct tty; everything is called with tty->lock held and does not wait.
 *
 * Input. In canonical mode a line is edited in the buffer between line_end and head until one of NL,
 * EOF, EOL, EOL2 ends it; erasing takes bytes off at head and rubs them out on the screen, which
 * needs to know how wide each was. Otherwise each byte can be read as soon as it is there.
 *
 * Output. OPOST turns NL to CR NL, expands tabs and so on, and follows the cursor's column. An
 * echo takes the same way. Echo that finds the ring full is dropped, as a line that is stopped is
 * not read either.
 *
 * Spec    POSIX.1-2017 chapter 11 "General Terminal Interface"; man 3 termios
 */
#include <asm/poll.h>
#include <asm/signal.h>

#include "dev/tty/tty.h"
#include "lib/string.h"

#define I(tty, flag)   ((tty)->settings.c_iflag & (flag))
#define O(tty, flag)   ((tty)->settings.c_oflag & (flag))
#define L(tty, flag)   ((tty)->settings.c_lflag & (flag))
#define CC(tty, which) ((tty)->settings.c_cc[which])

enum {
	MASK = TTY_BUFFER_SIZE - 1,
	TAB_WIDTH = 8,
	DISABLED = 0, /* _POSIX_VDISABLE: a control character that is switched off */
	BELL = 7,
	BACKSPACE = 8,
	DELETE = 0x7f,
	CONTROL = 0x40, /* ^A is 'A' ^ CONTROL */
	PARITY_MARK = 0xff,
};

static bool is_cc(const struct tty *tty, uint8_t c, unsigned which)
{
	return CC(tty, which) != DISABLED && c == CC(tty, which);
}

static bool is_control(uint8_t c)
{
	return c < ' ' || c == DELETE;
}

/* A byte inside a UTF-8 character, which takes no column of its own. */
static bool is_continuation(const struct tty *tty, uint8_t c)
{
	return I(tty, IUTF8) && (c & 0xc0) == 0x80;
}

/* ---- Output ---- */

static size_t room(const struct tty *tty)
{
	return TTY_BUFFER_SIZE - (tty->out.head - tty->out.tail);
}

static void put_raw(struct tty *tty, uint8_t c)
{
	tty->out.bytes[tty->out.head++ & MASK] = c;
}

/* One byte as OPOST says; false if there is no room for all it becomes. */
static bool put(struct tty *tty, uint8_t c)
{
	uint32_t *column = &tty->in.column;
	unsigned spaces;

	if (room(tty) < TAB_WIDTH)
		return false;
	if (!O(tty, OPOST)) {
		put_raw(tty, c);
		return true;
	}
	switch (c) {
	case '\n':
		if (O(tty, ONLRET))
			*column = 0;
		if (O(tty, ONLCR)) {
			*column = 0;
			put_raw(tty, '\r');
		}
		tty->in.line_column = *column;
		break;
	case '\r':
		if (O(tty, ONOCR) && *column == 0)
			return true;
		if (O(tty, OCRNL)) {
			c = '\n';
			if (O(tty, ONLRET))
				*column = 0;
			break;
		}
		*column = tty->in.line_column = 0;
		break;
	case '\t':
		spaces = TAB_WIDTH - (*column & (TAB_WIDTH - 1));
		*column += spaces;
		if (O(tty, TABDLY) == XTABS) {
			while (spaces--)
				put_raw(tty, ' ');
			return true;
		}
		break;
	case BACKSPACE:
		if (*column > 0)
			--*column;
		break;
	default:
		if (O(tty, OLCUC) && c >= 'a' && c <= 'z')
			c = (uint8_t)(c - 'a' + 'A');
		if (!is_control(c) && !is_continuation(tty, c))
			++*column;
	}
	put_raw(tty, c);
	return true;
}

size_t ldisc_output(struct tty *tty, const uint8_t *buf, size_t len)
{
	size_t done = 0;

	if (tty->is_flow_stopped && tty->driver->is_stopped_at_writers)
		return 0;
	while (done < len && put(tty, buf[done]))
		done++;
	if (done && !tty->is_flow_stopped)
		tty->driver->start(tty);
	return done;
}

size_t tty_take_output(struct tty *tty, uint8_t *buf, size_t size)
{
	size_t n = 0;

	if (tty->is_flow_stopped)
		return 0;
	while (n < size && tty->out.tail != tty->out.head)
		buf[n++] = tty->out.bytes[tty->out.tail++ & MASK];
	return n;
}

void ldisc_flush_output(struct tty *tty)
{
	/* What a pty's slave wrote is with its master already. Linux: pty.interrupt_keeps_output */
	if (!tty->driver->is_stopped_at_writers)
		tty->out.tail = tty->out.stop = tty->out.head;
	tty->packet_events |= TIOCPKT_FLUSHWRITE;
	waitq_wake_all(&tty->writable, TTY_WRITABLE);
}

void ldisc_stop(struct tty *tty)
{
	if (tty->is_flow_stopped)
		return;
	tty->is_flow_stopped = true;
	tty->out.stop = tty->out.head;
	tty->packet_events = (uint8_t)((tty->packet_events & ~TIOCPKT_START) | TIOCPKT_STOP);
	tty->driver->start(tty); /* a master in packet mode learns of it */
}

void ldisc_start(struct tty *tty)
{
	if (!tty->is_flow_stopped)
		return;
	tty->is_flow_stopped = false;
	tty->packet_events = (uint8_t)((tty->packet_events & ~TIOCPKT_STOP) | TIOCPKT_START);
	tty->driver->start(tty);
	waitq_wake_all(&tty->writable, TTY_WRITABLE);
}

/* ---- Echo ---- */

/* ^X for a control character where ECHOCTL asks for it; others as they are. */
static void echo(struct tty *tty, uint8_t c)
{
	if (L(tty, ECHOCTL) && is_control(c) && c != '\t' && c != '\n') {
		(void)put(tty, '^');
		(void)put(tty, c ^ CONTROL);
	} else {
		(void)put(tty, c);
	}
}

static void echo_text(struct tty *tty, const char *s)
{
	while (*s)
		(void)put(tty, (uint8_t)*s++);
}

static void finish_erasing(struct tty *tty)
{
	if (tty->in.is_erasing) {
		tty->in.is_erasing = false;
		(void)put(tty, '/');
	}
}

static void bell(struct tty *tty)
{
	if (I(tty, IMAXBEL))
		(void)put(tty, BELL);
}

/* ---- The buffer ---- */

static uint32_t used(const struct tty_input *in)
{
	return in->head - in->tail;
}

static void append(struct tty_input *in, uint8_t c)
{
	uint32_t at = in->head & MASK;

	in->bytes[at] = c;
	bitmap_clear(in->ends, at);
	bitmap_clear(in->is_eof, at);
	in->head++;
}

static void end_line(struct tty *tty, uint8_t c, bool is_eof)
{
	struct tty_input *in = &tty->in;
	uint32_t at = in->head & MASK;

	append(in, c);
	bitmap_set(in->ends, at);
	if (is_eof)
		bitmap_set(in->is_eof, at);
	in->line_end = in->head;
	waitq_wake_all(&tty->readable, TTY_READABLE);
}

void ldisc_flush_input(struct tty *tty)
{
	struct tty_input *in = &tty->in;

	in->tail = in->line_end = in->head;
	in->is_literal = in->is_erasing = false;
	tty->packet_events |= TIOCPKT_FLUSHREAD;
	if (tty->is_throttled) {
		tty->is_throttled = false;
		if (tty->driver->unthrottle)
			tty->driver->unthrottle(tty);
	}
}

/* ---- Erasing ---- */

/* The column at which the byte at index `until` of the line being typed begins. */
static uint32_t column_of(const struct tty *tty, uint32_t until)
{
	const struct tty_input *in = &tty->in;
	uint32_t column = in->line_column;

	for (uint32_t i = in->line_end; i != until; i++) {
		uint8_t c = in->bytes[i & MASK];

		if (c == '\t')
			column += TAB_WIDTH - (column & (TAB_WIDTH - 1));
		else if (is_control(c))
			column += L(tty, ECHOCTL) ? 2 : 0;
		else if (!is_continuation(tty, c))
			column++;
	}
	return column;
}

static void rub_out(struct tty *tty, uint8_t c)
{
	if (c == '\t') {
		uint32_t width =
			TAB_WIDTH - (column_of(tty, tty->in.head) & (TAB_WIDTH - 1));

		while (width-- && put(tty, BACKSPACE))
			;
		return;
	}
	if (is_control(c) && L(tty, ECHOCTL))
		echo_text(tty, "\b \b");
	if (!is_control(c) || L(tty, ECHOCTL))
		echo_text(tty, "\b \b");
}

/* Takes the last character off the line, all its bytes. */
static void erase_character(struct tty *tty)
{
	struct tty_input *in = &tty->in;
	uint32_t at = in->head;
	uint8_t c;

	do {
		c = in->bytes[--at & MASK];
	} while (is_continuation(tty, c) && at != in->line_end);
	if (is_continuation(tty, c))
		return; /* half a character: there is nothing to see */
	if (L(tty, ECHO) && L(tty, ECHOPRT)) {
		if (!in->is_erasing) {
			(void)put(tty, '\\');
			in->is_erasing = true;
		}
		for (uint32_t i = at; i != in->head; i++)
			echo(tty, in->bytes[i & MASK]);
		in->head = at;
		return;
	}
	in->head = at;
	if (!L(tty, ECHO))
		return;
	if (L(tty, ECHOE))
		rub_out(tty, c);
	else
		echo(tty, CC(tty, VERASE));
}

static bool is_word_byte(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c >= 0x80;
}

static void erase_word(struct tty *tty)
{
	struct tty_input *in = &tty->in;
	bool seen = false;

	while (in->head != in->line_end) {
		uint32_t before = in->head;

		if (is_word_byte(in->bytes[(in->head - 1) & MASK]))
			seen = true;
		else if (seen)
			return;
		erase_character(tty);
		if (in->head == before)
			return;
	}
}

static void erase_line(struct tty *tty)
{
	struct tty_input *in = &tty->in;

	if (L(tty, ECHO) && L(tty, ECHOK) && L(tty, ECHOKE) && L(tty, ECHOE)) {
		while (in->head != in->line_end) {
			uint32_t before = in->head;

			erase_character(tty);
			if (in->head == before)
				in->head = in->line_end;
		}
		return;
	}
	in->head = in->line_end;
	if (!L(tty, ECHO))
		return;
	finish_erasing(tty);
	echo(tty, CC(tty, VKILL));
	if (L(tty, ECHOK))
		(void)put(tty, '\n');
}

static void reprint_line(struct tty *tty)
{
	struct tty_input *in = &tty->in;

	finish_erasing(tty);
	echo(tty, CC(tty, VREPRINT));
	(void)put(tty, '\n');
	for (uint32_t i = in->line_end; i != in->head; i++)
		echo(tty, in->bytes[i & MASK]);
}

/* ---- Input ---- */

/* INTR, QUIT, SUSP: true if it was one. */
static bool input_signal(struct tty *tty, uint8_t c)
{
	int sig;

	if (is_cc(tty, c, VINTR))
		sig = SIGINT;
	else if (is_cc(tty, c, VQUIT))
		sig = SIGQUIT;
	else if (is_cc(tty, c, VSUSP))
		sig = SIGTSTP;
	else
		return false;
	if (!L(tty, NOFLSH)) {
		ldisc_flush_input(tty);
		ldisc_flush_output(tty);
	}
	if (I(tty, IXON))
		ldisc_start(tty);
	if (L(tty, ECHO))
		echo(tty, c);
	tty_signal_foreground(tty, sig);
	return true;
}

/* The editing characters of canonical mode: true if it was one. */
static bool input_editing(struct tty *tty, uint8_t c)
{
	struct tty_input *in = &tty->in;
	bool is_empty = in->head == in->line_end;

	if (is_cc(tty, c, VERASE)) {
		if (!is_empty)
			erase_character(tty);
		return true;
	}
	if (is_cc(tty, c, VKILL)) {
		if (!is_empty)
			erase_line(tty);
		return true;
	}
	if (!L(tty, IEXTEN))
		return false;
	if (is_cc(tty, c, VWERASE)) {
		if (!is_empty)
			erase_word(tty);
		return true;
	}
	if (is_cc(tty, c, VLNEXT)) {
		in->is_literal = true;
		if (L(tty, ECHO)) {
			finish_erasing(tty);
			if (L(tty, ECHOCTL))
				echo_text(tty, "^\b");
		}
		return true;
	}
	if (is_cc(tty, c, VREPRINT) && L(tty, ECHO)) {
		reprint_line(tty);
		return true;
	}
	return false;
}

/* What ends a line in canonical mode: true if it was one. */
static bool input_line_end(struct tty *tty, uint8_t c)
{
	if (c == '\n') {
		if (L(tty, ECHO) || L(tty, ECHONL)) {
			finish_erasing(tty);
			(void)put(tty, '\n');
		}
		end_line(tty, c, false);
		return true;
	}
	if (is_cc(tty, c, VEOF)) {
		end_line(tty, DISABLED, true);
		return true;
	}
	if (is_cc(tty, c, VEOL) || (L(tty, IEXTEN) && is_cc(tty, c, VEOL2))) {
		if (L(tty, ECHO)) {
			finish_erasing(tty);
			echo(tty, c);
		}
		end_line(tty, c, false);
		return true;
	}
	return false;
}

/* An ordinary byte joins the buffer. */
static void input_plain(struct tty *tty, uint8_t c)
{
	struct tty_input *in = &tty->in;

	if (L(tty, ECHO)) {
		finish_erasing(tty);
		if (in->head == in->line_end)
			in->line_column = in->column;
		if (c == '\n')
			(void)put(tty, c);
		else
			echo(tty, c);
	}
	if (I(tty, PARMRK) && c == PARITY_MARK)
		append(in, c); /* doubled, so that a mark is known */
	append(in, c);
	if (!L(tty, ICANON)) {
		in->line_end = in->head;
		if (ldisc_can_read(tty, CC(tty, VTIME) ? 1 : CC(tty, VMIN)))
			waitq_wake_all(&tty->readable, TTY_READABLE);
	}
}

/* The input flags' translations; false: the byte is dropped. */
static bool translate(struct tty *tty, uint8_t *c)
{
	if (I(tty, ISTRIP))
		*c &= 0x7f;
	if (I(tty, IUCLC) && L(tty, IEXTEN) && *c >= 'A' && *c <= 'Z')
		*c = (uint8_t)(*c - 'A' + 'a');
	return true;
}

static bool translate_newline(struct tty *tty, uint8_t *c)
{
	if (*c == '\r') {
		if (I(tty, IGNCR))
			return false;
		if (I(tty, ICRNL))
			*c = '\n';
	} else if (*c == '\n' && I(tty, INLCR)) {
		*c = '\r';
	}
	return true;
}

/*
 * No room for c: in canonical mode a line must still be ended, so the last place is kept for
 * that, and other bytes are dropped with a bell; else the wire has to wait.
 */
static bool is_full(const struct tty *tty, unsigned kept)
{
	return used(&tty->in) >= TTY_BUFFER_SIZE - kept;
}

/* How many places a byte takes: PARMRK doubles what looks like its mark. */
static unsigned places(const struct tty *tty, uint8_t c)
{
	return I(tty, PARMRK) && c == PARITY_MARK ? 2 : 1;
}

bool ldisc_input(struct tty *tty, uint8_t c)
{
	enum { KEPT_FOR_MARK = 2 };

	if (!L(tty, ICANON) && is_full(tty, KEPT_FOR_MARK)) {
		tty->is_throttled = true;
		return false;
	}
	translate(tty, &c);
	if (tty->in.is_literal) {
		tty->in.is_literal = false;
		if (!is_full(tty, places(tty, c)))
			input_plain(tty, c);
		return true;
	}
	if (I(tty, IXON)) {
		if (is_cc(tty, c, VSTART)) {
			ldisc_start(tty);
			return true;
		}
		if (is_cc(tty, c, VSTOP)) {
			ldisc_stop(tty);
			return true;
		}
		if (I(tty, IXANY))
			ldisc_start(tty);
	}
	if (L(tty, ISIG) && input_signal(tty, c))
		return true;
	if (!translate_newline(tty, &c))
		return true;
	if (L(tty, ICANON)) {
		if (input_editing(tty, c))
			return true;
		if (is_full(tty, 0)) {
			bell(tty);
			return true;
		}
		if (input_line_end(tty, c))
			return true;
		if (is_full(tty, places(tty, c))) {
			bell(tty);
			return true;
		}
	}
	input_plain(tty, c);
	return true;
}

/* ---- Reading ---- */

bool ldisc_can_read(const struct tty *tty, size_t min)
{
	if (L(tty, ICANON))
		return tty->in.tail != tty->in.line_end;
	return used(&tty->in) >= MAX(min, 1ul);
}

size_t ldisc_peek(
	const struct tty *tty, uint8_t *buf, size_t size, size_t *consume, bool *is_end)
{
	const struct tty_input *in = &tty->in;
	uint32_t end = L(tty, ICANON) ? in->line_end : in->head;
	uint32_t at = in->tail;
	size_t n = 0;

	*is_end = false;
	while (at != end && !*is_end) {
		bool ends = L(tty, ICANON) && bitmap_test(in->ends, at & MASK);

		if (ends && bitmap_test(in->is_eof, at & MASK)) {
			*is_end = true; /* takes the mark along, even when buf is full */
			at++;
			break;
		}
		if (n == size)
			break;
		buf[n++] = in->bytes[at++ & MASK];
		*is_end = ends;
	}
	*consume = at - in->tail;
	return n;
}

size_t ldisc_readable(const struct tty *tty)
{
	const struct tty_input *in = &tty->in;
	uint32_t end = L(tty, ICANON) ? in->line_end : in->head;
	size_t n = 0;

	if (!L(tty, ICANON))
		return end - in->tail;
	for (uint32_t at = in->tail; at != end; at++)
		n += !bitmap_test(in->is_eof, at & MASK);
	return n;
}

void ldisc_consume(struct tty *tty, size_t nr)
{
	tty->in.tail += (uint32_t)nr;
	if (tty->is_throttled && used(&tty->in) <= TTY_BUFFER_SIZE / 2) {
		tty->is_throttled = false;
		if (tty->driver->unthrottle)
			tty->driver->unthrottle(tty);
	}
}

/* ---- Settings ---- */

/*
 * Into canonical mode: what was typed so far can be read as one piece, as it could before; out of
 * it: everything can be read, and the marks mean nothing.
 */
void ldisc_settings_changed(struct tty *tty, const struct termios2 *old)
{
	struct tty_input *in = &tty->in;

	if ((old->c_lflag ^ tty->settings.c_lflag) & ICANON) {
		memset(in->ends, 0, sizeof(in->ends));
		memset(in->is_eof, 0, sizeof(in->is_eof));
		in->line_end = in->head;
		in->is_erasing = in->is_literal = false;
		if (L(tty, ICANON) && used(in))
			bitmap_set(in->ends, (in->head - 1) & MASK);
		if (used(in))
			waitq_wake_all(&tty->readable, TTY_READABLE);
	}
	if ((old->c_iflag & IXON) && !I(tty, IXON))
		ldisc_start(tty);
	if (tty->driver->settings_changed)
		tty->driver->settings_changed(tty, old);
}

/* ---- From the wire ---- */

size_t tty_receive(struct tty *tty, const uint8_t *bytes, size_t len)
{
	size_t n = 0;

	irqlock_lock(&tty->lock);
	while (n < len && ldisc_input(tty, bytes[n]))
		n++;
	if (tty->out.head != tty->out.tail && !tty->is_flow_stopped)
		tty->driver->start(tty);
	irqlock_unlock(&tty->lock);
	return n;
}

void tty_receive_error(struct tty *tty, uint8_t byte, enum tty_input_kind kind)
{
	irqlock_lock(&tty->lock);
	if (kind == TTY_BREAK && I(tty, IGNBRK)) {
		/* nothing */
	} else if (kind == TTY_BREAK && I(tty, BRKINT)) {
		ldisc_flush_input(tty);
		ldisc_flush_output(tty);
		tty_signal_foreground(tty, SIGINT);
	} else if (kind == TTY_PARITY && (I(tty, IGNPAR) || !I(tty, INPCK))) {
		if (!I(tty, IGNPAR))
			(void)ldisc_input(tty, byte);
	} else if (kind != TTY_OVERRUN && !is_full(tty, 4)) {
		if (I(tty, PARMRK)) {
			append(&tty->in, PARITY_MARK);
			append(&tty->in, 0);
		}
		append(&tty->in, kind == TTY_BREAK || !I(tty, PARMRK) ? 0 : byte);
		if (!L(tty, ICANON)) {
			tty->in.line_end = tty->in.head;
			waitq_wake_all(&tty->readable, TTY_READABLE);
		}
	}
	irqlock_unlock(&tty->lock);
}
