// SPDX-License-Identifier: MIT
/*
 * The lock-free list. Built with interleave points, so that a test can let "another CPU" in
 * between the load and the exchange of a push, which is where a lock-free list breaks.
 */
// FLAGS: -DINTERLEAVE
#include "lib/llist.h"

#include "lib/test.h"

struct item {
	int value;
	struct llist_node link;
};

static struct llist *intruded; /* what the other CPU does at the next interleave points */
static struct item *intruder;
static bool intruder_takes;

static long digits(struct llist_node *chain)
{
	long number = 0;

	llist_for_each_safe(item, chain, struct item, link) number = number * 10 + item->value;
	return number;
}

void sim_interleave(void)
{
	struct llist *list = intruded;

	if (!list)
		return;
	intruded = NULL; /* the intruder itself passes interleave points */
	if (intruder_takes)
		(void)llist_take_all(list);
	if (intruder)
		(void)llist_push(list, &intruder->link);
}

TEST(llist, take_gives_newest_first_and_empties_the_list)
{
	struct item a = {1, {0}}, b = {2, {0}}, c = {3, {0}};
	struct llist list = {0};

	EXPECT(llist_is_empty(&list));
	EXPECT(llist_push(&list, &a.link)); /* was empty: the pusher must wake the taker */
	EXPECT(!llist_push(&list, &b.link));
	EXPECT(!llist_push(&list, &c.link));
	EXPECT_EQ(digits(llist_take_all(&list)), 321);
	EXPECT(llist_is_empty(&list));
	EXPECT(!llist_take_all(&list));
	EXPECT(llist_push(&list, &a.link));
}

TEST(llist, reverse_gives_oldest_first)
{
	struct item a = {1, {0}}, b = {2, {0}}, c = {3, {0}};
	struct llist list = {0};

	EXPECT(!llist_reverse(NULL));
	(void)llist_push(&list, &a.link);
	(void)llist_push(&list, &b.link);
	(void)llist_push(&list, &c.link);
	EXPECT_EQ(digits(llist_reverse(llist_take_all(&list))), 123);
}

TEST(llist, push_between_load_and_exchange_is_not_lost)
{
	struct item a = {1, {0}}, b = {2, {0}};
	struct llist list = {0};

	intruded = &list;
	intruder = &b;
	EXPECT(!llist_push(&list, &a.link)); /* the other CPU was first after all */
	EXPECT(!intruded);
	EXPECT_EQ(digits(llist_take_all(&list)), 12);
	intruder = NULL;
}

TEST(llist, take_between_load_and_exchange_does_not_resurrect_nodes)
{
	struct item a = {1, {0}}, b = {2, {0}};
	struct llist list = {0};

	(void)llist_push(&list, &a.link);
	intruded = &list;
	intruder_takes = true;
	EXPECT(llist_push(&list, &b.link)); /* empty again by then */
	EXPECT_EQ(digits(llist_take_all(&list)), 2);
	intruder_takes = false;
}
