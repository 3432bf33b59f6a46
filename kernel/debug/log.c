// SPDX-License-Identifier: MIT
/*
 * The log: a ring of lines, and its copy on the console.
 *
 * A line is formatted on the caller's stack, appended to the ring under log_lock, and numbered.
 * The console prints the ring's lines in order: whoever appended becomes the printer; if
 * somebody else is printing already, he will print ours too. So a slow serial line is never
 * waited for with a lock held or interrupts off, lines never mix, and no interrupt handler
 * queues for it.
 *
 *     log_write -> append -> drain: while there are lines and nobody prints: print one
 *
 * Being the printer is a flag under log_lock, so a line is either seen by the printer's next
 * look or finds the flag down. Preemption is off while one line is written: a printer that
 * waits for its turn on a CPU would hold up everybody's lines.
 *
 * log_emergency never waits. It appends if log_lock happens to be free, and prints in any case:
 * a stopped CPU may hold the lock, or the caller may be an NMI inside append. It uses the
 * ticket below the irqlock, because the checker's lists may be half changed under an NMI.
 *
 * Locks   log_lock [L]   the ring, its positions, who prints
 */
#include "debug/log.h"

#include "arch/arch.h"
#include "lib/cmdline.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "sync/preempt.h"
#include "sync/spinlock.h"
#include "time/clock.h"

enum {
	RING_SIZE = 128 * 1024, /* bytes, a power of two: about 1500 lines */
	PREFIX_MAX = 24,        /* "[123456789.123456] " */
	PRIORITY_PLAIN = 255,   /* no prefix, always on the console */
	LEVEL_MASK = 7,         /* of a priority: the rest is the facility, man 3 syslog */
	FACILITY_SHIFT = 3,
	DEFAULT_CONSOLE_LEVEL = LOG_INFO,
};

/* One line in the ring, followed by its text; never wraps inside a record's header or text. */
struct record {
	uint64_t time_ns;
	uint16_t len;     /* of the text; the next record follows, aligned */
	uint8_t priority; /* facility and enum log_level, or PRIORITY_PLAIN */
	uint8_t is_wrap;  /* no line: the next record is at the ring's start */
	uint32_t size;    /* with header and padding */
};

struct position {
	uint64_t seq;
	uint32_t offset;
};

static ALIGNED(sizeof(struct record)) char ring[RING_SIZE]; /* [L] */
static struct position first;                               /* [L] oldest line */
static struct position next;                                /* [L] where the next line goes */
static struct position printed;                             /* [L] next line for the console */
static uint32_t used;    /* [L] bytes from first to next, wrap records included */
static uint64_t cleared; /* [L] to write: where readers of the whole begin */
static bool is_printing; /* [L] somebody writes a line to the console */
static struct irqlock log_lock = IRQLOCK_INIT(RANK_LOG, "log");
static int console_level = DEFAULT_CONSOLE_LEVEL; /* [a] a hint; changed at start */

/* ---- The ring; log_lock held, or the world stopped ---- */

static struct record *record_at(uint32_t offset)
{
	return (struct record *)&ring[offset];
}

/* The record that `pos` names, stepping over the mark at the ring's end. */
static struct record *record_of(struct position *pos)
{
	if (record_at(pos->offset)->is_wrap)
		pos->offset = 0;
	return record_at(pos->offset);
}

static void advance(struct position *pos)
{
	struct record *r = record_of(pos);

	pos->offset = (pos->offset + r->size) % RING_SIZE;
	pos->seq++;
}

static void drop_oldest(void)
{
	if (record_at(first.offset)->is_wrap)
		used -= record_at(first.offset)->size;
	used -= record_of(&first)->size;
	advance(&first);
}

/* Makes room for `size` bytes in one piece at `next`, dropping the oldest lines. */
static struct record *reserve(uint32_t size)
{
	uint32_t to_end = RING_SIZE - next.offset;
	uint32_t needed = size <= to_end ? size : to_end + size;

