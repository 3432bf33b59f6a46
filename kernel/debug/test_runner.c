// SPDX-License-Identifier: MIT
/*
 * The in-kernel runner of the linker set `tests`.
 *
 * Tests run one at a time in a thread of their own. What the running test has said is kept
 * here; it may say it from several threads at once, so the first failure's text is claimed by a
 * counter. A test that panics ends the run: the report names it, because each test is announced
 * to the ring.
 *
 *     test=PATTERN -> test_start_requested -> thread: test_run_matching -> closing line -> exit
 */
#include "debug/test_runner.h"

#include "arch/arch.h"
#include "debug/exit.h"
#include "debug/log.h"
#include "lib/assert.h"
#include "lib/atomic.h"
#include "lib/cmdline.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "lib/test.h"
#include "sched/thread.h"
#include "time/clock.h"

enum { NAME_MAX = 128, REASON_MAX = 320, PATTERN_MAX = 128 };

static uint32_t nr_failures;    /* [a] of the running test */
static uint32_t is_skipped;     /* [a] */
static char reason[REASON_MAX]; /* by whoever raised one of the two from 0 */
static const char *requested;   /* [I] after the command line is read */

/* ---- What tests call ---- */

void test_fail(const char *file, int line, const char *fmt, ...)
{
	char text[REASON_MAX];
	va_list args;

	va_start(args, fmt);
	vsnformat(text, sizeof(text), fmt, args);
	va_end(args);
	log_plain("# %s:%d: %s", file, line, text);
	if (atomic_fetch_add(&nr_failures, 1u) == 0)
		snformat(reason, sizeof(reason), "%s (%s:%d)", text, file, line);
}

void test_skip(const char *fmt, ...)
{
	va_list args;

	if (atomic_xchg(&is_skipped, 1u))
		return;
	va_start(args, fmt);
	vsnformat(reason, sizeof(reason), fmt, args);
	va_end(args);
}

bool test_streq(const char *a, const char *b)
{
	return a && b ? str_equal(a, b) : a == b;
}

/* ---- Running ---- */

/* Whether `name` matches one of the globs, separated by commas. */
static bool is_wanted(const char *name, const char *patterns)
{
	char one[PATTERN_MAX];

	while (*patterns) {
		const char *comma = strchr(patterns, ',');
		size_t len = comma ? (size_t)(comma - patterns) : strlen(patterns);

		snformat(one, sizeof(one), "%.*s", (int)len, patterns);
		if (str_equal(one, "all") || str_matches(name, one))
			return true;
		patterns += len + (comma != NULL);
	}
	return false;
}

static void run_one(const struct test *test, const char *name, struct test_totals *totals)
{
	uint64_t start_ns = clock_monotonic_ns();

	nr_failures = 0;
	is_skipped = 0;
	log_debug("test: %s begins", name);
	test->run();
	log_debug("test: %s took %llu us", name,
		(unsigned long long)((clock_monotonic_ns() - start_ns) / NS_PER_US));
	if (nr_failures) {
		log_plain("not ok %s: %s", name, reason);
		totals->failed++;
	} else if (is_skipped) {
		log_plain("skip %s: %s", name, reason);
		totals->skipped++;
	} else {
		log_plain("ok %s", name);
		totals->passed++;
	}
}

void test_run_matching(const char *patterns, struct test_totals *out)
{
	char name[NAME_MAX];

	*out = (struct test_totals){0};
	SET_FOREACH (const struct test, test, tests) {
		snformat(name, sizeof(name), "%s.%s", test->area, test->name);
		if (is_wanted(name, patterns))
			run_one(test, name, out);
	}
}

static void run_requested(void *arg UNUSED)
{
	struct test_totals totals;

	test_run_matching(requested, &totals);
	if (totals.passed + totals.failed + totals.skipped == 0) {
		log_plain("not ok test.pattern: no test matches %s", requested);
		totals.failed++;
	}
	log_plain("%u passed, %u failed", totals.passed, totals.failed);
	arch_exit_emulator(totals.failed ? EXIT_FAILED : EXIT_OK);
	arch_power_off();
	log_err("test: this machine cannot be switched off");
}

bool test_start_requested(void)
{
	int err;

	if (!requested)
		return false;
	err = thread_spawn("tests", run_requested, NULL);
	if (err)
		panic("test: no memory for the thread that runs them (%d)", err);
	return true;
}

const char *test_requested(void)
{
	return requested;
}

static int set_test(const char *value)
{
	if (!*value)
		return -EINVAL;
	requested = value;
	return 0;
}
CMDLINE_WORD(test, "test", set_test,
	"GLOB[,GLOB...] over area.name, or all: run these tests, then exit");
