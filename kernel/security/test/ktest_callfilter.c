// SPDX-License-Identifier: MIT
/*
 * Which filter of system calls comes before which: a tree of them, against the plain walk from one to the one
 * before it.
 */
#include "lib/test.h"
#include "mm/slab.h"
#include "security/callfilter.h"

enum { TRUNK = 700, BRANCH = 300, FILTERS = TRUNK + BRANCH, FORK = 333 };

/* TRUNK in a row, and BRANCH more that grow from the FORK-th. */
static struct call_filter *make_tree(void)
{
	struct call_filter *all = mem_alloc(FILTERS * sizeof(*all), SLAB_ZERO);

	if (!all)
		return NULL;
	call_filter_chain(&all[0], NULL);
	for (unsigned i = 1; i < FILTERS; i++)
		call_filter_chain(&all[i], &all[i == TRUNK ? FORK : i - 1]);
	return all;
}

static bool is_before_by_walk(const struct call_filter *f, const struct call_filter *of)
{
	while (of && of != f)
		of = of->older;
	return of;
}

TEST(callfilter, order_in_a_tree)
{
	struct call_filter *all = make_tree();

	REQUIRE(all);
	for (unsigned i = 0; i < FILTERS; i += 7) {
		for (unsigned k = 0; k < FILTERS; k += 3)
			EXPECT_EQ(call_filter_is_before(&all[i], &all[k]),
				is_before_by_walk(&all[i], &all[k]));
	}
	EXPECT(call_filter_is_before(NULL, &all[0]));
	EXPECT(call_filter_is_before(NULL, NULL));
	EXPECT(!call_filter_is_before(&all[0], NULL));
	mem_free(all);
}

/* By jumps alone the first is reached in few steps: threads are compared with interrupts off. */
TEST(callfilter, jumps_are_long)
{
	struct call_filter *all = make_tree();

	REQUIRE(all);
	for (unsigned i = 0; i < FILTERS; i++) {
		unsigned steps = 0;

		for (const struct call_filter *f = &all[i]; f->jump; f = f->jump)
			steps++;
		EXPECT(steps <= 2 * 10); /* twice the logarithm of FILTERS */
	}
	mem_free(all);
}