	while (used + needed > RING_SIZE)
		drop_oldest();
	if (size > to_end) {
		*record_at(next.offset) = (struct record){.is_wrap = 1, .size = to_end};
		used += to_end;
		next.offset = 0;
	}
	return record_at(next.offset);
}

static void append(unsigned priority, uint64_t time_ns, const char *text, size_t len)
{
	uint32_t size = (uint32_t)ALIGN_UP(sizeof(struct record) + len, sizeof(struct record));
	struct record *r = reserve(size);

	*r = (struct record){.time_ns = time_ns,
		.len = (uint16_t)len,
		.priority = (uint8_t)priority,
		.size = size};
	memcpy(r + 1, text, len);
	used += size;
	next.offset = (next.offset + size) % RING_SIZE;
	next.seq++;
}

/* The line as it is printed, with its newline; returns its length. */
static size_t render(const struct record *r, char *out, size_t size)
{
	uint64_t us = r->time_ns / NS_PER_US;
	size_t len = 0;

	if (r->priority != PRIORITY_PLAIN)
		len = snformat(out, size, "[%5llu.%06llu] ", (unsigned long long)(us / 1000000),
			(unsigned long long)(us % 1000000));
	len = MIN(len, size - 1);
	len += snformat(out + len, size - len, "%.*s\n", (int)r->len, (const char *)(r + 1));
	return MIN(len, size - 1);
}

static bool is_for_console(const struct record *r)
{
	return r->priority == PRIORITY_PLAIN ||
	       (r->priority & LEVEL_MASK) <= READ_ONCE(console_level);
}

/*
 * Takes the next line for the console out of the ring: its text and length, which is 0 for a
 * line that the console does not want. *is_one says whether there was one at all.
 */
static void take_line(char *out, size_t size, size_t *len, bool *is_one)
{
	struct record *r;

	*len = 0;
	*is_one = printed.seq < next.seq;
	if (!*is_one)
		return;
	if (printed.seq < first.seq) {
		*len = snformat(out, size, "log: %llu lines came too fast for the console\n",
			(unsigned long long)(first.seq - printed.seq));
		printed = first;
		return;
	}
	r = record_of(&printed);
	if (is_for_console(r))
		*len = render(r, out, size);
	advance(&printed);
}

/* ---- The console ---- */

/* Becomes the printer of one line; false when there is none or somebody else is printing. */
static bool take_turn(char *line, size_t size, size_t *len)
{
	bool is_mine = false;

	irqlock_lock(&log_lock);
	*len = 0;
	if (!is_printing)
		take_line(line, size, len, &is_mine);
	is_printing |= is_mine;
	irqlock_unlock(&log_lock);
	return is_mine;
}

static void end_turn(void)
{
	irqlock_lock(&log_lock);
	is_printing = false;
	irqlock_unlock(&log_lock);
}

/* Prints until the console has caught up, unless somebody else is at it. */
static void drain(void)
{
	char line[PREFIX_MAX + LOG_LINE_MAX + 2];
	size_t len;

	preempt_disable();
	while (take_turn(line, sizeof(line), &len)) {
		if (len)
			arch_console_write(line, len);
		end_turn();
		preempt_enable();
		preempt_disable();
	}
	preempt_enable();
}

bool log_is_printed(void)
{
	bool is_printed;

	irqlock_lock(&log_lock);
	is_printed = !is_printing && printed.seq == next.seq;
	irqlock_unlock(&log_lock);
	return is_printed;
}

static void write_line(unsigned priority, const char *fmt, va_list args)
{
	char text[LOG_LINE_MAX];
	size_t len = MIN(vsnformat(text, sizeof(text), fmt, args), sizeof(text) - 1);

	irqlock_lock(&log_lock);
	append(priority, clock_monotonic_ns(), text, len);
	irqlock_unlock(&log_lock);
	drain();
}

void log_write(enum log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_line(level, fmt, args);
	va_end(args);
}

