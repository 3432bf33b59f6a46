// SPDX-License-Identifier: MIT
/*
 * The kernel's own prompt on the serial line, for as long as no user program owns it: what the
 * threads, locks, pages and interrupts are doing. Commands are a linker set; any folder may add
 * its own.
 *
 *     CONSOLE_COMMAND(pages, "free and used page frames", print_pages);
 */
#pragma once

#include "lib/base.h"
#include "lib/set.h"

struct console_command {
	const char *name;
	const char *help;
	/* args is what followed the name, "" for nothing. Prints by console_print. Thread
	 * context. */
	void (*run)(const char *args);
};
SET_DECLARE(const struct console_command, console_commands);

#define CONSOLE_COMMAND(name_, help_, run_)                                                    \
	static const struct console_command console_command_##name_ = {                        \
		.name = #name_, .help = help_, .run = run_};                                   \
	SET_ADD(console_commands, console_command_##name_)

/* One line (the newline is added), to the console only. Thread context. */
void console_print(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Starts the thread that prompts and reads. Needs threads and timers. */
void console_start(void);
