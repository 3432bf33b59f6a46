// SPDX-License-Identifier: MIT
/*
 * Radix index and ids against plain arrays, at both ends of the key space, and with every
 * allocation made to fail once: a failed insert must leave the index as it was.
 */
// LINK: lib/radix.c lib/idr.c lib/random.c
#include "lib/radix.h"

#include "lib/idr.h"
#include "lib/random.h"
#include "lib/test.h"

void *calloc(size_t count, size_t size); /* the host's: ASan watches what the index does */
void free(void *object);

struct test_allocator {
	struct allocator allocator;
	long live;
	long until_failure; /* fails when it counts down to 0; negative: never */
};

static void *test_alloc(struct allocator *self, size_t size)
{
	struct test_allocator *t = container_of(self, struct test_allocator, allocator);

	if (t->until_failure >= 0 && t->until_failure-- == 0)
		return NULL;
	t->live++;
	return calloc(1, size);
}

static void test_free(struct allocator *self, void *object, size_t size UNUSED)
{
	container_of(self, struct test_allocator, allocator)->live--;
	free(object);
}

static struct test_allocator memory = {{test_alloc, test_free}, 0, -1};

static char things[256]; /* what the items point to */

/* Keys that meet each level, each edge, and each other. */
static const uint64_t awkward[] = {0, 1, 63, 64, 65, 4095, 4096, 1ull << 32, (1ull << 32) + 63,
	(1ull << 60) - 1, 1ull << 60, 1ull << 63, ~0ull - 64, ~0ull - 1, ~0ull};

TEST(radix, awkward_keys_in_and_out_in_any_order)
{
	enum { N = ARRAY_LEN(awkward) };
	struct radix radix = RADIX_INIT(&memory.allocator);
	struct random random;
	bool present[N] = {0};

	random_seed(&random, 1);
	for (int step = 0; step < 3000; step++) {
		size_t i = random_below(&random, N), seen = 0;

		if (present[i]) {
			REQUIRE(radix_insert(&radix, awkward[i], &things[0]) == -EEXIST);
			REQUIRE(radix_erase(&radix, awkward[i]) == &things[i]);
		} else {
			REQUIRE(!radix_erase(&radix, awkward[i]));
			REQUIRE(radix_insert(&radix, awkward[i], &things[i]) == 0);
		}
		present[i] = !present[i];
		radix_check(&radix);
		for (i = 0; i < N; i++)
			REQUIRE(radix_lookup(&radix, awkward[i]) ==
				(present[i] ? &things[i] : NULL));
		radix_for_each(item, key, &radix)
		{ /* in order, each once */
			while (seen < N && !present[seen])
				seen++;
			REQUIRE(seen < N);
			REQUIRE(key == awkward[seen] && item == &things[seen]);
			seen++;
		}
		for (; seen < N; seen++)
			REQUIRE(!present[seen]);
	}
	radix_clear(&radix);
	EXPECT_EQ(memory.live, 0);
}

TEST(radix, empties_to_nothing_and_shrinks_to_what_the_keys_need)
{
	struct radix radix = RADIX_INIT(&memory.allocator);

	EXPECT_EQ(radix_insert(&radix, 5, &things[5]), 0);
	EXPECT_EQ(memory.live, 1);
	EXPECT_EQ(radix_insert(&radix, ~0ull, &things[6]), 0);
	EXPECT_EQ(memory.live, 1 + 10 + 10); /* one path shares the root only */
	EXPECT(radix_erase(&radix, ~0ull) == &things[6]);
	EXPECT_EQ(memory.live, 1);
	EXPECT(radix_lookup(&radix, 5) == &things[5]);
	EXPECT(radix_erase(&radix, 5) == &things[5]);
	EXPECT_EQ(memory.live, 0);
	EXPECT(radix_is_empty(&radix));
}

TEST(radix, replace_gives_the_old_item_and_creates_none)
{
	struct radix radix = RADIX_INIT(&memory.allocator);

	EXPECT(!radix_replace(&radix, 9, &things[1]));
	EXPECT(radix_is_empty(&radix));
	EXPECT_EQ(radix_insert(&radix, 9, &things[1]), 0);
	EXPECT(radix_replace(&radix, 9, &things[2]) == &things[1]);
	EXPECT(radix_lookup(&radix, 9) == &things[2]);
	EXPECT(!radix_replace(&radix, 10, &things[2]));
	radix_clear(&radix);
}

TEST(radix, every_failed_allocation_leaves_the_index_as_it_was)
{
	enum { N = ARRAY_LEN(awkward) };

	for (size_t before = 0; before < N; before++) {
		for (size_t key = 0; key < N; key++) {
			struct radix radix = RADIX_INIT(&memory.allocator);
			int err = -ENOMEM;

			if (key == before)
				continue;
			REQUIRE(radix_insert(&radix, awkward[before], &things[0]) == 0);
			for (long nth = 0; err; nth++) {
				long live = memory.live;

				memory.until_failure = nth;
				err = radix_insert(&radix, awkward[key], &things[1]);
				memory.until_failure = -1;
				radix_check(&radix);
				REQUIRE(!err || err == -ENOMEM);
				REQUIRE(!err || memory.live == live);
				REQUIRE(!err == !!radix_lookup(&radix, awkward[key]));
				REQUIRE(radix_lookup(&radix, awkward[before]) == &things[0]);
			}
			radix_clear(&radix);
			REQUIRE(memory.live == 0);
		}
	}
}

