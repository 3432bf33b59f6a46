// SPDX-License-Identifier: MIT
/*
 * The prompt on the serial line: reads a line, finds the command, runs it, in a thread of its
 * own.
 *
 * Input is polled every POLL_NS, because the only driver of the port so far is the one of last
 * resort (arch_console_read), which has no interrupt; a serial driver will wake the thread
 * instead. Output goes past the log, straight to the port: an answer is not history. A log line
 * that another CPU prints may come between two lines of an answer, not into one.
 *
 * Locks   none: one thread.
 */
#include "debug/console.h"

#include "arch/arch.h"
#include "debug/log.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "sched/thread.h"
#include "time/clock.h"
#include "time/timer.h"

#define POLL_NS (20 * NS_PER_MS)

enum { LINE_MAX = 128, OUTPUT_MAX = 256 };
enum { KEY_BACKSPACE = 0x08, KEY_DELETE = 0x7f, KEY_KILL_LINE = 0x15 /* ^U */ };

static const char prompt[] = "torus> ";

static void write_text(const char *s)
{
	arch_console_write(s, strlen(s));
}

void console_print(const char *fmt, ...)
{
	char text[OUTPUT_MAX];
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = MIN(vsnformat(text, sizeof(text) - 1, fmt, args), sizeof(text) - 2);
	va_end(args);
	text[len] = '\n';
	arch_console_write(text, len + 1);
}

/* ---- Reading ---- */

static char read_key(void)
{
	int key;

	while ((key = arch_console_read()) < 0)
		if (sleep_ns(POLL_NS)) /* being killed */
			thread_exit(0);
	return (char)key;
}

static void read_line(char *line)
{
	size_t len = 0;

	for (;;) {
		char key = read_key();

		if (key == '\r' || key == '\n')
			break;
		if ((key == KEY_BACKSPACE || key == KEY_DELETE) && len) {
			write_text("\b \b");
			len--;
		} else if (key == KEY_KILL_LINE) {
			for (; len; len--)
				write_text("\b \b");
		} else if (char_is_print(key) && len < LINE_MAX - 1) {
			arch_console_write(&key, 1);
			line[len++] = key;
		}
	}
	line[len] = '\0';
	write_text("\n");
}

/* ---- Running ---- */

static void run_line(char *line)
{
	char *name = line, *args;

	while (char_is_space(*name))
		name++;
	for (args = name; *args && !char_is_space(*args); args++)
		;
	if (*args)
		*args++ = '\0';
	while (char_is_space(*args))
		args++;
	if (!*name)
		return;
	SET_FOREACH (const struct console_command, c, console_commands) {
		if (str_equal(c->name, name)) {
			c->run(args);
			return;
		}
	}
	console_print("%s: no such command; try help", name);
}

static void console_main(void *arg UNUSED)
{
	char line[LINE_MAX];

	for (;;) {
		write_text(prompt);
		read_line(line);
		run_line(line);
	}
}

void console_start(void)
{
	int err = thread_spawn("console", console_main, NULL);

	if (err)
		log_err("console: no memory for its thread (%d)", err);
}

static void print_help(const char *args UNUSED)
{
	SET_FOREACH (const struct console_command, c, console_commands)
		console_print("  %-10s %s", c->name, c->help);
}
CONSOLE_COMMAND(help, "this list", print_help);
