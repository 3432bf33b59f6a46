// SPDX-License-Identifier: MIT
/*
 * Tests of one behaviour each, gathered in the linker set `tests`.
 *
 * The same macro serves three runners: the host unit runner (under ASan and UBSan), the
 * in-kernel runner (`test=mm.*` on the command line) and the simulated machine, which runs each
 * test under many seeds. A test fails by EXPECT*, which records where, what was expected and
 * what came, and goes on; REQUIRE also leaves the test function.
 *
 *     TEST(rtt, first_sample_sets_srtt_and_var)
 *     {
 *             EXPECT_EQ(r.srtt_ns, 100 * NS_PER_MS);
 *     }
 */
#pragma once

#include "lib/base.h"
#include "lib/set.h"

struct test {
	const char *area;    /* "mm" in test=mm.* */
	const char *name;    /* the behaviour, as a sentence with underscores */
	const char *file;
	void (*run)(void);
};

SET_DECLARE(const struct test, tests);

/* Records one failed expectation of the running test. Any context that may print. */
void test_fail(const char *file, int line, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Marks the running test as not applicable here, with the reason in words. */
void test_skip(const char *fmt, ...) PRINTF_LIKE(1, 2);

/*
 * How many rounds a long test makes: `full`, or a part of it, at least one, where each test runs
 * under many schedules (test_divisor=N on the kernel's command line).
 */
unsigned long test_rounds(unsigned long full);

#define TEST(area_, name_)                                                                     \
	static void test_##area_##_##name_(void);                                              \
	static const struct test test_entry_##area_##_##name_ = {                              \
		.area = #area_,                                                                \
		.name = #name_,                                                                \
		.file = __FILE__,                                                              \
		.run = test_##area_##_##name_,                                                 \
	};                                                                                     \
	SET_ADD(tests, test_entry_##area_##_##name_);                                          \
	static void test_##area_##_##name_(void)

#define EXPECT(cond)                                                                           \
	do {                                                                                   \
		if (!(cond))                                                                   \
			test_fail(__FILE__, __LINE__, "expected %s", #cond);                   \
	} while (0)

#define REQUIRE(cond)                                                                          \
	do {                                                                                   \
		if (!(cond)) {                                                                 \
			test_fail(__FILE__, __LINE__, "required %s", #cond);                   \
			return;                                                                \
		}                                                                              \
	} while (0)

/* Compare integers of any width; both sides are evaluated once and printed on failure. */
#define EXPECT_OP(a, op, b)                                                                    \
	do {                                                                                   \
		long long expect_a_ = (long long)(a), expect_b_ = (long long)(b);              \
		if (!(expect_a_ op expect_b_))                                                 \
			test_fail(__FILE__, __LINE__, "%s is %lld, expected %s %lld", #a,      \
				expect_a_, #op, expect_b_);                                    \
	} while (0)
#define EXPECT_EQ(a, b) EXPECT_OP(a, ==, b)
#define EXPECT_NE(a, b) EXPECT_OP(a, !=, b)
#define EXPECT_LT(a, b) EXPECT_OP(a, <, b)
#define EXPECT_LE(a, b) EXPECT_OP(a, <=, b)
#define EXPECT_GT(a, b) EXPECT_OP(a, >, b)
#define EXPECT_GE(a, b) EXPECT_OP(a, >=, b)
#define EXPECT_STREQ(a, b)                                                                     \
	do {                                                                                   \
		const char *expect_a_ = (a), *expect_b_ = (b);                                 \
		if (!test_streq(expect_a_, expect_b_))                                         \
			test_fail(__FILE__, __LINE__, "%s is \"%s\", expected \"%s\"", #a,     \
				expect_a_, expect_b_);                                         \
	} while (0)

bool test_streq(const char *a, const char *b);
