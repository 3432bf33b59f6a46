// SPDX-License-Identifier: MIT
/* The log's ring, symbols and backtraces. */
#include "debug/log.h"

#include "arch/arch.h"
#include "debug/panic.h"
#include "lib/atomic.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "lib/test.h"
#include "sync/test/team.h"

enum { THREADS = 4, LINES = 200, TEXT_MAX = 1024 };

static char text[TEXT_MAX];

/* Counts the lines from sequence number `from` on that contain `what`. */
static unsigned count_lines(uint64_t from, const char *what)
{
	unsigned nr = 0;
	size_t len;

	while ((len = log_read(&from, text, sizeof(text) - 1)) != 0) {
		text[len] = '\0';
		for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
			nr++;
	}
	return nr;
}

TEST(log, what_was_written_can_be_read)
{
	uint64_t first, next;

	log_get_range(&first, &next);
	log_debug("test: a line for the ring, number %d", 17);
	EXPECT_EQ(count_lines(next, "test: a line for the ring, number 17\n"), 1);
}

TEST(log, a_long_line_is_cut_and_ends)
{
	static char longer[LOG_LINE_MAX + 100];
	uint64_t first, next, after;

	memset(longer, 'x', sizeof(longer) - 1);
	log_get_range(&first, &next);
	log_debug("%s", longer);
	log_get_range(&first, &after);
	EXPECT_EQ(after, next + 1);
	EXPECT_EQ(count_lines(next, "x\n"), 1);
}

static void write_lines(void *arg UNUSED)
{
	for (unsigned i = 0; i < LINES; i++)
		log_debug("test: from many threads, %u", i);
}

TEST(log, lines_of_many_threads_are_whole_and_numbered_without_gaps)
{
	uint64_t first, next, after;
	struct team team;

	log_get_range(&first, &next);
	team_start(&team, THREADS, write_lines, NULL);
	team_join(&team);
	log_get_range(&first, &after);
	EXPECT_GE(after - next, THREADS * LINES);
	EXPECT_LE(first, next); /* the ring is large enough for this test */
	EXPECT_GE(count_lines(next, "test: from many threads, "), THREADS * LINES);
}

TEST(log, the_ring_forgets_the_oldest_lines_first)
{
	uint64_t first, next, first_after, next_after;
	unsigned nr = 4000; /* more than the ring holds */

	log_get_range(&first, &next);
	for (unsigned i = 0; i < nr; i++)
		log_debug("test: filling the ring with lines of some length, %*u",
			(int)(i % 90), i);
	log_get_range(&first_after, &next_after);
	EXPECT_GT(first_after, next);
	EXPECT_GE(next_after, next + nr);
	EXPECT_EQ(count_lines(first_after, "\n"), next_after - first_after);
}

TEST(symbols, an_address_gives_its_function_and_back)
{
	vaddr_t addr = symbol_find("symbol_describe");
	char name[64];

	EXPECT_EQ(addr, (vaddr_t)symbol_describe);
	symbol_describe(addr + 1, name, sizeof(name));
	EXPECT(str_has_prefix(name, "symbol_describe+"));
	EXPECT_EQ(symbol_find("there is no such symbol"), 0);
	symbol_describe(16, name, sizeof(name));
	EXPECT_STREQ(name, "0x10");
}

static NOINLINE unsigned capture_here(vaddr_t *trace, unsigned max)
{
	unsigned nr = backtrace_capture(arch_frame_pointer(), trace, max);

	compiler_barrier(); /* not a tail call */
	return nr;
}

TEST(backtrace, names_its_callers)
{
	vaddr_t trace[BACKTRACE_DEPTH];
	unsigned nr = capture_here(trace, BACKTRACE_DEPTH);
	char name[128];

	REQUIRE(nr >= 2);
	symbol_describe(trace[0] - 1, name, sizeof(name));
	EXPECT(strstr(name, "names_its_callers"));
	EXPECT_EQ(capture_here(trace, 1), 1);
}
