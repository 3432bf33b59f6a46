// SPDX-License-Identifier: MIT
/* Intrusive lists: order, removal while walking, splicing, and a model check by random steps.
 */
// LINK: lib/random.c
#include "lib/list.h"

#include "lib/random.h"
#include "lib/test.h"

struct item {
	int value;
	struct list_node link;
};

/* The values in order as one number: 1, 2, 3 gives 123. */
static long digits(const struct list *list)
{
	long number = 0;

	list_check(list);
	list_for_each (item, list, struct item, link)
		number = number * 10 + item->value;
	return number;
}

TEST(list, static_and_dynamic_heads_start_empty)
{
	struct list fixed = LIST_INIT(fixed), made;

	list_init(&made);
	EXPECT(list_is_empty(&fixed));
	EXPECT(list_is_empty(&made));
	EXPECT(!list_first(&made, struct item, link));
	EXPECT(!list_last(&made, struct item, link));
	EXPECT(!list_pop_head(&made, struct item, link));
	EXPECT_EQ(list_length(&made), 0);
	EXPECT_EQ(digits(&fixed), 0);
}

TEST(list, adds_at_both_ends_and_beside_a_node)
{
	struct item a = {.value = 1}, b = {.value = 2}, c = {.value = 3}, d = {.value = 4};
	struct list list = LIST_INIT(list);

	list_add_tail(&list, &b.link);
	list_add_head(&list, &a.link);
	list_insert_after(&b.link, &d.link);
	list_insert_before(&d.link, &c.link);
	EXPECT_EQ(digits(&list), 1234);
	EXPECT_EQ(list_length(&list), 4);
	EXPECT_EQ(list_first(&list, struct item, link)->value, 1);
	EXPECT_EQ(list_last(&list, struct item, link)->value, 4);
	EXPECT_EQ(list_next(&list, &b, struct item, link)->value, 3);
	EXPECT_EQ(list_prev(&list, &b, struct item, link)->value, 1);
	EXPECT(!list_next(&list, &d, struct item, link));
	EXPECT(!list_prev(&list, &a, struct item, link));
}

TEST(list, removed_node_is_unlinked_and_can_be_added_again)
{
	struct item a = {.value = 1}, b = {.value = 2};
	struct list list = LIST_INIT(list);

	EXPECT(!list_node_is_linked(&a.link)); /* zeroed is as good as initialised */
	list_add_tail(&list, &a.link);
	list_add_tail(&list, &b.link);
	EXPECT(list_node_is_linked(&a.link));
	list_remove(&a.link);
	EXPECT(!list_node_is_linked(&a.link));
	EXPECT_EQ(digits(&list), 2);
	list_add_tail(&list, &a.link);
	EXPECT_EQ(digits(&list), 21);
	EXPECT(list_pop_head(&list, struct item, link) == &b);
	EXPECT(!list_node_is_linked(&b.link));
	EXPECT(list_pop_head(&list, struct item, link) == &a);
	EXPECT(list_is_empty(&list));
}

TEST(list, safe_walk_survives_removal_of_each_node)
{
	struct item items[5] = {
		{.value = 1}, {.value = 2}, {.value = 3}, {.value = 4}, {.value = 5}};
	struct list list = LIST_INIT(list);
	int seen = 0;

	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		list_add_tail(&list, &items[i].link);
	list_for_each_safe (item, &list, struct item, link) {
		seen++;
		if (item->value % 2) {
			list_remove(&item->link);
			item->value = 0; /* as good as freed */
		}
	}
	EXPECT_EQ(seen, 5);
	EXPECT_EQ(digits(&list), 24);
}

TEST(list, splice_moves_everything_and_empties_the_source)
{
	struct item a = {.value = 1}, b = {.value = 2}, c = {.value = 3}, d = {.value = 4};
	struct list left = LIST_INIT(left), right = LIST_INIT(right);

	list_add_tail(&left, &a.link);
	list_add_tail(&left, &b.link);
	list_splice_tail(&left, &right); /* of nothing */
	EXPECT_EQ(digits(&left), 12);
	list_splice_tail(&right, &left); /* onto nothing */
	EXPECT_EQ(digits(&left), 0);
	EXPECT_EQ(digits(&right), 12);
	list_add_tail(&left, &c.link);
	list_add_tail(&left, &d.link);
	list_splice_head(&right, &left);
	EXPECT_EQ(digits(&right), 3412);
	EXPECT(list_is_empty(&left));
}

TEST(list, agrees_with_an_array_over_many_random_steps)
{
	enum { ITEMS = 9, STEPS = 20000 };
	struct item items[ITEMS + 1] = {{.value = 0}};
	struct list list = LIST_INIT(list);
	long model = 0; /* the digits, most significant first */
	struct random random;

	random_seed(&random, 1);
	for (int i = 1; i <= ITEMS; i++)
		items[i].value = i;
	for (int step = 0; step < STEPS; step++) {
		int pick = 1 + (int)random_below(&random, ITEMS);
		long scale = 1, rest = model, below = 0;

		if (!list_node_is_linked(&items[pick].link)) {
			list_add_tail(&list, &items[pick].link);
			model = model * 10 + pick;
		} else {
			for (; rest % 10 != pick; rest /= 10, scale *= 10)
				below += rest % 10 * scale;
			model = rest / 10 * scale + below;
			list_remove(&items[pick].link);
		}
		REQUIRE(digits(&list) == model);
	}
}
