// SPDX-License-Identifier: MIT
/* The rules of lock order, rule by rule. */
// LINK: sync/lock_order.c
#include "lib/test.h"
#include "sync/lock_order_priv.h"

static const int a, b, c; /* their addresses are locks */

static struct held_lock lock_of(const void *lock, unsigned rank, uint64_t key)
{
	return (struct held_lock){
		.lock = lock, .name = "test", .rank = (uint16_t)rank, .key = key};
}

static enum lock_problem take(
	struct held_list *list, const void *lock, unsigned rank, uint64_t key)
{
	const struct held_lock *culprit;
	struct held_lock want = lock_of(lock, rank, key);
	enum lock_problem problem = lock_order_check(list, &want, &culprit);

	EXPECT_EQ(culprit == NULL, problem == LOCK_FINE || problem == LOCK_TOO_MANY);
	if (problem == LOCK_FINE)
		lock_order_add(list, &want);
	return problem;
}

TEST(lock_order, higher_ranks_follow_lower_ones)
{
	struct held_list list = {0};

	EXPECT_EQ(take(&list, &a, 3, 0), LOCK_FINE);
	EXPECT_EQ(take(&list, &b, 5, 0), LOCK_FINE);
	EXPECT_EQ(take(&list, &c, 4, 0), LOCK_WRONG_RANK);
	EXPECT_EQ(list.nr, 2);
}

TEST(lock_order, the_same_lock_twice_is_told_apart_from_the_same_rank)
{
	struct held_list list = {0};

	EXPECT_EQ(take(&list, &a, 3, 0), LOCK_FINE);
	EXPECT_EQ(take(&list, &a, 3, 0), LOCK_ALREADY_HELD);
	EXPECT_EQ(take(&list, &b, 3, 0), LOCK_SAME_RANK);
}

TEST(lock_order, equal_ranks_need_ascending_keys)
{
	struct held_list list = {0};

	EXPECT_EQ(take(&list, &a, 3, 10), LOCK_FINE);
	EXPECT_EQ(take(&list, &b, 3, 10), LOCK_WRONG_KEY);
	EXPECT_EQ(take(&list, &b, 3, 9), LOCK_WRONG_KEY);
	EXPECT_EQ(take(&list, &b, 3, 11), LOCK_FINE);
	EXPECT_EQ(take(&list, &c, 3, 0), LOCK_SAME_RANK);
}

TEST(lock_order, a_lock_got_by_trying_still_binds_what_follows)
{
	struct held_list list = {0};
	struct held_lock tried = lock_of(&b, 2, 0);

	EXPECT_EQ(take(&list, &a, 5, 0), LOCK_FINE);
	lock_order_add(&list, &tried); /* below what is held: an attempt may */
	EXPECT_EQ(take(&list, &c, 3, 0), LOCK_WRONG_RANK);
	EXPECT_EQ(take(&list, &c, 6, 0), LOCK_FINE);
}

TEST(lock_order, locks_may_be_released_in_any_order)
{
	struct held_list list = {0};

	EXPECT_EQ(take(&list, &a, 1, 0), LOCK_FINE);
	EXPECT_EQ(take(&list, &b, 2, 0), LOCK_FINE);
	EXPECT_EQ(take(&list, &c, 3, 0), LOCK_FINE);
	EXPECT_EQ(lock_order_remove(&list, &a), LOCK_FINE);
	EXPECT_EQ(list.nr, 2);
	EXPECT(list.held[0].lock == &b && list.held[1].lock == &c);
	EXPECT_EQ(lock_order_remove(&list, &a), LOCK_NOT_HELD);
	EXPECT_EQ(lock_order_remove(&list, &c), LOCK_FINE);
	EXPECT_EQ(lock_order_remove(&list, &b), LOCK_FINE);
	EXPECT_EQ(list.nr, 0);
}

TEST(lock_order, too_deep_is_a_problem_not_an_overflow)
{
	static const char locks[MAX_HELD_LOCKS + 1];
	struct held_list list = {0};

	for (unsigned i = 0; i < MAX_HELD_LOCKS; i++)
		EXPECT_EQ(take(&list, &locks[i], i + 1, 0), LOCK_FINE);
	EXPECT_EQ(take(&list, &locks[MAX_HELD_LOCKS], MAX_HELD_LOCKS + 1, 0), LOCK_TOO_MANY);
}

TEST(lock_order, every_problem_has_words)
{
	for (unsigned p = LOCK_FINE; p <= LOCK_NOT_HELD; p++)
		EXPECT(!test_streq(lock_problem_text((enum lock_problem)p), "unknown"));
}
