// SPDX-License-Identifier: MIT
/*
 * Running the linker set `tests` (lib/test.h) inside a kernel: `test=PATTERN` on the command
 * line names them, where PATTERN is a glob over area.name (mm.*), several with commas, or
 * `all`.
 *
 * Prints `ok area.name`, `not ok area.name: why` or `skip area.name: why` for each and closes
 * with `N passed, N failed`, as plain lines.
 */
#pragma once

#include "lib/base.h"

struct test_totals {
	unsigned passed, failed, skipped;
};

/* Runs the matching tests one after the other, each in this thread. Sleeps. */
void test_run_matching(const char *pattern, struct test_totals *out);
/* What test= said, NULL when it said nothing. */
const char *test_requested(void);
/*
 * For kmain's end: starts a thread that runs the requested tests, then ends the emulator with
 * EXIT_OK or EXIT_FAILED, else powers off. Returns false when none were requested.
 */
bool test_start_requested(void);