TEST(radix, find_free_agrees_with_an_array)
{
	enum { KEYS = 64 * 64 + 200 };
	static bool taken[KEYS + 1];
	struct radix radix = RADIX_INIT(&memory.allocator);
	struct random random;

	random_seed(&random, 2);
	for (int step = 0; step < 40000; step++) {
		/* long runs, so that whole nodes fill up and open again */
		uint64_t key = random_below(&random, KEYS);
		uint64_t end = MIN(key + random_below(&random, 300), (uint64_t)KEYS), free_key;
		bool fill = random_below(&random, 5) > 1;

		for (; step % 40 == 0 && key < end; key++) {
			if (fill && !taken[key])
				REQUIRE(radix_insert(&radix, key, things) == 0);
			else if (!fill && taken[key])
				REQUIRE(radix_erase(&radix, key));
			taken[key] = fill;
		}
		if (step % 400 == 0)
			radix_check(&radix);
		key = random_below(&random, KEYS);
		REQUIRE(radix_find_free(&radix, key, &free_key));
		while (key < KEYS && taken[key])
			key++;
		REQUIRE(free_key == key);
	}
	radix_clear(&radix);
	EXPECT_EQ(memory.live, 0);
}

TEST(radix, find_free_at_the_end_of_all_keys)
{
	struct radix radix = RADIX_INIT(&memory.allocator);
	uint64_t key;

	EXPECT_EQ(radix_insert(&radix, ~0ull, things), 0);
	radix_check(&radix);
	EXPECT(!radix_find_free(&radix, ~0ull, &key));
	EXPECT(radix_find_free(&radix, ~0ull - 1, &key));
	EXPECT_EQ(key, -2ll);
	for (uint64_t i = 1; i < 200; i++)
		REQUIRE(radix_insert(&radix, ~0ull - i, things) == 0);
	EXPECT(!radix_find_free(&radix, ~0ull - 150, &key));
	EXPECT(radix_find_free(&radix, 0, &key));
	EXPECT_EQ(key, 0);
	radix_check(&radix);
	radix_clear(&radix);
}

TEST(idr, gives_the_lowest_free_id_within_its_bounds)
{
	struct idr idr;
	uint64_t id;

	idr_init(&idr, 3, 6, &memory.allocator);
	for (uint64_t want = 3; want <= 6; want++) {
		EXPECT_EQ(idr_alloc(&idr, &things[want], &id), 0);
		EXPECT_EQ(id, want);
	}
	EXPECT_EQ(idr_alloc(&idr, things, &id), -ENOSPC);
	EXPECT(idr_free(&idr, 4) == &things[4]);
	EXPECT(!idr_free(&idr, 4));
	EXPECT(!idr_lookup(&idr, 4));
	EXPECT_EQ(idr_alloc_from(&idr, things, 5, &id), -ENOSPC);
	EXPECT_EQ(idr_alloc(&idr, &things[9], &id), 0);
	EXPECT_EQ(id, 4);
	EXPECT(idr_lookup(&idr, 4) == &things[9]);
	id = 0;
	EXPECT(idr_find(&idr, &id) == &things[3]);
	EXPECT_EQ(id, 3);
	idr_fini(&idr);
	EXPECT_EQ(memory.live, 0);
}

TEST(idr, cyclic_does_not_reuse_until_it_has_gone_round)
{
	struct idr idr;
	uint64_t id;

	idr_init(&idr, 1, 5, &memory.allocator);
	for (uint64_t want = 1; want <= 5; want++) {
		EXPECT_EQ(idr_alloc_cyclic(&idr, things, &id), 0);
		EXPECT_EQ(id, want);
		if (want != 2)
			EXPECT(idr_free(&idr, id) == things);
	}
	EXPECT_EQ(idr_alloc_cyclic(&idr, things, &id), 0);
	EXPECT_EQ(id, 1);
	EXPECT_EQ(idr_alloc_cyclic(&idr, things, &id), 0);
	EXPECT_EQ(id, 3); /* 2 is still held */
	idr_fini(&idr);
}

TEST(idr, exact_ids_and_failures_are_reported_as_what_they_are)
{
	struct idr idr;
	uint64_t id = 77;

	idr_init(&idr, 1, 1000, &memory.allocator);
	EXPECT_EQ(idr_alloc_at(&idr, things, 300), 0);
	EXPECT_EQ(idr_alloc_at(&idr, things, 300), -EEXIST);
	EXPECT_EQ(idr_alloc_at(&idr, things, 0), -ENOSPC);
	EXPECT_EQ(idr_alloc_at(&idr, things, 1001), -ENOSPC);
	memory.until_failure = 0;
	EXPECT_EQ(idr_alloc(&idr, things, &id), -ENOMEM);
	memory.until_failure = -1;
	EXPECT_EQ(id, 77); /* written only on success */
	idr_fini(&idr);
	EXPECT_EQ(memory.live, 0);
}
