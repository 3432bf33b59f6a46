// SPDX-License-Identifier: MIT
/*
 * The runner of host unit tests: linked with one kernel/<area>/test/test_<file>.c and the kernel
 * sources that it names, under ASan and UBSan.
 *
 *     test_<file> [PATTERN...]        runs the tests whose area.name matches any pattern
 *
 * Prints `ok area.name`, `not ok area.name: why` or `skip area.name: why` for each test and
 * closes with `N passed, N failed`; the exit status is 1 if one failed. Every failed expectation
 * is printed on a line of its own before its test's line.
 *
 * It also stands in for the three things of the kernel that pure logic may call: the failing
 * assert, the panic and the log.
 */
#include "lib/test.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the running test has said so far. One thread, so no lock. */
static unsigned failures;
static bool skipped;
static char reason[512]; /* of the first failure, or of the skip */
static const char *running = "(no test)";

void test_fail(const char *file, int line, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	printf("# %s:%d: %s\n", file, line, text);
	if (failures++ == 0)
		snprintf(reason, sizeof(reason), "%s (%s:%d)", text, file, line);
}

void test_skip(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	skipped = true;
}

unsigned long test_rounds(unsigned long full)
{
	return full;
}

bool test_streq(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* lib/assert.h promises that this does not return; ASan prints the stack of abort(). */
NORETURN void assert_failed(const char *expr, const char *file, int line);
NORETURN void assert_failed(const char *expr, const char *file, int line)
{
	printf("# %s:%d: assertion failed: %s\nnot ok %s: assertion failed: %s\n", file, line, expr,
		running, expr);
	fflush(stdout);
	abort();
}

NORETURN void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);
NORETURN void panic(const char *fmt, ...)
{
	va_list args;

	printf("not ok %s: panic: ", running);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	abort();
}

static bool is_wanted(const char *name, int argc, char **argv)
{
	bool wanted = argc < 2;

	for (int i = 1; i < argc; i++)
		wanted |= fnmatch(argv[i], name, 0) == 0;
	return wanted;
}

int main(int argc, char **argv)
{
	unsigned passed = 0, failed = 0;
	char name[256];

	setvbuf(stdout, NULL, _IOLBF, 0);
	SET_FOREACH(const struct test, test, tests)
	{
		snprintf(name, sizeof(name), "%s.%s", test->area, test->name);
		if (!is_wanted(name, argc, argv))
			continue;
		running = name;
		failures = 0;
		skipped = false;
		test->run();
		if (failures) {
			printf("not ok %s: %s\n", name, reason);
			failed++;
		} else if (skipped) {
			printf("skip %s: %s\n", name, reason);
		} else {
			printf("ok %s\n", name);
			passed++;
		}
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
