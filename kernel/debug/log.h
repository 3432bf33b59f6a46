// SPDX-License-Identifier: MIT
/*
 * The kernel's log: lines with a level and a time, kept in a ring and copied to the console.
 *
 *     log_info("acpi: %u CPUs", nr);      ->   [    0.001234] acpi: 4 CPUs
 *
 * Any context, any lock held (RANK_LOG and RANK_CONSOLE come last), except inside the log
 * itself. The message starts with its area and has no newline; a line longer than LOG_LINE_MAX
 * is cut.
 */
#pragma once

#include "lib/base.h"
#include "lib/fmt.h"

enum { LOG_LINE_MAX = 480 };

/* Linux's levels, as in loglevel= and /dev/kmsg. */
enum log_level {
	LOG_EMERG,
	LOG_ALERT,
	LOG_CRIT,
	LOG_ERR,
	LOG_WARNING,
	LOG_NOTICE,
	LOG_INFO,
	LOG_DEBUG
};

void log_write(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
#define log_err(...)     log_write(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)  log_write(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)    log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_DEBUG, __VA_ARGS__)

/* Straight to the console and the ring, without waiting for any lock: panic's voice. */
void log_emergency(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* A line of a program's: facility and level as man 3 syslog has them. */
void log_write_as(unsigned facility, enum log_level level, const char *text);
/* A line without level and time, for output that programs read: test results. Threads only. */
void log_plain(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Lines of this level and better reach the console (loglevel=, quiet). The ring gets all. */
void log_set_console_level(int level);
int log_get_console_level(void);
/* Whether the console has caught up: another thread may be printing still. */
bool log_is_printed(void);
/*
 * Copies the ring's lines from sequence number *seq on, as they would be printed; advances
 * *seq. Returns the bytes copied, 0 at the end.
 */
size_t log_read(uint64_t *seq, char *buf, size_t size);
/* One line as it was written. False: it is not there (any more, or yet). */
struct log_line {
	uint64_t time_ns;
	unsigned priority; /* facility << 3 | level */
	size_t len;
	char text[LOG_LINE_MAX];
};
bool log_get_line(uint64_t seq, struct log_line *out);
/* SYSLOG_ACTION_CLEAR: who asks for the whole log begins behind what is there now. */
void log_clear(void);
uint64_t log_get_cleared(void);
/* How many bytes of lines the ring keeps. */
size_t log_buffer_size(void);
/* Sequence number of the oldest line still there and of the next to come. */
void log_get_range(uint64_t *first, uint64_t *next);
/* A place that logs at most once, for absent features. */
#define log_once(level, ...)                                                                   \
	do {                                                                                   \
		static uint32_t log_once_done_;                                                \
		if (!__atomic_exchange_n(&log_once_done_, 1, __ATOMIC_RELAXED))                \
			log_write(level, __VA_ARGS__);                                         \
	} while (0)