static void write_as(unsigned priority, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void write_as(unsigned priority, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_line(priority, fmt, args);
	va_end(args);
}

void log_write_as(unsigned facility, enum log_level level, const char *text)
{
	write_as(facility << FACILITY_SHIFT | level, "%s", text);
}

void log_plain(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_line(PRIORITY_PLAIN, fmt, args);
	va_end(args);
}

/* ---- Panic's voice ---- */

/* Prints what the console has not seen, whoever else may be printing. */
static void flush_locked(void)
{
	char line[PREFIX_MAX + LOG_LINE_MAX + 2];
	bool is_one = true;
	size_t len;

	while (is_one) {
		take_line(line, sizeof(line), &len, &is_one);
		if (len)
			arch_console_write(line, len);
	}
}

void log_emergency(const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	bool were_enabled = arch_irq_save();
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = MIN(vsnformat(text, sizeof(text) - 1, fmt, args), sizeof(text) - 2);
	va_end(args);
	if (ticket_try_lock(&log_lock.ticket)) {
		append(LOG_EMERG, clock_monotonic_ns(), text, len);
		flush_locked();
		ticket_unlock(&log_lock.ticket);
	} else {
		text[len] = '\n';
		arch_console_write(text, len + 1);
	}
	arch_irq_restore(were_enabled);
}

/* ---- Reading ---- */

size_t log_buffer_size(void)
{
	return RING_SIZE;
}

void log_get_range(uint64_t *first_seq, uint64_t *next_seq)
{
	irqlock_lock(&log_lock);
	*first_seq = first.seq;
	*next_seq = next.seq;
	irqlock_unlock(&log_lock);
}

void log_clear(void)
{
	irqlock_lock(&log_lock);
	cleared = next.seq;
	irqlock_unlock(&log_lock);
}

uint64_t log_get_cleared(void)
{
	return READ_ONCE(cleared);
}

bool log_get_line(uint64_t seq, struct log_line *out)
{
	struct position at;
	bool is_there;

	irqlock_lock(&log_lock);
	at = first;
	while (at.seq < seq && at.seq < next.seq)
		advance(&at);
	is_there = at.seq == seq && seq < next.seq;
	if (is_there) {
		const struct record *r = record_of(&at);

		out->time_ns = r->time_ns;
		out->priority = r->priority == PRIORITY_PLAIN ? LOG_INFO : r->priority;
		out->len = MIN(r->len, sizeof(out->text));
		memcpy(out->text, r + 1, out->len);
	}
	irqlock_unlock(&log_lock);
	return is_there;
}

size_t log_read(uint64_t *seq, char *buf, size_t size)
{
	char line[PREFIX_MAX + LOG_LINE_MAX + 2];
	struct position at;
	size_t total = 0;

	irqlock_lock(&log_lock);
	at = first;
	while (at.seq < *seq && at.seq < next.seq)
		advance(&at);
	while (at.seq < next.seq) {
		size_t len = render(record_of(&at), line, sizeof(line));

		if (total + len > size)
			break;
		memcpy(buf + total, line, len);
		total += len;
		advance(&at);
	}
	*seq = at.seq;
	irqlock_unlock(&log_lock);
	return total;
}

/* ---- The command line ---- */

int log_get_console_level(void)
{
	return READ_ONCE(console_level);
}

void log_set_console_level(int level)
{
	WRITE_ONCE(console_level, level);
}

/* Linux: loglevel=N prints levels below N; quiet is loglevel=4. */
static int set_loglevel(const char *value)
{
	uint64_t level;

	if (parse_u64(value, 0, &level) || level > LOG_DEBUG + 1)
		return -EINVAL;
	log_set_console_level((int)level - 1);
	return 0;
}
CMDLINE_WORD(
	loglevel, "loglevel", set_loglevel, "N: lines of a level below N reach the console");

static int set_quiet(const char *value)
{
	if (*value)
		return -EINVAL;
	log_set_console_level(LOG_ERR);
	return 0;
}
CMDLINE_WORD(quiet, "quiet", set_quiet, "only errors reach the console");
